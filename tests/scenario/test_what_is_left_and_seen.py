# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces: processes, sockets, locks, memory, and what an idle client costs."""
import os
import re
import secrets
import statistics
import subprocess
import time

import pytest

from harness import procs
from harness.world import wait_for

DAEMONS = ("oriel", "oriel-monitor", "oriel-server", "oriel-peer", "oriel-keys", "oriel-leader", "oriel-agent", "oriel-logon")


SOCKET_FOLDERS = tuple("/tmp/." + n for n in ("X11-unix", "ICE-unix", "XIM-unix", "font-unix"))


def inventory(service):
    """What a session could leave behind. The folders of sockets are the machine's: the first session makes them, what lies in them counts."""
    found = set()
    for top in ("/tmp", *SOCKET_FOLDERS, "/run/user", service.run_dir, service.run_dir + "/leaders", service.run_dir + "/user"):
        if os.path.isdir(top):
            found.update(os.path.join(top, n) for n in os.listdir(top))
    found.difference_update(SOCKET_FOLDERS)
    return {n for n in found if not re.search(r"/\.?X[2-9]\d\d", n) and "pytest" not in n and "/xtermXX" not in n}  # xterm's own, when it is ended while it starts


@pytest.mark.lived_in
@pytest.mark.core
def test_after_a_logoff_nothing_is_left_within_five_seconds(oriel, connect, person):
    anna = person("anna", extra="(setsid sleep 600 &)\nnohup setsid sh -c 'trap \"\" TERM HUP; sleep 601' >/dev/null 2>&1 &")
    oriel.logoff_all()
    before = inventory(oriel)
    sockets = unix_sockets()
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    who = subprocess.run(["who", "/run/utmp"], capture_output=True, text=True).stdout
    session = oriel.wait_state("anna", "active")
    oriel.ctl("logoff", session["id"])
    wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user, not even those that ignore signals")
    wait_for(lambda: not (inventory(oriel) - before), 5, "no file left of %r" % (inventory(oriel) - before))
    wait_for(lambda: "anna" not in subprocess.run(["who", "/run/utmp"], capture_output=True, text=True).stdout, 5, "no utmp entry")
    client.wait_end()
    wait_for(lambda: not (unix_sockets() - sockets - x_clients()), 5, "no socket left")
    assert "anna" in who, "utmp did not name the user while she was logged in"


def unix_sockets():
    with open("/proc/net/unix") as f:
        return {line.split()[7] for line in f.read().splitlines()[1:] if len(line.split()) > 7}


def x_clients():
    return {n for n in unix_sockets() if re.search(r"X[2-9]\d\d", n)}


@pytest.mark.core
def test_a_password_is_in_nobodys_memory_after_the_login(make_oriel, connect, person):
    oriel = make_oriel()
    anna = person("anna")
    anna.set_password("Marker-" + secrets.token_hex(12))
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    time.sleep(5)
    needles = [anna.password.encode(), anna.password.encode("utf-16-le")]
    guilty = [(p, procs.memory_contains(p.pid, needles)) for p in procs.processes() if p.exe in DAEMONS or p.exe == "Xorg"]
    assert len([1 for p, _ in guilty]) >= 6, "looked at too few processes: %r" % (guilty,)
    assert not [(p, len(f)) for p, f in guilty if f]


@pytest.mark.core
def test_a_password_typed_on_the_logon_screen_is_in_nobodys_memory_either(make_oriel, connect, person):
    oriel = make_oriel()
    anna = person("anna")
    anna.set_password("marker" + secrets.token_hex(12))
    client = connect(oriel, "anna", "wrong")
    client.wait_picture()
    time.sleep(1)
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)
    time.sleep(5)
    needles = [anna.password.encode(), anna.password.encode("utf-16-le"), anna.password.encode("utf-32-le")]
    guilty = [(p, procs.memory_contains(p.pid, needles)) for p in procs.processes() if p.exe in DAEMONS]
    assert not [(p, len(f)) for p, f in guilty if f]


@pytest.mark.core
def test_the_tls_key_is_in_no_process_but_oriel_keys(make_oriel, connect, person):
    oriel = make_oriel()
    anna = person("anna")
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    needles = key_numbers(oriel.state_dir + "/tls/key.pem")
    holders = {p.exe for p in procs.processes() if p.exe in DAEMONS and procs.memory_contains(p.pid, needles)}
    assert holders == {"oriel-keys"}, holders


