"""From what the network hears in each frame to spans with chord names in Harte's notation."""

from functools import lru_cache
from typing import NamedTuple

NO_CHORD = "N"
NONE = 12

PITCHES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
DEGREES = ("1", "b9", "9", "b3", "3", "4", "b5", "5", "b6", "6", "b7", "7")

# The chords that have a name, those with more notes first: a name is taken where all of its degrees are there.
SHORTHANDS = (
    ("9", "3 5 b7 9"),
    ("maj9", "3 5 7 9"),
    ("min9", "b3 5 b7 9"),
    ("7", "3 5 b7"),
    ("maj6", "3 5 6"),
    ("min6", "b3 5 6"),
    ("maj7", "3 5 7"),
    ("min7", "b3 5 b7"),
    ("hdim7", "b3 b5 b7"),
    ("minmaj7", "b3 5 7"),
    ("maj", "3 5"),
    ("min", "b3 5"),
    ("dim", "b3 b5"),
    ("sus4", "4 5"),
)
NAMED = tuple((name, frozenset(degrees.split())) for name, degrees in SHORTHANDS)


@lru_cache(maxsize=1 << 16)
def label(root, bass, notes):
    """The chord's name: `root` and `bass` are pitch classes or NONE, `notes` the pitch classes as bits."""
    if root == NONE:
        return NO_CHORD
    degrees = [DEGREES[step] for step in range(12) if notes >> (root + step) % 12 & 1]
    below = DEGREES[(bass - root) % 12] if bass not in (NONE, root) else None
    return PITCHES[root] + quality(degrees, below) + (f"/{below}" if below else "")


def quality(degrees, below):
    """The chord's kind: a name and what it leaves over, or else the degrees. The bass sounds too, so it counts."""
    if not degrees:
        degrees = ["1", "3", "5"]
    # A fifth is the note that is left out most easily without changing what the chord is.
    elif degrees[:2] in (["1", "3"], ["1", "b3"]) and not {"5", "b5"} & set(degrees):
        degrees = degrees + ["5"]
    sounding = set(degrees) | ({below} if below else set())
    for name, needed in NAMED:
        if needed <= sounding:
            rest = [degree for degree in DEGREES if degree in sounding - needed - {"1"}]
            return f":{name}" + (f"({','.join(rest)})" if rest else "")
    return f":({','.join(degrees)})"


class Run(NamedTuple):
    """Frames `first` up to and without `last` that sound the same."""

    first: int
    last: int
    sound: object

    @property
    def length(self):
        return self.last - self.first


def runs(sounds, edges=None):
    """Equal neighbours put together. Sound `n` has the frames `edges[n]` to `edges[n + 1]`, or one each."""
    edges = range(len(sounds) + 1) if edges is None else edges
    found, first = [], 0
    for place in range(1, len(sounds) + 1):
        if place == len(sounds) or sounds[place] != sounds[first]:
            found.append(Run(edges[first], edges[place], sounds[first]))
            first = place
    return found


def without_short(found, shortest):
    """The runs with those of fewer than `shortest` frames given to the one before (or after, at the start).

    The shortest goes first, so that a flicker inside of a long chord leaves the chord whole, and not two shorter
    chords that would go in their turn. The one run that a track has stays, however short.
    """
    import heapq

    before = list(range(-1, len(found) - 1))
    after = list(range(1, len(found))) + [-1]
    kept = list(found)
    heap = [(run.length, place) for place, run in enumerate(kept) if run.length < shortest]
    heapq.heapify(heap)

    def join(left, right, sound):
        """Put the two into `left`'s place."""
        kept[left] = Run(kept[left].first, kept[right].last, sound)
        after[left], kept[right] = after[right], None
        if after[left] >= 0:
            before[after[left]] = left
        if kept[left].length < shortest:
            heapq.heappush(heap, (kept[left].length, left))

    while heap:
        length, place = heapq.heappop(heap)
        if kept[place] is None or kept[place].length != length:
            continue
        left, right = before[place], after[place]
        if left >= 0:
            join(left, place, kept[left].sound)
            if right >= 0 and kept[right].sound == kept[left].sound:
                join(left, right, kept[left].sound)
        elif right >= 0:
            join(place, right, kept[right].sound)
    return [run for run in kept if run is not None]
