#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Oriel's units under a real systemd: a Debian from debootstrap whose systemd runs as process 1 of private namespaces, with a network
# and a branch of the cgroup hierarchy of its own. The stories are the classes of tests/scenario/systemd_*.py, which run inside, as a unit;
# list_stories.py tells what a file can ask for. Called by scripts/check --systemd, and by fresh.sh with the machine that it keeps.
#
#   tests/scenario/systemd.sh [--apps] [--only NAME[,NAME]] [--list] TREE [MACHINE]
#
# --apps  also what is heavy     --only  these files (without "systemd_" and ".py") or classes     --list  say which stories there are
#
# MACHINE is a folder with a Debian; without it one is made and removed. Packages are installed into it, and Oriel is built there; all
# else happens in copies of it (overlayfs), of which each file of stories has one.
#
# Where no systemd can be booted, that is one skip that names the reason.
set -uo pipefail
apps=0 only= list=
while [ $# -gt 0 ]; do
    case $1 in
    --apps) apps=1 ;;
    --only) only+=${only:+,}${2:?--only needs names} && shift ;;
    --list) list=1 ;;
    -*) echo "systemd.sh: unknown argument $1" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done
tree=${1:?systemd.sh TREE [MACHINE]}
stories=$(/usr/bin/python3 -B "$tree/tests/scenario/list_stories.py" "$tree/tests/scenario" ${only//,/ }) || exit 2
if [ -n "$list" ]; then
    echo "$stories"
    exit
fi

work=$(mktemp -d /var/tmp/oriel-systemd.XXXXXX)
chmod 0755 "$work"
base=${2:-$work/base}   # the machine; below: copies of it
out=${ORIEL_OUT:-$tree/build-check/out}/systemd
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=$hierarchy/${work##*/}
holder= # the process that holds the namespaces; systemd is its child
machine= layers=
. "$tree/tests/scenario/machine.sh"

# Its branch of the hierarchy goes when the last process has gone, which the kernel does not wait for.
group_remove() {
    for _ in $(seq 100); do
        [ -d "$group" ] || return 0
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null
        [ ! -d "$group" ] || sleep 0.1
    done
    echo "still there: $group" >&2
    return 1
}
power_cut() {
    [ -z "$holder" ] || { kill -KILL "$holder" 2>/dev/null; wait "$holder" 2>/dev/null; }
    holder=
    [ -z "$hierarchy" ] || group_remove
}
trap 'power_cut; machine_remove "$work"' EXIT
trap 'exit 130' INT TERM HUP

# --- copies of the machine ----------------------------------------------------------------------------------------------------------
layer() { # NAME LAYERS: $machine becomes a copy of these folders (a:b:c, the first lies on top); $layers are those of the copy
    local place=$work/$1
    mkdir -p "$place"/{root,upper,work}
    machine=$place/root
    # One overlay whatever its depth: the kernel allows but one more on top, and stories mount theirs.
    if mount -t overlay "$1" -o "lowerdir=$2,upperdir=$place/upper,workdir=$place/work" "$machine" 2>/dev/null; then
        layers=$place/upper:$2
    else
        cp -a "$2/." "$machine/" || return 1
        layers=$machine
    fi
}
layer_leave() { # what is in it stays, the place is free
    [ -z "$machine" ] || ! mountpoint -q "$machine" || umount "$machine" || umount -l "$machine"
    machine=
}
must() { # TEXT LOG COMMAND...: it has to go well, or nothing that follows can
    local text=$1 log=$2 status
    shift 2
    "$@" >"$log" 2>&1
    status=$?
    verdict "$text" $status
    [ $status = 0 ] || tail -n 20 "$log"
    return $status
}
inside() { machine_run "$machine" bash -c "cd /root/oriel && $1"; }
kept() { machine_run "$base" bash -c "cd /root/oriel && $1"; }

build() { # in the machine itself: whoever keeps the machine has that built already
    must "Oriel is built" "$out/build.log" kept 'set -e
        [ -f build/build.ninja ] || meson setup build --prefix /usr --libexecdir libexec -Dbuildtype=release
        ninja -C build'
}
# The commands of README's "Keep it", as root.
keep_it() { awk '/^## /{ on = /Keep it/ } on && /^    / { gsub(/sudo /, ""); print }' "$base/root/oriel/README.md"; }
follow_readme() { as_unit bash -ex keep-it && visit systemctl is-active oriel.target; }
installed=
install_it() { # sets $installed, the layers of a machine with Oriel
    case $installed in no) return 1 ;; ?*) return 0 ;; esac
    installed=no
    layer installed "$base" && boot_first || return 1
    keep_it >"$machine/root/oriel/keep-it"
    must "README's \"Keep it\", line by line" "$out/keep-it.log" follow_readme && power_off "power off after it" || return 1
    layer_leave
    installed=$layers
}
bare=
make_bare() { # sets $bare, the layers of a machine that has never seen Oriel, with the tree
    local below=$base.bare # fresh.sh keeps one
    case $bare in no) return 1 ;; ?*) return 0 ;; esac
    bare=no
    if [ ! -d "$below" ]; then
        below=$work/bare
        must "debootstrap" "$out/bare.log" machine_make "$tree" "$below" "$(machine_name "$base")" || return 1
    fi
    layer bare-tree "$below"
    (cd "$base/root" && tar --exclude './oriel/build*' -cf - ./oriel) | tar -xf - -C "$machine/root"
    must "a bare machine" "$out/bare.log" inside "scripts/packages install client systemd" || return 1
    layer_leave
    bare=$layers
}
begin_file() { # FILE MACHINE SETS PREPARE: the copy in which a file's stories are told
    local file=$1 kind=$2 sets=$3 prepare=$4 below=$base log=$out/${1%.py}.log
    case $kind in
    installed) install_it && below=$installed ;;
    bare) make_bare && below=$bare ;;
    esac || return 1
    layer "${file%.py}" "$below" || return 1
    mkdir -p "$machine"/var/log/journal "$machine"/var/lib/story{,-programs}
    cp "$base"/root/oriel/build/tests/{scenario/oriel-test-stamp,pam/pam_oriel_test.so} "$machine/var/lib/story-programs/"
    [ -z "$sets" ] || must "$file: the packages of $sets" "$log" inside "scripts/packages install $sets" || return 1
    [ -z "$prepare" ] || must "$file: $prepare" "${log%.log}-prepare.log" inside "$prepare"
}
end_file() { # FILE
    [ -n "$machine" ] || return 0
    ! running || visit journalctl --no-pager -o short-precise >"$out/${1%.py}-journal.log" 2>&1
    cp -r "$machine/var/lib/story/." "$out/" 2>/dev/null
    power_cut
    layer_leave
}

