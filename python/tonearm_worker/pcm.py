"""Reading the PCM that the program decoded: raw 32-bit little-endian floats, interleaved."""

import os
import stat

import numpy

from .errors import WorkerError, naming

# Sound stays near 1. What is far beyond overflows in the networks' 32-bit squares, so it is refused where it is seen.
LOUDEST = 1e6
LONGEST_SECONDS = 24 * 3600
SPREAD_FRAMES = 1 << 18


class Pcm:
    """Frames of a file, read block by block.

    Not mapped into memory: the pages of a mapping count as this process's memory for as long as the track is long, and
    a file that shrinks under a mapping kills the process (SIGBUS) instead of giving an error.
    """

    def __init__(self, path, frames, channels, rate):
        self.frames, self.channels, self.rate = frames, channels, rate
        self._frame_bytes = 4 * channels
        if frames > LONGEST_SECONDS * rate:
            raise WorkerError("bad_audio", f"Longer than {LONGEST_SECONDS // 3600} hours")
        self._file = open_regular(path)
        expected, found = frames * self._frame_bytes, os.fstat(self._file.fileno()).st_size
        if found != expected:
            self.close()
            raise WorkerError("bad_audio", f"The PCM file has {found} bytes instead of {expected}")

    def close(self):
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def read(self, start, count):
        """`count` frames from `start` as floats of shape (count, channels); silence outside of the track.

        What is no sound is refused here, where it is read anyway.
        """
        block = numpy.zeros((count, self.channels), dtype="<f4")
        first, last = max(start, 0), min(start + count, self.frames)
        if first < last:
            wanted = block[first - start : last - start]
            with naming(self._file.name):
                self._file.seek(first * self._frame_bytes)
                found = self._file.readinto(memoryview(wanted).cast("B"))
            if found != wanted.nbytes:
                raise WorkerError("bad_audio", "The PCM file ended early")
            # Any comparison with NaN is false, so this refuses all three: NaN, infinity and the absurdly loud.
            if not (wanted.min() > -LOUDEST and wanted.max() < LOUDEST):
                raise WorkerError(
                    "bad_audio", "The audio has values that are no sound (NaN, infinite or beyond all scale)"
                )
        return block.astype(numpy.float32, copy=False)


def open_regular(path):
    """The file opened for reading without ever waiting, as for a pipe."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise WorkerError("bad_request", "The PCM is not a regular file")
    # Buffered, since its readinto goes on until the block is full; the pass-through is as fast for large blocks.
    return open(path, "rb")


class Spread:
    """Mean and sample standard deviation, block by block (the update of Chan, Golub and LeVeque)."""

    def __init__(self):
        self.count, self.mean, self._squares = 0, 0.0, 0.0

    def add(self, values):
        values = values.astype(numpy.float64)
        count, mean = values.size, values.mean()
        away = mean - self.mean
        total = self.count + count
        self._squares += ((values - mean) ** 2).sum() + away * away * self.count * count / total
        self.mean += away * count / total
        self.count = total

    @property
    def deviation(self):
        return (self._squares / (self.count - 1)) ** 0.5 if self.count > 1 else 0.0


def spread(pcm, check):
    """The Spread of a stereo track's mono mix."""
    found = Spread()
    for start in range(0, pcm.frames, SPREAD_FRAMES):
        check()
        block = pcm.read(start, min(SPREAD_FRAMES, pcm.frames - start))
        found.add((block[:, 0] + block[:, 1]) / 2)
    return found
