"""Chords by our consonance-ACE: overlapping chunks whose posteriors are cross-faded, one decision for the whole track."""

import os
import sys

import numpy

from . import checkpoints
from .errors import WorkerError

RATE, CHANNELS = 22_050, 1
PACKAGES = ("torch", "torchaudio", "numpy")

LIMITS = {"input_dim": 1024, "conformer_dim": 4096, "num_heads": 64, "ffn_dim": 1 << 14, "num_layers": 64,
          "depthwise_conv_kernel_size": 255}  # fmt: skip

# Spectra made in one go, 0.5 MB each: what they work on stays in the processor's caches, which the network empties.
AHEAD = 8

ROOT, BASS, NOTES = slice(0, 13), slice(13, 26), slice(26, 38)
NONE = 12
# For each set of notes as bits, which of the twelve are not in it.
OUTSIDE = numpy.arange(1 << 12)[:, None] >> numpy.arange(12) & 1 == 0
BITS = 2.0 ** numpy.arange(12, dtype=numpy.float32)


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
        self.hyper_parameters = checkpoints.plain(model.hyper_parameters(given))
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
        with job.watching(self.network):
            for done, (start, spectrum, peak) in enumerate(self.spectra(job, starts)):
                chunk = self.chunk(job, device, spectrum, peak)[: total - start]
                sums[start : start + len(chunk)] += chunk * ramp[: len(chunk)]
                weights[start : start + len(chunk)] += ramp[: len(chunk)]
                job.progress(done + 1, len(starts))
        if not numpy.isfinite(sums).all():
            checkpoints.refuse("The model's answer is not a number")
        sums /= weights
        return sums

    def spectra(self, job, starts):
        """(start, spectrum, peak of the samples) of each chunk; no spectrum where there is no sound."""
        import torch

        for first in range(0, len(starts), AHEAD):
            made = []
            for start in starts[first : first + AHEAD]:
                job.check()
                samples = job.pcm.read(start * self.config.hop_length, self.config.chunk_samples)[:, 0]
                peak = float(max(samples.max(), -samples.min()))
                if peak > 0:
                    samples /= peak
                with torch.inference_mode():
                    made.append((start, self.features(samples) if peak > 0 else None, peak))
            yield from made

    def chunk(self, job, device, spectrum, peak):
        import torch

        out = numpy.zeros((self.config.chunk_frames, 38), numpy.float32)
        silent = numpy.ones(len(out), bool)
        if spectrum is not None:
            job.check()
            with torch.inference_mode():
                with job.network():
                    heard = self.network(spectrum[None, None].to(device))
                    root, bass = heard["root"][0].softmax(-1), heard["bass"][0].softmax(-1)
                    out = torch.cat([root, bass, heard["onehot"][0].sigmoid()], dim=1).float().cpu().numpy()
                silent = (spectrum.amax(0) * peak < self.config.silence).numpy()
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

    codes = heard(posteriors, config.note_threshold)
    edges = numpy.concatenate([[0], numpy.flatnonzero(codes[1:] != codes[:-1]) + 1, [len(codes)]])
    codes, edges = codes[edges[:-1]].tolist(), edges.tolist()
    labels = [decode.label(*sound(code)) for code in codes]
    shortest = config.shortest_span_seconds / config.frame_seconds
    found = decode.without_short(decode.runs(labels, edges), shortest)
    return {
        "spans": spans(found, posteriors, prevailing(found, codes, edges, labels), seconds, config.frame_seconds),
    }


def heard(posteriors, threshold):
    """What each frame says as one number, for sound()."""
    roots, basses = posteriors[:, ROOT].argmax(axis=1), posteriors[:, BASS].argmax(axis=1)
    bits = (posteriors[:, NOTES] > threshold).astype(numpy.float32) @ BITS
    return (roots * 13 + basses << 12) + bits.astype(numpy.int64)


def sound(code):
    """(root, bass, notes as bits)."""
    return (code >> 12) // 13, (code >> 12) % 13, code & 0xFFF


def prevailing(found, codes, edges, labels):
    """The sound of each span that most of its frames were heard as, of those that its label stands for."""
    chosen, place = [], 0
    for run in found:
        frames = {}
        while place < len(codes) and edges[place] < run.last:
            if labels[place] == run.sound:
                frames[codes[place]] = frames.get(codes[place], 0) + edges[place + 1] - edges[place]
            place += 1
        chosen.append(sound(max(frames, key=frames.get)))
    return chosen


def spans(found, posteriors, sounds, seconds, frame_seconds):
    """Spans without gaps from 0 to `seconds`, with the means of how likely their notes are."""
    starts = [run.first for run in found]
    lengths = numpy.array([run.length for run in found])
    means = numpy.add.reduceat(posteriors, starts, axis=0, dtype=numpy.float64) / lengths[:, None]
    sure = numpy.add.reduceat(certainty(posteriors, sounds, lengths), starts, dtype=numpy.float64) / lengths
    edges = [start * frame_seconds for start in starts] + [seconds]
    rows = zip(found, edges, edges[1:], sure.clip(0, 1).tolist(), means[:, NOTES].round(4).tolist())
    return [
        {"start": start, "end": end, "label": run.sound, "confidence": confidence, "notes": notes}
        for run, start, end, confidence, notes in rows
    ]


def certainty(posteriors, sounds, lengths):
    """How likely each frame has the root and the notes of its span; of no chord, the root alone."""
    roots = numpy.repeat([root for root, _, _ in sounds], lengths)
    bits = numpy.repeat([bits for _, _, bits in sounds], lengths)
    notes = numpy.abs(posteriors[:, NOTES] - OUTSIDE[bits].astype(numpy.float32)).mean(axis=1)
    return posteriors[numpy.arange(len(roots)), roots] * numpy.where(roots == NONE, 1, notes)
