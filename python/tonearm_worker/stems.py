"""Stems by htdemucs: demucs' overlap-add as a stream, in memory that does not grow with the track."""

import inspect
import math
import os
import shutil
from fractions import Fraction

import numpy

from . import checkpoints, partial
from .errors import WorkerError

RATE, CHANNELS = 44_100, 2
PACKAGES = ("torch", "demucs", "safetensors", "numpy")

SOURCES = ("drums", "bass", "other", "vocals")
NETWORK = "demucs.htdemucs.HTDemucs"
OVERLAP = 0.25
TINY = 1e-8
MAX_SEGMENT_SECONDS = 60
SPARE_DISK_BYTES = 64 << 20

LIMITS = {
    "channels": 512, "channels_time": 512, "growth": 4, "depth": 8, "nfft": 1 << 14, "dconv_depth": 8,
    "t_layers": 32, "t_heads": 64, "bottom_channels": 4096, "multi_freqs_depth": 8, "kernel_size": 64,
}  # fmt: skip


class NamedClass:
    """Stands for the network's class in a pickle: reading one must not build anything."""

    def __init__(self, *_):
        checkpoints.refuse("The checkpoint builds objects while it is read")


class NamedFraction:
    """Stands for fractions.Fraction, whose reading of a text such as 1e999999999 would not end."""

    def __init__(self, *parts):
        self.parts = parts

    def value(self):
        parts = self.parts
        if len(parts) == 1 and isinstance(parts[0], str) and len(parts[0]) <= 20:
            parts = parts[0].split("/")
        try:
            numbers = [int(str(part)) for part in parts]
            return fraction(*numbers)
        except (TypeError, ValueError):
            checkpoints.refuse("The segment is no fraction")


def fraction(numerator, denominator=1):
    if not all(isinstance(each, int) and abs(each) <= 1 << 31 for each in (numerator, denominator)) or not denominator:
        checkpoints.refuse("The segment is no fraction")
    return Fraction(numerator, denominator)


class Model:
    def __init__(self, path, _ace):
        from demucs.htdemucs import HTDemucs

        klass, args, kwargs, state = read(path)
        if klass != NETWORK:
            checkpoints.refuse(f"Not an htdemucs model: {klass}")
        known = [name for name in inspect.signature(HTDemucs).parameters]
        values = {**dict(zip(known, args)), **{name: value for name, value in kwargs.items() if name in known}}
        self.hyper_parameters = {name: checkpoints.plain(value, name) for name, value in values.items()}
        checkpoints.limit(self.hyper_parameters, LIMITS)
        self.refuse_other_use()
        self.kind = "htdemucs"
        self.network = checkpoints.build(lambda: HTDemucs(**self.hyper_parameters), state)
        self.segment = int(self.network.segment * RATE)

    def refuse_other_use(self):
        given = {"audio_channels": 2, "samplerate": RATE, "segment": 10, "use_train_segment": True, **self.hyper_parameters}
        sources = given.get("sources")
        if not isinstance(sources, list) or sorted(map(str, sources)) != sorted(SOURCES):
            checkpoints.refuse("The model does not split into drums, bass, other and vocals")
        if given["audio_channels"] != CHANNELS or given["samplerate"] != RATE:
            checkpoints.refuse("The model is not for stereo at 44.1 kHz")
        segment = given["segment"]
        if not isinstance(segment, (int, float, Fraction)) or not 0.1 <= segment <= MAX_SEGMENT_SECONDS:
            checkpoints.refuse("The model's segment is out of range")
        if given["use_train_segment"] is not True:
            checkpoints.refuse("The model's segment is not fixed")

    def run(self, job, device):
        if job.out is None:
            raise WorkerError("bad_request", "`out` is a folder")
        with Stems(job.out, self.network.sources, job.pcm.frames) as stems:
            residual = Residual()
            scale = (job.spread.mean, job.spread.deviation + TINY)
            for mix, parts in separate(self.network, self.segment, job, device, scale):
                stems.write(parts)
                residual.add(mix, parts)
            stems.keep()
        return {"files": stems.names, "frames": job.pcm.frames, "residual_db": residual.decibels()}


def read(path):
    """(name of the class, args, kwargs, tensors) of a model file of demucs, old or new."""
    with open(checkpoints.checked_path(path), "rb") as file:
        head = file.read(4)
    return read_old(path) if head == b"PK\x03\x04" else read_new(path)


def read_new(path):
    metadata, state = checkpoints.read_safetensors(path)
    # demucs itself imports and calls whatever the metadata names.
    args, kwargs = decoded(checkpoints.json_metadata(metadata, "args")), decoded(checkpoints.json_metadata(metadata, "kwargs"))
    if "structure" in metadata or not isinstance(args, list) or not isinstance(kwargs, dict):
        checkpoints.refuse("The metadata is not that of an htdemucs model")
    return metadata.get("klass"), args, kwargs, state


