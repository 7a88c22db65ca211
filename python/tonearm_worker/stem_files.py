"""The files of the stems."""

import os
import shutil

import numpy

from . import partial
from .errors import WorkerError, naming

SPARE_DISK_BYTES = 64 << 20


class Stems:
    """The files that are written: under other names until all of them are complete, and gone if they do not get there."""

    def __init__(self, folder, sources, frames, channels):
        self.names = {source: f"{source}.f32" for source in sources}
        self._folder, self._files = folder, {}
        needed = frames * channels * 4 * len(self.names) + SPARE_DISK_BYTES
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
            file = self._files[source]
            with naming(file.name):
                file.write(numpy.ascontiguousarray(part.T, dtype="<f4"))

    def keep(self):
        for file in self._files.values():
            with naming(file.name):
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
