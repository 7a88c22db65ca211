"""Beats and downbeats by beat_this: its network, its features and its own peak picking, block by block."""

import inspect

import numpy

from . import checkpoints

RATE, CHANNELS = 22_050, 1
PACKAGES = ("torch", "torchaudio", "beat-this", "numpy")

FRAME_RATE = 50
HOP = RATE // FRAME_RATE
WINDOW = 1024

# As beat_this cuts a track: blocks of 30 s, the first and last 6 frames of which are not used.
CHUNK_FRAMES = 1500
BORDER_FRAMES = 6
UNSEEN = -1000.0

LIMITS = {"spect_dim": 1024, "transformer_dim": 4096, "n_layers": 64, "head_dim": 1024, "stem_dim": 1024, "ff_mult": 16}


class Model:
    def __init__(self, path, _ace):
        from beat_this.model.beat_tracker import BeatThis
        from beat_this.model.postprocessor import Postprocessor
        from beat_this.preprocessing import LogMelSpect

        checkpoint = checkpoints.read_pickle(path)
        state = checkpoints.state_of(checkpoint, "state_dict")
        # Training wrapped the network, which shows in the names.
        state = {name.removeprefix("model."): tensor for name, tensor in state.items()}
        known = inspect.signature(BeatThis).parameters
        given = checkpoint.get("hyper_parameters")
        if not isinstance(given, dict):
            checkpoints.refuse("The checkpoint has no `hyper_parameters`")
        self.hyper_parameters = checkpoints.plain({name: value for name, value in given.items() if name in known})
        checkpoints.limit(self.hyper_parameters, LIMITS)
        self.kind = "beat_this"
        self.network = checkpoints.build(lambda: BeatThis(**self.hyper_parameters), state)
        self.spectrum = LogMelSpect()
        # The track's ends are mirrored here, once, instead of at the ends of every block.
        self.spectrum.spect_class.spectrogram.center = False
        self.pick = Postprocessor(type="minimal", fps=FRAME_RATE)

    def run(self, job, device):
        beat, downbeat = self.logits(job, device)
        return result(beat, downbeat, self.pick)

    def logits(self, job, device):
        """Logits of beat and downbeat, one each 20 ms; where blocks overlap, the earlier one counts."""
        import torch

        total = 1 + job.pcm.frames // HOP
        merged = torch.full((2, total), UNSEEN)
        starts = chunk_starts(total)
        with job.watching(self.network):
            for done, start in enumerate(starts):
                job.check()
                features = self.features(job.pcm, start, total)
                with job.network(), torch.inference_mode():
                    output = self.network(features.unsqueeze(0).to(device))
                    chunk = torch.stack([output["beat"][0], output["downbeat"][0]]).float().cpu()
                first = start + BORDER_FRAMES
                place = merged[:, first : first + CHUNK_FRAMES - 2 * BORDER_FRAMES]
                used = chunk[:, BORDER_FRAMES:-BORDER_FRAMES]
                place.copy_(torch.where(place == UNSEEN, used, place))
                job.progress(done + 1, len(starts))
        if not bool(torch.isfinite(merged).all()):
            checkpoints.refuse("The model's answer is not a number")
        return merged[0], merged[1]

    def features(self, pcm, start, total):
        """The log-mel frames of the block at `start`, with empty ones before the track's first and after its last."""
        import torch

        first, last = max(start, 0), min(start + CHUNK_FRAMES, total)
        after = max(0, min(BORDER_FRAMES, start + CHUNK_FRAMES - total))
        sound = mirrored(pcm, first * HOP - WINDOW // 2, (last - 1 - first) * HOP + WINDOW)
        with torch.inference_mode():
            frames = self.spectrum(torch.from_numpy(sound))
        return torch.nn.functional.pad(frames, (0, 0, max(0, -start), after))


def chunk_starts(total):
    """First frames of the blocks. The last one is moved back to end where the track does."""
    step = CHUNK_FRAMES - 2 * BORDER_FRAMES
    starts = list(range(-BORDER_FRAMES, total - BORDER_FRAMES, step))
    if total > step:
        starts[-1] = total - (CHUNK_FRAMES - BORDER_FRAMES)
    return starts


def mirrored(pcm, start, count):
    """Mono samples from `start`, mirrored at the track's ends (the end sample not repeated)."""
    if 0 <= start and start + count <= pcm.frames:
        return pcm.read(start, count)[:, 0]
    period = max(1, 2 * (pcm.frames - 1))
    index = numpy.arange(start, start + count) % period
    index = numpy.where(index < pcm.frames, index, period - index)
    low, high = int(index.min()), int(index.max())
    return pcm.read(low, high - low + 1)[index - low, 0]


def result(beat, downbeat, pick):
    beats, downbeats = pick(beat, downbeat)
    beats = numpy.asarray(beats, dtype=float)
    # A beat between two frames is the mean of neighbours that are equally good; either tells its strength.
    frames = numpy.clip(numpy.round(beats * FRAME_RATE).astype(int), 0, len(beat) - 1)
    scores = beat.double().sigmoid().numpy()[frames]
    return {
        "beats": beats.tolist(),
        # Each is moved to the nearest beat; without beats they would stay where they are.
        "downbeats": numpy.asarray(downbeats, dtype=float).tolist() if len(beats) else [],
        "beat_scores": scores.tolist(),
    }
