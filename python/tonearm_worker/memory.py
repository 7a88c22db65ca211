"""How much memory this process holds."""

import sys


def resident_bytes():
    """Resident memory now; on macOS the peak, which is all that its standard calls tell. None where unknown."""
    try:
        if sys.platform.startswith("linux"):
            return resident_linux()
        return resident_windows() if sys.platform == "win32" else resident_peak()
    except (OSError, ValueError, AttributeError, ImportError):
        return None


def resident_linux():
    import os

    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def resident_peak():
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def resident_windows():
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [("cb", wintypes.DWORD), ("faults", wintypes.DWORD)] + [
            (name, ctypes.c_size_t)
            for name in ("peak", "resident", "a", "b", "c", "d", "pagefile", "pagefile_peak")
        ]

    counters = Counters(cb=ctypes.sizeof(Counters))
    kernel = ctypes.windll.kernel32
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    call = kernel.K32GetProcessMemoryInfo
    call.argtypes = [wintypes.HANDLE, ctypes.POINTER(Counters), wintypes.DWORD]
    if not call(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.cb):
        return None
    return counters.resident
