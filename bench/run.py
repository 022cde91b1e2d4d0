#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run scenes against Oriel and its peers, in one go on one machine, and print one table.

  bench/run.py [--peers oriel,xrdp-h264,xrdp-rfx,shadow] [--scenes typing,scroll,…] [--avc 420|444|off] [--seed N] [--out DIR]

Needs root: everything runs in mount, PID and network namespaces of its own, with private copies of the account files.
bench/make_scenes.py draws the scenes, bench/xrdp-tree makes xrdp's tree. The JSON of every run is kept in DIR."""
import argparse
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from peers import PASSWORD, PEERS, PORT, USER  # noqa: E402

SCENES = {  # name: (frames to play, rate or 0 for the scene's, compare every n-th moving frame)
    "idle": (0, 0, 0), "typing": (100, 0, 10), "scroll": (240, 0, 20), "page": (8, 0, 1), "slide": (8, 0, 1),
    "slide-again": (12, 0, 1), "drag": (480, 0, 30), "film": (240, 0, 16), "pan": (240, 0, 16), "keys": (60, 0, 0), "keys-film": (420, 0, 16),
}
SOURCES = {"idle": "typing", "keys": "typing", "keys-film": "film"}  # scenes that play another's pictures
FILM_KEYS = (60, 150)  # how many keys during the film, and how far apart in ms


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


class Client:
    def __init__(self, prefix, programs, host, port, options, log):
        argv = prefix + [f"{programs}/bench-client", f"/v:{host}:{port}", "/cert:ignore", f"/u:{USER}", f"/p:{PASSWORD}", "/size:1920x1080",
                "/bpp:32", "/network:lan", "/log-level:ERROR", "/sec:tls"] + options
        self.log = open(log, "wb")
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        first = self.answer()
        if "error" in first:
            raise RuntimeError(f"the client could not connect: {first['error']}")

    def answer(self):
        while True:
            line = self.p.stdout.readline()
            if not line:
                raise RuntimeError("the client ended")
            if line.startswith("{"):
                return json.loads(line.replace("nan", "null"))

    def ask(self, *words):
        self.p.stdin.write(" ".join(map(str, words)) + "\n")
        self.p.stdin.flush()
        return self.answer()

    def close(self):
        try:
            self.p.stdin.write("quit\n")
            self.p.stdin.close()
            self.p.wait(5)
        except (OSError, subprocess.TimeoutExpired):
            self.p.kill()
            self.p.wait()


def cpu_of(pids):
    total = 0.0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except OSError:
            continue
    return total


def pss_of(pids):
    """{program: MB}"""
    found = {}
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f, open(f"/proc/{pid}/comm") as c:
                name = c.read().strip()
                found[name] = found.get(name, 0) + next(int(r.split()[1]) for r in f if r.startswith("Pss:")) / 1024
        except (OSError, StopIteration):
            continue
    return found


