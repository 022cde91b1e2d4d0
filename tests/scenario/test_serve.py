# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/serve, from the first line to --undo."""
import hashlib
import os
import re
import signal
import socket
import subprocess

import pytest

from conftest import make_accounts
from harness import procs, users
from harness.client import Client
from harness.world import TREE, wait_for

SERVE = TREE + "/scripts/serve"
TOP = "/var/lib/oriel-serve"


class Run:
    """scripts/serve in the foreground of a terminal that nobody types into."""

    def __init__(self, *args, log="serve"):
        self.path = "/run/w/out/%s.log" % log
        self.out = open(self.path, "wb")
        self.process = subprocess.Popen([SERVE, *args], stdin=subprocess.DEVNULL, stdout=self.out, stderr=subprocess.STDOUT, start_new_session=True)

    def text(self):
        with open(self.path, errors="replace") as f:
            return f.read()

    def connected(self):
        def said():
            assert self.process.poll() is None, self.text()
            return "connect with" in self.text()
        wait_for(said, 400, "serve says how to connect", 0.2)
        return int(re.search(r"connect with: xfreerdp3 /v:[^ ]*:(\d+)", self.text()).group(1))

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(40)

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(40)
        self.out.close()


@pytest.fixture
def serve():
    runs = []

    def start(*args, **kw):
        runs.append(Run(*args, **kw))
        return runs[-1]
    yield start
    for r in runs:
        r.kill()


def machine():
    found = {}
    for top in ("/etc/passwd", "/etc/group", "/etc/shadow", "/etc/pam.d", "/etc/ssl", "/etc/apt"):
        paths = [top] if os.path.isfile(top) else [os.path.join(d, f) for d, _, fs in os.walk(top) for f in fs]
        for p in paths:
            if os.path.isfile(p):
                with open(p, "rb") as f:
                    found[p] = hashlib.sha256(f.read()).hexdigest()
    return found


def no_accounts():
    """Forget the system accounts that the other stories made."""
    for name in ("_oriel", "_oriel-keys", "_oriel-enc", "_oriel-logon"):
        subprocess.run(["userdel", name], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["groupdel", name], stderr=subprocess.DEVNULL, check=False)


@pytest.fixture(scope="module", autouse=True)
def a_machine_without_oriel(services):
    services.replace_main()
    yield
    make_accounts()


def left():
    names = [p for p in procs.processes() if p.exe.startswith("oriel")]
    return names + [n for n in ("/run/oriel-serve",) if os.path.exists(n)]


@pytest.mark.lived_in
def test_a_dry_run_says_what_it_would_do_and_does_nothing():
    no_accounts()
    before = machine()
    text = subprocess.run([SERVE, "--dry-run"], capture_output=True, text=True, check=True).stdout
    assert "_oriel-keys" in text and "3389" in text and "/etc/pam.d" in text
    assert machine() == before and not os.path.exists(TOP)


@pytest.mark.lived_in
def test_a_busy_port_is_told_with_its_holder(serve):
    holder = socket.create_server(("127.0.0.1", 3399))
    run = serve("--port", "3399", log="serve-busy")
    assert run.process.wait(400) != 0
    assert "3399" in run.text() and "python3" in run.text(), run.text()
    holder.close()


@pytest.mark.parametrize("name", ["...conf", "..conf", ".conf", "default.conf", "packages.conf"])
def test_an_instance_is_called_neither_as_a_folder_of_others_nor_as_serve_s_own_files(name, tmp_path):
    """It would have lived in /var/lib, or in serve's list of packages."""
    conf = tmp_path / name
    conf.write_text("[server]\nport = 3391\n")
    before = machine(), sorted(os.listdir("/var/lib"))
    run = subprocess.run([SERVE, "--config", str(conf)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert run.returncode == 1 and "--config" in run.stderr, run.stdout + run.stderr
    assert (machine(), sorted(os.listdir("/var/lib"))) == before


@pytest.mark.takes(36)
def test_with_keep_sessions_the_next_start_finds_them_again(serve, person):
    anna = person("anna")
    run = serve("--port", "3392", "--keep-sessions", log="serve-keep")
    client = Client(run.connected(), "anna", anna.password)
    try:
        client.wait_stamp(anna.stamp)
        shell = wait_for(lambda: anna.read("shell-pid").strip(), 8, "the shell")
        run.interrupt()
        assert procs.alive(int(shell))
    finally:
        client.close()
    run = serve("--port", "3392", log="serve-keep-again")
    client = Client(run.connected(), "anna", anna.password)
    try:
        client.wait_stamp(anna.stamp)
        assert anna.read("shell-pid").strip() == shell
        run.interrupt()
        wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")
    finally:
        client.close()


def test_where_no_client_could_be_served_it_says_so_and_ends(serve, machine_with):
    machine_with("thread")
    run = serve("--port", "3393", log="serve-hindered")
    assert run.process.wait(400) != 0
    assert "no client could be served on this machine" in run.text() and "/etc/ld.so.preload" in run.text()
    assert "connect with" not in run.text() and not left()


@pytest.mark.takes(12)
def test_a_serve_that_is_killed_takes_its_service_along_and_undo_takes_back_the_rest(serve):
    no_accounts()
    run = serve("--port", "3393", log="serve-killed")
    run.connected()
    assert procs.named("oriel-monitor")
    run.process.kill()
    wait_for(lambda: not procs.named("oriel") and not procs.named("oriel-monitor"), 10, "the end of a service whose serve was killed")
    again = serve("--port", "3393", log="serve-after-a-kill")
    again.connected()
    again.process.kill()
    wait_for(lambda: not procs.named("oriel"), 10, "the end of the second one")
    subprocess.run([SERVE, "--undo"], check=True, stdout=subprocess.DEVNULL)
    assert not os.path.exists(TOP) and not os.path.exists("/run/oriel-serve")
    assert subprocess.run(["getent", "passwd", "_oriel-keys"], stdout=subprocess.DEVNULL, check=False).returncode


def test_one_command_serves_a_second_one_beside_it_and_undo_takes_all_back(serve, person, stamp):
    no_accounts()
    anna = person("anna")
    users.user("ben")
    before = machine()
    first = serve("--port", "3390", log="serve-first")
    port = first.connected()
    assert port == 3390
    assert re.search(r"certificate SHA-256: ([0-9A-F]{2}:){31}[0-9A-F]{2}", first.text()) and "anna" in first.text()
    assert "self-check passed" in first.text().split("connect with")[0]
    wait_for(lambda: re.search(r"mstsc.*\n( .*\n){3}  server: oriel \S+, libfreerdp 3\.\S+, Debian", first.text()), 5, "the form for other clients")
    conf = "/run/second.conf"
    with open(conf, "w") as f:
        f.write("[server]\nport = 3391\n")
    second = serve("--config", conf, log="serve-second")
    assert second.connected() == 3391
    client = Client(port, "anna", anna.password)
    try:
        client.wait_stamp(anna.stamp)
        refused = subprocess.run([SERVE, "--undo"], capture_output=True, text=True)
        assert refused.returncode != 0 and "running" in refused.stderr
        second.interrupt()
        assert client.running() and procs.of_user("anna")
        first.interrupt()
        wait_for(lambda: not procs.of_user("anna"), 5, "no process of the user")
        wait_for(lambda: not left(), 5, "nothing left, not even %r" % left())
    finally:
        client.close()
    subprocess.run([SERVE, "--undo"], check=True, stdout=subprocess.DEVNULL)
    assert machine() == before
    assert not os.path.exists(TOP)
