# SPDX-License-Identifier: GPL-3.0-or-later
"""What a remote person may ask of the host, with polkit, logind and real desktops (conf/50-oriel.rules)."""
import os
import re

import pytest

from conftest import give_session
from harness import procs, users
from harness.document import follow
from harness.inside import Inside
from harness.world import stays, wait_for
from systemd_story import Installed, say, systemctl

MACHINE = "installed"
SETS = ("polkit",)

POWER = ["org.freedesktop.login1." + a for a in (
    "power-off", "power-off-multiple-sessions", "power-off-ignore-inhibit", "reboot", "reboot-multiple-sessions", "halt", "suspend",
    "hibernate", "hibernate-multiple-sessions", "set-reboot-to-firmware-setup")]
UNASKED = ["org.freedesktop.color-manager.create-device", "org.freedesktop.color-manager.create-profile",
           "org.freedesktop.packagekit.system-sources-refresh", "org.freedesktop.NetworkManager.wifi.scan",
           "org.freedesktop.NetworkManager.network-control", "org.freedesktop.udisks2.filesystem-mount"]
# What somebody asks for on purpose is still an administrator's to grant, with a password.
ON_PURPOSE = ["org.freedesktop.packagekit.package-install", "org.freedesktop.NetworkManager.settings.modify.system",
              "org.freedesktop.udisks2.filesystem-mount-system"]
SWITCH = "/etc/polkit-1/rules.d/40-oriel.rules"
ASK = r"""
ask() { for a in %s; do pkcheck --action-id $a --process $$ >/dev/null 2>&1; echo "$a $?"; done
for c in PowerOff Reboot Halt Suspend Hibernate; do
echo "Can$c $(busctl call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager Can$c)"; done; }
(ask >$HOME/asked.new 2>&1; mv $HOME/asked.new $HOME/asked) &
""" % " ".join(POWER + UNASKED + ON_PURPOSE)
NO, CHALLENGE = "1", "2"    # pkcheck(1)


@pytest.fixture
def login(connect, person):
    """login(extra, terminal) is a login of anna's with these lines in her session."""
    users.run("groupadd", "-f", "oriel-users")
    systemctl("start", "oriel.target")
    oriel = Installed()
    oriel.wait_listening()
    if "anna" not in users._users and os.path.isdir("/home/anna"):      # of an earlier class
        users.run("userdel", "-r", "anna")

    def begin(extra, desktop=None):
        anna = person("anna")
        give_session(anna, anna.stamp, extra=extra)
        if desktop:
            anna.xsession("%s\n%s &\nexec %s\n" % (extra, anna.stamp.command(), desktop))
        for name in ("asked", "tried"):
            anna.remove(name)
        client = connect(oriel, anna, size=(1024, 700))
        client.wait_stamp(anna.stamp, 30)
        return oriel, anna, client

    yield begin
    if oriel.session_of("anna"):
        oriel.logoff("anna", 20)


def answers(user):
    """pkcheck's exit code of each action, and logind's word on each Can…"""
    wait_for(lambda: user.read("asked"), 60, "the answers of polkit and logind")
    return dict(line.split(" ", 1) for line in user.read("asked").splitlines())


