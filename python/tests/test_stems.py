"""Stems: the streaming overlap-add against demucs' own, and the files."""

import os
import shutil
import sys
import unittest
from fractions import Fraction

import support


def setUpModule():
    support.need("numpy", "torch", "demucs", "safetensors")


def small_model(segment):
    import make_checkpoints
    from tonearm_worker import stems

    path = support.fresh_folder()
    make_checkpoints.write_stems(path, "net", segment=segment)
    return stems.Model(os.path.join(path, "net.safetensors"), None)


def by_demucs(model, sound):
    """What demucs' own API does with a track that is in memory."""
    import torch
    from demucs.apply import apply_model

    mix = torch.from_numpy(sound.T.copy())
    mono = mix.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    out = apply_model(model.network, ((mix - mean) / deviation)[None], shifts=0, split=True, overlap=0.25)[0]
    return (out * deviation + mean).numpy()


def read_stems(out, result):
    import numpy

    return {name: numpy.fromfile(os.path.join(out, file), "<f4").reshape(-1, 2) for name, file in result["files"].items()}


class OverlapAdd(unittest.TestCase):
    def compare(self, model, frames):
        import numpy

        sound = support.music(frames / 44_100, 2, 44_100) + numpy.float32(0.01)
        out = support.fresh_folder()
        result = model.run(support.job(sound, 44_100, out), "cpu")
        ours, theirs = read_stems(out, result), by_demucs(model, sound)
        self.assertEqual(result["frames"], frames)
        for place, name in enumerate(model.network.sources):
            self.assertEqual(ours[name].shape, (frames, 2))
            furthest = numpy.abs(ours[name] - theirs[place].T).max()
            self.assertLessEqual(furthest, 1e-6, f"{name}, {frames} frames")
            self.assertGreater(numpy.abs(theirs[place]).max(), 1e-3, "the network says nothing")

    def test_equals_demucs_at_any_length(self):
        model = small_model(Fraction(1))
        segment, stride = 44_100, 33_075
        table = [2, 1000, stride - 1, stride, stride + 1, segment - 1, segment, segment + 1, 2 * stride, 3 * segment,
                 30 * 44_100 + 12_345]  # fmt: skip
        for frames in table:
            with self.subTest(frames=frames):
                self.compare(model, frames)

    def test_equals_demucs_with_the_published_segment(self):
        self.compare(small_model(Fraction(39, 5)), 20 * 44_100 + 1)

    def test_both_file_formats_hold_the_same_network(self):
        from tonearm_worker import stems

        folder = support.checkpoints()
        new, old = (stems.Model(os.path.join(folder, f"htdemucs-tiny.{end}"), None) for end in ("safetensors", "th"))
        self.assertEqual(new.hyper_parameters, old.hyper_parameters)
        self.assertEqual(new.segment, 343_980)
        for name, tensor in new.network.state_dict().items():
            self.assertTrue(tensor.equal(old.network.state_dict()[name]), name)


@unittest.skipUnless(sys.platform.startswith("linux"), "needs /proc")
class Memory(unittest.TestCase):
    """All but the network, which sees one segment at a time: the worker as a whole is measured where tests may be slow."""

    def test_nothing_is_kept_of_what_was_split(self):
        steady_allocator()
        self.growth(30)
        short, long = self.growth(30), self.growth(180)
        # Of the longer one the mix alone has 51 MB more, and so has each stem.
        self.assertLess(abs(long - short), 16 << 10, f"{short} kB more for 30 s, {long} kB for 180 s")

    def growth(self, seconds):
        """KiB that splitting a track of this length takes at most, beyond what is held already."""
        import torch
        from tonearm_worker import stems
        from tonearm_worker.job import Job
        from tonearm_worker.pcm import Pcm

        class Copies(torch.nn.Module):
            sources = stems.SOURCES

            def forward(self, mix):
                return mix[:, None].expand(-1, len(self.sources), -1, -1)

        model = stems.Model.__new__(stems.Model)
        model.network, model.segment = Copies(), 343_980
        folder, piece = support.fresh_folder(), support.music(10, 2, 44_100)
        path, times = os.path.join(folder, "long.f32"), seconds // 10
        with open(path, "wb") as file:
            for _ in range(times):
                file.write(piece.astype("<f4"))
        with Pcm(path, times * len(piece), 2, 44_100) as pcm:
            before = memory_line("VmRSS")
            with open("/proc/self/clear_refs", "w", encoding="utf-8") as file:
                file.write("5")  # The peak begins anew.
            model.run(Job(1, pcm, folder, support.Notes(), lambda: False), "cpu")
            after = memory_line("VmHWM")
        shutil.rmtree(folder)
        return after - before


def steady_allocator():
    """Let blocks from 128 KiB go back to the system at once; else, from run to run, 90 MB more or less are held."""
    import ctypes

    try:
        ctypes.CDLL(None).mallopt(-3, 128 << 10)  # M_MMAP_THRESHOLD
    except AttributeError:
        raise unittest.SkipTest("the C library is not glibc") from None


def memory_line(name):
    """KiB of this process."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name + ":"))


class Files(unittest.TestCase):
    def test_silence_gives_finite_stems(self):
        import numpy

        out = support.fresh_folder()
        result = small_model(Fraction(1)).run(support.job(numpy.zeros((44_100, 2), "f4"), 44_100, out), "cpu")
        self.assertTrue(all(numpy.isfinite(stem).all() for stem in read_stems(out, result).values()))

    def test_nothing_is_left_after_a_cancel(self):
        from tonearm_worker.errors import Cancelled

        out = support.fresh_folder()
        checks = iter(range(10**9))
        job = support.job(support.music(9, 2, 44_100), 44_100, out, cancelled=lambda: next(checks) > 150)
        with self.assertRaises(Cancelled):
            small_model(Fraction(1)).run(job, "cpu")
        self.assertTrue(job._replies.sent, "cancelled before it began")
        self.assertEqual(os.listdir(out), [])


if __name__ == "__main__":
    unittest.main()
