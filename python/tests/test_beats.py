"""Beats: features, logits and times against the package's own."""

import os
import unittest

import support


def setUpModule():
    support.need("numpy", "torch", "torchaudio", "beat_this")


def both():
    """Our model and the package's, from one file."""
    from beat_this.inference import Audio2Beats
    from tonearm_worker import beats

    path = os.path.join(support.checkpoints(), "beat_this-tiny.ckpt")
    return beats.Model(path, None), Audio2Beats(path, device="cpu")


# One block, the edge of a second one, several, one whose last block lies within the one before.
LENGTHS = (441 * 3, 22_050, 441 * 1487, 441 * 1488 + 1, 441 * 1500, 441 * 2990 + 200, 441 * 4400)


class Parity(unittest.TestCase):
    def test_logits_and_times_are_those_of_the_package(self):
        import numpy
        from tonearm_worker import beats as beats_module

        ours, theirs = both()
        for frames in LENGTHS:
            with self.subTest(frames=frames):
                sound = support.music(frames / 22_050, 1, 22_050)
                beat, downbeat = ours.logits(support.job(sound, 22_050), "cpu")
                wanted = theirs.spect2frames(theirs.signal2spect(sound[:, 0], 22_050))
                for found, expected in zip((beat, downbeat), wanted):
                    self.assertEqual(found.shape, expected.shape)
                    self.assertLessEqual(float((found - expected).abs().max()), 1e-5)
                result = ours.run(support.job(sound, 22_050), "cpu")
                beats, downbeats = theirs(sound[:, 0], 22_050)
                numpy.testing.assert_array_equal(result["beats"], beats)
                numpy.testing.assert_array_equal(result["downbeats"], downbeats if len(beats) else [])
                # Where everything is loud, in the shortest track as well.
                result = beats_module.result(beat + 10, downbeat, ours.pick)
                beats, downbeats = theirs.frames2beats(wanted[0] + 10, wanted[1])
                numpy.testing.assert_array_equal(result["beats"], beats)
                numpy.testing.assert_array_equal(result["downbeats"], downbeats)
                self.assertTrue(len(beats) > 0 or frames < 22_050)

    def test_the_beats_of_music_are_heard(self):
        ours, _ = both()
        # Across the edges of blocks too.
        for seconds in (10, 25, 70):
            result = ours.run(support.job(support.music(seconds, 1, 22_050), 22_050), "cpu")
            for number, (beat, score) in enumerate(zip(result["beats"], result["beat_scores"], strict=True)):
                self.assertAlmostEqual(beat, number / 2, delta=0.03)
                self.assertGreater(score, 0.5)
            # The mirrored end may be one more.
            self.assertIn(len(result["beats"]), (2 * seconds, 2 * seconds + 1))

    def test_features_are_those_of_the_package(self):
        import torch

        ours, theirs = both()
        sound = support.music(40, 1, 22_050)
        job = support.job(sound, 22_050)
        wanted = theirs.signal2spect(sound[:, 0], 22_050)
        total = len(wanted)
        first = ours.features(job.pcm, -6, total)
        last = ours.features(job.pcm, total - 1494, total)
        self.assertEqual((first.shape[0], last.shape[0]), (1500, 1500))
        self.assertLessEqual(float((first[6:] - wanted[:1494]).abs().max()), 2e-5)
        self.assertLessEqual(float((last[:-6] - wanted[-1494:]).abs().max()), 2e-5)
        self.assertTrue(torch.equal(last[-6:], torch.zeros(6, 128)))


class Result(unittest.TestCase):
    def test_beats_come_with_their_strength(self):
        import torch
        from tonearm_worker import beats

        model, _ = both()
        beat, downbeat = torch.full((100,), -5.0), torch.full((100,), -5.0)
        beat[[10, 40, 70, 71]] = torch.tensor([2.0, 0.5, 3.0, 3.0])
        downbeat[41] = 1.0
        found = beats.result(beat, downbeat, model.pick)
        self.assertEqual(found["beats"], [0.2, 0.8, 1.41])
        self.assertEqual(found["downbeats"], [0.8])
        for score, logit in zip(found["beat_scores"], (2.0, 0.5, 3.0)):
            self.assertAlmostEqual(score, 1 / (1 + 2.718281828459045**-logit), places=6)

    def test_where_there_are_no_beats_there_are_no_downbeats(self):
        import torch
        from tonearm_worker import beats

        model, _ = both()
        beat, downbeat = torch.full((100,), -5.0), torch.full((100,), -5.0)
        downbeat[40] = 1.0
        found = beats.result(beat, downbeat, model.pick)
        self.assertEqual((found["beats"], found["downbeats"], found["beat_scores"]), ([], [], []))

    def test_very_short_and_silent_tracks_have_a_result(self):
        import numpy

        model, _ = both()
        for sound in (numpy.zeros((1, 1), "f4"), numpy.ones((2, 1), "f4"), support.music(0.01, 1, 22_050), numpy.zeros((44_100, 1), "f4")):
            result = model.run(support.job(sound, 22_050), "cpu")
            self.assertEqual(len(result["beats"]), len(result["beat_scores"]))


if __name__ == "__main__":
    unittest.main()
