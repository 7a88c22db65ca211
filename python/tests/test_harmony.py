"""Chords: features against librosa, the network against a reference, and the seams of the chunks."""

import os
import unittest

import support


def setUpModule():
    support.need("numpy", "torch", "torchaudio")


def model(**more):
    import make_checkpoints
    from tonearm_worker import harmony

    path = os.path.join(support.fresh_folder(), "ace.ckpt")
    make_checkpoints.write_ace(path, **more)
    return harmony.Model(path, support.ACE_DIR)


def tone(hertz):
    import numpy

    return numpy.sin(2 * numpy.pi * hertz * numpy.arange(22_050 * 4) / 22_050)


class Features(unittest.TestCase):
    def test_the_constant_q_spectrum_is_that_of_librosa(self):
        support.need("librosa")
        import librosa
        import numpy
        from ace import config, features

        transform = features.ConstantQ(config.load())
        for seconds in (20, 20.003, 5, 1.2345):
            sound = support.music(seconds, 1, 22_050)[:, 0]
            # Steep filters ring where a sound stops dead, ours do not.
            for name, sound, most in (("whole", sound, 5e-3), ("faded", sound * numpy.hanning(len(sound)), 4e-5)):
                with self.subTest(seconds=seconds, sound=name):
                    theirs = numpy.abs(
                        librosa.cqt(
                            sound, sr=22_050, hop_length=512, n_bins=144, bins_per_octave=24, fmin=librosa.note_to_hz("C1")
                        )
                    )
                    ours = transform(sound).numpy()
                    self.assertEqual(ours.shape, theirs.shape)
                    self.assertLessEqual(numpy.abs(ours - theirs).max() / theirs.max(), most)

    def test_what_an_octave_does_not_hear_does_not_reach_it(self):
        import numpy
        from ace import config, features

        # Just below the first signal's own limit, and where the halvings would fold it into the octaves.
        transform, quietest = features.ConstantQ(config.load()), 5e-5
        loudest = transform(tone(1000)).max()
        for hertz in (10_900, 9_500, 5_400, 4_900, 4_700):
            with self.subTest(hertz=hertz):
                self.assertLess(transform(tone(hertz) * numpy.hanning(4 * 22_050)).max() / loudest, quietest)

    def test_a_tone_stands_in_its_own_bin(self):
        import numpy
        from ace import config, features

        transform = features.ConstantQ(config.load())
        for bin_number in (24, 60, 111, 140):
            hertz = 32.70319566257483 * 2 ** (bin_number / 24)
            spectrum = transform(tone(hertz)).numpy()
            self.assertEqual(int(spectrum[:, 80:90].mean(axis=1).argmax()), bin_number)
        self.assertEqual(transform(numpy.zeros(441_000)).shape, (144, 862))


class Network(unittest.TestCase):
    def test_equals_a_reference_written_from_the_description(self):
        import numpy
        import torch
        from reference import forward

        for more in ({}, {"use_group_norm": True}, {"convolution_first": False}, {"positional_encoding": True}):
            with self.subTest(**more):
                net = model(**more)
                x = numpy.random.default_rng(3).random((144, 90)).astype("f4")
                found = net.network(torch.from_numpy(x)[None, None])
                wanted = forward(net.network.state_dict(), net.hyper_parameters, x)
                for name, expected in zip(("root", "bass", "onehot"), wanted):
                    self.assertLessEqual(numpy.abs(found[name][0].numpy() - expected).max(), 2e-5, name)
                    self.assertGreater(numpy.ptp(expected), 0.01, "the network says nothing")


class Seams(unittest.TestCase):
    def test_chunks_cover_the_track_on_one_grid(self):
        from ace import config
        from tonearm_worker.harmony import chunk_starts

        settings = config.load()
        self.assertEqual((settings.chunk_frames, settings.overlap_frames), (862, 86))
        for total in (1, 862, 863, 1638, 1639, 2414, 2415, 10_000):
            starts = chunk_starts(total, settings)
            self.assertEqual(starts[0], 0)
            self.assertGreaterEqual(starts[-1] + 862, total)
            for left, right in zip(starts, starts[1:]):
                self.assertTrue(0 < right - left <= 776, (total, starts))

    def test_a_network_that_says_the_same_everywhere_shows_no_seam(self):
        import numpy
        import torch

        net = model()
        net.network = Constant()
        net.features = lambda samples: torch.ones(144, 862)
        found = net.posteriors(support.job(support.music(60, 1, 22_050), 22_050), "cpu")
        self.assertEqual(len(found), 1 + 60 * 22_050 // 512)
        numpy.testing.assert_allclose(found, numpy.broadcast_to(found[0], found.shape), atol=1e-6)
        numpy.testing.assert_allclose(found[:, :13].sum(axis=1), 1, atol=1e-5)

    def test_chords_change_where_the_frames_do_without_drift(self):
        import numpy
        from ace import config
        from tonearm_worker import harmony

        settings = config.load()
        frames = 1 + 600 * 22_050 // 512
        found = numpy.full((frames, 38), 0.01, numpy.float32)
        found[:, [0, 13]] = 0.9
        half = frames // 2
        found[:half, 26:38], found[half:, 26:38] = chord(0, 4, 7), chord(9, 0, 4)
        found[half:, [0, 13]], found[half:, [9, 22]] = 0.01, 0.9
        result = harmony.result(found, 600.0, settings)
        self.assertEqual([span["label"] for span in result["spans"]], ["C:maj", "A:min"])
        self.assertEqual(result["spans"][1]["start"], half * 512 / 22_050)
        self.assertEqual((result["spans"][0]["start"], result["spans"][-1]["end"]), (0.0, 600.0))
        self.assertGreater(result["spans"][0]["confidence"], 0.7)

    def test_silence_is_no_chord(self):
        import numpy

        net = model()
        for sound in (numpy.zeros((22_050 * 50, 1), "f4"), numpy.zeros((1, 1), "f4")):
            result = net.run(support.job(sound, 22_050), "cpu")
            self.assertEqual([span["label"] for span in result["spans"]], ["N"])
            self.assertEqual(result["spans"][0]["confidence"], 1.0)

    def test_spans_cover_the_track(self):
        net = model()
        for seconds in (0.1, 2, 25, 47.3):
            result = net.run(support.job(support.music(seconds, 1, 22_050), 22_050), "cpu")
            edges = [(span["start"], span["end"]) for span in result["spans"]]
            self.assertEqual(edges[0][0], 0.0)
            self.assertAlmostEqual(edges[-1][1], seconds, places=4)
            self.assertTrue(all(left[1] == right[0] for left, right in zip(edges, edges[1:])))
            self.assertTrue(all(start < end for start, end in edges))


def chord(*pitches):
    return [0.95 if pitch in pitches else 0.02 for pitch in range(12)]


class Constant:
    def children(self):
        return []

    def parameters(self, recurse=True):
        return iter(())

    def __call__(self, x):
        import torch

        frames = x.shape[-1]
        return {"root": torch.arange(13.0).expand(1, frames, 13), "bass": torch.zeros(1, frames, 13),
                "onehot": torch.ones(1, frames, 12)}  # fmt: skip


if __name__ == "__main__":
    unittest.main()
