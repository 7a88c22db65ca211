"""Reading htdemucs files, the new ones (safetensors) and the old ones (a pickle), without running what they name."""

from fractions import Fraction

from . import checkpoints
from .errors import naming

NETWORK = "demucs.htdemucs.HTDemucs"


def read(path):
    """(name of the class, args, kwargs, tensors) of a model file of demucs, old or new."""
    with naming(path), open(checkpoints.checked_path(path), "rb") as file:
        head = file.read(4)
    return read_old(path) if head == b"PK\x03\x04" else read_new(path)


def read_new(path):
    metadata, state = checkpoints.read_safetensors(path)
    # demucs itself imports and calls whatever the metadata names.
    args, kwargs = (decoded(checkpoints.json_metadata(metadata, name)) for name in ("args", "kwargs"))
    if "structure" in metadata or not isinstance(args, list) or not isinstance(kwargs, dict):
        checkpoints.refuse("The metadata is not that of an htdemucs model")
    return metadata.get("klass"), args, kwargs, state


def read_old(path):
    stand_ins = [(NamedClass, NETWORK), (NamedFraction, "fractions.Fraction")]
    package = checkpoints.read_pickle(path, stand_ins)
    state = checkpoints.state_of(package, "state")
    if package.get("klass") is not NamedClass:
        checkpoints.refuse("Not an htdemucs model")
    args, kwargs = package.get("args"), package.get("kwargs")
    if not isinstance(args, (list, tuple)) or not isinstance(kwargs, dict):
        checkpoints.refuse("The checkpoint has no `args` and `kwargs`")
    return NETWORK, decoded(list(args)), decoded(kwargs), state


def decoded(values):
    """Arguments with their fractions, in either of the two ways that the files write those."""
    return with_fractions(checkpoints.bounded(values))


def with_fractions(value):
    if isinstance(value, NamedFraction):
        return value.value()
    if isinstance(value, (list, tuple)):
        return [with_fractions(each) for each in value]
    if isinstance(value, dict):
        if value.get("_type") == "fraction":
            return fraction(value.get("numerator"), value.get("denominator"))
        return {key: with_fractions(each) for key, each in value.items()}
    return value


class NamedClass:
    """Stands for the network's class in a pickle: reading one must not build anything."""

    def __init__(self, *_):
        checkpoints.refuse("The checkpoint builds objects while it is read")


class NamedFraction:
    """Stands for fractions.Fraction, whose reading of a text such as 1e999999999 would not end."""

    # A pickle can set nothing else, and cannot hide `value` either.
    __slots__ = ("parts",)

    def __init__(self, *parts):
        self.parts = parts

    def value(self):
        try:
            parts = self.parts
            if len(parts) == 1 and isinstance(parts[0], str) and len(parts[0]) <= 20:
                parts = [int(part) for part in parts[0].split("/")]
            return fraction(*parts)
        except (AttributeError, TypeError, ValueError):
            checkpoints.refuse("The segment is no fraction")


def fraction(numerator, denominator=1):
    if not all(isinstance(each, int) and abs(each) <= 1 << 31 for each in (numerator, denominator)) or not denominator:
        checkpoints.refuse("The segment is no fraction")
    return Fraction(numerator, denominator)