# --- a boot -------------------------------------------------------------------------------------------------------------------------
boot() { # start systemd; it ends with this script, however that ends
    mkdir "$group" || return 1
    # Nothing of the kernel that all share may be set from in there: /sys and /proc/sys are read-only, as containers have them.
    # The boot has an id of its own: the journal goes by it.
    bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" setpriv --pdeathsig KILL --bounding-set=-sys_module,-sys_time,-sys_rawio \
        unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child=KILL --propagation private bash -c "$machine_mounts"'
        hostname oriel-systemd
        ip link set lo up
        mount -t tmpfs -o mode=1777 tmp tmp
        cat proc/sys/kernel/random/uuid >run/oriel-boot
        mount --bind proc/sys proc/sys
        mount -o remount,bind,ro proc/sys
        mount --bind run/oriel-boot proc/sys/kernel/random/boot_id
        mount -t sysfs -o ro sysfs sys
        mount -t cgroup2 cgroup2 sys/fs/cgroup'"$machine_enter" boot "$machine" container=oriel /lib/systemd/systemd --system \
        </dev/null >"$work/boot.log" 2>&1 &
    holder=$!
    for _ in $(seq 600); do
        running || return 1
        case $(visit timeout 10 systemctl is-system-running 2>/dev/null) in running | degraded) return 0 ;; esac
        sleep 0.2
    done
    return 1
}
booted=
boot_first() { # the one that may find that there is no systemd here
    local state
    mkdir -p "$machine/var/log/journal"
    if boot; then
        [ -n "$booted" ] || verdict "systemd $(visit systemctl --version | awk 'NR == 1 { print $2 }') boots as process 1" 0
        booted=1
        return 0
    fi
    state=$(visit systemctl is-system-running 2>&1 | tail -n 1)
    [ -n "$booted" ] || refused "it does not boot as process 1 of private namespaces: ${state:-it ended}"
    tail -n 5 "$work/boot.log"
    return 1
}
running() { [ -n "$holder" ] && kill -0 "$holder" 2>/dev/null; }
visit() { # COMMAND...: in the machine, beside systemd's units
    local pid
    pid=$(cat "/proc/$holder/task/$holder/children" 2>/dev/null)
    pid=${pid%% *}
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = systemd ] || return 1
    nsenter --target "$pid" --mount --pid --net --uts --ipc --cgroup --root --wd \
        /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "$@"
}
as_unit() { # COMMAND...: in the machine, as one of systemd's units
    visit systemd-run --quiet --wait --pipe --collect -p WorkingDirectory=/root/oriel -E LANG=C.UTF-8 -E HOME=/root "$@" </dev/null
}
refused() { # WHY: systemd itself does not run here
    echo "SKIPPED: Oriel's units under systemd: $1"
    tail -n 5 "$work/boot.log" 2>/dev/null
    skipped=$((skipped + 1))
    finish
}
power_off() { # TEXT
    local off
    visit systemctl poweroff
    for _ in $(seq 300); do
        running || break
        sleep 0.1
    done
    ! running
    off=$?
    verdict "$1: within 30 s" $off
    power_cut
    return $off
}

