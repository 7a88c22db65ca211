"""One run: what a model needs to read its audio, tell how far it is, notice a cancel and be timed."""

import contextlib
import time

from .errors import Cancelled


class Job:
    def __init__(self, number, pcm, out, replies, cancelled):
        """`cancelled()` tells whether the request was cancelled; `out` is a folder, or None where nothing is written."""
        self.number, self.pcm, self.out = number, pcm, out
        self._replies, self._cancelled = replies, cancelled
        self.network_seconds = self.network_cpu_seconds = 0.0

    def check(self):
        if self._cancelled():
            raise Cancelled

    def progress(self, done, total):
        self.check()
        self._replies.send("progress", id=self.number, done=done, total=total)

    @contextlib.contextmanager
    def watching(self, modules):
        """Let a cancel stop the network between two of its layers."""
        hooks = [each.register_forward_pre_hook(lambda *_: self.check()) for each in interruptible(modules)]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @contextlib.contextmanager
    def network(self):
        """Time what stands inside as the network's own work."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.network_seconds += time.perf_counter() - wall
            self.network_cpu_seconds += time.process_time() - cpu


def interruptible(root):
    """The layers that do work. A whole segment of a full-size network takes seconds, one layer a fraction of one.

    Attention and all within it is left alone: PyTorch takes another, differently rounding path where it sees a hook.
    """
    import torch

    if isinstance(root, torch.nn.MultiheadAttention):
        return
    children = list(root.children())
    if not children:
        if next(root.parameters(recurse=False), None) is not None:
            yield root
        return
    for child in children:
        yield from interruptible(child)