def key_numbers(path):
    """The secret numbers of a PEM key, as they could stand in memory: big-endian, and in OpenSSL's little-endian words."""
    text = subprocess.run(["openssl", "pkey", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    needles = []
    for name in ("priv", "privateExponent", "prime1", "prime2", "exponent1"):
        m = re.search(r"^%s:\n((?:\s+[0-9a-f:]+\n)+)" % name, text, re.M)
        if m:
            number = bytes.fromhex(re.sub(r"[\s:]", "", m.group(1))).lstrip(b"\0")
            needles += [number, number[::-1]]
    assert needles
    return needles


@pytest.mark.timing
def test_an_idle_client_costs_no_byte_and_no_tick(make_oriel, connect, person, wire):
    oriel = make_oriel(server__heartbeat=0)
    anna = person("anna")
    w = wire(oriel)
    client = connect(oriel, anna, port=w.port)
    client.wait_stamp(anna.stamp)
    client.wait_text("$")
    # Pictures may still become exact after the last change; then it is quiet.
    def quiet():
        before = w.down
        time.sleep(1)
        return w.down == before
    wait_for(quiet, 20, "a quiet connection")
    time.sleep(2)       # and gives memory back, once
    watched = [p for p in procs.processes() if p.exe in DAEMONS or p.exe == "Xorg"]
    down, before = w.down, {p.pid: p.cpu_us() for p in watched}
    time.sleep(10)
    spent = {repr(p): p.cpu_us() - before[p.pid] for p in watched}
    most = {repr(p): 10000 if p.exe == "Xorg" else 2000 for p in watched}  # of ten seconds; X has timers of its own
    assert w.down == down, "%d bytes went to an idle client" % (w.down - down)
    assert all(spent[p] < most[p] for p in spent), spent


@pytest.mark.timing
def test_a_new_session_and_a_reattach_are_quick(oriel, connect, person, wire, record_property):
    """From the TCP connection to the stamp on the client's screen. Goals: 1.0 s and 0.4 s; asserted with slack for a busy machine."""
    anna = person("anna", terminal=False)
    fresh, again = [], []
    for _ in range(5):
        for times in (fresh, again):
            w = wire(oriel)
            client = connect(oriel, anna, port=w.port)
            wait_for(lambda: client.shows(anna.stamp), 10, "the stamp", 0.005)
            times.append(time.monotonic() - w.first)
            client.close()
            oriel.wait_state("anna", "detached")
        oriel.logoff("anna")
    text = "new session median %.2f s %s; reattach median %.2f s %s" % (
        statistics.median(fresh), ["%.2f" % t for t in fresh], statistics.median(again), ["%.2f" % t for t in again])
    print(text)
    with open("/run/w/out/timing.txt", "w") as f:
        f.write(text + "\n")
    record_property("times", text)
    assert statistics.median(fresh) < 2.0 and statistics.median(again) < 1.2, text


def first_of(field):
    return field.split()[0]


@pytest.mark.core
def test_every_thread_of_every_network_facing_process_is_shut_in(oriel, connect, person):
    """Of each thread, for some of it belongs to a thread: newer libraries have one of their own, and encoders have theirs."""
    anna = person("anna", stream="film")
    client = connect(oriel, anna, options=("/gfx:AVC420",))
    client.wait_stamp(anna.stamp)
    peer, = oriel.children("oriel-peer")
    wait_for(lambda: len(procs.threads(peer.pid)) > 1, 20, "a thread beside the first: a film plays")
    for exe in ("oriel-peer", "oriel-keys"):
        for p in oriel.children(exe):
            for tid, status in procs.threads(p.pid).items():
                where = (p, tid, status)
                assert set(status["Uid"].split()) == {str(p.uid)} and p.uid != 0, where
                assert set(status["Gid"].split()) == {first_of(p.status["Gid"])} and first_of(p.status["Gid"]) != "0", where
                assert status["Groups"].split() in ([], [first_of(status["Gid"])]), where
                assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1", where
                for caps in ("CapPrm", "CapEff", "CapAmb", "CapInh"):
                    assert int(status[caps], 16) == 0, where
                assert os.listdir("/proc/%d/task/%d/root/" % (p.pid, tid)) == [] or exe != "oriel-peer", "the peer's root is not empty"
