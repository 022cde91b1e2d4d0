#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Empty machines: a Debian from debootstrap for each system that Oriel promises to run on, from the archive that this machine's own apt
# sources name, with nothing of Oriel's in it. There scripts/serve must come up in one go, go down, and be taken back, scripts/check must
# pass, and Oriel's units do what they say when systemd is booted (systemd.sh). Called by scripts/check --fresh.
#
#   tests/scenario/fresh.sh [--only PART[:NAMES][,PART]]... [--apps] [--remove] TREE NAME...
#
# NAME is 12, 13 or 13-backports. Its machine is kept in $ORIEL_FRESH_DIR/NAME (usually below /var/tmp/oriel-fresh), which is root's alone,
# and has TREE's files anew in each run. A run that was interrupted goes on with the part that it was in, as long as TREE is the same;
# a part that --only names is always done. --remove takes the machine away.
set -uo pipefail
known_parts=(debootstrap packages serve package check systemd) # in this order; each is a function part_NAME below
only=() apps= remove=
while [ $# -gt 0 ]; do
    case $1 in
    --only) only+=("${2:?--only needs parts}") && shift ;;
    --apps) apps=1 ;;
    --remove) remove=1 ;;
    -*) echo "fresh.sh: unknown argument $1" >&2 && exit 2 ;;
    *) break ;;
    esac
    shift
done
tree=${1:?fresh.sh TREE NAME...}
shift
top=${ORIEL_FRESH_DIR:-/var/tmp/oriel-fresh}
top=$(realpath -m "$(dirname "$top")")/$(basename "$top")
. "$tree/tests/scenario/machine.sh"
trap 'exit 130' INT TERM HUP

die() { echo "scripts/check --fresh: $*" >&2; exit 2; }

