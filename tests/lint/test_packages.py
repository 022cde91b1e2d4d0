# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts/packages decides, on machines of paper: dpkg and apt are written down, and what apt-get is asked for is looked at."""
import os
import re
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ARCHIVE = "http://archive.example/debian"

FAKES = {
    "id": "echo 0",
    "dpkg-query": """case "$*" in
        *source:Package*) awk '{ print "installed", $2, $3 }' "$PAPER/installed" ;;
        *) for name; do :; done
           awk -v n="$name" '$1 == n { printf "installed"; found = 1 } END { exit !found }' "$PAPER/installed" ;;
        esac""",
    "apt-cache": """what=$1; shift
        for name; do
            [ ! -f "$PAPER/apt/$name.$what" ] || cat "$PAPER/apt/$name.$what"
        done""",
    "apt-get": """echo "$*" >>"$PAPER/asked"
        for word; do case $word in Dir::Etc::preferences=*) cat "${word#*=}" >"$PAPER/preferences" ;; esac; done""",
}


class Machine:
    def __init__(self, folder, release, codename):
        self.folder, self.codename = folder, codename
        for sub in ("bin", "apt", "etc/apt/sources.list.d"):
            (folder / sub).mkdir(parents=True)
        for name, body in FAKES.items():
            (folder / "bin" / name).write_text("#!/bin/bash\n" + body + "\n")
            (folder / "bin" / name).chmod(0o755)
        (folder / "etc/os-release").write_text('VERSION_ID="%s"\nVERSION_CODENAME=%s\n' % (release, codename))
        (folder / "etc/apt/sources.list").write_text("deb %s %s main\n" % (ARCHIVE, codename))
        self.has()
        everything = self.say("list", "build", "run").stdout.split()
        for name in everything:
            self.offer(name, name, (self.codename, "1.0-1", 500))

    def has(self, **packages):
        """What is installed: name="source version"."""
        (self.folder / "installed").write_text("".join("%s %s\n" % (n.replace("_", "-"), sv) for n, sv in packages.items()))

    def offer(self, name, source, *suites):
        """What apt has of a package: (suite, version, priority), the one that it would take first."""
        policy = "%s:\n  Installed: (none)\n  Candidate: %s\n  Version table:\n" % (name, suites[0][1])
        show = ""
        for suite, version, priority in suites:
            policy += "     %s %d\n        %d %s %s/main amd64 Packages\n" % (version, priority, priority, ARCHIVE, suite)
            show += "Package: %s\nSource: %s\nVersion: %s\n\n" % (name, source, version)
        (self.folder / ("apt/%s.policy" % name)).write_text(policy)
        (self.folder / ("apt/%s.show" % name)).write_text(show)

    def freerdp(self, *suites):
        for name in ("freerdp3-dev", "libwinpr3-dev", "libfreerdp-server3-3"):
            self.offer(name, "freerdp3", *suites)

    def say(self, *argv):
        env = dict(os.environ, PATH="%s/bin:%s" % (self.folder, os.environ["PATH"]), PAPER=str(self.folder), ORIEL_PACKAGES_ETC=str(self.folder / "etc"))
        return subprocess.run([ROOT + "/scripts/packages", *argv], env=env, capture_output=True, text=True)

    def asks(self, *argv):
        """Which sources apt-get shall take in which version, as {source: version}; what it is asked to install is in self.names."""
        run = self.say("install", *argv)
        assert run.returncode == 0, run.stdout + run.stderr
        self.messages = run.stderr
        asked = (self.folder / "asked").read_text().splitlines()
        assert " update" in " " + asked[0] and len(asked) == 2, asked
        words = asked[1].split()
        self.names = words[words.index("install") + 1:]
        preferences = self.folder / "preferences"
        self.preferences = preferences.read_text() if preferences.exists() else ""
        found = re.findall(r"Package: src:(.*)\nPin: version (.*)\*\nPin-Priority: 990\n", self.preferences)
        assert len(found) == len(dict(found))
        return dict(found)

    def backports_enabled(self):
        text = "".join(p.read_text() for p in (self.folder / "etc/apt/sources.list.d").iterdir())
        return "%s-backports" % self.codename in text and ARCHIVE in text


@pytest.fixture
def debian13(tmp_path):
    return Machine(tmp_path, "13", "trixie")


STABLE, NEW = ("trixie", "3.15.0-2", 500), ("trixie-backports", "3.33.1-1~bpo13+1", 100)


def test_debian_13_takes_its_own(debian13):
    debian13.freerdp(STABLE)
    assert debian13.asks("build", "run") == {} and not debian13.backports_enabled()
    assert {"freerdp3-dev", "libfreerdp-server3-3", "gcc"} <= set(debian13.names)


def test_backports_that_are_only_enabled_change_nothing(debian13):
    debian13.freerdp(STABLE, NEW)
    assert debian13.asks("build", "run") == {}


