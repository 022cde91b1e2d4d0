#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A private world for tests, and a command in it: own mounts, processes, network, host name and System V objects; own copies of
# /etc (with passwd, shadow, group, pam.d), /run, /tmp, /home, /var/log. Nothing in it outlives the command, nothing of the machine
# changes.
#
#   tests/scenario/world.sh PREFIX OUT COMMAND...
#
# PREFIX: a DESTDIR into which Oriel was installed; OUT: where logs and screenshots go. In the world they are /run/w/prefix and /run/w/out,
# the source tree is /run/w/tree, and COMMAND runs in there.
set -euo pipefail
tree=$(cd "$(dirname "$0")/../.." && pwd)

if [ "${ORIEL_WORLD:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || { echo "world.sh: needs root" >&2; exit 1; }
    [ $# -ge 3 ] || { echo "world.sh PREFIX OUT COMMAND..." >&2; exit 2; }
    mkdir -p "$2"
    prefix=$(realpath "$1") out=$(realpath "$2")
    shift 2
    export ORIEL_WORLD=inside
    exec unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL --propagation private -- "$tree/tests/scenario/world.sh" "$prefix" "$out" "$@"
fi

prefix=$1 out=$2
shift 2
mount -t proc -o nosuid,nodev,noexec proc /proc
ip link set lo up
hostname oriel-test

# Everything that is private lives in one tmpfs; it is put together before the old /tmp disappears under it.
w=/mnt
case $tree/ in /mnt/*) w=/srv ;; esac
mount -t tmpfs -o mode=0755 world "$w"
mkdir -p "$w"/{tree,prefix,out,etc,home,log,state}
mount --bind "$tree" "$w/tree"
mount --bind "$prefix" "$w/prefix"
mount --bind "$out" "$w/out"
cp -a /etc/. "$w/etc/"
mount --bind "$w/etc" /etc
mount --bind "$w/home" /home
: >"$w/log/wtmp"
: >"$w/log/btmp"
: >"$w/log/lastlog"
# /var above the real one where the kernel has overlayfs; scripts/serve keeps its things there.
mkdir "$w/var-upper" "$w/var-work"
mount -t overlay var -o "lowerdir=/var,upperdir=$w/var-upper,workdir=$w/var-work" /var 2>/dev/null || echo "world.sh: no overlayfs: /var is the machine's own" >&2
mount --bind "$w/log" /var/log
mount -t tmpfs -o mode=0755 run /run
mkdir -m 1777 /run/lock
mkdir -p /run/user
: >/run/utmp
mkdir -p /run/w
mount --rbind "$w" /run/w
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=1777 shm /dev/shm
mkdir -m 1777 /tmp/.X11-unix

cd /run/w/tree
export HOME=/run/root-home XDG_RUNTIME_DIR=/run/root-runtime LANG=C.UTF-8 TMPDIR=/tmp
mkdir -m 0700 -p "$HOME" "$XDG_RUNTIME_DIR"
unset DISPLAY XAUTHORITY DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK WAYLAND_DISPLAY
set +e
"$@"
status=$?
# This shell is process 1 of the world: when it ends, the kernel ends everything else in it.
exit $status
