# SPDX-License-Identifier: GPL-3.0-or-later
"""oriel --self-check: what keeps a client's process from its sandbox is told to the administrator, in words, before any client comes."""
import os
import subprocess

import pytest

from harness import procs
from harness.world import find_program

FINE, HINDERED = 0, 78


@pytest.fixture(scope="module")
def service(services):
    return services.other("checked", start=False, kept=True)


def running():
    return {p.pid for name in ("oriel-peer", "oriel-server") for p in procs.named(name)}


def check(service, *how):
    before = running()
    r = subprocess.run([*how, find_program("oriel"), "--config", service.config, "--self-check"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT, text=True, timeout=120)
    assert not running() - before, "something of the check is left"
    return r


@pytest.mark.core
def test_on_a_machine_that_can_serve_it_says_what_is_there(service):
    r = check(service)
    assert r.returncode == FINE, r.stdout
    assert r.stdout.startswith("self-check passed: ") and "all inside; empty root" in r.stdout
    assert len(r.stdout.splitlines()) == 1


def test_it_can_be_called_with_the_rights_of_the_unit_and_says_so_where_they_are_missing(service):
    caps = "+setuid,+setgid,+sys_chroot,+kill"
    service_like = ["setpriv", "--reuid", "_oriel", "--regid", "_oriel", "--clear-groups"]
    full = [*service_like, "--inh-caps", caps + ",+net_bind_service", "--ambient-caps", caps + ",+net_bind_service"]
    assert check(service, *full).returncode == FINE
    r = check(service, *service_like)
    assert r.returncode not in (FINE, 75) and "Operation not permitted" in r.stdout


@pytest.mark.parametrize("what, words", [
    ("thread", ("starts a thread in oriel-peer before its sandbox", "/etc/ld.so.preload", "other threads are running already")),
    ("call", ("forbids the system call sync", "What oriel-peer said last:")),
    ("killed", ("A filter around Oriel ended oriel-peer", "SystemCallFilter=", "journalctl -k")),
    ("bare", ("neither an empty root (chroot) nor Landlock", "CAP_SYS_CHROOT", "server.require_empty_root")),
])
def test_what_hinders_every_client_is_said_in_words(service, machine_with, what, words):
    machine_with(what)
    r = check(service)
    assert r.returncode == HINDERED, r.stdout
    assert r.stdout.startswith("self-check: no client could be served on this machine.\n")
    for w in words:
        assert w in r.stdout, r.stdout


def test_a_kernel_without_landlock_is_told_and_served(service, machine_with):
    machine_with("old")
    r = check(service)
    assert r.returncode == FINE and "no Landlock in this kernel, the empty root stands for it" in r.stdout


def test_a_missing_library_is_named(services, tmp_path):
    def cc(*args):
        subprocess.run(["cc", *args], cwd=tmp_path, check=True)
    os.chmod(tmp_path, 0o755)
    (tmp_path / "gone.c").write_text("int gone(void); int gone(void) { return 0; }\n")
    (tmp_path / "peer.c").write_text("int gone(void); int main(void) { return gone(); }\n")
    cc("-shared", "-fPIC", "-o", "libgone.so.3", "gone.c")
    cc("-o", "oriel-peer", "peer.c", "./libgone.so.3", "-Wl,-rpath-link=.")
    os.unlink(tmp_path / "libgone.so.3")
    os.symlink(find_program("oriel-server"), tmp_path / "oriel-server")
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            os.chmod(folder, 0o755)
    r = check(services.other("libraries", start=False, kept=True, paths__libexec_dir=tmp_path))
    assert r.returncode == HINDERED
    assert "A library that oriel-peer needs is missing" in r.stdout and "libgone.so.3" in r.stdout and "apt-get install" in r.stdout


def test_a_listener_that_checks_first_does_not_begin_where_it_could_not_serve(service, machine_with):
    service.start()
    service.stop()
    caps = "+setuid,+setgid,+sys_chroot,+kill,+net_bind_service"
    argv = ["setpriv", "--reuid", "_oriel", "--regid", "_oriel", "--clear-groups", "--inh-caps", caps, "--ambient-caps", caps,
            find_program("oriel-server"), "--config", service.config, "--check-first"]
    machine_with("thread")
    r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert r.returncode == HINDERED and "ld.so.preload" in r.stdout
    assert "listening" not in r.stdout