# --- what was asked for -------------------------------------------------------------------------------------------------------------
declare -A chosen=() # PART: names that are handed on to it
is_part() { [[ " ${known_parts[*]} " == *" $1 "* ]]; }
for list in ${only[@]+"${only[@]}"}; do
    part= # whose names follow
    for word in ${list//,/ }; do
        if [[ $word == *:* ]] || is_part "$word"; then
            part=${word%%:*}
            is_part "$part" || die "no such part: $part; there are: ${known_parts[*]}"
            [[ $word == *:* ]] || { chosen[$part]=; part=; continue; }
            word=${word#*:}
        fi
        [ -n "$part" ] || die "no such part: $word; there are: ${known_parts[*]}"
        chosen[$part]=${chosen[$part]:+${chosen[$part]},}$word
    done
done
for name in "$@"; do
    machine_codename "$name" >/dev/null || die "no such machine: $name; there are: ${machine_names[*]}"
done

# Root's programs run from there: nobody else may have put it there, or be able to exchange it.
safe_folder() { # FOLDER
    local folder=$1 mode
    mkdir -p -m 0700 "$folder" || die "cannot make $folder"
    [ ! -L "$folder" ] && [ "$(stat -c %u "$folder")" = 0 ] && [ $((0$(stat -c %a "$folder") & 022)) = 0 ] ||
        die "$folder is not a folder of root's alone; choose another with ORIEL_FRESH_DIR"
    while folder=$(dirname "$folder"); do
        mode=0$(stat -c %a "$folder")
        # what others may write to must be sticky, as /var/tmp is
        [ "$(stat -c %u "$folder")" = 0 ] && [ $((mode & 022)) = 0 -o $((mode & 01000)) != 0 ] ||
            die "others than root may rename what lies in $folder; choose another place with ORIEL_FRESH_DIR"
        [ "$folder" != / ] || return 0
    done
}

# --- the parts ----------------------------------------------------------------------------------------------------------------------
# $name, $place and $machine are those of the machine; $names what --only hands on. What a part counts, it counts with verdict and add.
inside() { machine_run "$machine" bash -c "cd /root/oriel && $1"; }
add() { # "N passed, N failed, N skipped": what a program counted
    local numbers
    if [[ $1 =~ ^[0-9]+\ passed,\ [0-9]+\ failed ]]; then read -r -a numbers <<<"${1//[!0-9 ]/} 0"; else numbers=(0 1 0); fi
    passed=$((passed + numbers[0])) failed=$((failed + numbers[1])) skipped=$((skipped + numbers[2]))
}
told() { # LOG COMMAND...: shows what a program says, and counts what its last line tells
    local log=$1
    shift
    "$@" </dev/null 2>&1 | tee "$log" | sed 's/^/  /'
    add "$(tail -n 1 "$log")"
}

part_debootstrap() {
    local made=0
    if [ ! -e "$place/made" ]; then
        rm -rf --one-file-system "$machine" "$machine.bare"
        # systemd.sh starts from the bare one where a story wants to
        machine_make "$tree" "$machine.bare" "$name" && cp -a "$machine.bare" "$machine" && touch "$place/made"
        made=$?
    fi
    verdict "debootstrap" $made
}
part_packages() {
    local status
    inside "export DEBIAN_FRONTEND=noninteractive
        $([ "$name" != 13-backports ] || echo 'scripts/packages install --backports run &&')
        scripts/packages install build run client test" >"$out/packages.log" 2>&1
    status=$?
    verdict "packages are installed by name: libfreerdp $(version_of libfreerdp-server3-3), to build with: $(version_of freerdp3-dev)" $status
    [ $status = 0 ] || tail -n 20 "$out/packages.log"
}
version_of() { machine_run "$machine" dpkg-query -W -f '${Version}' "$1" 2>/dev/null || echo none; }

serve_state() { (cd "$machine" && sha256sum etc/passwd etc/group etc/pam.d/* && find etc/ssl etc/apt/sources.list.d var/lib root -maxdepth 1 | sort); }
# A serve that is interrupted in the middle of building, one that is killed while it runs, and one that comes up after both and goes down.
serve_story='
    set -m # or the job would ignore SIGINT
    serve() { env --default-signal=INT scripts/serve --port "$port" >"$1" 2>&1 & pid=$!; } # nor if whoever started this ignores it
    said() { # TEXT LOG
        for i in $(seq 1200); do
            grep -q "$1" "$2" 2>/dev/null && return 0
            kill -0 $pid 2>/dev/null || return 1
            sleep 0.5
        done
        return 1
    }
    serve /root/serve-1.log
    said "building in" /root/serve-1.log
    for i in $(seq 600); do [ -f build-serve/build.ninja ] && break; sleep 0.1; done
    kill -INT -- -$pid; wait $pid # as Ctrl-C does: the whole group
    echo "INTERRUPTED: $?"
    serve /root/serve-2.log
    said "connect with" /root/serve-2.log && echo UP-AFTER-INTERRUPTION
    sleep 1
    kill -KILL $pid; wait $pid
    serve /root/serve-3.log
    said "connect with" /root/serve-3.log && echo UP-AFTER-KILL
    sleep 1
    kill -INT -- -$pid; wait $pid
    sleep 2
    echo "LEFT: $(ps -eo comm= | grep -c "^oriel" || true) processes, $(ls -d /run/oriel-serve /tmp/.X*-lock /tmp/.X11-unix/* 2>/dev/null | wc -l) files"'
part_serve() {
    local log=$out/serve.log before=$failed
    # Packages stay (their removal is the line that --undo prints), so they are installed before the state is taken.
    inside 'rm -rf build-serve; scripts/packages install build run; scripts/serve --undo' >"$out/serve-before.log" 2>&1
    serve_state >"$out/serve-state-before"
    # the network is the machine's own, where others may listen
    inside "port=$((33000 + RANDOM % 900)); $serve_story" >"$log" 2>&1
    grep -q '^INTERRUPTED: 130' "$log"
    verdict "serve ends when it is interrupted in the middle of building" $?
    grep -q UP-AFTER-INTERRUPTION "$log"
    verdict "the next serve reaches \"connect with\" in one go" $?
    grep -q UP-AFTER-KILL "$log"
    verdict "and so does one after a serve that was killed" $?
    grep -q 'LEFT: 0 processes, 0 files' "$log"
    verdict "after Ctrl-C no process and no file is left" $?
    inside 'scripts/serve --undo' >"$out/undo.log" 2>&1
    verdict "undo" $?
    mv "$machine"/root/serve-?.log "$out/"
    serve_state >"$out/serve-state-after"
    diff "$out/serve-state-before" "$out/serve-state-after"
    verdict "undo leaves what was there before" $?
    [ "$failed" = "$before" ] || tail -n 30 "$log" "$out"/serve-?.log
}
part_package() {
    local status
    inside 'scripts/package --twice' >"$out/package.log" 2>&1
    status=$?
    verdict "the package is made without a network, passes lintian, and has the same bits when it is made again" $status
    [ $status = 0 ] || tail -n 20 "$out/package.log"
}
part_check() { # NAMES: suites of scripts/check
    told "$out/check.log" inside "${ORIEL_SLACK:+ORIEL_SLACK=$ORIEL_SLACK} scripts/check ${names:+--only $names} ${apps:+--apps}"
    rm -rf "$out/check" && cp -r "$machine/root/oriel/build-check/out" "$out/check" 2>/dev/null
}
part_systemd() { # NAMES: files or classes of stories
    told "$out/systemd.log" env ORIEL_OUT="$out" "$tree/tests/scenario/systemd.sh" ${names:+--only "$names"} ${apps:+--apps} "$tree" "$machine"
}

# --- one machine --------------------------------------------------------------------------------------------------------------------
run_part() { # PART: do it, or count what it had counted when a run that was interrupted had done it with this very tree
    local part=$1 mark=$place/done/$1 p=$passed f=$failed s=$skipped t=$SECONDS was
    if [ ${#chosen[@]} = 0 ] && was=$(grep "^$sum " "$mark" 2>/dev/null); then
        echo "== $name: $part was done before this run was interrupted: ${was#* }"
        add "${was#* }"
        return
    fi
    echo "== $name: $part"
    names=${chosen[$part]:-}
    rm -f "$mark"
    "part_$part"
    echo "== $name: $part: $((passed - p)) passed, $((failed - f)) failed, $((skipped - s)) skipped, $((SECONDS - t)) s"
    if [ "$failed" = "$f" ] && [ -z "$names" ]; then
        echo "$sum $((passed - p)) passed, 0 failed, $((skipped - s)) skipped" >"$mark"
    fi
}
run_machine() {
    local part says
    says=$(tree_says "$tree")
    sum=$(tree_files "$tree" | sort -z | (cd "$tree" && xargs -0 sha256sum 2>/dev/null) | sha256sum | cut -c1-64)
    mkdir -p "$place/done" "$out"
    echo "== $name: $says, in $machine; logs: $out"
    for part in "${known_parts[@]}"; do
        case $part in
        debootstrap) ;; # without it nothing else can be
        *) [ ${#chosen[@]} = 0 ] || [ -n "${chosen[$part]+x}" ] || continue ;;
        esac
        run_part "$part"
        [ -e "$place/made" ] || break
        if [ "$part" = debootstrap ]; then machine_tree "$tree" "$machine" || { verdict "a copy of the tree" 1; break; }; fi
    done
    # a run that came to its end is none to go on with
    [ ${#chosen[@]} != 0 ] || rm -rf "$place/done"
    echo "== $name: $says: $passed passed, $failed failed, $skipped skipped"
}

safe_folder "$top"
total=(0 0 0) summary=()
for name in "$@"; do
    place=$top/$name machine=$top/$name/machine out=$top/$name/out
    mkdir -p -m 0700 "$place"
    exec {lock}>"$place.lock"
    flock -n "$lock" || die "another run is in $place"
    if [ -n "$remove" ]; then
        machine_remove "$place" && rm -f "$place.lock" && echo "removed: $place"
        continue
    fi
    passed=0 failed=0 skipped=0
    run_machine
    total=($((total[0] + passed)) $((total[1] + failed)) $((total[2] + skipped)))
    summary+=("$name: $passed passed, $failed failed, $skipped skipped; $(tree_says "$tree")")
    exec {lock}>&-
done
[ -z "$remove" ] || exit 0
[ $# = 1 ] || printf '%s\n' "${summary[@]}"
passed=${total[0]} failed=${total[1]} skipped=${total[2]}
finish
