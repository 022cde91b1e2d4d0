#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A private world for tests, and a command in it: own mounts, processes, network, host name and System V objects, and a root that holds
# what the tests need and not what the machine has. Of the machine there are its installed programs (/usr without /usr/local's, read
# only) and their packages' records; /etc is made (etc.sh); /dev, /home, /run, /tmp, /var are new. The environment is new, too, but for
# ORIEL_* and *SAN_OPTIONS. Nothing in it outlives the command, nothing of the machine changes.
#
#   tests/scenario/world.sh [--build] PREFIX OUT COMMAND...
#
# PREFIX: a DESTDIR into which Oriel was installed; OUT: where logs and screenshots go. In the world they are /run/w/prefix and /run/w/out.
# The source tree is /run/w/tree, a copy without build folders, and COMMAND runs in there.
# --build: a copy is at the tree's own place as well, with its real build folders, and COMMAND runs there (units, which meson starts).
set -euo pipefail
unset CDPATH
tree=$(cd "$(dirname "$0")/../.." && pwd -P)
path=/usr/sbin:/usr/bin:/sbin:/bin

if [ "${1:-}" != --made ]; then
    [ "$(id -u)" = 0 ] || { echo "world.sh: needs root" >&2; exit 1; }
    build=
    [ "${1:-}" != --build ] || { build=1; shift; }
    [ $# -ge 3 ] || { echo "world.sh [--build] PREFIX OUT COMMAND..." >&2; exit 2; }
    mkdir -p "$2"
    prefix=$(realpath "$1") out=$(realpath "$2")
    shift 2
    kept=()
    while read -r name; do kept+=("$name=${!name}"); done < <(compgen -e | grep -E '^(ORIEL_[A-Z_]+|[A-Z]+SAN_OPTIONS|TERM)$' || true)
    cd /
    umask 022
    ulimit -S -n 1024 2>/dev/null || true # what a login gets, where the caller has less or more
    exec env --ignore-environment --default-signal "${kept[@]}" PATH=$path LANG=C.UTF-8 \
        unshare --mount --pid --net --uts --ipc --fork --kill-child=KILL --propagation private -- \
        "$tree/tests/scenario/world.sh" --made "$build" "$prefix" "$out" "$@"
fi

build=$2 prefix=$3 out=$4
shift 4

# --- the new root: a tmpfs in a folder that none of what is needed lies in ---------------------------------------------------------
for w in /mnt /srv /media /opt ''; do
    case "$tree/ $prefix/ $out/" in *"$w/"*) [ -z "$w" ] || continue ;; esac
    [ ! -d "$w" ] || break
done
[ -n "$w" ] || { echo "world.sh: no folder to stand on: /mnt, /srv, /media or /opt" >&2; exit 1; }
mount -t tmpfs -o mode=0755 world "$w"
cd "$w"
mkdir -p usr etc dev proc sys home mnt media opt srv run tmp root
chmod 0700 root
chmod 1777 tmp

shown() { # PATH: as on the machine, but read only
    mkdir -p ".$1"
    mount --rbind "$1" ".$1"
    mount -o remount,bind,ro ".$1"
}
emptied() { [ ! -d ".$1" ] || mount -t tmpfs -o mode=0755 empty ".$1"; }
shown /usr
for d in bin sbin lib lib32 lib64 libx32; do
    if [ -L "/$d" ]; then cp -P "/$d" "$d"; elif [ -d "/$d" ]; then shown "/$d"; fi
