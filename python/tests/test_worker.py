"""The worker as a process, spoken to by its protocol."""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import time
import unittest

import support
from support import Worker

TINY = {"beats": "beat_this-tiny.ckpt", "stems": "htdemucs-tiny.safetensors", "harmony": "ace-tiny.ckpt"}
SHAPES = {"beats": (1, 22_050), "stems": (2, 44_100), "harmony": (1, 22_050)}
RUN_FIELDS = (
    "event", "id", "device", "short", "result", "seconds", "cpu_seconds", "inference_seconds", "inference_cpu_seconds",
    "rss_bytes",
)  # fmt: skip


def setUpModule():
    support.need("numpy", "torch", "torchaudio", "beat_this", "demucs", "safetensors")
    support.checkpoints()


def sound(family, seconds=3.0):
    channels, rate = SHAPES[family]
    return support.music(seconds, channels, rate), rate


class Life(unittest.TestCase):
    def test_hello_comes_before_any_library(self):
        started = time.monotonic()
        with Worker("stems") as worker:
            hello = worker.wait_for("hello")
            # Importing PyTorch alone takes longer on any machine that this runs on.
            self.assertLess(time.monotonic() - started, 1.0)
            self.assertEqual((hello["protocol"], hello["family"]), (1, "stems"))
            self.assertEqual(hello["pid"], worker.process.pid)
            self.assertTrue(hello["python"].startswith("3.12."))

    def test_each_family_loads_and_runs(self):
        for family, name in TINY.items():
            with self.subTest(family=family), Worker(family) as worker:
                loaded = worker.load(name)
                self.assertEqual((loaded["device"], loaded["devices"][-1], loaded["short"]), ("cpu", "cpu", None))
                self.assertGreater(loaded["model"]["parameters"], 1000)
                self.assertIn("torch", loaded["versions"])
                out = support.fresh_folder()
                worker.run(*sound(family), out=out)
                progress, done = worker.wait_for("progress"), worker.wait_for("done", "error")
                self.assertEqual((progress["id"], progress["done"]), (1, 1))
                self.assertEqual(set(done), set(RUN_FIELDS), done)
                self.assertGreater(done["cpu_seconds"], done["inference_cpu_seconds"])
                if family == "beats":
                    self.assertGreater(len(done["result"]["beats"]), 4, done)
                files = sorted(os.listdir(out))
                self.assertEqual(files, ["bass.f32", "drums.f32", "other.f32", "vocals.f32"] if family == "stems" else [])
                worker.send(op="quit")
                self.assertEqual(worker.process.wait(support.PATIENCE_SECONDS), 0)

    def test_two_runs_are_equal_to_the_last_bit(self):
        for family, name in TINY.items():
            with self.subTest(family=family), Worker(family) as worker:
                worker.load(name)
                results = []
                for number in (1, 2):
                    out = support.fresh_folder()
                    worker.run(*sound(family, 12), number=number, out=out)
                    result = worker.wait_for("done")["result"]
                    results.append((json.dumps(result), contents(out)))
                self.assertEqual(results[0], results[1])

    def test_the_end_of_the_input_ends_a_running_worker(self):
        with Worker("stems") as worker:
            worker.load(TINY["stems"])
            out = support.fresh_folder()
            worker.run(*sound("stems", 60), out=out)
            worker.wait_for("progress")
            self.assertTrue(os.listdir(out))
            worker.process.stdin.close()
            started = time.monotonic()
            self.assertEqual(worker.process.wait(support.PATIENCE_SECONDS), 0)
            self.assertLess(time.monotonic() - started, 1.0)
            self.assertEqual(os.listdir(out), [])

    def test_the_end_of_the_input_ends_a_loading_worker(self):
        with Worker("beats") as worker:
            worker.wait_for("hello")
            worker.send(op="load", path=os.path.join(support.checkpoints(), TINY["beats"]), device="cpu", threads=1)
            time.sleep(0.3)
            worker.process.stdin.close()
            started = time.monotonic()
            self.assertEqual(worker.process.wait(support.PATIENCE_SECONDS), 0)
            self.assertLess(time.monotonic() - started, 1.0)

    def test_quit_ends_a_running_worker_and_leaves_nothing(self):
        with Worker("stems") as worker:
            worker.load(TINY["stems"])
            out = support.fresh_folder()
            worker.run(*sound("stems", 60), out=out)
            worker.wait_for("progress")
            worker.send(op="quit")
            self.assertEqual(worker.process.wait(support.PATIENCE_SECONDS), 0)
            self.assertEqual(os.listdir(out), [])

    @unittest.skipUnless(sys.platform.startswith("linux"), "needs /proc")
    def test_no_worker_outlives_a_parent_that_was_killed(self):
        # The parent of the worker is a process of its own, that holds both ends of the pipes and is then killed.
        script = (
            "import subprocess, sys, time\n"
            "p = subprocess.Popen([sys.executable, '-I', '-B', sys.argv[1], '--family', 'beats'],"
            " stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
            "p.stdout.readline(); print(p.pid, flush=True); time.sleep(600)\n"
        )
        command = [sys.executable, "-c", script, os.path.join(support.PYTHON_DIR, "worker.py")]
        for kept_open in (False, True):
            parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            worker = int(parent.stdout.readline())
            # An end of the pipe that somebody else holds: then the end of the input never comes.
            held = os.open(f"/proc/{worker}/fd/0", os.O_WRONLY) if kept_open else None
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            parent.stdout.close()
            self.assertTrue(gone(worker), f"worker {worker} lives on")
            if held is not None:
                os.close(held)

    def test_what_libraries_print_is_no_reply(self):
        script = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from tonearm_worker.protocol import Replies\n"
            "import os\n"
            "replies = Replies.claim(); print('noise', flush=True); os.write(1, b'more noise\\n')\n"
            "replies.send('hello', text='\\u00e4')\n"
        )
        found = subprocess.run([sys.executable, "-c", script, support.PYTHON_DIR], capture_output=True)
        self.assertEqual(found.stdout.decode(), '{"event":"hello","text":"ä"}\n')
        self.assertEqual(found.stderr.splitlines(), [b"noise", b"more noise"])


