"""The key, from how long which notes sound."""

import numpy

MODES = ("maj", "min")

# How well each degree fits a key, from listening experiments: C. Krumhansl and E. Kessler, "Tracing the dynamic changes
# in perceived tonal organization", 1982.
PROFILES = (
    (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
)


def correlations(chroma):
    """Of 12 note weights with each key: [24], C to B in major, then in minor. None where all notes weigh the same."""
    weights = numpy.asarray(chroma, dtype=float) - numpy.mean(chroma)
    size = numpy.linalg.norm(weights)
    if not size > 1e-9:
        return None
    found = []
    for profile in PROFILES:
        fit = numpy.asarray(profile) - numpy.mean(profile)
        fit /= numpy.linalg.norm(fit)
        found += [float(weights @ numpy.roll(fit, tonic) / size) for tonic in range(12)]
    return found


def key(chroma):
    """(tonic 0-11, mode, confidence 0-1) or None. The confidence is the lead of the best key over the next one."""
    found = correlations(chroma)
    if found is None:
        return None
    best = int(numpy.argmax(found))
    if found[best] <= 0:
        return None
    second = max(value for place, value in enumerate(found) if place != best)
    # Correlations of neighbouring keys lie close together: a lead of a fifth is as clear as it gets.
    confidence = min(1.0, max(0.0, (found[best] - second) * 5)) * found[best]
    return best % 12, MODES[best // 12], confidence
