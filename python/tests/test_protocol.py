"""The line protocol's pieces that need no process."""

import unittest

import support  # noqa: F401  (sets the search path)
from tonearm_worker import devices, errors, protocol


class Lines(unittest.TestCase):
    def test_lines_come_out_whole_however_the_bytes_arrive(self):
        text = b"a\n\nlonger line\nlast"
        for size in range(1, len(text) + 1):
            splitter = protocol.LineSplitter(100)
            found = [line for at in range(0, len(text), size) for line in splitter.split(text[at : at + size])]
            self.assertEqual(found, [b"a", b"", b"longer line"], size)

    def test_a_line_that_is_too_long_is_dropped_and_the_next_one_read(self):
        for size in (1, 3, 100):
            text = b"x" * 10 + b"\n" + b"x" * 11 + b"\nnext\n" + b"x" * 50 + b"\ny\n"
            splitter = protocol.LineSplitter(10)
            found = [line for at in range(0, len(text), size) for line in splitter.split(text[at : at + size])]
            self.assertEqual(found, [b"x" * 10, None, b"next", None, b"y"], size)

    def test_what_is_no_request_is_refused(self):
        for line in (b"", b"{", b"[]", b"1", b"null", b"\xff\xfe", b"[" * 100_000, b'{"op": NaN}', b"9" * 10_000, None):
            self.assertIsInstance(protocol.decode(line), protocol.Refused, line and line[:20])
        self.assertEqual(protocol.decode(b'{"op":"quit"}\r'), {"op": "quit"})

    def test_fields_are_checked(self):
        for bad in (None, "", 7, "a\0b"):
            with self.assertRaises(errors.WorkerError):
                protocol.text_field({"path": bad}, "path")
        for bad in (None, 0, -1, 11, 2.0, "3", True):
            with self.assertRaises(errors.WorkerError):
                protocol.count_field({"frames": bad}, "frames", 10)
        for bad in (None, -1, 1.0, "1", True, 1 << 63):
            with self.assertRaises(errors.WorkerError):
                protocol.id_field({"id": bad})
        for bad in (None, 7, "", "a" * 63, "a" * 65, "g" * 64, "a" * 64 + "\n", ["a"] * 64):
            with self.assertRaises(errors.WorkerError):
                protocol.digest_field({"sha256": bad}, "sha256")
        self.assertEqual(protocol.digest_field({"sha256": "aB" * 32}, "sha256"), "ab" * 32)


class Devices(unittest.TestCase):
    def test_a_device_is_chosen_from_those_that_compute(self):
        table = [("auto", "cuda"), ("cpu", "cpu"), ("cuda", "cuda"), ("cuda:0", "cuda"), ("cuda:1", "cuda:1")]
        for wanted, chosen in table:
            self.assertEqual(devices.choose(wanted, ["cuda", "cuda:1", "cpu"]), chosen)
        self.assertEqual(devices.choose("auto", ["cpu"]), "cpu")
        for wanted, kind in (("cuda", "no_device"), ("mps", "no_device"), ("cuda:7", "no_device"), ("tpu", "bad_request"),
                             ("cuda:x", "bad_request"), ("", "bad_request")):  # fmt: skip
            with self.assertRaises(errors.WorkerError) as caught:
                devices.choose(wanted, ["cpu"])
            self.assertEqual(caught.exception.kind, kind, wanted)


UNREADABLE = ("EACCES", "EPERM", "ENOENT", "ENOTDIR", "EISDIR", "EROFS", "EIO", "EMFILE", "ENFILE", "ESTALE", "ETIMEDOUT")


