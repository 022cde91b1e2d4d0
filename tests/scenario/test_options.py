# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of oriel.conf, each by what it changes for clients, users and the administrator. Those that belong to another story are
told there; tests/lint/test_options.py finds the story of every option."""
import os
import pwd
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time

import pytest

from harness import users
from harness.rdp import Closed, Rdp
from harness.world import SANITIZED, TREE, find_program, wait_for

sys.path.append(TREE + "/tests/pdu")
import mstsc  # noqa: E402

option = pytest.mark.option


def answers(address, port):
    try:
        with socket.create_connection((address, port), 2) as s:
            s.settimeout(5)
            s.sendall(Rdp.connection_request())
            return s.recv(100)[:1] == b"\x03"
    except OSError:
        return False


@pytest.mark.lived_in
@option("server.listen", "server.port", "paths.run_dir")
def test_it_listens_where_it_is_told_and_nowhere_else(make_oriel):
    oriel = make_oriel(server__listen="127.0.0.1 127.0.3.3", server__port=23999)
    assert answers("127.0.0.1", 23999) and answers("127.0.3.3", 23999)
    assert not answers("127.0.3.4", 23999)
    with open(oriel.run_dir + "/port") as f:
        assert f.read().strip() == "23999"


@option("server.port")
def test_port_0_is_any_free_one_that_is_written_down(make_oriel):
    oriel = make_oriel(server__port=0)
    assert oriel.port > 1023 and answers("127.0.0.1", oriel.port)


@option("paths.run_dir", "paths.state_dir")
def test_sockets_and_state_lie_in_their_folders(make_oriel):
    oriel = make_oriel(paths__run_dir="/run/o/another-run", paths__state_dir="/run/o/another-state", start=False)
    oriel.run_dir = "/run/o/another-run"
    oriel.start()
    assert {"monitor.sock", "control.sock", "keys", "leaders", "port"} <= set(os.listdir("/run/o/another-run"))
    wait_for(lambda: {"monitor.db", "tls"} <= set(os.listdir("/run/o/another-state")), 5, "the state")
    assert {"cert.pem", "key.pem"} <= set(os.listdir("/run/o/another-state/tls"))


@option("paths.user_server", "paths.user_keys", "paths.user_logon", "server.peer_uid_first", "server.peer_memory")
def test_each_program_runs_as_its_account_and_a_peer_within_its_memory(make_oriel):
    for name in ("o-server", "o-keys", "o-logon"):
        users.run("useradd", "--system", "--user-group", "--no-create-home", name)
    oriel = make_oriel(paths__user_server="o-server", paths__user_keys="o-keys", paths__user_logon="o-logon",
                       server__peer_uid_first=612300000, server__max_clients=7, server__peer_memory=777)
    client = Rdp(oriel.port)
    client.login("", "")
    assert client.run(15, until=client.updates)
    uid = {name: pwd.getpwnam(name).pw_uid for name in ("o-server", "o-keys", "o-logon")}
    assert {p.uid for p in oriel.children("oriel-server")} == {uid["o-server"]}
    assert {p.uid for p in oriel.children("oriel-keys")} == {uid["o-keys"]}
    assert {p.uid for p in oriel.children("oriel-logon")} == {uid["o-logon"]}
    peer, = oriel.children("oriel-peer")
    assert 612300000 <= peer.uid < 612300007
    if not SANITIZED:    # whose shadow memory is all of the address space
        with open("/proc/%d/limits" % peer.pid) as f:
            space = next(line.split()[3] for line in f if line.startswith("Max address space"))
        assert int(space) == 777 << 20
    client.close()


@option("server.tcp_user_timeout")
def test_a_client_that_cannot_be_reached_is_given_up_after_the_timeout(make_oriel, person):
    """Its address becomes a black hole: nothing is refused, nothing comes back."""
    oriel = make_oriel(server__tcp_user_timeout=5, server__heartbeat=1)
    anna = person("anna")
    client = Rdp(oriel.port, source="127.0.6.6")
    client.login("anna", anna.password)
    assert client.run(20, until=lambda: client.logon_info and oriel.session_of("anna"))
    oriel.wait_state("anna", "active")
    users.run("ip", "route", "add", "blackhole", "127.0.6.6/32", "table", "local")
    try:
        gone = time.monotonic()
        oriel.wait_state("anna", "detached", 20)
        assert time.monotonic() - gone > 3
    finally:
        users.run("ip", "route", "del", "blackhole", "127.0.6.6/32", "table", "local")
    client.close()


def handshake(port, version=None):
    """The TLS version agreed on, or None."""
    client = Rdp(port)
    try:
        client.negotiate()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if version:
            context.minimum_version = context.maximum_version = version
        client.socket = context.wrap_socket(client.socket)
        return client.socket.version()
    except (OSError, Closed):
        return None
    finally:
        client.close()


@option("tls.minimum")
@pytest.mark.parametrize("minimum,with_12", [("1.2", "TLSv1.2"), ("1.3", None)])
def test_the_lowest_tls_version_is_the_options(make_oriel, minimum, with_12):
    oriel = make_oriel(tls__minimum=minimum)
    assert handshake(oriel.port, ssl.TLSVersion.TLSv1_2) == with_12
    assert handshake(oriel.port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


@pytest.fixture
def conf_d(make_oriel):
    """conf_d(oriel, "a.conf", TEXT) puts a file beside the configuration; without TEXT it goes."""
    made = set()

    def put(oriel, name, text=None):
        path = os.path.join(os.path.dirname(oriel.config), "conf.d", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if text is None:
            os.remove(path)
        else:
            with open(path, "w") as f:
                f.write(text)
            made.add(path)
        return path

    yield put
    for path in made:
        if os.path.exists(path):
            os.remove(path)


def test_what_stands_in_conf_d_counts_for_every_process(make_oriel, conf_d):
    """At the start and after a reload; the client's process, which opens no file, gets it with the rest."""
    oriel = make_oriel(tls__minimum="1.2", start=False)
    conf_d(oriel, "10-tls.conf", "[tls]\nminimum = 1.3\n")
    oriel.start()
    assert handshake(oriel.port, ssl.TLSVersion.TLSv1_2) is None
    conf_d(oriel, "20-tls.conf", "[tls]\nminimum = 1.2\n")
    oriel.process.send_signal(signal.SIGHUP)
    wait_for(lambda: handshake(oriel.port, ssl.TLSVersion.TLSv1_2) == "TLSv1.2", 5, "the last file's word after a reload")
    assert "minimum = 1.2" in oriel.ctl("config").stdout