def contents(folder):
    found = {}
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            found[name] = file.read()
    return found


def gone(process):
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


class Running(unittest.TestCase):
    def test_a_cancel_is_heeded_within_a_second_and_the_next_track_runs(self):
        for family, seconds in (("stems", 60), ("beats", 300), ("harmony", 900)):
            with self.subTest(family=family), Worker(family) as worker:
                worker.load(TINY[family])
                out = support.fresh_folder()
                worker.run(*sound(family, seconds), out=out)
                worker.wait_for("progress")
                started = time.monotonic()
                worker.send(op="cancel", id=1)
                self.assertEqual(worker.wait_for("cancelled", "done", "error"), {"event": "cancelled", "id": 1})
                self.assertLess(time.monotonic() - started, 1.0)
                self.assertEqual(os.listdir(out), [])
                worker.run(*sound(family), number=2, out=out)
                self.assertEqual(worker.wait_for("done", "error", "cancelled")["event"], "done")

    def test_a_waiting_run_can_be_cancelled_and_a_late_cancel_does_nothing(self):
        with Worker("stems") as worker:
            worker.load(TINY["stems"])
            out = support.fresh_folder()
            worker.run(*sound("stems", 20), number=1, out=out)
            worker.run(*sound("stems", 20), number=2, out=out)
            worker.send(op="cancel", id=2)
            self.assertEqual(worker.wait_for("done", "cancelled", "error")["id"], 1)
            self.assertEqual(worker.wait_for("done", "cancelled", "error"), {"event": "cancelled", "id": 2})
            worker.send(op="cancel", id=1)
            worker.send(op="cancel", id=2)
            worker.run(*sound("stems"), number=2, out=out)
            self.assertEqual(worker.wait_for("done", "cancelled", "error")["event"], "done")

    def test_runs_that_nobody_will_answer_leave_room_for_those_that_can_be_cancelled(self):
        from tonearm_worker import main

        worker = main.Worker.__new__(main.Worker)
        worker._cancelled = {}
        for number in range(3000):
            for unanswered in ({"op": "run", "id": number + 10}, {"op": "run", "id": -1 - number}, {"op": "run", "id": True}):
                worker._at_once(unanswered)
                worker._dropped(unanswered)
        worker._at_once({"op": "run", "id": 5})
        worker._at_once({"op": "cancel", "id": 5})
        self.assertEqual(worker._cancelled, {5: True})

    def test_signs_of_life_come_while_it_works(self):
        with Worker("beats") as worker:
            worker.wait_for("hello")
            worker.load(TINY["beats"])
            worker.run(*sound("beats", 200))
            worker.wait_for("progress")
            last, longest = time.monotonic(), 0.0
            while (reply := worker.wait_for("alive", "done"))["event"] == "alive":
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            self.assertGreater(longest, 0, "none came")
            self.assertLess(longest, 3)


