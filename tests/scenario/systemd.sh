#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Oriel's units under a real systemd: a Debian from debootstrap whose systemd runs as process 1 of private namespaces, with a network
# and a branch of the cgroup hierarchy of its own. Oriel is installed there as README's "Keep it" says; systemd_story.py looks what its
# units do, over two boots. Called by scripts/check --systemd, and by fresh.sh with the machine that it has made.
#
#   tests/scenario/systemd.sh TREE [MACHINE]
#
# Where no systemd can be booted, that is one skip that names the reason.
set -uo pipefail
tree=$1
work=$(mktemp -d /var/tmp/oriel-systemd.XXXXXX)
machine=${2:-$work/machine}
out=$tree/build-check/out/systemd
hierarchy=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
group=$hierarchy/${work##*/}
holder= # the process that holds the namespaces; systemd is its child
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

# The commands of README's "Keep it", as root.
keep_it() { awk '/^## /{ on = /Keep it/ } on && /^    / { gsub(/sudo /, ""); print }' "$machine/root/oriel/README.md"; }
stage() { # what the stories expect of their world (harness/world.py)
    visit bash -c '
        set -e
        mkdir -p /run/w/prefix /run/clients /var/lib/story
        ln -sfn /usr /run/w/prefix/usr
        ln -sfn /var/lib/story /run/w/out
        ln -sfn /root/oriel /run/w/tree
        install -m 0755 /root/oriel/build/tests/scenario/oriel-test-stamp /run/w/prefix/stamp'
}
story() { # CLASS
    local numbers
    stage || { verdict "$1: no world for the story" 1; return; }
    as_unit -E ORIEL_WORLD=inside -E "ORIEL_SLACK=${ORIEL_SLACK:-2}" timeout 600 /usr/bin/python3 -B -m pytest -p no:cacheprovider \
        -q -rfEs --tb=short --junitxml="/var/lib/story/$1.xml" "tests/scenario/systemd_story.py::$1" >"$out/$1.log" 2>&1
    numbers=$(/usr/bin/python3 "$tree/tests/lint/junit_counts.py" "$machine/var/lib/story/$1.xml")
    read -r -a numbers <<<"$numbers"
    echo "$1: ${numbers[0]} passed, ${numbers[1]} failed"
    [ "${numbers[1]}" = 0 ] || sed 's/^/  /' "$out/$1.log"
    passed=$((passed + numbers[0])) failed=$((failed + numbers[1])) skipped=$((skipped + numbers[2]))
}
power_off() {
    visit systemctl poweroff
    for _ in $(seq 300); do
        running || break
        sleep 0.1
    done
    ! running
    verdict "power off with a session that runs: within 30 s" $?
    power_cut
}

mkdir -p "$out"
[ -n "$hierarchy" ] || refused "no cgroup2 hierarchy is mounted"
[ -d "$machine" ] || machine_make "$tree" "$machine" || { verdict debootstrap 1; finish; }
machine_run "$machine" bash -c 'cd /root/oriel && scripts/packages install build run client systemd' >"$out/packages.log" 2>&1 ||
    { tail "$out/packages.log"; verdict "packages are installed by name" 1; finish; }
mkdir -p "$machine/var/log/journal"
if ! boot; then
    state=$(visit systemctl is-system-running 2>&1 | tail -n 1)
    refused "it does not boot as process 1 of private namespaces: ${state:-it ended}"
fi
verdict "systemd $(visit systemctl --version | awk 'NR == 1 { print $2 }') boots as process 1" 0
keep_it >"$machine/root/oriel/keep-it"
as_unit bash -ex keep-it >"$out/keep-it.log" 2>&1
verdict "README's \"Keep it\", line by line" $?
[ "$failed" = 0 ] || { tail -n 20 "$out/keep-it.log"; finish; }
story TestInstalled
power_off
boot
verdict "boots again" $?
story TestBootedAgain
cp -r "$machine/var/lib/story/." "$out/" 2>/dev/null
visit journalctl --no-pager -o short-precise >"$out/journal.log" 2>&1
finish
