# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by fresh.sh and systemd.sh: a Debian from debootstrap, from the archive that this machine's own apt sources name, with nothing
# of Oriel's in it but a copy of the source tree; and counting what went well there. Its root is a mount of its own, not a chroot: in a
# chroot nobody could make a private mount namespace, and the stories and systemd do.
passed=0 failed=0 skipped=0
verdict() { # text status
    if [ "$2" = 0 ]; then passed=$((passed + 1)) && echo "ok: $1"; else failed=$((failed + 1)) && echo "FAILED: $1"; fi
}
finish() {
    if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
    [ "$failed" = 0 ]
    exit
}

machine_remove() { # FOLDER that the machine lies in
    awk -v w="$1" 'index($2, w) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r m; do umount -l "$m"; done
    rm -rf --one-file-system "$1"
}

machine_make() { # TREE MACHINE: the machine, with a copy of the source tree in /root/oriel
    local tree=$1 machine=$2 uri codename key options=()
    "$tree/scripts/packages" install fresh || return 1
    read -r uri codename key <<<"$("$tree/scripts/packages" mirror)"
    [ "$key" = - ] || options+=(--keyring="$key")
    echo "debootstrap $codename"
    debootstrap --variant=minbase "${options[@]}" "$codename" "$machine" "$uri" >"$machine.log" 2>&1 || { tail "$machine.log"; return 1; }
    cp /etc/resolv.conf "$machine/etc/resolv.conf"
    cp /etc/apt/apt.conf.d/99* "$machine/etc/apt/apt.conf.d/" 2>/dev/null
    # The machine's own sources, so that security updates come from where they always come.
    cp /etc/apt/sources.list.d/debian.sources "$machine/etc/apt/sources.list.d/" 2>/dev/null && : >"$machine/etc/apt/sources.list"
    mkdir -p "$machine/root/oriel"
    chmod 0700 "$machine/root"
    (cd "$tree" &&
        { git -c safe.directory='*' ls-files -z -co --exclude-standard 2>/dev/null || find . -type f -not -path './build*' -print0; } |
        tar --null -T - --ignore-failed-read -cf -) | tar -xf - -C "$machine/root/oriel"
}

# What a shell in new namespaces does to stand on the machine, $1, and then be the rest of its arguments.
machine_mounts='
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
    mount -t tmpfs -o mode=0755 run run'
machine_enter='
    shift
    mkdir run/before
    pivot_root . run/before
    umount -l run/before
    rmdir run/before
    exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"'

machine_run() { # MACHINE COMMAND...: in namespaces of its own (the network is the machine's: apt needs it)
    unshare --mount --pid --uts --ipc --fork --kill-child=KILL --propagation private bash -c "$machine_mounts; $machine_enter" inside "$@"
}
