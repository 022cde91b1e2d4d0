#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""`meson install` with DESTDIR puts every file in its place, and nothing else. Usage: check_install.py BUILD PREFIX SYSTEMD"""
import os
import re
import subprocess
import sys
import tempfile

BUILD, PREFIX, SYSTEMD = sys.argv[1], sys.argv[2].strip("/"), sys.argv[3] == "true"
ETC = "etc" if PREFIX == "usr" else PREFIX + "/etc"

PROGRAMS = ["oriel", *(["oriel-encoder"] if os.path.exists(BUILD + "/codecs/oriel-encoder") else []), "oriel-agent", "oriel-keys",
            "oriel-leader", "oriel-logon", "oriel-monitor", "oriel-peer", "oriel-server", "oriel-startup", "oriel-startup-note"]
WANTED = {f"{PREFIX}/libexec/oriel/{name}": 0o755 for name in PROGRAMS}
WANTED |= {
    f"{PREFIX}/sbin/orielctl": 0o755,
    f"{PREFIX}/share/man/man5/oriel.conf.5": 0o644,
    f"{PREFIX}/share/man/man8/orielctl.8": 0o644,
    f"{ETC}/oriel/oriel.conf": 0o644,
    f"{ETC}/pam.d/oriel": 0o644,
}
UNITS = ["oriel-keys.service", "oriel-monitor.service", "oriel-server.service", "oriel.target"]
if SYSTEMD:
    WANTED |= {f"{PREFIX}/lib/systemd/system/{name}": 0o644 for name in UNITS}
    WANTED |= {f"{PREFIX}/lib/sysusers.d/oriel.conf": 0o644, f"{PREFIX}/lib/tmpfiles.d/oriel.conf": 0o644,
               f"{PREFIX}/share/polkit-1/rules.d/50-oriel.rules": 0o644}


def installed(top):
    found = {}
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, top)] = os.lstat(path).st_mode & 0o7777
    return found


def main():
    failures = []
    with tempfile.TemporaryDirectory() as top:
        subprocess.run(["meson", "install", "--no-rebuild", "--quiet", "-C", BUILD], check=True, env=dict(os.environ, DESTDIR=top))
        found = installed(top)
        for path, mode in sorted(WANTED.items()):
            if path not in found:
                failures.append(f"missing: {path}")
            elif found[path] != mode:
                failures.append(f"mode {found[path]:o}, not {mode:o}: {path}")
        failures += [f"not in the list: {path}" for path in sorted(set(found) - set(WANTED))]
        conf = os.path.join(top, f"{ETC}/oriel/oriel.conf")
        # The example is a valid configuration, also with every # taken away from the options.
        with open(conf, encoding="utf-8") as f:
            text = f.read()
        pam = os.path.join(top, f"{ETC}/pam.d")
        for kind in ("auth", "account", "password", "session"):
            with open(f"{pam}/common-{kind}", "w", encoding="utf-8") as f:
                f.write(f"{kind} required pam_permit.so\n")
        every = os.path.join(top, "every.conf")
        with open(every, "w", encoding="utf-8") as f:
            f.writelines(line[1:] if line[:1] == "#" and line[1:2].isalpha() else line for line in text.splitlines(True))
        for path in (conf, every):
            with open(path, encoding="utf-8") as f:    # the service that was installed here, completed by nothing of this machine
                text = re.sub(r"^#?pam_dir =.*$", f"pam_dir = {pam}", f.read(), flags=re.M)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            done = subprocess.run([os.path.join(top, f"{PREFIX}/libexec/oriel/oriel"), "--config", path, "--check-config"],
                                  capture_output=True, text=True, check=False)
            if done.returncode or done.stdout or done.stderr:
                failures.append(f"--check-config of {os.path.basename(path)}: {done.stdout}{done.stderr}")
        for unit in UNITS if SYSTEMD else []:
            with open(os.path.join(top, f"{PREFIX}/lib/systemd/system/{unit}"), encoding="utf-8") as f:
                if "@" in f.read():
                    failures.append(f"unfilled place in {unit}")
    print("\n".join(failures) or "all in place")
    return 1 if failures else 0


sys.exit(main())