# --- a story ------------------------------------------------------------------------------------------------------------------------
stage() { # what the stories expect of their world (harness/world.py)
    visit bash -c '
        set -e
        mkdir -p /run/w/prefix /run/clients /var/lib/story
        ln -sfn /usr /run/w/prefix/usr
        ln -sfn /var/lib/story /run/w/out
        ln -sfn /root/oriel /run/w/tree
        install -m 0755 /var/lib/story-programs/oriel-test-stamp /run/w/prefix/stamp
        install -m 0644 /var/lib/story-programs/pam_oriel_test.so /run/w/prefix/pam_oriel_test.so'
}
story() { # FILE CLASS LIMIT
    local numbers name=${1%.py}-$2
    stage || { verdict "$2: no world for the story" 1; return; }
    as_unit -E ORIEL_WORLD=inside -E "ORIEL_SLACK=${ORIEL_SLACK:-2}" -E ORIEL_APPS=1 timeout --kill-after=10 "$3" \
        /usr/bin/python3 -B -m pytest -p no:cacheprovider \
        -q -rfEs --tb=short --junitxml="/var/lib/story/$name.xml" "tests/scenario/$1::$2" >"$out/$name.log" 2>&1
    numbers=$(/usr/bin/python3 "$tree/tests/lint/junit_counts.py" "$machine/var/lib/story/$name.xml")
    read -r -a numbers <<<"$numbers"
    echo "$2: ${numbers[0]} passed, ${numbers[1]} failed"
    [ "${numbers[1]}" = 0 ] || sed 's/^/  /' "$out/$name.log"
    passed=$((passed + numbers[0])) failed=$((failed + numbers[1])) skipped=$((skipped + numbers[2]))
}

mkdir -p "$out"
[ -n "$hierarchy" ] || refused "no cgroup2 hierarchy is mounted"
if [ ! -d "$base" ]; then
    machine_make "$tree" "$base" && machine_tree "$tree" "$base" || { verdict debootstrap 1; finish; }
fi
must "packages are installed by name" "$out/packages.log" kept 'scripts/packages install build run client systemd package' && build || finish

file= before= usable=
while IFS='|' read -r name class kind how heavy limit sets prepare <&3; do
    [ "$heavy" = - ] || [ $apps = 1 ] || [ -n "$only" ] || { echo "not told without --apps: $class ($name)"; continue; }
    if [ "$name" != "$file" ]; then
        end_file "$file"
        file=$name before= usable=1
        begin_file "$file" "$kind" "$sets" "$prepare" || { usable= && verdict "$file: a machine for it" 1; }
    fi
    [ -n "$usable" ] || continue
    if running && [ "$how" = own ]; then power_off "power off after $before" || usable=; fi
    running || boot_first || { usable= && verdict "$class: boots" 1; continue; }
    story "$name" "$class" "$limit"
    before=$class
done 3<<<"$stories"
end_file "$file"
finish
