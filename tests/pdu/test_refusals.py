# SPDX-License-Identifier: GPL-3.0-or-later
"""Negotiation, TLS, deadlines, limits, garbage: what oriel-server and oriel-peer refuse, and that they go on serving."""
import os
import pwd
import random
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

import mstsc
import pytest
from fake import wait_for
from harness import procs
from harness.rdp import Closed, Rdp, Refused

SSL_REQUIRED = 1
HANDSHAKE = 2


def serves(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    c.close()


def ended(c, seconds=5):
    """Seconds until the server closed."""
    start = time.monotonic()
    c.socket.settimeout(seconds)
    try:
        while c.socket.recv(65536):
            pass
    except socket.timeout:
        raise AssertionError("still open after %s s" % seconds) from None
    except OSError:
        pass
    return time.monotonic() - start


# --- negotiation ---
@pytest.mark.parametrize("protocols", [0, 2, 2 | 8, 4, 16], ids=["rdp", "nla", "nla-ex", "rdstls", "aad"])
def test_who_does_not_speak_tls_is_told_so(world, protocols):
    c = Rdp(world.port)
    with pytest.raises(Refused) as e:
        c.negotiate(protocols)
    assert e.value.code == SSL_REQUIRED
    ended(c)
    serves(world)


def test_a_request_without_negotiation_is_told_so_too(world):
    c = Rdp(world.port)
    c.send(Rdp.tpkt(b"\x06\xe0\0\0\0\0\0"))
    _, answer = c.read_pdu()
    assert struct.unpack("<BBHI", answer[7:15])[::3] == (3, SSL_REQUIRED)
    ended(c)


@pytest.mark.parametrize("protocols", [1, 3, 11, 1 | 4 | 16], ids=["tls", "tls-nla", "mstsc", "tls-rdstls-aad"])
def test_tls_is_chosen_whatever_else_is_offered(world, protocols):
    assert Rdp(world.port).negotiate(protocols) == 1


def test_tls_12_and_13_work_and_older_or_weaker_ones_do_not(world):
    def handshake(lowest, highest, ciphers=None):
        c = Rdp(world.port)
        c.negotiate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if ciphers:
            context.set_ciphers(ciphers)
        context.minimum_version, context.maximum_version = lowest, highest
        return context.wrap_socket(c.socket).version()
    v = ssl.TLSVersion
    assert handshake(v.TLSv1_2, v.TLSv1_2) == "TLSv1.2"
    assert handshake(v.TLSv1_3, v.TLSv1_3) == "TLSv1.3"
    with pytest.raises((OSError, ValueError)):
        handshake(v.TLSv1, v.TLSv1_1, "ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        handshake(v.TLSv1_2, v.TLSv1_2, "AES128-SHA:AES256-GCM-SHA384:@SECLEVEL=0")
    serves(world)


class Tunnel(threading.Thread):
    """A port for clients that speak TLS at once: the first request of RDP is made for them."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.to, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        client, _ = self.listener.accept()
        c = Rdp(self.to)
        c.negotiate()
        c.socket.settimeout(None)
        back = threading.Thread(target=self.pump, args=(c.socket, client), daemon=True)
        back.start()
        self.pump(client, c.socket)
        back.join(10)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def key_exchange(port, groups):
    """The group that a handshake took which offers these alone, or None."""
    r = subprocess.run(["openssl", "s_client", "-connect", "127.0.0.1:%d" % Tunnel(port).port, "-tls1_3", "-groups", groups], input=b"",
                       capture_output=True, timeout=30)
    said = re.search(rb"(?:(?:Server|Peer) Temp Key: |Negotiated TLS1.3 group: )([^,\n]+)", r.stdout)
    return said[1].decode() if said and b"Cipher is (NONE)" not in r.stdout else None


def test_keys_are_exchanged_over_curves_only(world):
    assert key_exchange(world.port, "X25519")
    assert key_exchange(world.port, "P-256")
    assert key_exchange(world.port, "ffdhe2048:P-384"), "what is offered beside a curve does no harm"
    for group in ("ffdhe2048", "ffdhe3072", "ffdhe8192"):
        assert key_exchange(world.port, group) is None, group
    serves(world)


@pytest.mark.option("tls.certificate", "tls.key")
def test_the_whole_chain_is_sent_and_verifies_against_its_root(worlds, tmp_path):
    os.chmod(tmp_path, 0o755)

    def run(*args):
        subprocess.run(["openssl"] + list(args), cwd=tmp_path, check=True, capture_output=True)
    # As RFC 5280 wants them: Python 3.13 insists.
    ca = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", "-days", "9",
        *[a for extension in ca for a in ("-addext", extension)])
    for name, issuer, extensions in (("middle", "root", ca), ("leaf", "middle", ["subjectAltName=DNS:oriel.test"])):
        (tmp_path / "ext").write_text("\n".join(extensions + ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]))
        run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        run("x509", "-req", "-in", name + ".csr", "-CA", issuer + ".pem", "-CAkey", issuer + ".key", "-CAcreateserial", "-days", "9",
            "-extfile", "ext", "-out", name + ".pem")
    folder = tempfile.mkdtemp(prefix="oriel-tls-")
    os.chmod(folder, 0o755)
    with open(folder + "/chain.pem", "w") as f:
        f.write((tmp_path / "leaf.pem").read_text() + (tmp_path / "middle.pem").read_text())
    shutil.copy(tmp_path / "leaf.key", folder + "/leaf.key")
    keys = pwd.getpwnam("bin")  # fake.World.ACCOUNTS
    os.chown(folder + "/leaf.key", keys.pw_uid, keys.pw_gid)
    os.chmod(folder + "/leaf.key", 0o600)
    world = worlds.make(tls__certificate=folder + "/chain.pem", tls__key=folder + "/leaf.key")
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        c = Rdp(world.port)
        c.negotiate()
        context = ssl.create_default_context(cafile=str(tmp_path / "root.pem"))
        context.minimum_version = context.maximum_version = version
        context.wrap_socket(c.socket, server_hostname="oriel.test").close()
    shutil.rmtree(folder)


# --- deadlines ---
def half_hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    out = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    except ssl.SSLWantReadError:
        pass
    hello = out.read()
    return hello[:len(hello) // 2]


def stall_silent(c):
    pass


def stall_half_request(c):
    c.send(Rdp.connection_request()[:9])


def stall_after_request(c):
    c.negotiate()


def stall_half_hello(c):
    c.negotiate()
    c.send(half_hello())


def stall_slowly(c):
    for b in Rdp.connection_request() + bytes(100):
        time.sleep(0.4)
        c.send(bytes([b]))


def stall_after_tls(c):
    c.negotiate()
    c.start_tls()


def stall_after_mcs(c):
    c.negotiate()
    c.start_tls()
    c.connect_mcs()


def stall_after_info(c):
    c.login("alice", "secret")


STALLS = [stall_silent, stall_half_request, stall_after_request, stall_half_hello, stall_slowly, stall_after_tls, stall_after_mcs,
          stall_after_info]


@pytest.mark.option("server.handshake_deadline")
def test_every_stall_ends_at_the_handshake_deadline(worlds):
    world = worlds.make(server__handshake_deadline=HANDSHAKE)
    took = {}

    def one(stall):
        c = Rdp(world.port)
        start = time.monotonic()
        try:
            stall(c)
        except Closed:
            pass
        ended(c, 10)
        took[stall.__name__] = time.monotonic() - start
    threads = [threading.Thread(target=one, args=(s,)) for s in STALLS]
    for t in threads:
        t.start()
    for t in threads:
        t.join(15)
    assert sorted(took) == sorted(s.__name__ for s in STALLS)
    # seconds are the grain of the deadline; a loaded machine adds to it
    assert all(HANDSHAKE - 1.1 <= t <= HANDSHAKE + 6 for t in took.values()), took
    serves(world)
    wait_for(lambda: not world.peers, what="end of all peers")


@pytest.mark.option("server.login_deadline")
def test_the_login_deadline_tells_the_client_and_ends_it(worlds):
    world = worlds.make(server__login_deadline=3)
    c = mstsc.Mstsc(world.port).login("alice", "wrong")
    start = time.monotonic()
    assert c.run(10) is False
    assert c.error_info == 4 and 1 <= time.monotonic() - start < 6


def test_a_client_that_logged_in_has_no_deadline(worlds):
    world = worlds.make(server__login_deadline=2, server__handshake_deadline=2)
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    assert c.run(4) is True


# --- limits ---
@pytest.mark.option("server.max_half_open_per_source")
def test_half_open_connections_of_one_source_are_limited(worlds):
    world = worlds.make(server__max_half_open_per_source=3)
    waiting = [Rdp(world.port) for _ in range(3)]
    time.sleep(0.3)
    assert ended(Rdp(world.port)) < 2
    elsewhere = Rdp(world.port, source="127.0.1.1")
    assert elsewhere.negotiate() == 1
    waiting[0].close()
    time.sleep(0.3)
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    assert Rdp(world.port).negotiate() == 1  # who is logged in is not half-open


@pytest.mark.option("server.max_half_open")
def test_half_open_connections_are_limited_over_all(worlds):
    world = worlds.make(server__max_half_open=4)
    for i in range(4):
        globals().setdefault("_kept", []).append(Rdp(world.port, source="127.0.%d.1" % (i + 1)))
    time.sleep(0.3)
    assert ended(Rdp(world.port, source="127.0.9.1")) < 2
    for c in globals().pop("_kept"):
        c.close()


@pytest.mark.option("server.max_clients")
def test_clients_are_limited_and_a_place_becomes_free(worlds):
    world = worlds.make(server__max_clients=2)
    clients = []
    for _ in range(2):
        c = mstsc.Mstsc(world.port).login("alice", "secret")
        c.until(lambda: c.frames > 0, what="frame")
        clients.append(c)
    assert ended(Rdp(world.port)) < 2
    clients[0].close()
    wait_for(lambda: len(world.peers) == 1, what="free place")
    serves(world)


def test_no_process_is_spent_before_the_first_request(world):
    waiting = [Rdp(world.port) for _ in range(10)]
    waiting[0].send(Rdp.connection_request()[:7])
    time.sleep(0.5)
    assert not world.peers
    assert waiting[1].negotiate() == 1
    wait_for(lambda: len(world.peers) == 1, what="one peer")


def test_a_source_that_breaks_the_protocol_again_and_again_waits(world):
    for _ in range(13):
        c = Rdp(world.port, source="127.0.7.1")
        c.send(b"GET / HTTP/1.0\r\n\r\n")
        ended(c)
    assert ended(Rdp(world.port, source="127.0.7.1")) < 2
    wait_for(lambda: "broke the protocol too often" in world.text(), what="log line")
    serves(world)


# --- processes ---
def test_each_peer_has_a_uid_of_its_own_and_nothing_else(world):
    for _ in range(2):
        c = mstsc.Mstsc(world.port).login("alice", "secret")
        c.until(lambda: c.frames > 0, what="frame")
        world.kept = getattr(world, "kept", []) + [c]
    status = [open("/proc/%d/status" % pid).read() for pid, _, _ in list(world.peers.values())]
    uids = [next(line.split()[1:] for line in s.splitlines() if line.startswith("Uid")) for s in status]
    assert len({u[0] for u in uids}) == 2 and all(len(set(u)) == 1 and int(u[0]) >= 600100000 for u in uids)
    for s in status:
        assert "CapEff:\t0000000000000000" in s and "CapPrm:\t0000000000000000" in s
        assert "NoNewPrivs:\t1" in s and "Seccomp:\t2" in s
        assert next(line for line in s.splitlines() if line.startswith("Groups")).split()[1:] == []


def test_a_killed_peer_is_reaped_and_the_rest_goes_on(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    pid = list(world.peers.values())[0][0]
    os.kill(pid, signal.SIGABRT)
    ended(c)
    wait_for(lambda: not world.peers, what="reaping")
    assert "peer crashed" in world.text()
    serves(world)


def test_peers_end_with_the_server(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    pid = list(world.peers.values())[0][0]
    world.server.kill()
    ended(c)
    wait_for(lambda: not os.path.exists("/proc/%d" % pid), what="end of the peer")


def test_a_busy_port_is_named_and_ends_the_server(worlds):
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    with pytest.raises(AssertionError):
        worlds.make(server__port=port)
    world = worlds.all[0][0]
    assert world.server.wait(5) == 3     # what oriel-server.service does not try again
    text = world.text()
    assert "port in use" in text and "port=%d" % port in text and "holder=root" in text


def test_a_reload_changes_what_may_change_and_keeps_the_old_when_broken(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    world.write_config(dict(world.options, **{"server.max_half_open_per_source": 1}))
    world.server.send_signal(signal.SIGHUP)
    wait_for(lambda: "configuration reloaded" in world.text(), what="reload")
    first = Rdp(world.port)
    time.sleep(0.3)
    assert ended(Rdp(world.port)) < 2
    first.close()
    open(world.config, "a").write("nonsense = 1\n")
    world.server.send_signal(signal.SIGHUP)
    wait_for(lambda: "old configuration kept" in world.text(), what="refusal")
    serves(world)
    assert c.run(0.5) is True


def test_clients_wait_for_a_monitor_that_is_away(worlds):
    world = worlds.make()
    wait_for(lambda: world.link, what="the server's link to the monitor")
    world.link.shutdown(2)
    path = os.path.join(world.run_dir, "monitor.sock")
    world.listener.close()
    os.unlink(path)
    time.sleep(0.5)
    c = mstsc.Mstsc(world.port)
    c.send(Rdp.connection_request(mstsc.ALL))
    time.sleep(0.5)
    assert not world.peers
    world.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    world.listener.bind(path)
    os.chmod(path, 0o666)
    world.listener.listen(5)
    threading.Thread(target=world.serve, daemon=True).start()
    _, answer = c.read_pdu()
    assert struct.unpack("<BBHI", answer[7:15])[3] == 1


def test_a_client_for_whom_no_process_can_be_made_is_told_at_once(worlds):
    """The server's account may have no more processes: who comes then is let go, and who comes after is served."""
    world = worlds.make(server__handshake_deadline=2)

    def processes(limit):   # as the account itself, which needs no privilege for it
        subprocess.run(["setpriv", "--reuid", world.ACCOUNTS[0], "--regid", world.ACCOUNTS[0], "--clear-groups", "prlimit",
                        "--pid", str(world.server.pid), "--nproc=%s:" % limit], check=True)
    processes(0)
    started = time.monotonic()
    for _ in range(3):
        c = mstsc.Mstsc(world.port)
        c.send(Rdp.connection_request(mstsc.ALL))
        ended(c, 1.5)
    assert time.monotonic() < started + 6
    assert world.text().count("peer could not be started") == 3, "tried once for each, not until a deadline"
    processes(5000)
    serves(world)


def test_leaving_in_order_is_no_protocol_error(world):
    for leave in (lambda c: c.data_pdu(36, b""), lambda c: c.mcs(b"\x21\x80")):
        c = mstsc.Mstsc(world.port).login("alice", "secret")
        c.until(lambda: c.frames > 0, what="frame")
        leave(c)
        assert c.run(5) is False
    wait_for(lambda: not world.peers, what="end of peers")
    assert world.text().count("client left") == 2 and "broke the protocol" not in world.text()


# --- garbage ---
def test_garbage_at_every_step_ends_one_client_and_no_more(world):
    rng = random.Random(4)
    steps = [lambda c: None, lambda c: c.negotiate(), lambda c: (c.negotiate(), c.start_tls()),
             lambda c: (c.negotiate(), c.start_tls(), c.connect_mcs()), lambda c: c.login("alice", "secret"),
             lambda c: (c.login("alice", "secret"), c.run(0.6))]
    for i, step in enumerate(steps):
        for k in range(6):
            c = mstsc.Mstsc(world.port, source="127.0.%d.%d" % (20 + i, k + 1), timeout=5)
            try:
                step(c)
                junk = rng.randbytes(rng.choice([1, 20, 300, 5000]))
                if k % 2 and c.tls:
                    junk = Rdp.tpkt(b"\x02\xf0\x80" + junk[:1000])
                c.send(junk)
                c.run(0.2)
            except (Closed, AssertionError, OSError):
                pass
            c.close()
    serves(world)
    assert "peer crashed" not in world.text(), world.text()[-3000:]


def test_damaged_copies_of_a_good_conversation_end_one_client_and_no_more(world):
    rng = random.Random(5)

    class Damaged(mstsc.Mstsc):
        countdown = 0

        def send(self, data):
            if self.tls:
                self.countdown -= 1
                if self.countdown == 0:
                    data = bytearray(data)
                    for _ in range(rng.choice([1, 3, 10])):
                        data[rng.randrange(4, len(data))] = rng.randrange(256)
                    data = bytes(data)
            super().send(data)
    for i in range(60):
        c = Damaged(world.port, source="127.0.%d.1" % (60 + i), timeout=3)
        c.countdown = 1 + i % 24
        try:
            c.login("alice", "secret")
            c.run(0.2)
        except (Closed, AssertionError, OSError, struct.error, IndexError):
            pass
        c.close()
    serves(world)
    assert "peer crashed" not in world.text(), world.text()[-3000:]


def test_channel_floods_and_giant_announcements_end_the_client(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    c.drdynvc(bytes([0x28, c.ids[mstsc.GRAPHICS]]) + struct.pack("<I", 0x7FFFFFFF) + b"x")
    assert c.run(5) is False
    serves(world)


# --- secrets ---
def test_the_password_is_not_in_the_peers_memory(world):
    marker = "Marker-" + os.urandom(8).hex()
    make = world.make_monitor
    world.make_monitor = lambda: make({"alice": marker})
    c = mstsc.Mstsc(world.port).login("alice", marker)
    c.until(lambda: c.frames > 0, what="frame")
    wrong = mstsc.Mstsc(world.port).login("alice", marker + "x")
    wrong.until(lambda: wrong.updates(), what="logon screen")
    time.sleep(1)
    needles = [b"oriel-peer", marker[7:].encode(), marker[7:].encode("utf-16-le")]
    assert len(world.peers) == 2
    for pid, _, _ in list(world.peers.values()):
        assert procs.memory_contains(pid, needles) == {b"oriel-peer"}


def test_the_keys_numbers_are_in_oriel_keys_alone(world):
    c = mstsc.Mstsc(world.port).login("alice", "secret")
    c.until(lambda: c.frames > 0, what="frame")
    key = os.path.join(os.path.dirname(world.run_dir), "state/tls/key.pem")
    text = subprocess.run(["openssl", "pkey", "-in", key, "-noout", "-text"], capture_output=True, text=True, check=True).stdout
    block, numbers, name = "", [], ""
    for line in text.splitlines():
        if line.startswith("    "):
            block += line.strip().replace(":", "")
        else:
            if block and not name.startswith("pub"):
                numbers.append(bytes.fromhex(block if len(block) % 2 == 0 else "0" + block).lstrip(b"\0"))
            block, name = "", line
    numbers = [n for n in numbers if len(n) >= 20]
    assert numbers

    needles = [part[4:28] for n in numbers for part in (n, n[::-1])]
    pid = list(world.peers.values())[0][0]
    assert not procs.memory_contains(pid, needles) and not procs.memory_contains(world.server.pid, needles)
    assert procs.memory_contains(world.keys.pid, needles), "the scan finds nothing anywhere: it proves nothing"