def test_backports_can_be_asked_for_and_replace_what_is_there(debian13):
    debian13.freerdp(STABLE, NEW)
    debian13.has(libfreerdp_server3_3="freerdp3 3.15.0-2")
    assert debian13.asks("--backports", "build", "run") == {"freerdp3": NEW[1]}
    assert {"freerdp3-dev", "libfreerdp-server3-3", "gcc"} <= set(debian13.names) and debian13.backports_enabled()


def test_a_newer_library_that_is_installed_brings_its_own_dev_packages(debian13):
    debian13.freerdp(STABLE, NEW)
    debian13.has(libfreerdp3_3="freerdp3 3.33.1-1~bpo13+1")
    assert debian13.asks("build", "run") == {"freerdp3": NEW[1]}


def test_any_library_brings_its_own(debian13):
    debian13.offer("libx264-dev", "x264", ("trixie", "0.164-1", 500), ("elsewhere", "0.165-1", 1))
    debian13.has(libx264_164="x264 0.165-1")
    assert debian13.asks("build") == {"x264": "0.165-1"}


def test_the_machine_s_own_preferences_still_count(debian13):
    (debian13.folder / "etc/apt/preferences").write_text("Package: *\nPin: release a=elsewhere\nPin-Priority: -1\n")
    debian13.freerdp(STABLE, NEW)
    debian13.has(libfreerdp3_3="freerdp3 3.33.1-1~bpo13+1")
    assert debian13.asks("build") and debian13.preferences.endswith("Pin: release a=elsewhere\nPin-Priority: -1\n")


def test_a_library_whose_version_the_archive_has_replaced_moves_on_by_one(debian13):
    debian13.freerdp(STABLE, ("far-away", "3.40.0-1", 1), NEW)
    debian13.has(libfreerdp3_3="freerdp3 3.33.0-1~bpo13+1")
    assert debian13.asks("build") == {"freerdp3": NEW[1]}


def test_a_library_from_nowhere_is_named(debian13):
    debian13.freerdp(STABLE)
    debian13.has(libfreerdp3_3="freerdp3 3.33.1-1~bpo13+1")
    assert debian13.asks("build") == {}
    assert "freerdp3 3.33.1-1~bpo13+1 is installed" in debian13.messages and "freerdp3-dev" in debian13.messages


def test_a_library_that_waits_for_its_update_is_updated(debian13):
    debian13.freerdp(("trixie-security", "3.15.0-2+deb13u3", 500), ("trixie", "3.15.0-2", 500))
    debian13.has(libfreerdp3_3="freerdp3 3.15.0-2")
    assert debian13.asks("build") == {}


def test_a_rebuilt_package_belongs_to_its_source_s_version(debian13):
    debian13.offer("libfreerdp-server3-3", "freerdp3 (3.33.1-1~bpo13+1)", ("trixie-backports", "3.33.1-1~bpo13+1+b1", 100))
    debian13.has(libfreerdp3_3="freerdp3 3.33.1-1~bpo13+1")
    assert debian13.asks("run") == {} and not debian13.messages


def test_debian_12_takes_freerdp_from_its_backports(tmp_path):
    machine = Machine(tmp_path, "12", "bookworm")
    machine.freerdp(("bookworm-backports", "3.10.3-1~bpo12+1", 100))
    machine.offer("meson", "meson", ("bookworm", "1.0.1-5", 500), ("bookworm-backports", "1.7.0-1~bpo12+1", 100))
    assert machine.asks("build", "run") == {"freerdp3": "3.10.3-1~bpo12+1", "meson": "1.7.0-1~bpo12+1"}
    assert machine.backports_enabled()


def test_what_is_there_is_left_alone(debian13):
    names = debian13.say("list", "run").stdout.split()
    debian13.has(**{n.replace("-", "_"): n + " 1.0-1" for n in names})
    run = debian13.say("install", "run")
    assert run.returncode == 0 and not (debian13.folder / "asked").exists()


def test_each_machine_has_its_own_list(debian13, tmp_path):
    assert "freerdp2-x11" not in debian13.say("list", "test").stdout
    assert "freerdp2-x11" in Machine(tmp_path / "12", "12", "bookworm").say("list", "test").stdout


def test_the_archive_is_that_of_the_machine_s_own_sources(debian13):
    assert debian13.say("mirror").stdout.split() == [ARCHIVE, "trixie", "-"]
    assert debian13.say("mirror", "security").stdout == ""
    (debian13.folder / "etc/apt/sources.list.d/s.sources").write_text(
        "Types: deb\nURIs: http://archive.example/security\nSuites: trixie-security\nComponents: main\nSigned-By: /usr/share/keyrings/k.gpg\n")
    assert debian13.say("mirror", "security").stdout.split() == ["http://archive.example/security", "trixie-security", "/usr/share/keyrings/k.gpg"]
