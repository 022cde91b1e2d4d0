# SPDX-License-Identifier: GPL-3.0-or-later
"""The real `oriel` with a configuration of its own, and what an administrator sees of it."""
import json
import os
import signal
import socket
import subprocess
import time

from . import procs
from .world import OUT, ROOT, find_program, wait_for

# What a test instance has that differs from the defaults.
BASE = {
    "server.listen": "127.0.0.1",
    "session.logoff_grace": "1",
    "log.level": "debug",
}


class Service:
    count = 0

    def __init__(self, name="main", **options):
        Service.count += 1
        self.name = "%s-%d" % (name, Service.count)
        self.run_dir = "/run/o/" + self.name
        self.state_dir = ROOT + "/state/" + self.name
        self.config = "/run/o/%s.conf" % self.name
        self.log_path = "%s/oriel-%s.log" % (OUT, self.name)
        self.options = dict(BASE)
        self.options["paths.run_dir"] = self.run_dir
        self.options["paths.state_dir"] = self.state_dir
        self.options["server.port"] = str(23000 + Service.count)    # the same after a restart; the world's network is its own
        self.options["server.peer_uid_first"] = str(600100000 + 10000 * Service.count)
        self.options["display.first"] = str(10)
        self.options.update({k.replace("__", "."): str(v) for k, v in options.items()})
        self.process = None
        os.makedirs("/run/o", exist_ok=True)
        self.write_config()

    def write_config(self, **changes):
        self.options.update({k.replace("__", "."): str(v) for k, v in changes.items()})
        sections = {}
        for key, value in self.options.items():
            section, name = key.split(".", 1)
            sections.setdefault(section, []).append("%s = %s" % (name, value))
        with open(self.config, "w") as f:
            for section, lines in sections.items():
                f.write("[%s]\n%s\n\n" % (section, "\n".join(lines)))

    def start(self):
        env = dict(os.environ)
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen([find_program("oriel"), "--config", self.config], stdin=subprocess.DEVNULL, stdout=log,
                                        stderr=subprocess.STDOUT, env=env, start_new_session=True)
        log.close()
        self.wait_listening()
        return self

    def wait_listening(self, seconds=15):
        wait_for(self.listening, seconds, "oriel (%s) listening; its log: %s" % (self.name, self.log_path))

    def listening(self):
        if self.process.poll() is not None:
            raise AssertionError("oriel ended with %d:\n%s" % (self.process.returncode, self.log()[-3000:]))
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5):
                return True
        except (OSError, ValueError, IndexError):
            return False

    @property
    def port(self):
        with open(self.run_dir + "/port") as f:
            return int(f.read().split()[0])

    def log(self):
        try:
            with open(self.log_path, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def wait_log(self, text, seconds=5, since=0):
        wait_for(lambda: text in self.log()[since:], seconds, "%r in the log %s" % (text, self.log_path))

    def ctl(self, *args, check=True, timeout=20):
        r = subprocess.run([find_program("orielctl"), "--config", self.config, *[str(a) for a in args]], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, text=True)
        if check and r.returncode:
            raise AssertionError("orielctl %s: exit %d: %s%s" % (" ".join(map(str, args)), r.returncode, r.stdout, r.stderr))
        return r

    def sessions(self):
        data = json.loads(self.ctl("sessions", "--json").stdout)
        return data["sessions"] if isinstance(data, dict) else data

    def session_of(self, user):
        try:
            found = [s for s in self.sessions() if s["user"] == user]
        except AssertionError:
            return None
        return found[0] if found else None

    def wait_state(self, user, state, seconds=8):
        def there():
            s = self.session_of(user)
            return s if s and s["state"].lower() == state.lower() else None
        return wait_for(there, seconds, "the session of %s in state %s" % (user, state))

    def wait_no_session(self, user, seconds=8):
        wait_for(lambda: self.session_of(user) is None, seconds, "no session of " + user)

    def logoff(self, user, seconds=8):
        s = self.session_of(user)
        if s:
            self.ctl("logoff", s["id"], check=False)
            self.wait_no_session(user, seconds)

    def logoff_all(self):
        try:
            for s in self.sessions():
                self.ctl("logoff", s["id"], check=False)
            wait_for(lambda: not self.sessions(), 10, "all sessions logged off")
        except (AssertionError, subprocess.TimeoutExpired, ValueError):
            return False
        return True

    def children(self, exe):
        """Oriel's processes of this instance with that program name."""
        mine = self.process.pid
        parents = {p.pid: p for p in procs.processes()}
        found = []
        for p in parents.values():
            if p.exe != exe:
                continue
            at, hops = p, 0
            while at and hops < 10:
                if at.pid == mine:
                    found.append(p)
                    break
                at, hops = parents.get(at.ppid), hops + 1
        return found

    def pid_of(self, exe):
        found = self.children(exe)
        assert len(found) == 1, "%s: %r" % (exe, found)
        return found[0].pid

    def stop(self, seconds=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
                raise AssertionError("oriel did not end on SIGTERM within %d s" % seconds)
        time.sleep(0)
