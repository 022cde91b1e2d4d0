# SPDX-License-Identifier: GPL-3.0-or-later
"""A session starts as the user's sessions do elsewhere: start-up files in the user's own shell, the desktop that was chosen, Xsession."""
import os
import re
import subprocess

import pytest

from harness import procs, users
from harness.world import wait_for

REPORT = "env -0 >$HOME/.report-new; echo \"umask $(umask) nofile $(ulimit -n)\" >$HOME/limits; mv $HOME/.report-new $HOME/report\n"
FILES = [".report-new", "report", "limits", ".bash_profile", ".profile", ".zprofile", ".zlogin", ".config", ".xsessionrc", ".xprofile", ".xsession-errors", "agent"]


def reported(user):
    """The environment that the desktop got."""
    wait_for(lambda: os.path.exists(user.home + "/report"), 5, "the desktop's report")
    return dict(e.split("=", 1) for e in user.read("report").split("\0") if "=" in e)


def session_log(user):
    folder = user.home + "/.local/state/oriel"
    return "".join(open(os.path.join(folder, n), errors="replace").read() for n in sorted(os.listdir(folder)) if "-session-" in n)


@pytest.fixture
def newcomer(person):
    """newcomer("anna", shell="/bin/zsh", **files) is a person whose desktop reports its environment."""
    changed = []

    def make(name="anna", shell="/bin/bash", **kw):
        u = person(name, extra=REPORT, **kw)
        for f in FILES:
            u.remove(f)
        users.run("usermod", "-s", shell, name)
        changed.append(u)
        return u
    yield make
    for u in changed:
        users.run("usermod", "-s", "/bin/bash", u.name)
        for f in FILES:
            u.remove(f)


def enter(oriel, connect, user, seconds=12):
    oriel.logoff(user.name)
    client = connect(oriel, user)
    client.wait_stamp(user.stamp, seconds)
    return client


# ---- start-up files ----

ORDINARY = {
    "an array": "arr=(1 2)",
    "a substring": "echo ${HOME:0:3}",
    "an exit": "exit 0",
    "a hardening rule": "readonly TMOUT=900\nexport TMOUT\nreadonly TMOUT=900\nTMOUT=900",
    "errexit": "set -e\ncat /nonexistent/file",
}
SHELLS = {
    "bash": ("/bin/bash", ".bash_profile", "export BEFORE='one\ntwo'\n"),
    "dash": ("/bin/dash", ".profile", "BEFORE='one\ntwo'; export BEFORE\n"),
    "zsh": ("/bin/zsh", ".zprofile", "export BEFORE='one\ntwo'\n"),
    "fish": ("/usr/bin/fish", ".config/fish/config.fish", "set -gx BEFORE one\\ntwo\n"),
}


@pytest.mark.core
@pytest.mark.parametrize("what", sorted(ORDINARY))
def test_an_ordinary_line_keeps_nobody_out(oriel, connect, newcomer, what):
    anna = newcomer()
    anna.write(".profile", "export BEFORE=kept\n%s\n" % ORDINARY[what])
    enter(oriel, connect, anna)
    assert reported(anna)["BEFORE"] == "kept"
    if what in ("an exit", "errexit"):
        assert "/home/anna/.profile ended the shell" in session_log(anna)
        oriel.wait_log("/home/anna/.profile ended the shell")
    if what == "errexit":
        assert "/nonexistent/file" in session_log(anna)


@pytest.mark.parametrize("shell", sorted(SHELLS))
def test_the_users_own_shell_reads_its_files(oriel, connect, newcomer, shell):
    path, name, before = SHELLS[shell]
    if not os.access(path, os.X_OK):
        pytest.skip(path + " is not installed")
    anna = newcomer(shell=path)
    anna.write(name, before + "exec %s\n" % path)
    if shell == "bash":
        anna.write(".profile", "export WRONG=1\n")  # bash reads ~/.bash_profile instead
    enter(oriel, connect, anna)
    env = reported(anna)
    assert env["BEFORE"] == "one\ntwo" and env["SHELL"] == path and "WRONG" not in env
    assert name in session_log(anna)


