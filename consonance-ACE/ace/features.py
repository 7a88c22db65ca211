"""The constant-Q spectrum that the network hears, that of librosa without librosa.

Importing librosa's takes seconds of CPU (it compiles parts of itself with numba), so it is only what the tests compare
with. The method is the recursive one of Schörkhuber and Klapuri ("Constant-Q transform toolbox", 2010): the top
octave's filters as spectra; the octaves below by the same after halving the sample rate.

librosa halves with steep filters. Ours are short, since no octave's filters hear more than the lower two fifths of their
signal's band: what lies above may fade and fold. Where a track stops dead at an end of the sound, steep filters ring and
ours do not, which is the one difference that can be measured.
"""

import math
from dataclasses import dataclass

import numpy
import torch

# The part of a filter's spectrum, by its sum of magnitudes, that is left out as too small.
SPARSITY = 0.01

# The halving filter: windowed sinc, this many samples to either side, with a Kaiser window. It lets the lowest 0.2 of the band
# through, which is 0.4 after it, to 3e-6, and keeps out what would fold into that.
HALVING_REACH, HALVING_BETA = 15, 11.0
# Samples that one row of the product with that filter's matrix makes out of twice as many: the fastest of 8, 16, 24 and 32.
HALVED_AT_ONCE = 16

# Width in bins of the main lobe of a Hann window at -3 dB, as librosa counts it.
HANN_BANDWIDTH = 1.50018310546875


@dataclass(frozen=True)
class Octave:
    window: int
    hop: int
    heard: slice  # Of a window's spectrum, real and imaginary parts in turns
    basis: torch.Tensor  # [heard, filters' real parts and then their imaginary ones]


class ConstantQ:
    """Magnitudes of the constant-Q transform, [bins, frames], of mono samples."""

    def __init__(self, config):
        self.config = config
        octaves = config.octaves
        frequencies = config.lowest_hz * 2.0 ** (numpy.arange(config.bins) / config.bins_per_octave)
        step = 2.0 ** (2.0 / config.bins_per_octave)
        self._q = (step + 1) / (step - 1)
        self._early = early_halvings(config, frequencies[-1] * (1 + 0.5 * HANN_BANDWIDTH / self._q))
        rate, hop = config.sample_rate / 2**self._early, config.hop_length // 2**self._early
        lengths = self._q * rate / frequencies
        self._halving = halving_matrix()
        self._octaves = []
        for number in range(octaves):
            low = config.bins - (number + 1) * config.bins_per_octave
            part = slice(low, low + config.bins_per_octave)
            # The samples that halving takes away count twice: in the sum over a window, and in the signal's energy, which
            # librosa keeps. The square root of the length is its scale that makes all bins equally loud.
            gain = 2.0**number * math.sqrt(2.0**self._early) / numpy.sqrt(lengths[part])
            self._octaves.append(octave(frequencies[part], self._q, rate / 2**number, hop // 2**number, gain))

    def __call__(self, samples):
        signal = numpy.ascontiguousarray(samples, dtype=numpy.float32)
        for _ in range(self._early):
            signal = self._halved(signal)
        rows = []
        for number, each in enumerate(self._octaves):
            if number:
                signal = self._halved(signal)
            rows.append(response(signal, each))
        # Top octave first until here; shorter ones can come out with a frame less.
        frames = min(row.shape[0] for row in rows)
        return torch.cat([row[:frames] for row in reversed(rows)], dim=1).T

    def _halved(self, signal):
        """The signal at half of its rate, silence around it."""
        length, step = -(-len(signal) // 2), 2 * HALVED_AT_ONCE
        rows, reads = -(-length // HALVED_AT_ONCE), self._halving.shape[0]
        padded = numpy.zeros((rows - 1) * step + reads, numpy.float32)
        padded[HALVING_REACH : HALVING_REACH + len(signal)] = signal
        return (torch.from_numpy(padded).unfold(0, reads, step) @ self._halving).flatten()[:length].numpy()


def early_halvings(config, highest_hz):
    """How often the rate can be halved before anything else, with an octave to spare above the top filter."""
    room = max(0, math.ceil(math.log2(config.sample_rate / 2 / highest_hz)) - 2)
    twos = (config.hop_length & -config.hop_length).bit_length() - 1
    return min(room, max(0, twos - config.octaves + 1))


def octave(frequencies, q, rate, hop, gain):
    lengths = q * rate / frequencies
    window = 1 << math.ceil(math.log2(lengths.max()))
    filters = numpy.zeros((len(frequencies), window), dtype=numpy.complex64)
    for row, frequency, length in zip(filters, frequencies, lengths):
        wave = wavelet(frequency / rate, length)
        start = (window - len(wave)) // 2
        row[start : start + len(wave)] = wave * (length / window)
    spectra = numpy.fft.fft(filters, axis=1)[:, : window // 2 + 1]
    spectra = sparse(spectra) * gain[:, None]
    heard = numpy.flatnonzero(numpy.abs(spectra).max(axis=0))
    first, last = int(heard[0]), int(heard[-1])
    return Octave(window, hop, slice(2 * first, 2 * (last + 1)), as_real(spectra[:, first : last + 1].T))


def as_real(basis):
    """The product with a complex matrix as one of real numbers, which takes less time than PyTorch's own."""
    real, imaginary = basis.real, basis.imag
    turns = numpy.stack([numpy.hstack([real, imaginary]), numpy.hstack([-imaginary, real])], axis=1)
    return torch.from_numpy(turns.reshape(-1, turns.shape[2]).astype(numpy.float32))


def wavelet(cycles_per_sample, length):
    """A complex sinusoid under a periodic Hann window, its magnitudes adding up to 1."""
    places = numpy.arange(math.floor(-length / 2), math.floor(length / 2))
    hann = 0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(len(places)) / len(places))
    wave = numpy.exp(2j * numpy.pi * cycles_per_sample * places) * hann
    return wave / numpy.abs(wave).sum()


def sparse(spectra):
    """Each row without its smallest values that together make up SPARSITY of it."""
    sizes = numpy.abs(spectra)
    ordered = numpy.sort(sizes, axis=1)
    share = numpy.cumsum(ordered / sizes.sum(axis=1, keepdims=True), axis=1)
    least = ordered[numpy.arange(len(ordered)), (share < SPARSITY).sum(axis=1)]
    return numpy.where(sizes >= least[:, None], spectra, 0)


def halving_matrix():
    """[samples that a row reads, samples that it makes]"""
    places = numpy.arange(-HALVING_REACH, HALVING_REACH + 1)
    taps = numpy.sinc(places / 2) * numpy.kaiser(len(places), HALVING_BETA)
    taps /= taps.sum()
    matrix = numpy.zeros((2 * (HALVED_AT_ONCE - 1) + len(taps), HALVED_AT_ONCE), numpy.float32)
    for made in range(HALVED_AT_ONCE):
        matrix[2 * made : 2 * made + len(taps), made] = taps
    return torch.from_numpy(matrix)


def response(signal, octave):
    """Magnitudes [frames, filters] of windows centred at each hop, silence around the signal."""
    half = octave.window // 2
    padded = numpy.zeros(len(signal) + 2 * half, numpy.float32)
    padded[half : half + len(signal)] = signal
    spectra = torch.fft.rfft(torch.from_numpy(padded).unfold(0, octave.window, octave.hop))
    parts = torch.view_as_real(spectra).flatten(1)[:, octave.heard] @ octave.basis
    real, imaginary = parts.square_().chunk(2, dim=1)
    return (real + imaginary).sqrt_()
