"""Which devices can compute here, found out by computing."""

from .errors import WorkerError


def available():
    """The devices that ran a kernel, the best first."""
    import torch

    names = []
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        names.append("cuda" if number == 0 else f"cuda:{number}")
    if getattr(torch.backends, "mps", None) is not None and torch.backends.mps.is_available():
        names.append("mps")
    return [name for name in names if computes(name)] + ["cpu"]


def choose(wanted, found):
    """The device to use: `wanted` is auto, cpu, cuda, cuda:N or mps, `found` what available() said."""
    if wanted == "auto":
        return found[0]
    if wanted == "cuda:0":
        wanted = "cuda"
    if wanted in found:
        return wanted
    known = wanted in ("cpu", "cuda", "mps") or (wanted.startswith("cuda:") and wanted[5:].isdecimal())
    if not known:
        raise WorkerError("bad_request", "`device` is auto, cpu, cuda, cuda:N or mps")
    raise WorkerError("no_device", f"{wanted} does not compute here; there is {', '.join(found)}")


def computes(name):
    """Whether a real kernel runs: a driver that is too old or a card that this build lacks code for only shows here."""
    import torch

    try:
        ones = torch.ones(64, 64, device=name)
        product = (ones @ ones).sum().item()
        return product == 64.0**3
    except Exception:  # Whatever a driver throws means the same.
        return False
