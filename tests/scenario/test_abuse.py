# SPDX-License-Identifier: GPL-3.0-or-later
"""Guessing, stalling, flooding: the honest user does not notice."""
import collections
import datetime
import re
import socket
import threading
import time

import pytest

from harness.rdp import Closed, Rdp, Refused
from harness.viewer import Viewer
from harness.world import SLACK, wait_for


ATTACKERS = 4


class Attack:
    """Wrong passwords for one user, from one network, each on a connection of its own that waits for its verdict."""

    def __init__(self, service, name, network, guesses):
        self.service, self.name, self.network, self.guesses = service, name, network, guesses
        self.judged = collections.Counter()     # verdicts by address, as the audit lines tell
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self._watch, daemon=True)]
        self.threads += [threading.Thread(target=self._guess, args=(n,), daemon=True) for n in range(ATTACKERS)]
        for t in self.threads:
            t.start()

    def _watch(self):
        audit = re.compile(r"audit refused user=%s address=(%s\.\d+) reason=(credentials|throttled)" % (self.name, re.escape(self.network)))
        with open(self.service.log_path, errors="replace") as f:
            rest = ""
            while not self.stop.wait(0.005):
                lines = (rest + f.read()).split("\n")
                rest = lines.pop()
                self.judged.update(m[1] for m in map(audit.search, lines) if m)

    def _guess(self, number):
        address = "%s.%d" % (self.network, number + 1)
        for n in range(self.guesses // ATTACKERS):
            client = None
            while not self.stop.is_set() and self.judged[address] <= n:
                try:
                    client = Rdp(self.service.port, source=address)
                    client.login(self.name, "guess-%d" % n)
                    begun = time.monotonic()
                    while not self.stop.wait(0.005) and self.judged[address] <= n and time.monotonic() < begun + 20:
                        pass
                except (Closed, Refused, OSError, AssertionError, ValueError, IndexError):
                    pass    # the same guess again
                finally:
                    if client:
                        client.close()

    @property
    def done(self):
        return sum(self.judged.values())

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join(30)


def honest_login(oriel, connect, person, w):
    """The client, and seconds from its first packet until it shows the desktop."""
    client = connect(oriel, person, port=w.port)
    wait_for(lambda: client.shows(person.stamp), 10, "the honest login")
    return client, time.monotonic() - w.first


def leave(oriel, client, name):
    client.kill()
    oriel.wait_state(name, "detached")
    oriel.logoff(name)


@pytest.mark.parametrize("guesses", [240, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.takes(50)
def test_guesses_from_one_network_do_not_keep_the_user_out(make_oriel, connect, person, wire, guesses):
    oriel = make_oriel(server__max_half_open=200)
    anna = person("anna")
    client, alone = honest_login(oriel, connect, anna, wire(oriel, "127.0.8.1"))
    leave(oriel, client, "anna")
    attack = Attack(oriel, "anna", "127.0.9", guesses)
    try:
        wait_for(lambda: attack.done >= 50, 60, "some guesses")
        client, took = honest_login(oriel, connect, anna, wire(oriel, "127.0.8.1"))
        assert attack.done < guesses, "the guesses were over before the honest login"
        wait_for(lambda: attack.done >= guesses, guesses / 2, "%d guesses judged" % guesses, 0.1)
    finally:
        attack.end()
    assert took < max(3.0 * SLACK, 6 * alone), "the honest login took %.1f s, alone %.1f" % (took, alone)
    # few of them were ever put to PAM, and from that network even the right password has to wait
    refused = [line for line in oriel.log().splitlines() if "audit refused user=anna address=127.0.9." in line]
    asked = [line for line in refused if "reason=credentials" in line]
    minutes = 1 + (log_time(refused[-1]) - log_time(refused[0])) / 60
    assert len(asked) <= 10 + 10 * minutes, "%d guesses were put to PAM in %.1f minutes" % (len(asked), minutes)
    text = oriel.ctl("throttle").stdout
    assert "127.0.9" in text and "127.0.8" not in text, text
    leave(oriel, client, "anna")
    use_up_guesses(oriel, "anna", "127.0.9.77")
    r = Rdp(oriel.port, source="127.0.9.77")
    r.login("anna", anna.password)
    r.run(1.5)
    assert not oriel.session_of("anna"), "the guessing network gets in"
    r.close()
    oriel.ctl("throttle", "--clear")
    r = Rdp(oriel.port, source="127.0.9.77")
    r.login("anna", anna.password)
    assert r.run(20, until=lambda: oriel.session_of("anna")) and oriel.session_of("anna")
    r.close()


def use_up_guesses(service, name, address):
    """A user's network is given one more guess every few seconds: take the next, so that there is none for some time."""
    refused = "audit refused user=%s address=%s reason=" % (name, address)
    mark, judged, end = len(service.log()), 0, time.monotonic() + 60
    while refused + "credentials" not in service.log()[mark:]:
        assert time.monotonic() < end, "none of %d guesses was put to PAM" % judged
        r = Rdp(service.port, source=address)
        r.login(name, "another guess")
        judged += 1
        r.run(15, until=lambda: service.log()[mark:].count(refused) >= judged)
        r.close()


def log_time(line):
    return datetime.datetime.fromisoformat(line.split("Z", 1)[0]).timestamp()


def test_a_throttle_survives_a_restart(make_oriel, person):
    oriel = make_oriel(login__throttle_burst=3, login__throttle_seconds=600)
    anna = person("anna")
    for n in range(5):
        mark = len(oriel.log())
        r = Rdp(oriel.port, source="127.0.9.5")
        try:
            r.login("anna", "guess")
            r.run(15, until=lambda: "audit refused user=anna" in oriel.log()[mark:])
        except Closed:
            pass
        r.close()
    oriel.stop()
    oriel.start()
    r = Rdp(oriel.port, source="127.0.9.6")
    r.login("anna", anna.password)
    r.run(2)
    assert not oriel.session_of("anna")
    r.close()
    r = Rdp(oriel.port, source="127.0.8.6")
    r.login("anna", anna.password)
    assert r.run(20, until=lambda: oriel.session_of("anna")) and oriel.session_of("anna")
    r.close()


def closed_after(s, limit):
    """Seconds until the server closes."""
    begun = time.monotonic()
    s.settimeout(limit)
    try:
        while s.recv(4096):
            pass
    except socket.timeout as e:
        raise AssertionError("still open after %.1f s" % limit) from e
    except OSError:
        pass
    return time.monotonic() - begun


CLIENT_HELLO = bytes.fromhex("160301007a010000760303") + bytes(range(32)) + bytes.fromhex("00000cc02bc02fc02cc0301301130201000041000a00080006001d00170018")
STALLS = ["silence", "half-request", "after-confirm", "half-client-hello", "byte-a-second", "silence-after-tls", "half-mcs", "after-mcs"]


@pytest.fixture(scope="module")
def impatient(services):
    s = services.other("impatient", kept=True, server__handshake_deadline=3, server__login_deadline=5)
    yield s
    services.end(s)


@pytest.mark.core
@pytest.mark.parametrize("stall", STALLS)
def test_a_stalled_handshake_ends_at_the_deadline(impatient, stall):
    r = Rdp(impatient.port, timeout=10)
    begun = time.monotonic()
    request = Rdp.connection_request()
    if stall == "half-request":
        r.send(request[:9])
    elif stall == "byte-a-second":
        def drip():
            try:
                for b in request * 3:
                    r.send(bytes([b]))
                    time.sleep(1)
            except Closed:
                pass
        threading.Thread(target=drip, daemon=True).start()
    elif stall != "silence":
        r.negotiate()
        if stall == "half-client-hello":
            r.send(CLIENT_HELLO[:60])
        elif stall != "after-confirm":
            r.start_tls()
            if stall == "half-mcs":
                r.send(b"\x03\0\x01\xa0\x02\xf0\x80\x7f\x65")
            elif stall == "after-mcs":
                r.connect_mcs()
    closed_after(r.socket, 9 * SLACK)
    took = time.monotonic() - begun
    limit = 5 if stall == "after-mcs" else 3
    assert took <= limit + 1.5 * SLACK, "closed only after %.1f s" % took
    assert took >= 1, "closed at once: not a stall that ran into the deadline"
    r.close()


@pytest.mark.core
def test_a_client_on_the_logon_screen_is_sent_away_at_the_deadline(impatient):
    r = Rdp(impatient.port)
    begun = time.monotonic()
    r.login("", "")
    assert not r.run(12 * SLACK), "still open"
    assert 3 <= time.monotonic() - begun <= 5 + 3 * SLACK
    assert r.error_info in (3, 4), r.error_info     # idle or logon timeout
    r.close()


def test_silent_connections_do_not_keep_an_honest_client_out(make_oriel, connect, person, wire):
    oriel = make_oriel(server__max_half_open_per_source=20, server__handshake_deadline=20)
    anna = person("anna")
    held = []
    for i in range(150):
        try:
            held.append(socket.create_connection(("127.0.0.1", oriel.port), 2, ("127.0.9.%d" % (1 + i % 200), 0)))
        except OSError:
            pass
    w = wire(oriel, "127.0.8.1")
    client = connect(oriel, anna, port=w.port)
    wait_for(lambda: client.shows(anna.stamp), 10, "the honest login")
    assert time.monotonic() - w.first < 3 * SLACK * 1.5
    for s in held:
        s.close()


@pytest.mark.core
@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x03\0\xff\xff" + b"A" * 2000, b"\x03\0\0\x04", b"\x03\0\0\x13\x0e\xe0" + b"\xff" * 13,
                                     bytes(4096)], ids=["http", "long", "empty", "bad-request", "zeros"])
def test_garbage_instead_of_a_request_ends_that_connection_only(oriel, connect, person, garbage):
    s = socket.create_connection(("127.0.0.1", oriel.port), 5)
    s.sendall(garbage)
    closed_after(s, 25 * SLACK)
    s.close()
    assert oriel.listening()


def test_a_client_that_stops_reading_delays_nobody_else(oriel, connect, person):
    anna, ben = person("anna", stream=True), person("ben", person.another_stamp())
    slow = Rdp(oriel.port)
    slow.login("anna", anna.password)
    slow.run(15, until=lambda: oriel.session_of("anna") and slow.updates())
    # from here on it reads nothing
    client = connect(oriel, ben)
    client.wait_stamp(ben.stamp)
    client.wait_text("$")
    client.type("echo unhindered\n")
    client.wait_text("unhindered")
    slow.close()


@pytest.mark.core
def test_a_viewer_that_never_reads_changes_nothing_for_the_first_client(oriel, connect, person):
    anna = person("anna", stream=True)
    client = connect(oriel, anna)
    client.wait_stamp(anna.stamp)
    session = oriel.wait_state("anna", "active")
    viewer = Viewer(oriel, session["id"])
    assert [viewer.read() for _ in range(3)] == [108, 109, 101]    # the layout, the desktop, and a buffer of its own came
    wait_for(lambda: len(oriel.session_of("anna")["clients"]) == 2, 5, "two clients of the session")
    # from here on the viewer reads nothing and acknowledges nothing
    client.wait_text("$")
    before = client.pixels().copy()
    client.type("echo still quick\n")
    client.wait_text("still quick", 4)
    wait_for(lambda: (client.pixels()[:200, 100:500] != before[:200, 100:500]).any(), 4, "moving pictures")
    viewer.close()
    wait_for(lambda: len(oriel.session_of("anna")["clients"]) == 1, 5, "one client again")
    assert client.running()
