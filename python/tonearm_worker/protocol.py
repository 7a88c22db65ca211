"""The two ends of the line protocol: replies on a private descriptor, requests from standard input."""

import json
import os
import queue
import re
import sys
import threading

from .errors import WorkerError

MAX_LINE_BYTES = 1 << 20

# A caller sends one request at a time. What comes beyond this is dropped, and said so, rather than kept: the reader
# must never wait, since it is the one who sees the end of the input.
MAX_WAITING = 64

READ_BYTES = 1 << 16


class Replies:
    """Writes one JSON object a line to a descriptor that no library knows of."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._lock = threading.Lock()

    @classmethod
    def claim(cls):
        """Take the descriptor of standard output for the replies, and let whatever else prints go to standard error."""
        try:
            os.fstat(2)
        except OSError:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 2)
        descriptor = os.dup(1)
        os.dup2(2, 1)
        if sys.platform == "win32":
            import msvcrt

            for each in (descriptor, 0):
                msvcrt.setmode(each, os.O_BINARY)
        return cls(descriptor)

    def send(self, event, **fields):
        line = json.dumps({"event": event, **fields}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        data = (line + "\n").encode("utf-8", "replace")
        with self._lock:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                # Nobody is left to read: there is nothing to work for.
                os._exit(0)


class Refused:
    """A line that is no request."""

    def __init__(self, message):
        self.message = message


class Requests:
    """Reads requests in a thread of its own, so that the end of the input is seen in the middle of anything."""

    def __init__(self, descriptor, at_once, at_drop, at_end):
        """`at_once(request)` says whether it has dealt with a request already; `at_end()` does not return."""
        self._descriptor = descriptor
        self._at_once = at_once
        self._at_drop = at_drop
        self._at_end = at_end
        self._waiting = queue.Queue(MAX_WAITING)
        self._dropped = 0
        threading.Thread(target=self._read, name="requests", daemon=True).start()

    def next(self):
        """The next request (a dict) or Refused; waits for it."""
        dropped, self._dropped = self._dropped, 0
        if dropped:
            return Refused(f"{dropped} requests dropped: more than {MAX_WAITING} were waiting")
        return self._waiting.get()

    def _read(self):
        lines = LineSplitter(MAX_LINE_BYTES)
        try:
            while data := os.read(self._descriptor, READ_BYTES):
                for line in lines.split(data):
                    self._take(decode(line))
        finally:
            # Also after a fault of ours: a worker that hears nothing more must not live on.
            self._at_end()

    def _take(self, request):
        if isinstance(request, dict) and self._at_once(request):
            return
        try:
            self._waiting.put_nowait(request)
        except queue.Full:
            self._dropped += 1
            if isinstance(request, dict):
                self._at_drop(request)


class LineSplitter:
    """Cuts a stream of bytes into lines, in bounded memory. None stands for a line that was too long."""

    def __init__(self, limit):
        self._limit = limit
        self._kept = bytearray()
        self._skipping = False

    def split(self, data):
        *ended, rest = data.split(b"\n")
        for part in ended:
            yield self._end(part)
        self._keep(rest)

    def _end(self, part):
        self._keep(part)
        line = None if self._skipping else bytes(self._kept)
        self._kept.clear()
        self._skipping = False
        return line

    def _keep(self, part):
        if self._skipping or len(self._kept) + len(part) > self._limit:
            self._skipping = True
            self._kept.clear()
        else:
            self._kept += part


def decode(line):
    """A request (a dict) or Refused."""
    if line is None:
        return Refused(f"A line is longer than {MAX_LINE_BYTES} bytes")
    try:
        request = json.loads(line.decode("utf-8"), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        return Refused("A line is not JSON")
    return request if isinstance(request, dict) else Refused("A request is a JSON object")


def refuse_constant(name):
    raise ValueError(name)


def text_field(request, name):
    value = request.get(name)
    if not isinstance(value, str) or not value or "\0" in value:
        raise WorkerError("bad_request", f"`{name}` is a text")
    return value


def count_field(request, name, most):
    value = request.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= most:
        raise WorkerError("bad_request", f"`{name}` is a whole number from 1 to {most}")
    return value


def digest_field(request, name):
    value = request.get(name)
    if not isinstance(value, str) or not re.fullmatch("[0-9a-fA-F]{64}", value):
        raise WorkerError("bad_request", f"`{name}` is 64 hexadecimal digits")
    return value.lower()


def id_field(request):
    value = request.get("id")
    if not is_id(value):
        raise WorkerError("bad_request", "`id` is a whole number")
    return value


def is_id(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
