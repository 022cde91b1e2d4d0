# SPDX-License-Identifier: GPL-3.0-or-later
"""oriel-server and oriel-peer against scripted clients, with a monitor of ours. Needs root (a peer gets a uid of its own)."""
import os
import shutil
import sys
import tempfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "scenario")]

import fake  # noqa: E402

BUILD = os.environ.get("ORIEL_BUILD", "")


def pytest_configure(config):
    config.addinivalue_line("markers", "option(name, ...): shows the effect of these options (tests/lint/test_options.py)")


def pytest_collection_modifyitems(config, items):
    reason = None
    if os.geteuid() != 0:
        reason = "needs root"
    elif not os.path.exists(os.path.join(BUILD, "server/oriel-peer")):
        reason = "ORIEL_BUILD names no build folder"
    for item in items if reason else ():
        item.add_marker(pytest.mark.skip(reason=reason))


class Worlds:
    def __init__(self):
        self.all = []

    def make(self, monitor=None, peer="server/oriel-peer", **options):
        folder = tempfile.mkdtemp(prefix="oriel-pdu-")
        w = fake.World(BUILD, folder, monitor, peer, **{k.replace("__", "."): v for k, v in options.items()})
        self.all.append((w, folder))
        return w.start()

    def end(self, keep):
        for w, folder in self.all:
            w.stop()
            if keep:
                print("\n".join(w.text().splitlines()[-60:]))
            shutil.rmtree(folder, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + outcome.get_result().when, outcome.get_result())


@pytest.fixture
def worlds(request):
    w = Worlds()
    yield w
    call = getattr(request.node, "report_call", None)
    w.end(keep=call is not None and call.failed)


@pytest.fixture
def world(worlds):
    return worlds.make()
