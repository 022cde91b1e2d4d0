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
    awk -v w="$1/" 'index($2 "/", w) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r m; do umount -l "$m"; done
    rm -rf --one-file-system "$1"
}

# The systems that machines are made of. "13-backports" is 13 with the newest FreeRDP, from its backports.
machine_names=(12 13 13-backports)
machine_codename() { # NAME
    case $1 in 12) echo bookworm ;; 13 | 13-backports) echo trixie ;; *) return 1 ;; esac
}
machine_name() { # FOLDER of a machine: its name
    local release
    release=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' "$1/etc/os-release")
    if grep -qs -- '-backports' "$1/etc/apt/sources.list.d/debian.sources"; then echo "$release-backports"; else echo "$release"; fi
}

machine_sources() { # NAME MIRROR SECURITY KEYRING: what goes into debian.sources. SECURITY is "-" where the archive has none
    local code suites signed=
    code=$(machine_codename "$1")
    suites="$code $code-updates"
    [ "$1" != 13-backports ] || suites+=" $code-backports"
    [ "$4" = - ] || signed="Signed-By: $4"
    printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s\n' "$2" "$suites" "$signed"
    [ "$3" = - ] || printf '\nTypes: deb\nURIs: %s\nSuites: %s\nComponents: main\n%s\n' "$3" "$code-security" "$signed"
}

machine_make() { # TREE MACHINE [NAME]: an empty Debian in the folder MACHINE, of this machine's own release without NAME
    local tree=$1 machine=$2 name=${3:-} uri security key codename options=()
    "$tree/scripts/packages" install fresh || return 1
    read -r uri _ key <<<"$("$tree/scripts/packages" mirror)"
    read -r security _ _ <<<"$("$tree/scripts/packages" mirror security)"
    [ -n "$name" ] || name=$(. /etc/os-release && echo "${VERSION_ID:-}")
    codename=$(machine_codename "$name") || { echo "no such machine: $name; there are: ${machine_names[*]}" >&2; return 1; }
    [ -n "$uri" ] || { echo "this machine's apt sources name no archive of Debian" >&2; return 1; }
    [ "${key:--}" = - ] || options+=(--keyring="$key")
    echo "debootstrap $codename"
    debootstrap --variant=minbase "${options[@]}" "$codename" "$machine" "$uri" >"$machine.log" 2>&1 || { tail "$machine.log"; return 1; }
    cp /etc/resolv.conf "$machine/etc/resolv.conf"
    cp /etc/apt/apt.conf.d/99* "$machine/etc/apt/apt.conf.d/" 2>/dev/null
    [ "${key:--}" = - ] || [ -e "$machine$key" ] || { mkdir -p "$(dirname "$machine$key")" && cp "$key" "$machine$key"; }
    machine_sources "$name" "$uri" "${security:--}" "${key:--}" >"$machine/etc/apt/sources.list.d/debian.sources"
    : >"$machine/etc/apt/sources.list"
    # a power cut costs no more than the machine
    echo force-unsafe-io >"$machine/etc/dpkg/dpkg.cfg.d/scratch"
    chmod 0700 "$machine/root"
}

# The files of a source tree, each ended by a NUL: what git knows or would take, else all but what was built.
tree_files() { # TREE
    (cd "$1" && { git -c safe.directory='*' ls-files -z -co --exclude-standard 2>/dev/null ||
        find . -type f -not -path './build*' -print0; })
}
tree_says() { # TREE: the commit that it stands for
    local commit dirty
    commit=$(git -c safe.directory='*' -C "$1" rev-parse HEAD 2>/dev/null) || { echo "no commit is known: this tree is not git's"; return; }
    dirty=$(git -c safe.directory='*' -C "$1" status --porcelain 2>/dev/null | wc -l)
    if [ "$dirty" = 0 ]; then echo "commit $commit"; else echo "commit $commit and $dirty files that are not committed so"; fi
}
machine_tree() { # TREE MACHINE: the copy of the source tree in the machine's /root/oriel becomes what TREE is
    local copy=$2/root/oriel new=$2/root/oriel.new
    rm -rf "$new"
    mkdir -p "$new"
    tree_files "$1" | tar -C "$1" --null -T - --ignore-failed-read -cf - | tar --no-same-owner -xf - -C "$new" || return 1
    if [ -d "$copy" ]; then
        # What was built there stays. Ninja goes by times: a file that changed is new, also when it came from an older tree.
        /usr/bin/python3 -c '
import filecmp, os, sys
new, copy = sys.argv[1:]
for folder, _, files in os.walk(new):
    for path in (os.path.join(folder, f) for f in files):
        old = os.path.join(copy, os.path.relpath(path, new))
        same = os.path.isfile(old) and not os.path.islink(path) and filecmp.cmp(path, old, shallow=False)
        os.utime(path, (os.stat(old).st_mtime,) * 2 if same else None, follow_symlinks=False)' "$new" "$copy" || return 1
        find "$copy" -maxdepth 1 -name 'build*' -exec mv -t "$new" {} +
        rm -rf "$copy"
    fi
    mv "$new" "$copy"
}

# What a shell in new namespaces does to stand on the machine, $1, and then be the rest of its arguments.
machine_mounts='
    set -e
    mount --bind "$1" "$1"
    cd "$1"
    mount -t proc proc proc
    mount -t tmpfs -o mode=0755 dev dev
    for n in null zero full random urandom tty fuse; do
        [ ! -c /dev/$n ] || { touch dev/$n; mount --bind /dev/$n dev/$n; }
    done
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
