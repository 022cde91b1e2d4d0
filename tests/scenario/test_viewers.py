# SPDX-License-Identifier: GPL-3.0-or-later
"""A second client that only looks, and one that never even looks."""
import signal
import subprocess

import pytest

from harness.world import find_program, wait_for


@pytest.mark.core
def test_a_viewer_that_never_reads_changes_nothing_for_the_first_client(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna, size=(800, 600))
    client.wait_stamp(anna.stamp)
    session = oriel.session_of("anna")
    viewer = subprocess.Popen([find_program("orielctl"), "--config", oriel.config, "view", str(session["id"])], stdout=subprocess.PIPE, text=True)
    try:
        assert viewer.stdout.readline().startswith("client ")
        wait_for(lambda: [c["role"] for c in oriel.session_of("anna")["clients"]] == ["control", "view"], 5, "both in the list")
        client.wait_text("$")
        client.type("clear; echo seen by both\n")
        client.wait_text("seen by both")
        first = oriel.session_of("anna")["clients"][0]
        assert (first["width"], first["height"]) == (800, 600)
        client.kill()
        oriel.wait_state("anna", "detached")     # who only looks does not keep a session active
        client = connect(oriel, anna, size=(800, 600))
        client.wait_text("seen by both")
        assert viewer.poll() is None
        viewer.send_signal(signal.SIGKILL)
        wait_for(lambda: len(oriel.session_of("anna")["clients"]) == 1, 5, "the viewer gone")
        client.type("clear; echo still here\n")
        client.wait_text("still here")
    finally:
        viewer.kill()
        viewer.wait()


def test_viewers_are_sent_away_at_logoff(oriel, connect, person):
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    session = oriel.session_of("anna")
    viewer = subprocess.Popen([find_program("orielctl"), "--config", oriel.config, "view", str(session["id"])], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(oriel.session_of("anna")["clients"]) == 2, 5, "the viewer in the list")
    oriel.ctl("logoff", session["id"])
    assert viewer.wait(10) == 1
    assert "The session ended" in viewer.stderr.read()
    oriel.wait_no_session("anna")
