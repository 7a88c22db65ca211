"""Stems: the streaming overlap-add against demucs' own, and the files."""

import os
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
