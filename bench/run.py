#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run scenes against Oriel and its peers, in one go on one machine, and print one table.

  bench/run.py --programs FOLDER [--peers oriel,xrdp-h264,xrdp-rfx,shadow] [--scenes typing,scroll,…] [--apps] [--avc 420,444,off]
               [--seed N|random] [--profile loopback|lan|wan|slow|lossy] [--bulk] [--shots] [--out DIR]

Needs root: everything runs in mount, PID and network namespaces of its own, with private copies of the account files.
bench/make_scenes.py draws the scenes, bench/check_film.py checks the films, bench/xrdp-tree makes xrdp's tree. The JSON of every run is
kept in DIR."""
import argparse
import ctypes
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from peers import PASSWORD, PEERS, PORT, USER  # noqa: E402
from scenes import SCENES, Client, run_scene  # noqa: E402
from table import goals_of, row, tables  # noqa: E402

FILMS = ("film", "film-colour")


def world():
    """Re-execute in namespaces of our own, with private accounts."""
    if os.environ.get("ORIEL_BENCH_WORLD"):
        return
    os.environ["ORIEL_BENCH_WORLD"] = "1"
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    os.execvp("unshare", ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
                          sys.executable] + sys.argv)


def furnish(work):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    private = os.path.join(work, "etc")
    os.makedirs(private, exist_ok=True)
    for name in ("passwd", "shadow", "group", "gshadow"):
        shutil.copy2(f"/etc/{name}", f"{private}/{name}")
        subprocess.run(["mount", "--bind", f"{private}/{name}", f"/etc/{name}"], check=True)
    for d, mode in (("/home", "0755"), ("/run", "0755"), ("/tmp/.X11-unix", "1777"), ("/var/lib/oriel-bench", "0755")):
        os.makedirs(d, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode={mode}", "tmpfs", d], check=True)
    append = {  # useradd locks files by renaming, which a bind mount does not allow
        "passwd": f"{USER}:x:61000:61000::/home/{USER}:/bin/bash\n", "group": f"{USER}:x:61000:\n"}
    for i, name in enumerate(("_oriel", "_oriel-keys", "_oriel-enc", "_oriel-logon")):
        if subprocess.run(["getent", "passwd", name], capture_output=True).returncode:
            append["passwd"] += f"{name}:x:{61001 + i}:{61001 + i}::/nonexistent:/usr/sbin/nologin\n"
            append["group"] += f"{name}:x:{61001 + i}:\n"
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True).stdout.strip()
    append["shadow"] = f"{USER}:{hashed}:19000:0:99999:7:::\n"
    for name, text in append.items():
        with open(f"/etc/{name}", "a") as f:
            f.write(text)
    os.makedirs(f"/home/{USER}", mode=0o755)
    os.chown(f"/home/{USER}", 61000, 61000)


PROFILES = {  # name: (kbit/s, round trip ms, loss %)
    "lan": (100000, 1, 0), "wan": (20000, 40, 0), "slow": (2000, 100, 0), "lossy": (20000, 40, 1),
}
SERVER_ADDRESS, CLIENT_ADDRESS = "10.98.0.1", "10.98.0.2"


def emulate(args):
    """Put the client behind an emulated link; returns the argv prefix that runs it there."""
    if args.profile == "loopback":
        return []
    subprocess.run(["ip", "netns", "add", "bench"], check=True)
    kbit, rtt, loss = PROFILES[args.profile]
    p = subprocess.Popen([f"{args.programs}/bench-link", "/proc/self/ns/net", SERVER_ADDRESS, "/run/netns/bench", CLIENT_ADDRESS,
                          str(kbit), str(rtt), str(loss)], stdout=subprocess.PIPE, text=True)
    if p.stdout.readline() != "ready\n":
        raise SystemExit("bench: the link emulator did not start")
    args.host = SERVER_ADDRESS
    return ["ip", "netns", "exec", "bench"]


def draw_scenes(args):
    """Scenes of a seed are drawn once by each version of the drawing and kept; those of a random one go with the run."""
    with open(os.path.join(HERE, "make_scenes.py"), "rb") as f:
        version = hashlib.sha256(f.read()).hexdigest()[:8]
    folder = os.path.join(args.work, "drawn") if args.random else f"/var/tmp/oriel-bench-scenes-{args.seed}-{version}"
    wanted = {s.source or name for name, s in SCENES.items() if name in args.scenes}
    missing = sorted(n for n in wanted if not os.path.exists(f"{folder}/{n}.scene"))
    if missing:
        drawing = tempfile.mkdtemp(dir=args.work)
        subprocess.run([sys.executable, os.path.join(HERE, "make_scenes.py"), "--seed", str(args.seed), "--out", drawing] + missing, check=True)
        for name in set(missing).intersection(FILMS):
            subprocess.run([sys.executable, os.path.join(HERE, "check_film.py"), f"{drawing}/{name}.scene"], check=True)
        os.makedirs(folder, exist_ok=True)
        for name in missing:
            shutil.move(f"{drawing}/{name}.scene", f"{folder}/{name}.scene")
        os.rmdir(drawing)
    # the players of all peers see the scenes below the work folder, the only one that xrdp's tree shares
    args.scene_dir = f"{args.work}/scenes"
    os.makedirs(args.scene_dir)
    subprocess.run(["mount", "--bind", folder, args.scene_dir], check=True)


def measure_connection(peer, avc, args, results):
    """All scenes with one connected client; what fails is an error of its scene, and ends the connection."""
    client, peer.label = None, f"{peer.name}-{avc}"
    try:
        client = Client(args.prefix, args.programs, args.host, PORT[peer.name], peer.options(avc), os.path.join(peer.work, "client.log"))
        for name in args.scenes + args.app_scenes:
            results[name] = {"error": "not reached"}
            run = run_scene if name in SCENES else args.run_app
            results[name] = run(peer, client, name, args)
            print(row(name, peer.label, results[name], goals_of(name, avc, args.profile) if peer.name == "oriel" else {}), flush=True)
            if "bulk_kb" in results[name] and args.bulk:
                print(f"  bulk beside it: {results[name]['bulk_kb']:.1f} kB/s", flush=True)
            if args.shots and name in SCENES:
                client.ask("shot", os.path.join(args.out, f"{peer.label}-{name}.ppm"))
    except (RuntimeError, OSError) as e:
        args.failed = True
        print(f"{peer.name} {avc}: {e} (logs in {peer.work})", flush=True)
        results[name if client else args.scenes[0]] = {"error": str(e)}
    finally:
        if client:
            client.close()


def measure(peer_name, args):
    """{avc: {scene: result}}; a server that takes the same client for two values of --avc is measured once."""
    peer = PEERS[peer_name](os.path.join(args.work, peer_name), args.programs)
    found, known = {}, []
    try:
        peer.start()
        for avc in args.avc:
            if peer.options(avc) not in known:
                known.append(peer.options(avc))
                measure_connection(peer, avc, args, found.setdefault(avc, {}))
    except (RuntimeError, OSError, subprocess.CalledProcessError) as e:
        args.failed = True
        print(f"{peer_name}: {e}", flush=True)
    finally:
        peer.stop()
    return found


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peers", default="oriel,xrdp-h264,xrdp-rfx,shadow")
    p.add_argument("--scenes", default=",".join(SCENES), help="\"\" for none")
    p.add_argument("--apps", nargs="?", const="app-terminal,app-writer,app-browser", default="", help="also these scenes with real applications")
    p.add_argument("--avc", default="420", help="one or several of 420, 444 and off, each with a connection of its own")
    p.add_argument("--seed", default="1", help="a number, or \"random\": one that nobody has seen")
    p.add_argument("--programs", required=True, help="folder with Oriel's and the bench's programs")
    p.add_argument("--out", default="/var/tmp/oriel-bench-out")
    p.add_argument("--settle", type=float, help="seconds that a still picture may take to become exact (8; 15 on slow links)")
    p.add_argument("--profile", default="loopback", choices=["loopback"] + list(PROFILES))
    p.add_argument("--bulk", action="store_true", help="Oriel sends bulk at full speed beside everything (bench-peer-bulk)")
    p.add_argument("--shots", action="store_true", help="keep the client's picture after each scene")
    args = p.parse_args()
    args.random = args.seed == "random"
    if args.random:
        args.seed = os.environ.setdefault("ORIEL_BENCH_SEED", str(secrets.randbelow(10 ** 9)))  # the same after world()
    args.seed = int(args.seed)
    args.scenes, args.app_scenes, args.avc, args.peers = ([w for w in a.split(",") if w] for a in (args.scenes, args.apps, args.avc, args.peers))
    args.settle = args.settle or (8 if args.profile in ("loopback", "lan") else 15)
    wrong = set(args.scenes) - set(SCENES) | set(args.peers) - set(PEERS) | set(args.avc) - {"420", "444", "off"}
    if wrong:
        p.error("unknown: " + ", ".join(sorted(wrong)))
    return args


def main():
    args = arguments()
    world()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if args.app_scenes:
        from apps import run_app
        args.run_app = run_app
    print(f"seed {args.seed}", flush=True)
    args.work = tempfile.mkdtemp(prefix="oriel-bench-", dir="/tmp")
    args.host, args.failed = "127.0.0.1", False
    os.chmod(args.work, 0o755)
    os.makedirs(args.out, exist_ok=True)
    draw_scenes(args)
    furnish(args.work)
    args.prefix = emulate(args)
    if args.bulk:
        subprocess.run(["mount", "--bind", f"{args.programs}/bench-peer-bulk", f"{args.programs}/oriel-peer"], check=True)
    everything = {"seed": args.seed, "avc": args.avc, "profile": args.profile, "scenes": args.scenes + args.app_scenes, "results": {}}
    for name in args.peers:
        everything["results"][name] = measure(name, args)
    with open(os.path.join(args.out, f"bench-{args.profile}{'-bulk' * args.bulk}-{args.seed}-{'-'.join(args.avc)}.json"), "w") as f:
        json.dump(everything, f, indent=1)
    print("\n".join(tables(everything)))
    subprocess.run(["umount", "--lazy", args.scene_dir], check=True)  # a player may still be ending
    if not args.failed:
        shutil.rmtree(args.work, ignore_errors=True)
    sys.exit(args.failed)


if __name__ == "__main__":
    main()
