"""The errors that the protocol knows, and how any exception becomes one of them."""

import contextlib
import errno

KINDS = ("bad_request", "bad_model", "bad_audio", "out_of_memory", "no_device", "disk", "unreadable", "internal")

# A message is shown to a person in one line; some libraries put whole tensors into theirs.
MAX_MESSAGE_CHARS = 400

# Where room on the drive helps.
FULL_ERRNOS = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name))

# What PyTorch's allocators and CUDA's libraries say; only the allocator of CUDA has a type of its own.
MEMORY_WORDS = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "alloc_failed")


class WorkerError(Exception):
    """A failure with one of KINDS, to be told to the caller; the worker goes on."""

    def __init__(self, kind, message):
        assert kind in KINDS, kind
        super().__init__(message)
        self.kind = kind
        self.message = message


class Cancelled(Exception):
    """The running request was cancelled."""


def is_out_of_memory(error):
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(word in text for word in MEMORY_WORDS)


def describe(error):
    """(kind, message) of any exception."""
    if isinstance(error, WorkerError):
        return error.kind, clip(error.message)
    if is_out_of_memory(error):
        return "out_of_memory", "Not enough memory for this track"
    if isinstance(error, OSError) and (error.filename or error.errno in FULL_ERRNOS):
        words = error.strerror or str(error)
        kind = "disk" if error.errno in FULL_ERRNOS else "unreadable"
        return kind, clip(f"{words}: {error.filename}" if error.filename else words)
    return "internal", clip(f"{type(error).__name__}: {error}")


@contextlib.contextmanager
def naming(path):
    """Put the file's name into the system's errors of reading and writing, as those of opening have it."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or path
        raise


def clip(text):
    text = " ".join(str(text).split())
    return text if len(text) <= MAX_MESSAGE_CHARS else text[: MAX_MESSAGE_CHARS - 1] + "…"
