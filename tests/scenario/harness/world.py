# SPDX-License-Identifier: GPL-3.0-or-later
"""Where things lie in the private world (world.sh), and waiting with a bound."""
import os
import time

ROOT = "/run/w"
PREFIX = ROOT + "/prefix"
OUT = ROOT + "/out"
TREE = ROOT + "/tree"
SANITIZED = os.environ.get("ORIEL_SANITIZED") == "1"
# Everything with a time limit gets this much more of it: sanitizers are slow, and so is a machine that others use.
SLACK = float(os.environ.get("ORIEL_SLACK", "3" if SANITIZED else "1"))


def inside():
    return os.environ.get("ORIEL_WORLD") == "inside" and os.path.isdir(PREFIX)


def find_program(name):
    for folder in ("usr/libexec/oriel", "usr/sbin", "usr/bin", "usr/lib/x86_64-linux-gnu/oriel"):
        path = os.path.join(PREFIX, folder, name)
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(name + " is not installed under " + PREFIX)


class Timeout(AssertionError):
    pass


def wait_for(condition, seconds, what, every=0.02):
    """Poll until condition() is true and return its value; an AssertionError that says `what` after `seconds` (times SLACK)."""
    end = time.monotonic() + seconds * SLACK
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout("%s: not within %.1f s" % (what, seconds * SLACK))
        time.sleep(every)


def stays(condition, seconds, what, every=0.05):
    """The condition holds all the time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert condition(), what
        time.sleep(every)