class Errors(unittest.TestCase):
    def test_each_error_has_its_kind(self):
        import errno

        table = [
            (MemoryError(), "out_of_memory"),
            (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "out_of_memory"),
            (RuntimeError("CUDA out of memory. Tried to allocate"), "out_of_memory"),
            (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "out_of_memory"),
            (RuntimeError("shape mismatch"), "internal"),
            (OSError(errno.ENOMEM, "Cannot allocate memory", "/x"), "out_of_memory"),
            (OSError(errno.ENOSPC, "No space left on device", "/x"), "disk"),
            (OSError(errno.ENOSPC, "No space left on device"), "disk"),
            (OSError(errno.EFBIG, "File too large", "/x"), "disk"),
            *((OSError(getattr(errno, name), "x", "/x"), "unreadable") for name in UNREADABLE if hasattr(errno, name)),
            (OSError(errno.EBADF, "Bad file descriptor"), "internal"),
            (errors.WorkerError("bad_audio", "x"), "bad_audio"),
            (KeyError("a"), "internal"),
        ]
        for error, kind in table:
            self.assertEqual(errors.describe(error)[0], kind, error)
        kind, message = errors.describe(ValueError("a\nb" + "x" * 10_000))
        self.assertLessEqual(len(message), 400)
        self.assertNotIn("\n", message)

    def test_an_error_of_a_file_names_it_and_has_the_words_of_the_system(self):
        import errno

        for number, kind in ((errno.EIO, "unreadable"), (errno.ENOSPC, "disk")):
            with self.assertRaises(OSError) as caught, errors.naming("/models/net.ckpt"):
                raise OSError(number, "The system's words")
            self.assertEqual(errors.describe(caught.exception), (kind, "The system's words: /models/net.ckpt"))
        # Where the system names one itself, it knows better.
        with self.assertRaises(OSError) as caught, errors.naming("/models/net.ckpt"):
            raise OSError(errno.EIO, "The system's words", "/models")
        self.assertEqual(errors.describe(caught.exception), ("unreadable", "The system's words: /models"))


class Audio(unittest.TestCase):
    def setUp(self):
        support.need("numpy")

    def test_blocks_outside_of_the_track_are_silent(self):
        import numpy
        from tonearm_worker.pcm import Pcm

        sound = numpy.arange(1, 11, dtype="f4").reshape(5, 2)
        with Pcm(support.write_pcm(sound), 5, 2, 44_100) as pcm:
            for start, count in ((0, 5), (-3, 4), (3, 9), (-2, 20), (7, 3), (-9, 4)):
                wanted = numpy.array([sound[at] if 0 <= at < 5 else [0, 0] for at in range(start, start + count)])
                numpy.testing.assert_array_equal(pcm.read(start, count), wanted)

    def test_a_drive_that_fails_under_a_file_is_told_with_its_path(self):
        import errno
        from unittest import mock

        import numpy
        from tonearm_worker import stem_files
        from tonearm_worker.pcm import Pcm

        def told(action, number):
            action.side_effect = OSError(number, "The system's words")
            return action

        path = support.write_pcm(numpy.zeros((5, 2)))
        with Pcm(path, 5, 2, 44_100) as pcm:
            with mock.patch.object(pcm, "_file") as file, self.assertRaises(OSError) as caught:
                file.name = path
                told(file.readinto, errno.EIO)
                pcm.read(0, 5)
        self.assertEqual(errors.describe(caught.exception), ("unreadable", f"The system's words: {path}"))
        stems = stem_files.Stems(support.fresh_folder(), ["drums"], 5, 2)
        file = stems._files["drums"] = mock.Mock()
        file.name = "drums.f32.part"
        for action, work in ((file.write, lambda: stems.write([numpy.zeros((2, 5))])), (file.close, stems.keep)):
            told(action, errno.ENOSPC)
            with self.assertRaises(OSError) as caught:
                work()
            self.assertEqual(errors.describe(caught.exception), ("disk", "The system's words: drums.f32.part"))

    def test_mean_and_deviation_are_those_of_the_whole(self):
        import numpy
        from tonearm_worker.pcm import Pcm, spread

        # Louder and louder, so that the blocks differ in both.
        sound = support.music(30, 2, 44_100) * numpy.linspace(0, 2, 30 * 44_100, dtype="f4")[:, None]
        sound += numpy.linspace(-0.2, 0.9, len(sound), dtype="f4")[:, None]
        with Pcm(support.write_pcm(sound), len(sound), 2, 44_100) as pcm:
            found = spread(pcm, lambda: None)
        mono = sound.astype(float).mean(axis=1)
        self.assertAlmostEqual(found.mean, mono.mean(), places=7)
        self.assertAlmostEqual(found.deviation, mono.std(ddof=1), places=7)

    def test_what_is_no_sound_is_refused(self):
        import numpy
        from tonearm_worker.pcm import Pcm

        for value in (numpy.nan, numpy.inf, -numpy.inf, 1e30):
            sound = support.music(20, 1, 22_050)
            sound[-1] = value
            with Pcm(support.write_pcm(sound), len(sound), 1, 22_050) as pcm, self.assertRaises(errors.WorkerError) as caught:
                pcm.read(len(sound) - 100, 200)
            self.assertEqual(caught.exception.kind, "bad_audio")


