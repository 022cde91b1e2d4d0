# SPDX-License-Identifier: GPL-3.0-or-later
"""Homes that are missing, full, read-only, closed to root, slow, hang, or want a ticket: the person is in or reads why within 15 s,
nobody else waits, and the place is free again."""
import glob
import os
import re
import signal
import time

import pytest

from harness import badhome, procs
from harness.screen import colours
from harness.world import SLACK, wait_for

IN_OR_TOLD_S = 15
OTHERS_S = 3

on_fuse = pytest.mark.skipif(not badhome.here(), reason="no FUSE here: /dev/fuse, or badhome was not built (libfuse3-dev)")


@pytest.fixture
def bad_home(oriel):
    """bad_home(user) puts the user's home behind FUSE; afterwards it is as it was. (Sessions end first, and what hangs is let go.)"""
    made = []

    def make(user):
        made.append(badhome.BadHome(user))
        return made[-1]

    yield make
    for home in made:
        home.be("fine")
    oriel.logoff_all()
    for home in made:
        wait_for(lambda h=home: [p.pid for p in procs.of_user(h.user.name)] in ([], [h.process.pid]), 10, "the end of all that hung")
        home.close()


def shows_words(client):
    p = client.pixels()
    return p.size and colours(p, 8) > 8 and (p.max(axis=2) > 40).mean() > 0.01


def told(oriel, user, words, since):
    """The reason that the person reads, from the log; within the time from now on."""
    def found():
        m = re.search(r"session failed user=%s: \"([^\n]*)\"\n" % user.name, oriel.log()[since:])
        return m and m.group(1)
    reason = wait_for(found, IN_OR_TOLD_S, "a reason for " + user.name)
    assert words in reason, reason


def place_is_free(oriel, user, display):
    """The slot, the display number and the entry: within the time that a logoff takes anyhow."""
    oriel.wait_no_session(user.name, IN_OR_TOLD_S)
    assert not os.path.exists("/tmp/.X%s-lock" % display.strip(":"))
    assert not glob.glob("/run/user/%d/oriel-*" % user.uid)


def another_logs_in(oriel, connect, person, name="ben"):
    """Nobody else waits."""
    ben = person(name, person.another_stamp())
    client = connect(oriel, ben)
    client.wait_stamp(ben.stamp, OTHERS_S)
    client.close()
    oriel.logoff(name)


def test_a_missing_home_is_told(oriel, connect, person):
    anna, since = person("anna"), len(oriel.log())
    os.rename(anna.home, anna.home + ".away")
    try:
        client = connect(oriel, anna)
        told(oriel, anna, "There is no home folder: /home/anna does not exist", since)
        wait_for(lambda: shows_words(client), 5, "the reason on the screen")
        client.save("no-home")
        place_is_free(oriel, anna, ":10")
    finally:
        os.rename(anna.home + ".away", anna.home)


@on_fuse
def test_a_home_that_root_may_not_enter_is_used_like_any_other(oriel, connect, person, bad_home):
    anna = person("anna")
    home = bad_home(anna)
    with pytest.raises(PermissionError):
        os.listdir(anna.home)       # root's look
    connect(oriel, anna).wait_stamp(anna.stamp)
    assert home.read("started").count("started-") == 1, "its .xsession was overlooked"
    session = oriel.session_of("anna")
    log = ".local/state/oriel/%s-session-%d.log" % (os.uname().nodename, session["id"])
    assert "session %d of anna" % session["id"] in home.read(log)
    oriel.logoff("anna", IN_OR_TOLD_S)
    place_is_free(oriel, anna, session["display"])


@on_fuse
@pytest.mark.takes(10)
@pytest.mark.parametrize("what", ["stat", "open"])
def test_a_home_that_hangs_is_told_and_nobody_else_waits(oriel, connect, person, bad_home, what):
    """What waits for it cannot even be killed: its server has the request and does not answer."""
    anna, since = person("anna"), len(oriel.log())
    home = bad_home(anna)
    home.be(what)
    client = connect(oriel, anna)
    wait_for(home.somebody_hangs, 5, "somebody who hangs")
    another_logs_in(oriel, connect, person)
    told(oriel, anna, "The home folder /home/anna does not answer", since)
    wait_for(lambda: shows_words(client), 5, "the reason on the screen")
    client.save("home-hangs-" + what)
    assert time.monotonic() - client.started < IN_OR_TOLD_S * SLACK
    assert [p for p in procs.of_user("anna") if p.status["State"].startswith("D")], "who hangs was expected to be there still"
    place_is_free(oriel, anna, ":10")
    home.be("fine")
    connect(oriel, anna).wait_stamp(anna.stamp)
    assert oriel.session_of("anna")["display"] == ":10"


@on_fuse
@pytest.mark.parametrize("what, words", [("closed", "is closed to you: Permission denied"),
                                         ("unread", "is closed to you: Permission denied"),
                                         ("expired", "asks for a ticket (Kerberos)")])
