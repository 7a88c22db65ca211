"""Chords by our consonance-ACE: overlapping chunks whose posteriors are cross-faded, one decision for the whole track."""

import os
import sys
from collections import Counter

import numpy

from . import checkpoints
from .errors import WorkerError

RATE, CHANNELS = 22_050, 1
PACKAGES = ("torch", "torchaudio", "soxr", "numpy")

LIMITS = {"input_dim": 1024, "conformer_dim": 4096, "num_heads": 64, "ffn_dim": 1 << 14, "num_layers": 64,
          "depthwise_conv_kernel_size": 255}  # fmt: skip

ROOT, BASS, NOTES = slice(0, 13), slice(13, 26), slice(26, 38)
NONE = 12


class Model:
    def __init__(self, path, ace):
        if not os.path.isdir(os.path.join(ace, "ace")):
            raise WorkerError("internal", f"No `ace` package in {ace}")
        if ace not in sys.path:
            sys.path.insert(0, ace)
        from ace import config, features, model

        checkpoint = checkpoints.read_pickle(path)
        state = checkpoints.state_of(checkpoint, "state_dict")
        given = checkpoint.get("hyper_parameters")
        if not isinstance(given, dict):
            checkpoints.refuse("The checkpoint has no `hyper_parameters`")
        values = model.hyper_parameters(given)
        self.hyper_parameters = {name: checkpoints.plain(value, name) for name, value in values.items()}
        checkpoints.limit(self.hyper_parameters, LIMITS)
        self.config = config.load()
        if self.hyper_parameters["input_dim"] != self.config.bins:
            checkpoints.refuse(f"The model does not hear {self.config.bins} bins")
        self.kind = "consonance_ace"
        self.network = checkpoints.build(lambda: model.Network(self.hyper_parameters), model.used(state))
        self.features = features.ConstantQ(self.config)

    def run(self, job, device):
        return result(self.posteriors(job, device), job.pcm.frames / RATE, self.config)

    def posteriors(self, job, device):
        """[frames, 38]: probabilities of 13 roots, 13 basses and 12 notes."""
        total = 1 + job.pcm.frames // self.config.hop_length
        sums, weights = numpy.zeros((total, 38), numpy.float32), numpy.zeros((total, 1), numpy.float32)
        ramp = trapezoid(self.config.chunk_frames, self.config.overlap_frames)[:, None]
        starts = chunk_starts(total, self.config)
        for done, start in enumerate(starts):
            job.check()
            chunk = self.chunk(job, device, start)[: total - start]
            sums[start : start + len(chunk)] += chunk * ramp[: len(chunk)]
            weights[start : start + len(chunk)] += ramp[: len(chunk)]
            job.progress(done + 1, len(starts))
        if not numpy.isfinite(sums).all():
            checkpoints.refuse("The model's answer is not a number")
        return sums / weights

    def chunk(self, job, device, start):
        import torch

        samples = job.pcm.read(start * self.config.hop_length, self.config.chunk_samples)[:, 0]
        peak = float(numpy.abs(samples).max())
        out = numpy.zeros((self.config.chunk_frames, 38), numpy.float32)
        if peak > 0:
            with torch.inference_mode():
                spectrum = self.features(samples / peak)
                with job.network(self.network):
                    heard = self.network(spectrum[None, None].to(device))
                    root, bass = heard["root"][0].softmax(-1), heard["bass"][0].softmax(-1)
                    out = torch.cat([root, bass, heard["onehot"][0].sigmoid()], dim=1).float().cpu().numpy()
                silent = (spectrum.amax(0) * peak < self.config.silence).numpy()
        else:
            silent = numpy.ones(len(out), bool)
        # The network was taught with music; what it says of nothing means nothing.
        out[silent] = 0
        out[silent, NONE] = out[silent, BASS.start + NONE] = 1
        return out


def chunk_starts(total, config):
    """First frames of the chunks, on the track's own grid of hops; the last is moved back to end where the track does."""
    step = config.chunk_frames - config.overlap_frames
    if total <= config.chunk_frames:
        return [0]
    starts = list(range(0, total - config.chunk_frames, step))
    return starts + [total - config.chunk_frames]


def trapezoid(length, overlap):
    """Weights that rise and fall over the overlap, and are never 0."""
    place = numpy.arange(length)
    edge = numpy.minimum(place + 1, length - place)
    return (numpy.minimum(edge, overlap + 1) / (overlap + 1)).astype(numpy.float32)


def result(posteriors, seconds, config):
    from ace import decode
    from ace.key import key

    sounds = heard(posteriors, config.note_threshold)
    shortest = config.shortest_span_seconds / config.frame_seconds
    found = decode.without_short(decode.runs([decode.label(*sound) for sound in sounds]), shortest)
    spans = [span(run, posteriors, sounds, decode.label) for run in found]
    for this, following in zip(spans, found[1:]):
        this["end"] = following.first * config.frame_seconds
    for this, run in zip(spans, found):
        this["start"] = run.first * config.frame_seconds
    spans[-1]["end"] = seconds
    total = posteriors[:, NOTES].sum(axis=0)
    names = decode.PITCHES
    found_key = key(total)
    return {
        "spans": spans,
        "frame_seconds": config.frame_seconds,
        "frames": len(posteriors),
        "key": found_key and {"label": f"{names[found_key[0]]}:{found_key[1]}", "confidence": found_key[2]},
    }


def heard(posteriors, threshold):
    """(root, bass, notes as bits) of each frame."""
    roots, basses = posteriors[:, ROOT].argmax(axis=1), posteriors[:, BASS].argmax(axis=1)
    bits = (posteriors[:, NOTES] > threshold) @ (1 << numpy.arange(12))
    return list(zip(roots.tolist(), basses.tolist(), bits.tolist()))


def span(run, posteriors, sounds, label):
    part = posteriors[run.first : run.last]
    # The frames of the span that were heard as its chord say what is in it.
    counts = Counter(sound for sound in sounds[run.first : run.last] if label(*sound) == run.sound)
    root, _, bits = counts.most_common(1)[0][0]
    in_chord = numpy.array([bits >> pitch & 1 for pitch in range(12)], bool)
    notes = numpy.where(in_chord, part[:, NOTES], 1 - part[:, NOTES]).mean(axis=1)
    certainty = part[:, root] * (1 if root == NONE else notes)
    return {
        "start": None,
        "end": None,
        "label": run.sound,
        "confidence": float(min(1.0, max(0.0, certainty.mean()))),
        "root": rounded(part[:, ROOT]),
        "notes": rounded(part[:, NOTES]),
    }


def rounded(part):
    return [round(float(value), 4) for value in part.mean(axis=0)]