done
# What somebody installed by hand, Python's modules among it. Libraries stay: the build may have found one there.
for d in bin sbin etc share games; do emptied "/usr/local/$d"; done
for d in /usr/local/lib/python3*; do emptied "$d"; done
[ ! -d usr/local/share ] || mkdir -p usr/local/share/{fonts,man}
# The desktops to choose from: Oriel's own packages bring openbox, whatever else is installed.
entry=$(cat /usr/share/xsessions/openbox.desktop 2>/dev/null || true)
for d in xsessions wayland-sessions; do emptied "/usr/share/$d"; done
[ -z "$entry" ] || printf '%s\n' "$entry" >usr/share/xsessions/openbox.desktop
if [ "${ORIEL_APPS:-0}" = 0 ]; then
    for f in {gnome,mate,xfce4,lxqt,cinnamon,budgie,lxde,ukui,deepin}-session start{xfce4,plasma-x11,plasma-wayland,kde,lxde,lxqt,dde} lxsession; do
        [ ! -f "usr/bin/$f" ] || mount --bind /dev/null "usr/bin/$f"
    done
fi

"$tree/tests/scenario/etc.sh" "$w/etc" "$(stat -c %u "$tree")"
chown root:shadow etc/shadow etc/gshadow

mkdir -p var/{log,mail,spool/cron,cache/fontconfig,cache/apt/archives/partial,lib/dbus,lib/misc,lib/xkb,lib/systemd} -m 0755
mkdir -m 1777 var/tmp
ln -s /run var/run
ln -s /run/lock var/lock
ln -s /var/mail var/spool/mail
ln -s /etc/machine-id var/lib/dbus/machine-id
for f in wtmp btmp lastlog; do : >"var/log/$f"; done
# Records of packages, and indexes that packages make.
for d in /var/lib/dpkg /var/lib/apt /var/lib/ucf /var/cache/fontconfig /var/lib/libreoffice /var/lib/ghostscript /var/lib/openbox; do
    [ ! -d "$d" ] || shown "$d"
done

mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys 2>/dev/null || true # not in each container; nothing hangs on it
mount -t tmpfs -o mode=0755,nosuid dev dev
for n in null zero full random urandom tty fuse; do
    [ -c "/dev/$n" ] || continue
    : >"dev/$n"
    mount --bind "/dev/$n" "dev/$n"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%:*}" "dev/${n#*:}"; done
mount -t tmpfs -o mode=0755 home home
mount -t tmpfs -o mode=1777 tmp tmp
mkdir -m 1777 tmp/.X11-unix
mount -t tmpfs -o mode=0755 run run
mkdir -m 1777 run/lock
mkdir -p run/user run/before run/w/{tree,prefix,out,state}
: >run/utmp
mount --bind "$prefix" run/w/prefix
mount --bind "$out" run/w/out
# A copy, so that what a story builds in the tree is its own, and what others built there is not seen; and one that each account can reach,
# also where the tree is under a closed home.
copy_tree() { # TO
    mkdir -p "$1"
    tar -C "$tree" --exclude='./build*' --exclude=./.git --exclude='*.pyc' -cf - . | tar -C "$1" -xpf -
    chown --reference="$tree" "$1"
    chmod 0755 "$1"
}
copy_tree run/w/tree
here=/run/w/tree
if [ -n "$build" ]; then
    case $tree/ in /root/*) chmod 0755 root ;; esac
    copy_tree ".$tree"
    for d in "$tree"/build*/; do
        mkdir -p ".$d"
        mount --bind "$d" ".$d"
    done
    here=$tree
fi

pivot_root . run/before
cd "$here"
umount -l /run/before
rmdir /run/before
ip link set lo up
hostname oriel-test
export ORIEL_WORLD=inside HOME=/run/root-home USER=root LOGNAME=root SHELL=/bin/bash XDG_RUNTIME_DIR=/run/root-runtime TMPDIR=/tmp
mkdir -m 0700 -p "$HOME" "$XDG_RUNTIME_DIR"
owner=$(getent passwd tree-owner) && install -d -m 0700 -o tree-owner -g tree-owner "$(cut -d: -f6 <<<"$owner")"
set +e
"$@"
status=$?
# This shell is process 1 of the world: when it ends, the kernel ends everything else in it.
exit $status
