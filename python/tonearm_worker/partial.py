"""The files that are being written, so that they go away however the work ends."""

import os

_paths = set()


def add(path):
    _paths.add(path)


def remove(path):
    _paths.discard(path)
    try:
        os.unlink(path)
    except OSError:
        pass


def finished(path):
    _paths.discard(path)


def remove_all():
    for path in list(_paths):
        remove(path)
