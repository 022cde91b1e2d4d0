#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A machine that people have used for years, and scripts/check on it: what is there must not matter to a test. It has accounts and groups
# with the tests' names and ids, desktops, a display manager, another terminal, X servers on the tests' displays, taken ports, strangers'
# files in /tmp, what an interrupted scripts/serve leaves, another language and time zone, rules of its own for logins and start-up files,
# and an administrator whose shell sets all kinds of variables.
#
#   tests/scenario/lived_in.sh [CHECK-ARGUMENT...]            in private copies of this machine's folders, with stand-ins for the desktops
#   tests/scenario/lived_in.sh --scratch [CHECK-ARGUMENT...]  on this machine itself, for good: only for one that is thrown away. Installs
#                                                             Xfce and LightDM, and runs scripts/serve and kills it
#
# Without arguments for it the check is "--only core". The last line is the check's own, and so is the exit status.
set -uo pipefail
unset CDPATH
tree=$(cd "$(dirname "$0")/../.." && pwd -P)
here=$tree/tests/scenario/lived_in.sh
die() { echo "lived_in.sh: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"

# --- private copies of what the rest changes ---------------------------------------------------------------------------------------
w=/mnt
case $tree/ in /mnt/*) w=/srv ;; esac

over() { # FOLDER: a copy of it in its place
    [ -d "$1" ] || return 0
    mkdir -p "$w/over$1" && cp -a "$1/." "$w/over$1/" && mount --bind "$w/over$1" "$1"
}
over_with_room() { # FOLDER: it may get more entries; those that it has stay what they are
    local entry
    mkdir -p "$w/over$1"
    for entry in "$1"/*; do
        if [ -d "$entry" ] && [ ! -L "$entry" ]; then
            mkdir "$w/over$entry" && mount --bind "$entry" "$w/over$entry"
        elif [ -f "$entry" ]; then
            cp -a "$entry" "$w/over$entry"
        fi
    done
    mount --rbind "$w/over$1" "$1"
}
private() {
    mount -t proc -o nosuid,nodev,noexec proc /proc
    mount -t tmpfs -o mode=0755 lived-in "$w"
    mkdir -p "$w/tree" "$tree/build-check/out/lived-in"
    mount --bind "$tree" "$w/tree"
    over /etc
    over /usr/share/xsessions
    over /usr/local/bin
    for d in /usr/local/lib/python3*/dist-packages; do over "$d"; done
    over_with_room /var/lib
    for d in /home /root /run; do mount -t tmpfs -o mode=0755 lived-in "$d"; done
    mount -t tmpfs -o mode=1777 lived-in /tmp
    chmod 0700 /root
    # The tree lies where it lay, with the builds of the check around this one; what the check in here writes has a folder of its own.
    mkdir -p "$tree"
    mount -t tmpfs -o mode=0755 tree "$tree"
    tar -C "$w/tree" --format=posix --exclude='./build*' --exclude=./.git -cf - . | tar -C "$tree" -xpf -
    mkdir "$tree/build-check"
    mount --bind "$w/tree/build-check" "$tree/build-check"
    mount --bind "$w/tree/build-check/out/lived-in" "$tree/build-check/out"
}

# --- what people leave on a machine ------------------------------------------------------------------------------------------------
trap_program() { # PATH: whoever starts it has looked at the machine
    mkdir -p "$(dirname "$1")"
    printf '#!/bin/sh\necho "%s: a program of the machine was started by a test" >&2\nexit 97\n' "$1" >"$1"
    chmod 0755 "$1"
}
names() { grep -rhoE '(person|users?\.user|users\.User)\("[a-z][a-z0-9_-]*"' "$tree/tests/scenario" | sed 's/.*"\(.*\)"/\1/' | sort -u; }