class BadInput(unittest.TestCase):
    def test_lines_that_are_no_request_get_an_error_each(self):
        with Worker("beats") as worker:
            worker.wait_for("hello")
            lines = [b"", b"garbage", b"[1,2]", b"\xff\xfe\x00", b"[" * 200_000, b"x" * (2 << 20), b'{"op":"dance"}', b"{}",
                     b'{"op":"run"}', b'{"op":"load"}', b'{"op":"load","path":7}']  # fmt: skip
            for line in lines:
                worker.send_line(line)
                reply = worker.wait_for("error")
                self.assertEqual((reply["id"], reply["kind"]), (None, "bad_request"), line[:30])
            worker.load(TINY["beats"])

    def test_a_flood_is_answered_in_bounds(self):
        with Worker("beats") as worker:
            worker.wait_for("hello")
            for _ in range(20_000):
                worker.process.stdin.write(b'{"op":"dance"}\n')
            worker.process.stdin.flush()
            # Among so many a good request may be dropped too: it is sent until it is heard.
            for _ in range(60):
                worker.send(op="load", path=os.path.join(support.checkpoints(), TINY["beats"]), device="cpu", threads=1)
                try:
                    while (reply := worker.replies.get(timeout=2))["event"] != "loaded":
                        self.assertIn(reply["event"], ("error", "alive"))
                    return
                except queue.Empty:
                    pass
            self.fail("the worker does not come back")

    def test_loading_tells_what_is_wrong(self):
        path = os.path.join(support.checkpoints(), TINY["beats"])
        short = os.path.join(support.fresh_folder(), "short.ckpt")
        with open(path, "rb") as whole, open(short, "wb") as file:
            file.write(whole.read()[:100_000])
        table = [
            ({"path": "/nowhere/model.ckpt"}, "bad_model"),
            ({"path": short}, "bad_model"),
            ({"path": os.path.join(support.checkpoints(), TINY["harmony"])}, "bad_model"),
            ({"path": path, "device": "cuda:63"}, "no_device"),
            ({"path": path, "device": "abacus"}, "bad_request"),
            ({"path": path, "threads": 0}, "bad_request"),
            ({"path": path, "threads": "many"}, "bad_request"),
            ({"path": path, "dtype": "int4"}, "bad_request"),
        ]
        with Worker("beats") as worker:
            for request, kind in table:
                worker.send(op="load", **request)
                reply = worker.wait_for("error", "loaded")
                self.assertEqual(reply.get("kind"), kind, (request, reply))
            worker.run(*sound("beats"))
            self.assertEqual(worker.wait_for("error", "done")["kind"], "bad_request")
            worker.load(TINY["beats"])
            worker.run(*sound("beats"))
            self.assertEqual(worker.wait_for("error", "done")["event"], "done")

    def test_a_file_with_another_sha256_is_refused(self):
        import hashlib

        path = os.path.join(support.checkpoints(), TINY["beats"])
        with open(path, "rb") as file:
            whole = file.read()
        known = hashlib.sha256(whole).hexdigest()
        # One bit in the weights, which nothing else could notice.
        changed = os.path.join(support.fresh_folder(), "changed.ckpt")
        with open(changed, "wb") as file:
            file.write(whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :])
        with Worker("beats") as worker:
            request = {"op": "load", "device": "cpu", "threads": 1}
            worker.send(**request, path=changed, sha256=known)
            reply = worker.wait_for("error", "loaded")
            self.assertEqual(reply.get("kind"), "bad_model", reply)
            self.assertIn("another file", reply["message"])
            self.assertIn(known, reply["message"])
            worker.send(**request, path=path, sha256="abc")
            self.assertEqual(worker.wait_for("error", "loaded").get("kind"), "bad_request")
            for sha256 in (known, known.upper(), None):
                worker.send(**request, path=path, sha256=sha256)
                self.assertEqual(worker.wait_for("error", "loaded")["event"], "loaded", sha256)

    def test_a_description_nested_too_deeply_is_refused(self):
        import safetensors.torch
        import torch

        with Worker("stems") as worker:
            for depth in (100, 900, 20_000):
                path = os.path.join(support.fresh_folder(), "deep.safetensors")
                metadata = {"klass": "demucs.htdemucs.HTDemucs", "args": "[" * depth + "]" * depth, "kwargs": "{}"}
                safetensors.torch.save_file({"a": torch.zeros(1)}, path, metadata)
                worker.send(op="load", path=path, device="cpu", threads=1)
                self.assertEqual(worker.wait_for("error", "loaded").get("kind"), "bad_model", depth)

    def test_running_tells_what_is_wrong_and_goes_on(self):
        import numpy

        track, rate = sound("stems")
        broken = track.copy()
        broken[-5] = numpy.nan
        short = support.write_pcm(track[:-1])
        file = support.write_pcm(track)
        out = support.fresh_folder()
        table = [
            (track, {"frames": len(track) + 1}, "bad_audio"),
            (track, {"frames": 0}, "bad_request"),
            (track, {"frames": 10**30}, "bad_request"),
            (track, {"channels": 1}, "bad_request"),
            (track, {"rate": 48_000}, "bad_request"),
            (track, {"pcm": short}, "bad_audio"),
            (track, {"pcm": "/nowhere/sound.f32"}, "unreadable"),
            (track, {"pcm": out}, "bad_request"),
            (track, {"pcm": "a\0b"}, "bad_request"),
            (track, {"id": -1}, "bad_request"),
            (track, {"id": None}, "bad_request"),
            (broken, {}, "bad_audio"),
            (track, {"out": None}, "bad_request"),
            (track, {"out": os.path.join(out, "missing")}, "unreadable"),
            (track, {"out": file}, "unreadable"),
            # It has no room.
            (track, {"out": "/proc"}, "disk"),
        ]
        with Worker("stems") as worker:
            worker.load(TINY["stems"])
            for pcm, more, kind in table:
                worker.run(pcm, rate, **{"out": out, **more})
                reply = worker.wait_for("error", "done")
                self.assertEqual(reply.get("kind"), kind, (more, reply))
                self.assertEqual(os.listdir(out), [], more)
            worker.run(track, rate, out=out)
            self.assertEqual(worker.wait_for("error", "done")["event"], "done")

    @unittest.skipUnless(os.path.exists("/dev/full") and os.geteuid() == 0, "needs root and Linux")
    def test_a_disk_that_fills_up_is_an_error_and_leaves_nothing(self):
        out = support.fresh_folder()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", out], capture_output=True)
        if mounted.returncode:
            self.skipTest("no small disk can be mounted here")
        try:
            with Worker("stems") as worker:
                worker.load(TINY["stems"])
                worker.run(*sound("stems", 30), out=out)
                reply = worker.wait_for("error", "done")
                self.assertEqual(reply.get("kind"), "disk", reply)
                self.assertEqual(os.listdir(out), [])
        finally:
            subprocess.run(["umount", out], check=True)