def read_old(path):
    stand_ins = [(NamedClass, NETWORK), (NamedFraction, "fractions.Fraction")]
    package = checkpoints.read_pickle(path, stand_ins)
    state = checkpoints.state_of(package, "state")
    if package.get("klass") is not NamedClass:
        checkpoints.refuse("Not an htdemucs model")
    args, kwargs = package.get("args"), package.get("kwargs")
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        checkpoints.refuse("The checkpoint has no `args` and `kwargs`")
    return NETWORK, decoded(list(args)), decoded(kwargs), state


def decoded(value):
    """Fractions in either of the two ways that the files write them."""
    if isinstance(value, NamedFraction):
        return value.value()
    if isinstance(value, (list, tuple)):
        return [decoded(each) for each in value]
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return fraction(value.get("numerator"), value.get("denominator"))
        return {key: decoded(each) for key, each in value.items()}
    return value


def weights(segment):
    """A triangle over the segment, 1 at its peak."""
    import torch

    half = segment // 2
    ramp = torch.cat([torch.arange(1, half + 1), torch.arange(segment - half, 0, -1)])
    return ramp / ramp.max()


def separate(network, segment, job, device, scale):
    """Yields (mix, parts) of shapes (n, 2) and (sources, 2, n) from start to end.

    What demucs' apply_model(shifts=0, split=True, overlap=0.25) does, with only one segment of sums kept: segments
    start every `stride`, so what lies before the next start is final.
    """
    import torch

    frames, (mean, deviation) = job.pcm.frames, scale
    stride = int((1 - OVERLAP) * segment)
    starts = range(0, frames, stride)
    weight = weights(segment)
    sums = torch.zeros(len(network.sources), CHANNELS, segment)
    weight_sums = torch.zeros(segment)
    for done, start in enumerate(starts):
        job.check()
        length = min(frames - start, segment)
        # A short last segment is centred in what really stands around it, as the network wants its full length.
        before = (segment - length) // 2
        around = torch.from_numpy(job.pcm.read(start - before, segment))
        inside = zero_outside((around.T - mean) / deviation, before - start, frames)
        with job.network(network), torch.no_grad():
            estimate = network(inside.unsqueeze(0).to(device))[0].float().cpu()
        sums[..., :length] += weight[:length] * estimate[..., before : before + length]
        weight_sums[:length] += weight[:length]
        final = min(stride, frames - start)
        parts = sums[..., :final] / weight_sums[:final] * deviation + mean
        if not bool(torch.isfinite(parts).all()):
            checkpoints.refuse("The model's answer is not a number")
        yield around[before : before + final].numpy(), parts.numpy()
        sums, weight_sums = shifted(sums, stride), shifted(weight_sums, stride)
        job.progress(done + 1, len(starts))


def zero_outside(sound, offset, frames):
    """Silence outside of the track, after the mean was taken off; the track begins at `offset`."""
    if offset > 0:
        sound[..., :offset] = 0
    if offset + frames < sound.shape[-1]:
        sound[..., offset + frames :] = 0
    return sound


def shifted(sums, stride):
    import torch

    return torch.nn.functional.pad(sums[..., stride:], (0, stride))


class Residual:
    """How much of the mix the stems do not add up to."""

    def __init__(self):
        self._rest = self._mix = 0.0

    def add(self, mix, parts):
        rest = mix.T - parts.sum(axis=0, dtype=numpy.float64)
        self._rest += float((rest**2).sum())
        self._mix += float((mix.astype(numpy.float64) ** 2).sum())

    def decibels(self):
        """None for a silent mix, or one that the stems add up to without any rest."""
        return 10 * math.log10(self._rest / self._mix) if self._rest > 0 and self._mix > 0 else None


class Stems:
    """The files that are written: under other names until all of them are complete, and gone if they do not get there."""

    def __init__(self, folder, sources, frames):
        self.names = {source: f"{source}.f32" for source in sources}
        self._folder, self._files = folder, {}
        needed = frames * CHANNELS * 4 * len(self.names) + SPARE_DISK_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise WorkerError("disk", f"The stems need {needed >> 20} MB of free space")

    def __enter__(self):
        try:
            for source, name in self.names.items():
                path = os.path.join(self._folder, name + ".part")
                self._files[source] = open(path, "wb")
                partial.add(path)
        except OSError:
            self._discard()
            raise
        return self

    def write(self, parts):
        for source, part in zip(self.names, parts):
            self._files[source].write(numpy.ascontiguousarray(part.T, dtype="<f4"))

    def keep(self):
        for file in self._files.values():
            file.close()
        for name in self.names.values():
            path = os.path.join(self._folder, name)
            os.replace(path + ".part", path)
            partial.finished(path + ".part")
        self._files.clear()

    def __exit__(self, *_):
        self._discard()

    def _discard(self):
        for file in self._files.values():
            try:
                file.close()
            except OSError:
                pass
            partial.remove(file.name)
        self._files.clear()
