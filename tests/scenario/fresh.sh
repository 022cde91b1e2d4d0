#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The empty machine: a Debian from debootstrap, from the archive that this machine's own apt sources name, with nothing of Oriel's in it.
# There scripts/serve must come up in one go, go down, and be taken back, scripts/check must pass, and Oriel's units do what they say when
# systemd is booted (systemd.sh). Called by scripts/check --fresh.
#
#   tests/scenario/fresh.sh TREE [serve|check]
set -uo pipefail
tree=$1
only=${2:-}
work=$(mktemp -d /var/tmp/oriel-fresh.XXXXXX)
machine=$work/machine
. "$tree/tests/scenario/machine.sh"
trap 'machine_remove "$work"' EXIT

machine_make "$tree" "$machine" || { verdict debootstrap 1; finish; }
inside() { machine_run "$machine" "$@"; }
add() { # "N passed, N failed, N skipped": what a part of this counted
    local numbers
    if [[ $1 =~ ^[0-9]+\ passed,\ [0-9]+\ failed ]]; then read -r -a numbers <<<"${1//[!0-9 ]/} 0"; else numbers=(0 1 0); fi
    passed=$((passed + numbers[0])) failed=$((failed + numbers[1])) skipped=$((skipped + numbers[2]))
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
if [ -z "$only" ]; then
    "$tree/tests/scenario/systemd.sh" "$tree" "$machine" </dev/null | tee "$work/systemd.log" | sed 's/^/  /'
    add "$(tail -n 1 "$work/systemd.log")"
fi
finish