def test_a_bad_file_of_the_system_does_not_hide_the_users_own(oriel, connect, newcomer):
    anna = newcomer()
    with open("/etc/profile.d/zz-oriel-test.sh", "w") as f:
        f.write("export SYSTEM=kept\nkill -9 $$\n")
    try:
        anna.write(".profile", "export OWN=$SYSTEM\n")
        enter(oriel, connect, anna)
    finally:
        os.remove("/etc/profile.d/zz-oriel-test.sh")
    env = reported(anna)
    assert env["SYSTEM"] == env["OWN"] == "kept"
    assert "/etc/profile" in session_log(anna)


@pytest.mark.takes(16)
def test_a_file_that_hangs_holds_the_desktop_up_for_seconds_only(oriel, connect, newcomer):
    anna = newcomer()
    anna.write(".profile", "export BEFORE=kept\ntrap '' HUP TERM\nsleep 1000\n")
    enter(oriel, connect, anna, 25)
    assert reported(anna)["BEFORE"] == "kept"
    assert "did not come to its end in time (it was at: sleep 1000)" in session_log(anna)
    assert not [p for p in procs.of_user("anna") if p.argv[:2] == ["sleep", "1000"]]


def test_what_files_start_and_set_stays_and_what_is_the_sessions_is_not_theirs(oriel, connect, newcomer):
    anna = newcomer()
    anna.write(".profile", "umask 027\nulimit -Sn 512\nsleep 990 &\nexport DISPLAY=:77 XAUTHORITY=/nonexistent WAYLAND_DISPLAY=w DBUS_SESSION_BUS_ADDRESS=x "
                           "XDG_RUNTIME_DIR=/nonexistent ORIEL_SESSION_KEY=x EDITOR=ed PATH=$HOME/bin\nexec 1>&- 2>&-\n")
    enter(oriel, connect, anna)
    env = reported(anna)
    assert env["EDITOR"] == "ed" and re.match(r":\d+$", env["DISPLAY"]) and env["DISPLAY"] != ":77" and "WAYLAND_DISPLAY" not in env
    assert env["XAUTHORITY"].startswith("/run/user/") and env["XDG_RUNTIME_DIR"].startswith("/run/user/") and len(env["ORIEL_SESSION_KEY"]) == 32
    assert env["DBUS_SESSION_BUS_ADDRESS"].startswith("unix:path=/run/user/") and env["PATH"].startswith("/home/anna/bin:") and "/usr/bin" in env["PATH"]
    assert re.match(r"umask 0?027 nofile 512$", anna.read("limits"))
    assert "PATH without /usr/bin" in session_log(anna)
    assert [p for p in procs.of_user("anna") if "sleep" in p.exe], "what a file starts in the background lives on"
    oriel.logoff("anna")
    wait_for(lambda: not [p for p in procs.of_user("anna") if "sleep" in p.exe], 5, "and belongs to the session")


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false", "/nonexistent/shell"])
def test_a_shell_that_is_none_is_refused_in_words(oriel, connect, newcomer, shell):
    anna = newcomer()
    users.run("usermod", "-s", shell, "anna")
    client = connect(oriel, anna)
    client.wait_picture(10)
    oriel.wait_log("account without a login shell")
    client.save("no-shell" + shell.replace("/", "-"))
    assert not procs.of_user("anna") and not oriel.session_of("anna")


# ---- which desktop ----