def test_what_is_wrong_in_conf_d_is_named_and_changes_nothing(make_oriel, conf_d):
    oriel = make_oriel()
    path = conf_d(oriel, "30-mine.conf", "[server]\n\nprot = 3389\n")
    oriel.process.send_signal(signal.SIGHUP)
    oriel.wait_log("%s:3: unknown option \"prot\" in [server]; did you mean \"port\"?" % path)
    assert handshake(oriel.port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"
    checked = subprocess.run([find_program("oriel"), "--config", oriel.config, "--check-config"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             timeout=20, text=True)
    assert checked.returncode == 2 and checked.stderr.startswith(path + ":3: ")


def test_an_option_that_went_is_said_and_keeps_nobody_out(make_oriel, conf_d):
    oriel = make_oriel(start=False)
    path = conf_d(oriel, "40-old.conf", "[session]\nmax_per_user = 1\n")
    oriel.start()
    assert "option=session.max_per_user" in oriel.log() and path in oriel.log()
    assert handshake(oriel.port, ssl.TLSVersion.TLSv1_3) == "TLSv1.3"


@option("tls.signs_per_minute")
def test_signatures_are_limited_to_so_many_a_minute(make_oriel):
    oriel = make_oriel(tls__signs_per_minute=10, server__max_half_open_per_source=100)
    done = sum(handshake(oriel.port) is not None for _ in range(16))
    assert 10 <= done < 16, "%d of 16 handshakes" % done
    assert "signatures limited" in oriel.log()


@option("login.throttle_burst", "login.throttle_seconds")
@pytest.mark.takes(10)
def test_attempts_come_back_over_the_options_seconds(make_oriel, person):
    def lets_in(oriel, source):
        mark = len(oriel.log())
        client = Rdp(oriel.port, source=source)
        client.login("anna", anna.password)
        client.run(15, until=lambda: oriel.session_of("anna") or "refused" in oriel.log()[mark:])
        client.close()
        return bool(oriel.session_of("anna"))

    def guess(oriel, source, count):
        for _ in range(count):
            mark = len(oriel.log())
            client = Rdp(oriel.port, source=source)
            client.login("anna", "guess")
            client.run(15, until=lambda: "refused" in oriel.log()[mark:])
            client.close()
    anna = person("anna")
    slow = make_oriel(login__throttle_burst=2, login__throttle_seconds=3600)
    guess(slow, "127.0.5.5", 1)
    assert lets_in(slow, "127.0.5.5"), "one guess of two is no reason to wait"
    slow.logoff("anna")
    guess(slow, "127.0.5.5", 3)
    time.sleep(3)
    assert not lets_in(slow, "127.0.5.5")
    quick = make_oriel(login__throttle_burst=2, login__throttle_seconds=2)
    guess(quick, "127.0.5.5", 3)
    wait_for(lambda: lets_in(quick, "127.0.5.5"), 8, "the right password is let in again", 0.3)


@option("login.pam_dir", "login.pam_service")
def test_the_pam_service_is_read_from_the_options_folder(make_oriel, person):
    anna = person("anna")
    os.makedirs("/run/o/pam.d", exist_ok=True)
    with open("/run/o/pam.d/only-here", "w") as f:
        f.write("".join("@include /etc/pam.d/common-%s\n" % kind for kind in ("auth", "account", "password", "session")))
    oriel = make_oriel(login__pam_dir="/run/o/pam.d", login__pam_service="only-here")
    client = Rdp(oriel.port)
    client.login("anna", anna.password)
    assert client.run(20, until=lambda: oriel.session_of("anna")) and oriel.session_of("anna")
    client.close()


@option("login.banner")
def test_the_banner_stands_on_the_logon_screen(make_oriel, connect):
    from test_logon_screen import settled
    pictures = []
    for text in ("", "Authorised use only", "Nur für Befugte"):
        client = connect(make_oriel(**({"login__banner": text} if text else {})), "anna", "")
        pictures.append(settled(client))
        client.save("banner-%d" % len(pictures))
        client.close()
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert (pictures[a] != pictures[b]).any(axis=2).sum() > 100, "banner %d looks like banner %d" % (a, b)


@pytest.mark.lived_in
@option("display.first")
def test_displays_are_numbered_from_the_options_number_on(make_oriel, connect, person):
    oriel = make_oriel(display__first=4711)
    anna = person("anna")
    connect(oriel, anna).wait_stamp(anna.stamp)
    assert oriel.session_of("anna")["display"] == ":4711"


@option("display.max_width", "display.max_height")
def test_no_desktop_is_larger_than_the_options_allow(make_oriel, connect, person):
    oriel = make_oriel(display__max_width=1000, display__max_height=700)
    anna = person("anna")
    client = connect(oriel, anna, size=(1400, 900), screen_size=(1500, 1000))
    client.wait_stamp(anna.stamp)
    seen = oriel.session_of("anna")["clients"][0]
    assert (seen["width"], seen["height"]) == (1000, 700)


def stream(oriel, anna, seconds):
    """A scripted client on a session with moving pictures: (frames a second, codecs of its bitmaps)."""
    client = mstsc.Mstsc(oriel.port)
    client.login("anna", anna.password)
    client.until(lambda: client.frames > 3, 20, "frames")
    client.run(2)
    n, begun = client.frames, time.monotonic()
    client.run(seconds)
    rate = (client.frames - n) / (time.monotonic() - begun)
    codecs = {struct.unpack_from("<H", body, 2)[0] for command, body in client.commands if command == mstsc.WIRE_1}
    client.close()
    oriel.logoff("anna")
    return rate, codecs


AVC = {0x000B, 0x000E, 0x000F}    # MS-RDPEGFX 2.2.2.1: AVC420, AVC444, AVC444v2


@option("picture.h264")
@pytest.mark.takes(14)
def test_moving_pictures_are_h264_unless_it_is_off(make_oriel, person):
    anna = person("anna", stream="film")
    _, codecs = stream(make_oriel(), anna, 4)
    assert codecs & AVC, "no H.264 at all: %r" % codecs
    _, codecs = stream(make_oriel(picture__h264="off"), anna, 4)
    assert codecs and not codecs & AVC, codecs


@option("picture.max_frame_rate")
@pytest.mark.takes(15)
def test_there_are_no_more_frames_a_second_than_the_option_says(make_oriel, person):
    anna = person("anna", stream=True)
    few, _ = stream(make_oriel(picture__max_frame_rate=2), anna, 5)
    assert 1 <= few <= 3, "%.1f frames a second, not 2" % few
    many, _ = stream(make_oriel(), anna, 3)
    assert many > 2 * few, "%.1f frames a second where 60 are allowed" % many


@pytest.mark.lived_in
@option("control.group")
def test_the_control_group_may_use_orielctl_and_others_may_not(make_oriel):
    users.run("groupadd", "-f", "o-admins")
    ada, eve = users.user("ada"), users.user("eve")
    users.run("usermod", "-aG", "o-admins", "ada")
    oriel = make_oriel()

    def may(user):
        return subprocess.run(["setpriv", "--reuid", user.name, "--regid", user.name, "--init-groups", find_program("orielctl"), "--config", oriel.config,
                               "status"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20).returncode == 0
    assert not may(ada) and not may(eve)
    oriel.write_config(control__group="o-admins")
    oriel.process.send_signal(signal.SIGHUP)
    wait_for(lambda: may(ada), 5, "the group is let in after a reload")
    assert not may(eve)
    oriel.stop()
    oriel.start()
    assert may(ada) and not may(eve)


@option("log.level")
@pytest.mark.parametrize("level,shown", [("error", set()), ("info", {"info"}), ("debug", {"info", "debug"})])
def test_the_log_has_the_levels_of_the_option(make_oriel, level, shown):
    oriel = make_oriel(log__level=level)
    client = Rdp(oriel.port)
    client.login("anna", "")
    client.run(15, until=client.updates)
    client.close()
    lines = [line for line in oriel.log().splitlines() if " audit " not in line]    # audit lines are there at any level
    found = {word for line in lines for word in ("info", "debug") if "] %s session=" % word in line}
    assert found == shown, oriel.log()[:1500]
