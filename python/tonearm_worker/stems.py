"""Stems by htdemucs."""

import inspect
from fractions import Fraction

from . import checkpoints
from .errors import WorkerError
from .overlap import separate
from .pcm import spread
from .stem_files import Stems
from .stem_models import NETWORK, read

RATE, CHANNELS = 44_100, 2
PACKAGES = ("torch", "demucs", "safetensors", "numpy")

SOURCES = ("drums", "bass", "other", "vocals")
TINY = 1e-8
MAX_SEGMENT_SECONDS = 60

LIMITS = {
    "channels": 512, "channels_time": 512, "growth": 4, "depth": 8, "nfft": 1 << 14, "dconv_depth": 8,
    "t_layers": 32, "t_heads": 64, "bottom_channels": 4096, "multi_freqs_depth": 8, "kernel_size": 64,
}  # fmt: skip


class Model:
    def __init__(self, path, _ace):
        from demucs.htdemucs import HTDemucs

        klass, args, kwargs, state = read(path)
        if klass != NETWORK:
            checkpoints.refuse(f"Not an htdemucs model: {klass}")
        known = [name for name in inspect.signature(HTDemucs).parameters]
        values = {**dict(zip(known, args)), **{name: value for name, value in kwargs.items() if name in known}}
        self.hyper_parameters = checkpoints.plain(values)
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
        with Stems(job.out, self.network.sources, job.pcm.frames, CHANNELS) as stems:
            found = spread(job.pcm, job.check)
            scale = (found.mean, found.deviation + TINY)
            with job.watching(self.network):
                for parts in separate(self.network, self.segment, job, device, scale):
                    stems.write(parts)
            stems.keep()
        return {"files": stems.names, "frames": job.pcm.frames}