@pytest.fixture
def xsessions(stamp):
    """xsessions(id, "Name", more) is an entry of /usr/share/xsessions, a folder of this story's own; its desktop shows the stamp."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "xsessions", "/usr/share/xsessions"], check=True)
    os.makedirs("/tmp/desktops", exist_ok=True)

    def make(name, title, more=""):
        program = "/tmp/desktops/%s-session" % name
        with open(program, "w") as f:
            f.write("#!/bin/sh\necho %s >>$HOME/desktops\n%s%s &\nexec openbox\n" % (name, REPORT, stamp.command()))
        os.chmod(program, 0o755)
        with open("/usr/share/xsessions/%s.desktop" % name, "w") as f:
            f.write("[Desktop Entry]\nType=Application\nName=%s\nExec=%s --quick\n%s" % (title, program, more))
    yield make
    subprocess.run(["umount", "/usr/share/xsessions"], check=True)


@pytest.mark.option("session.desktop")
def test_the_entry_names_the_desktop_to_its_programs(make_oriel, connect, newcomer, xsessions):
    xsessions("alpha", "Alpha", "DesktopNames=Alpha;GNOME;\n")
    anna = newcomer()
    anna.remove("desktops")
    oriel = make_oriel(session__desktop="alpha")
    enter(oriel, connect, anna)
    env = reported(anna)
    assert (env["XDG_CURRENT_DESKTOP"], env["DESKTOP_SESSION"], env["XDG_SESSION_DESKTOP"]) == ("Alpha:GNOME", "alpha", "alpha")
    assert anna.read("desktops") == "alpha\n"


@pytest.mark.core
@pytest.mark.takes(12)
def test_a_desktop_is_chosen_on_the_logon_screen_and_remembered(oriel, connect, newcomer, xsessions):
    xsessions("alpha", "Alpha")
    xsessions("beta", "Beta")
    xsessions("hidden", "Hidden", "NoDisplay=true\n")
    anna = newcomer()
    anna.remove("desktops")
    oriel.logoff("anna")
    client = connect(oriel, "anna", "wrong")
    client.wait_picture(10)
    client.focus()
    client.type("\t")                              # from the password to the desktop
    client.screen.press("Down", "Down", "Down")    # default, Alpha, Beta
    client.save("desktop-chosen")
    client.screen.press("Return")
    wait_for(lambda: True, 1, "")
    client.save("desktop-list")
    client.screen.press("Return")
    client.type(anna.password + "\n")
    client.wait_stamp(anna.stamp)
    assert reported(anna)["DESKTOP_SESSION"] == "beta"
    assert anna.read(".config/oriel/desktop") == "beta\n"
    client.close()
    anna.remove("report")
    enter(oriel, connect, anna)                    # with the client's own password: no screen, the choice of last time
    assert reported(anna)["DESKTOP_SESSION"] == "beta"
    os.remove("/usr/share/xsessions/beta.desktop")  # no longer installed
    anna.remove("report")
    enter(oriel, connect, anna)
    assert "DESKTOP_SESSION" not in reported(anna) and "not installed here" in session_log(anna)


# ---- Xsession ----

def xsession_script():
    if not os.access("/etc/X11/Xsession", os.X_OK):
        pytest.skip("this host has no /etc/X11/Xsession")


def test_a_dot_xsession_goes_through_the_distributions_scripts(oriel, connect, newcomer):
    xsession_script()
    anna = newcomer()
    anna.write(".xsessionrc", "export RC=read\n")
    enter(oriel, connect, anna)
    env = reported(anna)
    assert env["RC"] == "read" and env["DBUS_SESSION_BUS_ADDRESS"].startswith("unix:path=/run/user/")
    assert len([p for p in procs.of_user("anna") if "dbus-daemon" in p.exe]) <= 1, "no second bus"
    assert "ORIEL_STARTUP_COMMAND" not in env
    if os.access("/usr/bin/ssh-agent", os.X_OK):
        assert "SSH_AUTH_SOCK" in env


@pytest.mark.takes(20)
def test_a_hanging_xsessionrc_holds_the_desktop_up_for_seconds_only(oriel, connect, newcomer):
    xsession_script()
    anna = newcomer()
    anna.write(".xsessionrc", "export RC=read\nexec sleep 1000\n")
    enter(oriel, connect, anna, 30)
    assert reported(anna) and "/etc/X11/Xsession did not come to its end in time" in session_log(anna)


@pytest.mark.parametrize("line", ["exit 0", "if [ x", "exec true", "PATH=/nonexistent; export PATH DISPLAY=:99"])
def test_a_bad_line_in_xsessionrc_keeps_nobody_out(oriel, connect, newcomer, line):
    xsession_script()
    anna = newcomer()
    anna.write(".xsessionrc", line + "\n")
    enter(oriel, connect, anna)
    assert reported(anna)
    said = "PATH without /usr/bin" if "PATH" in line else "/etc/X11/Xsession ended"
    assert said in session_log(anna)