def test_a_home_that_wants_a_ticket_is_told(oriel, connect, person, bad_home, what, words):
    anna, since = person("anna"), len(oriel.log())
    bad_home(anna).be(what)
    client = connect(oriel, anna)
    told(oriel, anna, words, since)
    wait_for(lambda: shows_words(client), 5, "the reason on the screen")
    client.save("home-" + what)
    place_is_free(oriel, anna, ":10")


@on_fuse
@pytest.mark.parametrize("what, words", [("full", "No space left on device"), ("readonly", "Read-only file system")])
def test_a_home_that_takes_nothing_keeps_nobody_out(oriel, connect, person, bad_home, what, words):
    anna = person("anna")
    bad_home(anna).be(what)
    connect(oriel, anna).wait_stamp(anna.stamp, IN_OR_TOLD_S)
    with open("/run/user/%d/oriel-%d/session.log" % (anna.uid, oriel.session_of("anna")["id"])) as f:
        text = f.read()
    assert "/home/anna/.local/state/oriel cannot be written: %s. This log is here instead." % words in text


@on_fuse
@pytest.mark.takes(30)
def test_a_slow_home_is_waited_for_and_not_too_long(oriel, connect, person, bad_home):
    anna = person("anna")
    bad_home(anna).be("slow")
    client = connect(oriel, anna)
    another_logs_in(oriel, connect, person)
    oriel.wait_state("anna", "active", IN_OR_TOLD_S)
    assert time.monotonic() - client.started < IN_OR_TOLD_S * SLACK
    with open("/run/user/%d/oriel-%d/session.log" % (anna.uid, oriel.session_of("anna")["id"])) as f:
        assert "/home/anna/.local/state/oriel answers too slowly for it. This log is here instead." in f.read()


# Becomes another program while the home hangs, and has a file of it open that ends with that: the kernel closes it, waits for the home, and lets
# nobody look at the process meanwhile (exec_update_lock): who reads /proc/PID/stat or environ hangs, too.
HANGS_IN_EXEC = """/usr/bin/python3 -c '
import os, time
os.open(os.environ["HOME"] + "/held", os.O_WRONLY | os.O_CREAT)
while open("/run/badhome-anna/control").read() != "stat":
    time.sleep(0.02)
os.execv("/bin/sleep", ["sleep", "100"])' &
"""


@on_fuse
@pytest.mark.takes(15)
@pytest.mark.parametrize("what", ["stat", "gone"])
def test_a_home_that_is_lost_in_mid_session_loses_no_session(oriel, connect, person, bad_home, what):
    anna = person("anna", extra="(while sleep 0.1; do echo alive >>$HOME/alive; done) &\n" + HANGS_IN_EXEC)
    home = bad_home(anna)
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    session = oriel.session_of("anna")
    wait_for(lambda: home.read("alive"), 5, "a program that writes in the home")
    home.be(what)
    wait_for(lambda: home.somebody_hangs() or home.process.poll() is not None, 5, "the loss of the home")
    client.close()
    oriel.wait_state("anna", "detached")
    again = connect(oriel, anna)
    again.wait_stamp(anna.stamp, IN_OR_TOLD_S)
    assert oriel.session_of("anna")["id"] == session["id"]
    another_logs_in(oriel, connect, person)
    oriel.logoff("anna", IN_OR_TOLD_S)
    place_is_free(oriel, anna, session["display"])


@on_fuse
@pytest.mark.takes(10)
def test_a_session_that_fails_while_its_home_hangs_ends(oriel, connect, person, bad_home):
    """Its end is told with the last lines of its logs, and one of these lies in the home."""
    anna, since = person("anna"), len(oriel.log())
    home = bad_home(anna)
    connect(oriel, anna).wait_stamp(anna.stamp)
    session = oriel.session_of("anna")
    home.be("stat")
    server = [p for p in procs.of_user("anna") if p.exe == "Xorg"]
    assert len(server) == 1
    os.kill(server[0].pid, signal.SIGKILL)
    told(oriel, anna, "The X server of the session ended", since)
    another_logs_in(oriel, connect, person)
    place_is_free(oriel, anna, session["display"])


def test_of_each_host_the_last_five_logs_stay(oriel, connect, person):
    anna = person("anna")
    for n in range(7):
        anna.write(".local/state/oriel/%s-session-%d.log" % (os.uname().nodename, 900000 + n), "old\n")
        anna.write(".local/state/oriel/elsewhere-session-%d.log" % n, "another host's\n")
    connect(oriel, anna).wait_stamp(anna.stamp)
    names = os.listdir(anna.home + "/.local/state/oriel")
    assert len([n for n in names if n.startswith(os.uname().nodename + "-session-")]) == 5
    assert "%s-session-%d.log" % (os.uname().nodename, oriel.session_of("anna")["id"]) in names
    assert len([n for n in names if n.startswith("elsewhere-")]) == 7
