#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The empty machine: a Debian from debootstrap, from the archive that this machine's own apt sources name, with nothing of Oriel's in it.
# There scripts/serve must come up in one go, go down, and be taken back, and scripts/check must pass. Called by scripts/check --fresh.
#
#   tests/scenario/fresh.sh TREE [serve|check]
set -uo pipefail
tree=$1
only=${2:-}
work=$(mktemp -d /var/tmp/oriel-fresh.XXXXXX)
machine=$work/machine
passed=0 failed=0
cleanup() {
    mount | awk -v w="$work" 'index($3, w) == 1 { print $3 }' | sort -r | while read -r m; do umount -l "$m"; done
    rm -rf --one-file-system "$work"
}
trap cleanup EXIT
verdict() { # text status
    if [ "$2" = 0 ]; then passed=$((passed + 1)) && echo "ok: $1"; else failed=$((failed + 1)) && echo "FAILED: $1"; fi
}
finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
    exit
}

"$tree/scripts/packages" install fresh || exit 1
read -r uri codename key <<<"$("$tree/scripts/packages" mirror)"
options=()
[ "$key" = - ] || options+=(--keyring="$key")
echo "debootstrap $codename"
debootstrap --variant=minbase "${options[@]}" "$codename" "$machine" "$uri" >"$work/debootstrap.log" 2>&1 || { tail "$work/debootstrap.log"; verdict debootstrap 1; finish; }
cp /etc/resolv.conf "$machine/etc/resolv.conf"
cp /etc/apt/apt.conf.d/99* "$machine/etc/apt/apt.conf.d/" 2>/dev/null
# The machine's own sources, so that security updates come from where they always come.
cp /etc/apt/sources.list.d/debian.sources "$machine/etc/apt/sources.list.d/" 2>/dev/null && : >"$machine/etc/apt/sources.list"
mkdir -p "$machine/root/oriel"
chmod 0700 "$machine/root"
(cd "$tree" && { git -c safe.directory='*' ls-files -z -co --exclude-standard 2>/dev/null || find . -type f -not -path './build*' -print0; } |
    tar --null -T - --ignore-failed-read -cf -) | tar -xf - -C "$machine/root/oriel"

inside() { # run a command on the empty machine, in namespaces of its own (the network is the machine's: apt needs it)
    # Its root is a mount of its own, not a chroot: in a chroot nobody could make a private mount namespace, and the stories do.
    unshare --mount --pid --uts --ipc --fork --kill-child=KILL --propagation private bash -c '
        set -e
        mount --bind "$1" "$1"
        cd "$1"
        mount -t proc proc proc
        mount -t tmpfs -o mode=0755 dev dev
        for n in null zero full random urandom tty; do touch dev/$n; mount --bind /dev/$n dev/$n; done
        mkdir dev/pts dev/shm
        mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        ln -s /proc/self/fd dev/fd
        mount -t tmpfs -o mode=1777 shm dev/shm
        mount -t tmpfs -o mode=0755 run run
        shift
        mkdir run/before
        pivot_root . run/before
        umount -l run/before
        rmdir run/before
        exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"' inside "$machine" "$@"
}
state() { (cd "$machine" && sha256sum etc/passwd etc/group etc/pam.d/* && find etc/ssl etc/apt/sources.list.d var/lib root -maxdepth 1 | sort); }

if [ "$only" != check ]; then
    # Packages stay (their removal is the line that --undo prints), so they are installed before the state is taken.
    inside bash -c 'cd /root/oriel && scripts/packages install build run' >"$work/packages.log" 2>&1
    verdict "packages are installed by name" $?
    state >"$work/before"
    : >"$work/serve.log"
    inside bash -c '
        cd /root/oriel
        set -m # or the job would ignore SIGINT
        env --default-signal=INT scripts/serve --port 33891 & pid=$! # nor if whoever started this ignores it
        for i in $(seq 600); do
            grep -q "connect with" /root/oriel-serve.log 2>/dev/null && break
            kill -0 $pid 2>/dev/null || break
            sleep 0.5
        done
        sleep 1
        kill -INT $pid
        wait $pid
        sleep 2
        echo "LEFT: $(ps -eo comm= | grep -c "^oriel" || true) processes, $(ls -d /run/oriel-serve /tmp/.X*-lock /tmp/.X11-unix/* 2>/dev/null | wc -l) files"
        ' > >(tee "$machine/root/oriel-serve.log" >"$work/serve.log") 2>&1
    grep -q 'connect with' "$work/serve.log"
    verdict "serve reaches \"connect with\" in one go" $?
    grep -q 'LEFT: 0 processes, 0 files' "$work/serve.log"
    verdict "after Ctrl-C no process and no file is left" $?
    [ "$failed" = 0 ] || tail -n 30 "$work/serve.log"
    inside bash -c 'cd /root/oriel && scripts/serve --undo' >"$work/undo.log" 2>&1
    verdict "undo" $?
    rm -f "$machine/root/oriel-serve.log"
    state >"$work/after"
    diff "$work/before" "$work/after"
    verdict "undo leaves what was there before" $?
fi
if [ "$only" != serve ]; then
    inside bash -c 'cd /root/oriel && scripts/check' </dev/null | tee "$work/check.log" | sed 's/^/  /'
    line=$(tail -n 1 "$work/check.log")
    echo "$line" | grep -Eq '^[0-9]+ passed, 0 failed'
    verdict "check on the empty machine: $line" $?
fi
finish
