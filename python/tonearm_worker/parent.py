"""Ending with the parent, also when it was killed."""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """Linux: have the kernel kill this process when the thread that started it ends.

    The end of standard input says the same on every system; this also covers a worker whose reader cannot run.
    """
    # Ctrl-C in a terminal goes to the whole group; it is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    before = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    except (OSError, AttributeError):
        return
    # A parent that ended before the call above never sends the signal.
    if os.getppid() != before:
        os._exit(0)
