"""What the tests share: packages or a skip, small checkpoints, sound, and a worker at the other end of its protocol."""

import atexit
import importlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON_DIR = os.path.dirname(HERE)
ROOT = os.path.dirname(PYTHON_DIR)
ACE_DIR = os.path.join(ROOT, "consonance-ACE")
sys.path[:0] = [PYTHON_DIR, ACE_DIR]

# Threads that spin while they wait cost a busy machine more than they bring to networks this small.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

SLOW = bool(os.environ.get("TONEARM_SLOW"))
# Far beyond what anything here takes, so that a hang fails instead of hanging.
PATIENCE_SECONDS = 120

_folder = None


def need(*names):
    """Skip the tests of the calling module's class where a package is missing."""
    missing = [name for name in names if not importable(name)]
    if missing:
        raise unittest.SkipTest(f"not installed: {', '.join(missing)}")


def importable(name):
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False


def folder():
    """A folder for this run of the tests."""
    global _folder
    if _folder is None:
        _folder = tempfile.mkdtemp(prefix="tonearm-python-")
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def fresh_folder():
    return tempfile.mkdtemp(dir=folder())


def checkpoints():
    """The folder of the small checkpoints."""
    import make_checkpoints

    path = os.path.join(folder(), "models")
    if not os.path.isdir(path):
        make_checkpoints.write_all(path)
    return path


def music(seconds, channels, rate, seed=1):
    """Chords, a beat and noise: float32 of shape (frames, channels)."""
    import numpy

    chance = numpy.random.default_rng(seed)
    frames = round(seconds * rate)
    time = numpy.arange(frames) / rate
    sound = numpy.zeros((frames, channels))
    for place, hertz in enumerate((110.0, 220.0, 277.18, 329.63, 440.0)):
        sound[:, place % channels] += 0.1 * numpy.sin(2 * numpy.pi * hertz * time * (1 + 0.1 * (time % 4 > 2)))
    beat = numpy.exp(-30 * (time % 0.5))
    noise = chance.standard_normal((frames, channels))
    return (sound + 0.2 * beat[:, None] * noise + 0.01 * noise).astype(numpy.float32)


def write_pcm(sound):
    path = os.path.join(fresh_folder(), "sound.f32")
    sound.astype("<f4").tofile(path)
    return path


class Notes:
    """Takes a job's replies."""

    def __init__(self):
        self.sent = []

    def send(self, event, **fields):
        self.sent.append({"event": event, **fields})


def job(sound, rate, out=None, cancelled=lambda: False):
    from tonearm_worker.job import Job
    from tonearm_worker.pcm import Pcm

    pcm = Pcm(write_pcm(sound), len(sound), sound.shape[1], rate)
    atexit.register(pcm.close)
    return Job(1, pcm, out, Notes(), cancelled)


class Worker:
    """A worker process. Replies are read by a thread, so that waiting for one can end."""

    def __init__(self, family, *more, script=os.path.join(PYTHON_DIR, "worker.py")):
        command = [sys.executable, "-I", "-B", "-X", "utf8", script, "--family", family]
        self.process = subprocess.Popen(
            command + list(more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.replies = queue.Queue()
        self.errors = b""
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self):
        for line in self.process.stdout:
            self.replies.put(json.loads(line))
        self.replies.put(None)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors += line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                pipe.close()
            except OSError:  # What was not sent yet has nobody to go to.
                pass

    def send(self, **request):
        self.send_line(json.dumps(request).encode())

    def send_line(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def wait_for(self, *events):
        """The next reply of one of these kinds."""
        while True:
            reply = self.replies.get(timeout=PATIENCE_SECONDS)
            if reply is None:
                raise AssertionError(f"the worker ended: {self.errors.decode(errors='replace')[-2000:]}")
            if reply["event"] in events:
                return reply

    def load(self, name, **more):
        self.send(op="load", path=os.path.join(checkpoints(), name), device="cpu", threads=1, **more)
        reply = self.wait_for("loaded", "error")
        assert reply["event"] == "loaded", reply
        return reply

    def run(self, sound, rate_hz, /, number=1, out=None, **changed):
        request = {"id": number, "pcm": write_pcm(sound), "frames": len(sound), "channels": sound.shape[1], "rate": rate_hz}
        self.send(op="run", **{**request, "out": out, **changed})