class Interrupts(unittest.TestCase):
    def test_a_cancel_stops_between_two_layers(self):
        support.need("torch")
        import torch

        cancelled, ran = [], []

        class Layer(torch.nn.Linear):
            def forward(self, x):
                ran.append(self)
                cancelled.append(True)
                return super().forward(x)

        net = torch.nn.Sequential(Layer(2, 2), torch.nn.Sequential(Layer(2, 2)))
        job = support.job(support.music(1, 1, 22_050), 22_050, cancelled=lambda: bool(cancelled))
        with self.assertRaises(errors.Cancelled), job.watching(net):
            net(torch.zeros(1, 2))
        self.assertEqual(len(ran), 1)
        # Nothing of it stays on the network.
        net(torch.zeros(1, 2))
        self.assertEqual(len(ran), 3)


class Memory(unittest.TestCase):
    def test_where_memory_is_unknown_replies_say_nothing_of_it(self):
        from unittest import mock

        from tonearm_worker import main

        support.need("numpy")
        sound = support.music(1, 1, 22_050)
        request = {"pcm": support.write_pcm(sound), "frames": len(sound), "channels": 1, "rate": 22_050}
        for resident, told in ((None, []), (4096, [4096])):
            notes = support.Notes()
            worker = main.Worker.__new__(main.Worker)
            worker._family, worker._replies, worker._busy = "beats", notes, mock.Mock()
            worker._model, worker._module = mock.Mock(), mock.Mock(CHANNELS=1, RATE=22_050)
            worker._device, worker._short = "cpu", None
            with mock.patch.object(main, "resident_bytes", return_value=resident):
                worker._run(request, 1)
            (done,) = notes.sent
            self.assertEqual(done["event"], "done")
            self.assertEqual([done[name] for name in ("rss_bytes",) if name in done], told)


class Fallback(unittest.TestCase):
    """A GPU that runs out of memory, played by an object: there is none where the tests run."""

    CARD = "mps-of-a-test"

    def worker(self, answers):
        """A worker on such a GPU, the devices that it put its network on, and those that it ran on."""
        from tonearm_worker import main

        support.need("torch")
        placed, tried = [], []

        def answer(action, device):
            found = answers.get((action, device))
            if isinstance(found, Exception):
                raise found
            return found

        class Model:
            class network:
                @staticmethod
                def to(device):
                    placed.append(device)
                    answer("to", device)

            @staticmethod
            def run(job, device):
                tried.append(device)
                return answer("run", device)

        worker = main.Worker.__new__(main.Worker)
        worker._model, worker._device, worker._short = Model, self.CARD, None
        return worker, placed, tried

    def test_the_cpu_stands_in_from_then_on(self):
        support.need("torch")
        import torch

        full = torch.OutOfMemoryError("CUDA out of memory")
        worker, placed, tried = self.worker({("run", self.CARD): full, ("run", "cpu"): "stems"})
        for _ in range(2):
            self.assertEqual(worker._compute(None), "stems")
            self.assertEqual((worker._device, worker._short), ("cpu", self.CARD))
        self.assertEqual((placed, tried), (["cpu"], [self.CARD, "cpu", "cpu"]))
        for answers, raised in (
            ({("run", self.CARD): full, ("run", "cpu"): MemoryError()}, MemoryError),
            ({("run", self.CARD): RuntimeError("a kernel failed")}, RuntimeError),
        ):
            worker, _, _ = self.worker(answers)
            self.assertRaises(raised, worker._compute, None)

    def test_it_stands_in_where_the_model_does_not_fit_on_the_gpu(self):
        full = RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")
        worker, placed, _ = self.worker({("to", self.CARD): full})
        worker._place(worker._model)
        self.assertEqual((worker._device, worker._short, placed), ("cpu", self.CARD, [self.CARD, "cpu"]))
        worker, placed, _ = self.worker({})
        worker._place(worker._model)
        self.assertEqual((worker._device, worker._short, placed), (self.CARD, None, [self.CARD]))
        worker, _, _ = self.worker({("to", self.CARD): RuntimeError("no kernel image")})
        self.assertRaises(RuntimeError, worker._place, worker._model)


if __name__ == "__main__":
    unittest.main()
