"""The rule that turns what the network hears into chord names and spans."""

import itertools
import os
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "consonance-ACE"))

from ace import decode  # noqa: E402


def bits(*pitches):
    return sum(1 << pitch for pitch in pitches)


class Labels(unittest.TestCase):
    def test_chords_get_the_names_that_harte_gives_them(self):
        table = [
            ((0, 0, bits(0, 4, 7)), "C:maj"),
            ((0, 4, bits(0, 4, 7)), "C:maj/3"),
            ((9, 0, bits(9, 0, 4)), "A:min/b3"),
            ((9, 9, bits(9, 0, 4, 7)), "A:min7"),
            ((0, 0, bits(0, 4, 7, 10)), "C:7"),
            ((0, 10, bits(0, 4, 7)), "C:7/b7"),
            ((0, 0, bits(0, 4, 7, 10, 2)), "C:9"),
            ((0, 0, bits(0, 4, 7, 11)), "C:maj7"),
            ((0, 0, bits(0, 4, 7, 11, 2)), "C:maj9"),
            ((0, 0, bits(0, 4, 7, 9)), "C:maj6"),
            ((0, 0, bits(0, 3, 7, 9)), "C:min6"),
            ((0, 0, bits(0, 3, 7, 11)), "C:minmaj7"),
            ((11, 11, bits(11, 2, 5, 9)), "B:hdim7"),
            ((11, 11, bits(11, 2, 5)), "B:dim"),
            ((0, 0, bits(0, 5, 7)), "C:sus4"),
            ((0, 0, bits(0, 5, 7, 10)), "C:sus4(b7)"),
            ((0, 0, bits(0, 4, 5, 7)), "C:maj(4)"),
            ((0, 0, bits(0)), "C:(1)"),
            ((0, 0, bits(0, 7)), "C:(1,5)"),
            ((6, 12, bits(6, 10)), "F#:maj"),
            ((6, 12, bits(6, 9)), "F#:min"),
            ((0, 0, bits(0, 4, 6)), "C:(1,3,b5)"),
            ((0, 0, bits(0, 4, 8)), "C:maj(b6)"),
            ((0, 2, bits(0, 4, 7)), "C:maj(9)/9"),
            ((0, 0, bits(0, 1, 4, 7)), "C:maj(b9)"),
            ((0, 0, bits(0, 4, 6, 7)), "C:maj(b5)"),
            ((0, 0, bits(*range(12))), "C:9(b9,b3,4,b5,b6,6,7)"),
            ((0, 0, bits(0, 1, 2, 6, 8, 9, 11)), "C:(1,b9,9,b5,b6,6,7)"),
            ((0, 12, 0), "C:maj"),
            ((12, 12, 0), "N"),
            ((12, 3, bits(0, 4, 7)), "N"),
        ]
        for heard, name in table:
            with self.subTest(heard=heard):
                self.assertEqual(decode.label(*heard), name)

    def test_a_chord_keeps_its_kind_at_every_root(self):
        for root, notes in itertools.product(range(12), (bits(0, 3, 7, 10), bits(0, 4, 7), bits(0, 1, 2))):
            turned = sum(1 << (root + pitch) % 12 for pitch in range(12) if notes >> pitch & 1)
            kind = decode.label(0, 0, notes).removeprefix("C")
            self.assertEqual(decode.label(root, root, turned), decode.PITCHES[root] + kind)

    def test_every_combination_agrees_with_the_harte_library(self):
        try:
            from harte.harte import Harte
        except ImportError:
            self.skipTest("harte-library is not installed")
        step = 1 if os.environ.get("TONEARM_SLOW") else 37
        for notes, bass in itertools.islice(itertools.product(range(4096), range(13)), 0, None, step):
            ours, theirs = decode.label(0, bass, notes), by_library(Harte, notes, bass)
            self.assertEqual(parts(ours), parts(theirs), f"notes {notes:012b} bass {bass}: {ours} {theirs}")


def by_library(harte, notes, bass):
    degrees = [decode.DEGREES[pitch] for pitch in range(12) if notes >> pitch & 1]
    listed = f":({','.join(degrees)})" if degrees else ""
    if ("1,3" in listed or "1,b3" in listed) and "5" not in listed:
        listed = listed.replace(")", ",5)")
    below = f"/{decode.DEGREES[bass]}" if bass not in (0, 12) else ""
    return harte(f"C{listed}{below}").prettify()


def parts(name):
    """The library lists what is left over in no order."""
    kind, _, below = name.partition("/")
    kind, _, rest = kind.partition("(")
    return kind, frozenset(rest.rstrip(")").split(",")), below


class Spans(unittest.TestCase):
    def test_short_spans_go_to_their_neighbours(self):
        table = [
            ("AAAA", "AAAA"),
            ("A", "A"),
            ("AB", "BB"),
            ("AAABAAA", "AAAAAAA"),
            ("AABAA", "AAAAA"),
            ("AAAABBBB", "AAAABBBB"),
            ("ABBBB", "BBBBB"),
            ("BBBBA", "BBBBB"),
            ("AAAABCDDDD", "AAAAAADDDD"),
            ("ABABABAB", "BBBBBBBB"),
            ("AAACCBBBB", "AAAAABBBB"),
        ]
        for before, after in table:
            with self.subTest(before=before):
                found = decode.without_short(decode.runs(before), 3)
                self.assertEqual("".join(run.sound * run.length for run in found), after)
                self.assertEqual(decode.runs(after), found)

    def test_any_sequence_is_covered_without_gaps_and_without_short_spans(self):
        import random

        chance = random.Random(5)
        for _ in range(300):
            sounds = "".join(chance.choice("ABC") * chance.randint(1, 6) for _ in range(chance.randint(1, 60)))
            found = decode.without_short(decode.runs(sounds), 4)
            self.assertEqual(found[0].first, 0)
            self.assertEqual(found[-1].last, len(sounds))
            for left, right in itertools.pairwise(found):
                self.assertEqual(left.last, right.first)
                self.assertNotEqual(left.sound, right.sound, sounds)
            if len(found) > 1:
                self.assertGreaterEqual(min(run.length for run in found), 4, sounds)


if __name__ == "__main__":
    unittest.main()
