"""Reading checkpoints that nobody vouches for: no code of theirs runs, no size of theirs is believed."""

import hashlib
import json
import os
import stat
import zipfile
from fractions import Fraction

from .errors import WorkerError, clip, naming

# The largest published checkpoint of the three families has 84 MB.
MAX_FILE_BYTES = 1 << 30
MAX_METADATA_BYTES = 1 << 16

# Any whole number in a hyper-parameter: wide enough for every layer, too small for a loop that does not end.
MAX_NUMBER = 1 << 16

# Everything within a description of a network, counted as often as it is reached: a pickle may name one list many times,
# so that a kilobyte of lists of lists unfolds beyond any memory. The published ones have less than a hundred values. What
# is let through is told in `loaded`, a line that has to stay far below the 16 MiB that the program reads.
MAX_VALUES = 10_000
MAX_TEXT_CHARS = 100

# What the restricted reader calls with whatever size a file says: a hundred bytes could ask for all memory. No checkpoint
# of weights has use for them.
GREEDY = (b"\nbytearray\n", b"\n_rebuild_device_tensor_from_cpu_tensor\n")

# What weights are stored as.
FLOATS = ("torch.float16", "torch.bfloat16", "torch.float32", "torch.float64")


def refuse(message):
    raise WorkerError("bad_model", message)


def checked_path(path):
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        refuse("The model is not a regular file")
    if not 0 < found.st_size <= MAX_FILE_BYTES:
        refuse(f"The model has {found.st_size} bytes")
    return path


def refuse_other_file(path, sha256):
    """Refuse a file that is not the one with this SHA-256, in lower case: one that changed since it was fetched."""
    with open(checked_path(path), "rb") as file, naming(path):
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        refuse(f"The model is damaged, or another file: its SHA-256 is {found} instead of {sha256}")


def read_pickle(path, stand_ins=()):
    """What torch.save wrote, by the restricted reader alone. `stand_ins` are (our harmless class, name in the file)."""
    import torch

    try:
        with naming(path), torch.serialization.safe_globals(list(stand_ins)):
            refuse_odd_archive(checked_path(path))
            refuse_greedy(path)
            return torch.load(path, map_location="cpu", weights_only=True)
    except (MemoryError, OSError, WorkerError):
        raise
    except Exception as error:  # The readers raise nearly every type there is on damaged input.
        refuse(f"Not a readable checkpoint: {clip(first_line(error))}")


def first_line(error):
    # After its first sentence PyTorch's reader explains how to switch the safety off.
    return str(error).split("\n")[0].split(". ")[0] or type(error).__name__


def refuse_odd_archive(path):
    """torch.save stores without compression, so an archive that grows when unpacked is none of its making."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        refuse("Not a readable checkpoint: truncated, or not in PyTorch's zip format")
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > os.path.getsize(path):
        refuse("Not a readable checkpoint: compressed entries")


def refuse_greedy(path):
    """Entries are stored as they are, and the pickle names in clear text what it calls."""
    kept = b""
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            kept += block
            if any(name in kept for name in GREEDY):
                refuse("The checkpoint builds more than weights while it is read")
            kept = kept[-64:]


def read_safetensors(path):
    """(metadata, tensors by name) of a safetensors file."""
    import safetensors

    try:
        with naming(path), safetensors.safe_open(checked_path(path), framework="pt") as file:
            return dict(file.metadata() or {}), {name: file.get_tensor(name) for name in file.keys()}
    except (MemoryError, OSError, WorkerError):
        raise
    except Exception as error:
        refuse(f"Not a readable safetensors file: {clip(first_line(error))}")


def json_metadata(metadata, name):
    text = metadata.get(name, "")
    if len(text) > MAX_METADATA_BYTES:
        refuse(f"The metadata `{name}` is too long")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        refuse(f"The metadata `{name}` is not JSON")


def bounded(value):
    """`value`, once it is known that a copy of it stays small."""
    found, waiting = 1, [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and len(each) > MAX_TEXT_CHARS:
            refuse("The hyper-parameters have a text that is too long")
        if isinstance(each, dict):
            parts = (*each.keys(), *each.values())
        elif isinstance(each, (list, tuple)):
            parts = each
        else:
            continue
        found += len(parts)
        if found > MAX_VALUES:
            refuse("The hyper-parameters have too many values")
        waiting.extend(parts)
    return value


def plain(values):
    """The hyper-parameters by name, if all are plain values as networks are described with."""
    return {name: plain_value(value, name) for name, value in bounded(values).items()}


def plain_value(value, name):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float, Fraction)) and -MAX_NUMBER <= value <= MAX_NUMBER:
        return value
    if isinstance(value, (list, tuple)) and len(value) <= 64:
        return [plain_value(each, name) for each in value]
    if isinstance(value, dict) and len(value) <= 64 and all(isinstance(key, str) for key in value):
        return {key: plain_value(each, name) for key, each in value.items()}
    refuse(f"The hyper-parameter `{name}` is out of range")


def limit(values, limits):
    """Refuse counts of layers and the like beyond what can be built in a moment."""
    for name, most in limits.items():
        value = values.get(name)
        if value is not None and not (isinstance(value, int) and 0 <= value <= most):
            refuse(f"The hyper-parameter `{name}` is out of range")


def build(make, state):
    """The network that `make()` gives, filled with `state`, ready to compute.

    It is first built without memory and compared with the tensors that are really there, so that a file of a few bytes
    cannot ask for a network of gigabytes.
    """
    import torch

    try:
        with torch.device("meta"):
            expected = make().state_dict()
    except (MemoryError, OSError):
        raise
    except Exception as error:
        refuse(f"The hyper-parameters describe no network: {clip(first_line(error))}")
    compare(expected, state)
    network = make()
    network.load_state_dict(state)
    return network.float().eval().requires_grad_(False)


def compare(expected, state):
    import torch

    wrong = sorted(set(expected) ^ set(state)) or [
        name
        for name, tensor in expected.items()
        if not isinstance(state[name], torch.Tensor) or state[name].shape != tensor.shape
    ]
    if wrong:
        refuse(f"{len(wrong)} tensors do not fit the network, `{clip(wrong[0])}` first")
    for name, tensor in state.items():
        kinds = FLOATS if expected[name].is_floating_point() else (str(expected[name].dtype),)
        if tensor.layout != torch.strided or tensor.device.type != "cpu" or str(tensor.dtype) not in kinds:
            refuse(f"The tensor `{clip(name)}` is not a plain one")
    # One number in the file can stand for all of a tensor, and one tensor for many; honest ones share next to nothing.
    held = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in state.values()}
    if sum(tensor.nbytes for tensor in state.values()) > 2 * sum(held.values()):
        refuse("The tensors are larger than the file holds")
    for name, tensor in state.items():
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            refuse(f"The tensor `{clip(name)}` has values that are no numbers")


def state_of(checkpoint, name):
    state = checkpoint.get(name) if isinstance(checkpoint, dict) else None
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        refuse(f"The checkpoint has no `{name}`")
    return dict(state)


def parameters_of(network):
    return sum(each.numel() for each in network.parameters())


def describable(values):
    """Hyper-parameters as JSON can hold them."""
    return described(bounded(values))


def described(value):
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, (list, tuple)):
        return [described(each) for each in value]
    return {key: described(each) for key, each in value.items()} if isinstance(value, dict) else value