def pipe_write(peer, line, seconds=15):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            fd = os.open(peer.pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            time.sleep(0.05)
            continue
        os.write(fd, (line + "\n").encode())
        os.close(fd)
        return
    raise RuntimeError("the player does not listen: no session?")


def settle(client, seconds):
    """Until the picture is exact or the time is over: (seconds to exact or None, last check)."""
    start = time.monotonic()
    while True:
        c = client.ask("check")
        spent = time.monotonic() - start
        if c.get("differing") == 0 or spent > seconds:
            return (spent if c.get("differing") == 0 else None), c
        time.sleep(0.2)


def run_scene(peer, client, name, args):
    frames, rate, every = SCENES[name]
    scene = os.path.join(args.scene_dir, SOURCES.get(name, name) + ".scene")
    log = os.path.join(peer.work, "draw.log")
    with open(log, "ab"):
        os.chmod(log, 0o666)
    client.ask("begin", scene, log, every)
    verb = {"keys": "keys", "keys-film": "keysfilm"}.get(name, "play")
    pipe_write(peer, f"{verb} {scene} {log} {max(frames, 1)} {rate}")
    time.sleep(1.3)  # the background is not the scene
    if name == "idle":
        settle(client, 3)
        time.sleep(2)
    client.ask("mark")
    server0, t0, background0 = cpu_of(peer.processes()), time.monotonic(), peer.background_bytes()
    result = {}
    if name == "keys":
        result.update(client.ask("keys", frames, 80))
    elif name == "keys-film":
        time.sleep(1.5)  # the film has become one
        result.update(client.ask("keys2", *FILM_KEYS))
    with open(scene, "rb") as f:
        f.seek(28)
        own_rate = int.from_bytes(f.read(4), "little") / 1000
    played = frames / (rate or own_rate) + 0.35
    time.sleep(10 if name == "idle" else 0.5 if name == "keys" else max(0.1, played - (time.monotonic() - t0)))
    server_cpu, spent = cpu_of(peer.processes()) - server0, time.monotonic() - t0
    result.update(client.ask("end"))
    result["server_cpu"] = server_cpu / spent * 100
    result["client_cpu"] = result["client_cpu"] / result["seconds"] * 100
    result["background"] = peer.background_bytes() - background0
    result["rate_kb"] = (result["rx"] - result["background"]) / 1000 / max(result["seconds"], 0.001)
    result["background_kb"] = result["background"] / 1000 / max(result["seconds"], 0.001)
    result["first_check"] = client.ask("check")
    rx0 = time.monotonic()
    result["exact_after"], result["last_check"] = settle(client, args.settle)
    result["settle_seconds"] = time.monotonic() - rx0
    result["pss_of"] = pss_of(peer.processes())
    result["pss"] = sum(result["pss_of"].values())
    return result


def measure(peer_name, args):
    peer = PEERS[peer_name](os.path.join(args.work, peer_name), args.programs)
    os.makedirs(peer.work, exist_ok=True)
    os.chmod(peer.work, 0o777)
    if os.path.exists(peer.pipe):
        os.unlink(peer.pipe)
    os.mkfifo(peer.pipe)
    os.chmod(peer.pipe, 0o666)
    results = {}
    client = None
    try:
        peer.start()
        client = Client(args.prefix, args.programs, args.host, PORT[peer_name], peer.options(args.avc), os.path.join(peer.work, "client.log"))
        for name in args.scenes:
            results[name] = run_scene(peer, client, name, args)
            print(f"  {peer_name} {name}: {row(results[name])}", flush=True)
            if args.shots:
                client.ask("shot", os.path.join(args.out, f"{peer_name}-{name}.ppm"))
    except RuntimeError as e:
        results["error"] = str(e)
        print(f"  {peer_name}: {e} (logs in {peer.work})", flush=True)
    finally:
        if client:
            client.close()
        peer.stop()
    return results


def row(r):
    f = lambda v, d=1: "–" if v is None else f"{v:.{d}f}"
    keys = f"key to pixel {f(r['p50'])} / {f(r['p95'])} ms, at most {f(r['max'])} ({r['keys']} of {r['of']})" if "keys" in r else ""
    if keys and r["shown"] <= r["keys"]:
        return keys
    return (f"{keys + ', ' if keys else ''}{f(r['rate_kb'])} kB/s and {f(r['background_kb'])} in the background ({r['rx']} B, back {f(r['tx'] / 1000 / max(r['seconds'], 0.001))} kB/s), lag {f(r['lag_p50'])} / {f(r['lag_p95'])} ms, longest gap {f(r['gap_max'], 0)} ms, {r['shown']} of {r['drawn']} frames, "
            f"moving {f(r['psnr_moving'])} dB, after {f(r['first_check'].get('psnr'))} dB, exact after {f(r['exact_after'])} s, "
            f"CPU {f(r['server_cpu'])} + {f(r['client_cpu'])} %, PSS {f(r['pss'])} MB, {r['codecs']} "
            f"{r['copies']} copies {r['fills']} fills {r['cached']} cached")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--peers", default="oriel,xrdp-h264,xrdp-rfx,shadow")
    p.add_argument("--scenes", default=",".join(SCENES))
    p.add_argument("--avc", default="420", choices=("420", "444", "off"))
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--programs", required=True, help="folder with Oriel's and the bench's programs")
    p.add_argument("--out", default="/var/tmp/oriel-bench-out")
    p.add_argument("--settle", type=float, default=8)
    p.add_argument("--profile", default="loopback", choices=["loopback"] + list(PROFILES))
    p.add_argument("--shots", action="store_true")
    args = p.parse_args()
    world()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    args.work = tempfile.mkdtemp(prefix="oriel-bench-", dir="/tmp")
    args.host = "127.0.0.1"
    args.scenes = args.scenes.split(",")
    args.scene_dir = os.path.join("/var/tmp", f"oriel-bench-scenes-{args.seed}")
    os.chmod(args.work, 0o755)
    os.makedirs(args.out, exist_ok=True)
    if not os.path.exists(os.path.join(args.scene_dir, "pan.scene")):
        subprocess.run([sys.executable, os.path.join(HERE, "make_scenes.py"), "--seed", str(args.seed), "--out", args.scene_dir], check=True)
    furnish(args.work)
    # the players of all peers see the scenes below the work folder, the only one that xrdp's tree shares
    os.makedirs(f"{args.work}/scenes")
    subprocess.run(["mount", "--bind", args.scene_dir, f"{args.work}/scenes"], check=True)
    args.scene_dir = f"{args.work}/scenes"
    args.prefix = emulate(args)
    everything = {"seed": args.seed, "avc": args.avc, "profile": args.profile, "results": {}}
    for name in args.peers.split(","):
        everything["results"][name] = measure(name, args)
    with open(os.path.join(args.out, f"bench-{args.profile}-{args.seed}-{args.avc}.json"), "w") as f:
        json.dump(everything, f, indent=1)
    print(f"\n| scene | {' | '.join(everything['results'])} |")
    for scene in args.scenes:
        cells = [row(r[scene]) if scene in r else r.get("error", "–") for r in everything["results"].values()]
        print(f"| {scene} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