@unittest.skipUnless(support.SLOW and sys.platform.startswith("linux"), "slow, and 6 GB of files: set TONEARM_SLOW=1")
class Memory(unittest.TestCase):
    def test_an_hour_takes_hardly_more_memory_than_half_a_minute(self):
        for family in TINY:
            with self.subTest(family=family):
                short, long = self.peak(family, 30), self.peak(family, 3600)
                told = f"{family}: {short >> 10} MB for half a minute, {long >> 10} MB for an hour"
                print(told, file=sys.stderr)
                # Stems keep nothing; harmony and beats a little of each frame.
                self.assertLess(abs(long - short), 0.1 * short if family == "stems" else 128 << 10, told)

    def peak(self, family, seconds):
        """The most memory, in KiB, that a worker of its own ever holds with a track of this length."""
        channels, rate = SHAPES[family]
        piece, folder = support.music(30, channels, rate), support.fresh_folder()
        path, times = os.path.join(folder, "long.f32"), seconds // 30
        with open(path, "wb") as file:
            for _ in range(times):
                file.write(piece.astype("<f4"))
        try:
            with Worker(family) as worker:
                worker.load(TINY[family])
                worker.run(piece, rate, pcm=path, frames=times * len(piece), out=folder)
                self.assertEqual(worker.wait_for("done", "error")["event"], "done")
                with open(f"/proc/{worker.process.pid}/status", encoding="utf-8") as file:
                    lines = dict(line.split(":", 1) for line in file)
            return int(lines["VmHWM"].split()[0])
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    unittest.main()