accounts() {
    local name n=0
    groupadd -f oriel-users
    for name in anna ben $(names) outsider locked gone orieltest _oriel-video; do
        getent passwd "$name" >/dev/null && continue
        n=$((n + 1))
        case $name in
        ben) useradd -m -u 20000 -s /usr/sbin/nologin "$name" ;;
        orieltest) useradd -M -s /bin/false "$name" ;;
        *) useradd -m -s /bin/bash "$name" ;;
        esac
        usermod -p '!' "$name"
    done
    useradd -M -u 7001 lodger 2>/dev/null
    # as serve makes them, but with other groups and one of them a person's
    useradd --system --no-create-home -g nogroup _oriel 2>/dev/null
    useradd -M -u 5001 _oriel-keys 2>/dev/null
    echo 'exit 97' >/home/anna/.profile
    trap_program /home/anna/.xsession
    chmod 0700 /home/*
}
desktops() { # stand-ins; --scratch has real ones as well
    local name
    for name in x-terminal-emulator:xfce4-terminal x-session-manager:xfce4-session x-window-manager:xfwm4; do
        trap_program "/usr/local/bin/${name#*:}"
        ln -sfn "/usr/local/bin/${name#*:}" "/etc/alternatives/${name%:*}"
    done
    for name in openbox-session startxfce4 gnome-session xterm openbox xprop python3 xfreerdp3 Xvfb; do trap_program "/usr/local/bin/$name"; done
    printf '[Desktop Entry]\nType=Application\nName=Xfce\nExec=startxfce4\nDesktopNames=XFCE\n' >/usr/share/xsessions/aaa-xfce.desktop
    mkdir -p /etc/lightdm /etc/xdg/autostart
    echo /usr/sbin/lightdm >/etc/X11/default-display-manager
    printf '[Desktop Entry]\nType=Application\nName=Trap\nExec=/usr/local/bin/xfce4-session\n' >/etc/xdg/autostart/trap.desktop
}
settings() {
    local d
    echo LANG=de_DE.UTF-8 >/etc/default/locale
    echo Pacific/Kiritimati >/etc/timezone
    ln -sfn /usr/share/zoneinfo/Pacific/Kiritimati /etc/localtime
    printf 'TMOUT=1\nDISPLAY=:10\nLC_ALL=de_DE.UTF-8\n' >>/etc/environment
    printf 'readonly TMOUT=1\numask 077\nexit 97\n' >/etc/profile.d/00-hardened.sh
    echo 'exit 97' >/etc/skel/.profile
    trap_program /etc/skel/.xsession
    echo 'exit 97' >/etc/X11/Xsession.d/00-site
    sed -i 's/^UMASK.*/UMASK 077/; s/^UID_MIN.*/UID_MIN 5000/' /etc/login.defs
    echo 'SHELL=/usr/sbin/nologin' >/etc/default/useradd
    mkdir -p /etc/security/limits.d
    printf '* hard maxlogins 0\n* hard nofile 30\n' >/etc/security/limits.d/site.conf
    sed -i '1i auth requisite pam_deny.so' /etc/pam.d/common-auth
    printf 'auth required pam_deny.so\naccount required pam_deny.so\n' >/etc/pam.d/oriel
    printf 'Acquire::http::Proxy "http://192.0.2.1:3128";\n' >/etc/apt/apt.conf.d/00site
    echo nobody >/etc/nologin
    for d in /usr/local/lib/python3*/dist-packages; do
        [ ! -d "$d" ] || echo 'raise ImportError("a module of the machine was taken")' | tee "$d/pytest.py" "$d/numpy.py" >/dev/null
    done
}
home_of_root() {
    mkdir -p /root/{bin,py,tmp,.config/freerdp,.config/fontconfig,.local/share}
    echo 'raise ImportError("a module of the administrator was taken")' | tee /root/py/numpy.py /root/py/pytest.py /root/py/sitecustomize.py >/dev/null
    for d in bin/meson bin/ninja bin/python3 bin/gcc bin/xterm .xsession; do trap_program "/root/$d"; done
    seq 500 | sed 's/.*/localhost 23&  00:11 subject issuer/' >/root/.config/freerdp/known_hosts2
    echo '<fontconfig><dir>/nonexistent</dir><reject' >/root/.config/fontconfig/fonts.conf
    echo 'exit 97' | tee /root/.bashrc /root/.profile >/dev/null
    chmod -R go= /root
}
strangers_files() {
    local name
    mkdir -p -m 0777 /tmp/.ICE-unix /tmp/x
    for name in oriel-was-here oriel-test server-6000.xkm server-6001.xkm typed started .X21-lock; do
        echo somebody >"/tmp/$name"
        chown nobody: "/tmp/$name"
        chmod 0600 "/tmp/$name"
    done
    ln -s /nonexistent /tmp/oriel
    mkdir -p -m 0700 /run/o /run/clients /run/w /run/oriel/leaders
    chown nobody: /run/o /run/clients /run/w
    : | tee /run/oriel/monitor.sock /run/oriel/port >/dev/null
    chmod 0777 /tmp/.X11-unix
    chown ben: /tmp/.X11-unix /tmp/.ICE-unix
}
displays() {
    local n waited=0
    for n in 10 11 20 22 97 200 201; do
        Xvfb ":$n" -screen 0 320x200x8 -nolisten tcp >/dev/null 2>&1 &
        until [ -S "/tmp/.X11-unix/X$n" ]; do sleep 0.05; waited=$((waited + 1)); [ $waited -lt 600 ] || die "no X server on :$n"; done
    done
}
ports() {
    /usr/bin/python3 -I -c '
import signal, socket
held = [socket.create_server(("", port)) for port in [3389, 3390, 3391, 3392, 3399, *range(23001, 23041)]]
open("/run/ports-are-held", "w").close()
signal.pause()' &
    local waited=0
    until [ -e /run/ports-are-held ]; do sleep 0.05; waited=$((waited + 1)); [ $waited -lt 200 ] || die "the ports could not be taken"; done
}
serve_was_interrupted() { # what is there after the power failed; --scratch runs and kills the real one
    local top=/var/lib/oriel-serve/default
    mkdir -p "$top"/{prefix/usr,state/tls,pam.d} /run/oriel-serve/default/leaders "$tree/build-serve"
    echo 99999 | tee "$top/pid" >"/run/oriel-serve/default/port"
    echo _oriel-keys >"${top%/*}/accounts"
    printf '[server]\nport = 3389\n' >"$top/oriel.conf"
    echo '# half of it' >"$tree/build-serve/build.ninja"
    chmod 0700 "$tree/build-serve"
}
serve_is_used_and_killed() {
    local pid i log=/root/serve.log
    setsid "$tree/scripts/serve" --port 33890 >"$log" 2>&1 &
    pid=$!
    for ((i = 0; i < 6000; i++)); do
        ! grep -qs 'connect with' "$log" || break
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null
    grep -q 'connect with' "$log" || { tail -n 20 "$log"; die "serve did not come up"; }
}
check() { # with the environment of an administrator who has everything
    trap '' HUP INT PIPE
    umask 077
    ulimit -S -n 256
    cd "$tree" || exit
    exec env LC_ALL=de_DE.UTF-8 LANGUAGE=de TZ=Pacific/Kiritimati DISPLAY=:10 XAUTHORITY=/root/.Xauthority HOME=/root TMPDIR=/root/tmp CDPATH=/usr:. \
        XDG_CONFIG_HOME=/root/.config XDG_DATA_DIRS=/nonexistent XDG_CURRENT_DESKTOP=XFCE XDG_SESSION_ID=1 XDG_RUNTIME_DIR=/run/user/0 \
        DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent SSH_AUTH_SOCK=/nonexistent WAYLAND_DISPLAY=wayland-0 NOTIFY_SOCKET=/nonexistent \
        PYTHONPATH=/root/py PYTEST_ADDOPTS=--collect-only FONTCONFIG_FILE=/root/.config/fontconfig/fonts.conf CC=/bin/false CFLAGS=-Onot \
        LISTEN_FDS=1 LIBGL_DEBUG=verbose GTK_MODULES=trap http_proxy=http://192.0.2.1:3128 PATH="/root/bin:/usr/local/bin:$PATH" \
        scripts/check "$@"
}

scratch=
case ${1:-} in
--scratch)
    shift
    # Once here with a network, for apt; and then without, so that ports and displays are this machine's own.
    "$tree/scripts/packages" install build run client test lived-in || die "Xfce and LightDM are not installed"
    exec unshare --net --fork --kill-child=KILL -- "$here" --scratch-made "$@"
    ;;
--scratch-made) scratch=1; shift ;;
--private) shift ;;
*) exec unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL --propagation private -- "$here" --private "$@" ;;
esac
[ $# -gt 0 ] || set -- --only core
umask 022
ip link set lo up
if [ -n "$scratch" ]; then
    serve_is_used_and_killed
else
    private
    serve_was_interrupted
fi
mkdir -p -m 1777 /tmp/.X11-unix
ports
displays
accounts
desktops
settings
home_of_root
strangers_files
check "$@"