class TestPolkit:
    LIMIT_S = 900

    def test_all_these_actions_are_there(self):
        known = say("pkaction").split()
        assert not set(POWER + UNASKED + ON_PURPOSE) - set(known)

    def test_a_remote_person_is_refused_and_not_asked(self, login):
        _, anna, _ = login(ASK)
        got = answers(anna)
        assert {a: got[a] for a in POWER + UNASKED} == {a: NO for a in POWER + UNASKED}
        assert {a: got[a] for a in ON_PURPOSE} == {a: CHALLENGE for a in ON_PURPOSE}
        assert [got["Can" + c] for c in ("PowerOff", "Reboot", "Halt")] == ['s "no"'] * 3
        # "no", "na", or logind's error where it cannot tell whether the machine could
        assert not {got["CanSuspend"], got["CanHibernate"]} & {'s "yes"', 's "challenge"'}, got

    def test_switching_off_is_refused(self, login):
        _, anna, _ = login("(systemctl poweroff --no-ask-password; echo $?; loginctl poweroff --no-ask-password; echo $?) >$HOME/tried 2>&1 &")
        wait_for(lambda: re.search(r"\d+\n(.*\n)*\d+\n$", anna.read("tried")), 30, "two attempts")
        assert [int(x) for x in re.findall(r"^(\d+)$", anna.read("tried"), re.M)] == [1, 1], anna.read("tried")
        systemctl("is-active", "oriel.target", "multi-user.target")

    def test_other_sessions_are_not_meant(self):
        """A login of another service, such as ssh, is asked for a password as ever."""
        asked = say("systemd-run", "--quiet", "--wait", "--pipe", "-p", "User=nobody", "-p", "PAMName=login", "sh", "-c",
                    "echo $XDG_SESSION_ID; pkcheck --action-id org.freedesktop.login1.power-off --process $$$$; echo $?")
        assert asked.splitlines()[-1] == CHALLENGE, asked

    def test_an_administrator_switches_it_off(self, login):
        follow("ADMIN.md", "Switch the rules off")
        try:
            _, anna, _ = login(ASK)
            got = answers(anna)
            assert {a: got[a] for a in POWER + UNASKED} == {a: CHALLENGE for a in POWER + UNASKED}
            assert got["CanPowerOff"] == 's "challenge"'
        finally:
            os.remove(SWITCH)
            systemctl("restart", "polkit")

    def test_an_administrator_allows_one_action(self, login):
        follow("ADMIN.md", "Allow one action")
        users.run("groupadd", "operators")
        users.user("anna")
        users.run("gpasswd", "--add", "anna", "operators")
        try:
            _, anna, _ = login(ASK)
            got = answers(anna)
            assert got["org.freedesktop.login1.reboot"] == "0" and got["org.freedesktop.login1.power-off"] == NO
        finally:
            os.remove(SWITCH)
            systemctl("restart", "polkit")

    @pytest.mark.parametrize("desktop, parts", [("xfce4-session", ["xfwm4", "xfce4-panel", "xfsettingsd"]),
                                                ("mate-session", ["marco", "mate-panel", "mate-settings-daemon"])])
    def test_a_fresh_login_shows_no_password_question(self, login, desktop, parts):
        agent = "/usr/libexec/polkit-mate-authentication-agent-1"
        assert os.access(agent, os.X_OK)
        oriel, anna, client = login("export XDG_CURRENT_DESKTOP=%s\n%s &" % ("MATE" if "mate" in desktop else "XFCE", agent), desktop)
        wait_for(lambda: {p.name for p in procs.of_user("anna")} >= set(parts), 60, "all parts of the desktop: %s" % parts)
        screen = Inside(oriel, "anna")
        assert [p for p in procs.of_user("anna") if "polkit" in p.name], "nobody is there who would ask"
        # as a desktop's colour management does for each screen
        stays(lambda: not questions(screen.dpy), 20, "no question")
        client.save("fresh-" + desktop)
        busctl = "busctl call %s /%s %s CreateDevice ssa{ss} x normal 0" % ("org.freedesktop.ColorManager", "org/freedesktop/ColorManager",
                                                                            "org.freedesktop.ColorManager")
        asked = procs_environment("anna", parts[0])
        r = users.subprocess.run(["setpriv", "--reuid", "anna", "--regid", "anna", "--init-groups"] + busctl.split(), env=asked,
                                 stdout=users.subprocess.PIPE, stderr=users.subprocess.STDOUT, text=True, timeout=30)
        assert r.returncode != 0, r.stdout
        assert not questions(screen.dpy)


def procs_environment(user, program):
    p = [p for p in procs.of_user(user) if p.name == program][0]
    return {k.decode(): v.decode("utf-8", "replace") for k, v in p.environ().items()}


def questions(dpy):
    """Titles of windows of an authentication agent."""
    found, unseen = [], [dpy.screen().root]
    while unseen:
        w = unseen.pop()
        try:
            unseen += w.query_tree().children
            names = " ".join(w.get_wm_class() or ()) + " " + str(w.get_wm_name() or "")
            if re.search(r"polkit|authenticat", names, re.I) and w.get_attributes().map_state == 2:
                found.append(names)
        except Exception:   # pylint: disable=broad-except  # it closed meanwhile
            pass
    return found
