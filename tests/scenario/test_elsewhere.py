# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who sits at the machine already: a second, separate session, or a clear refusal."""
import os
import pwd

import pytest

from harness.world import wait_for

SESSIONS = "/run/systemd/sessions"


@pytest.fixture
def at_the_machine():
    """Call it with a user's name: logind says that this user has a graphical session."""
    files = []

    def sit(user):
        os.makedirs(SESSIONS, exist_ok=True)
        files.append(SESSIONS + "/c%d" % (len(files) + 1))
        with open(files[-1], "w") as f:
            f.write("UID=%d\nUSER=%s\nACTIVE=1\nSTATE=active\nREMOTE=0\nTYPE=wayland\nCLASS=user\nSERVICE=gdm-password\n" % (pwd.getpwnam(user).pw_uid, user))
    yield sit
    for name in files:
        os.unlink(name)


@pytest.mark.lived_in
@pytest.mark.option("session.elsewhere")
def test_refuse_says_so_and_lets_others_in(make_oriel, connect, person, at_the_machine):
    oriel = make_oriel(session__elsewhere="refuse")
    anna, bert = person("anna"), person("bert")
    at_the_machine("anna")
    connect(oriel, anna)
    oriel.wait_log("user=anna address=127.0.0.1 reason=elsewhere", 10)
    assert not oriel.session_of("anna")
    client = connect(oriel, bert)
    client.wait_stamp(bert.stamp)


@pytest.mark.option("session.elsewhere")
def test_allow_gives_a_session_of_its_own(make_oriel, connect, person, at_the_machine):
    oriel = make_oriel(session__elsewhere="allow")
    anna = person("anna")
    at_the_machine("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    wait_for(lambda: oriel.session_of("anna")["state"] == "active", 5, "an active session")
