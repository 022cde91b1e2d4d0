# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes as they are played and measured, the measuring client, and what is read of the server's processes."""
import dataclasses
import json
import os
import struct
import subprocess
import time

from peers import PASSWORD, USER


@dataclasses.dataclass
class Scene:
    frames: int            # that count
    every: int = 0         # compare each n-th of them while it moves
    warm: int = 0          # frames shown before those that count
    source: str = ""       # another scene's pictures
    verb: str = "play"     # of the player
    keys: tuple = ()       # the client's command, how many keys, how far apart in ms, seconds to wait before
    still: float = 0       # seconds of stillness that count, instead of the frames


SCENES = {
    "idle": Scene(1, source="typing", still=10),
    "typing": Scene(100, every=10),
    "scroll": Scene(240, every=20),
    "page": Scene(8, every=1),
    "slide": Scene(8, every=1),
    "slide-again": Scene(12, every=1, warm=3),
    "drag": Scene(480, every=30),
    "film": Scene(240, every=16),
    "film-colour": Scene(240, every=16),
    "pan": Scene(240, every=16),
    "keys": Scene(60, source="typing", verb="keys", keys=("keys", 60, 80, 0)),
    "keys-film": Scene(1000, every=40, source="film", verb="keysfilm", keys=("keys2", 200, 150, 1.5)),
}
TAIL = 0.35  # seconds after a scene's last frame that still count as the scene
LEAD = 0.15  # and before its first


class Client:
    def __init__(self, prefix, programs, host, port, options, log):
        argv = prefix + [f"{programs}/bench-client", f"/v:{host}:{port}", "/cert:ignore", f"/u:{USER}", f"/p:{PASSWORD}", "/size:1920x1080",
                         "/bpp:32", "/network:lan", "/log-level:ERROR", "/sec:tls"] + options
        self.log = open(log, "ab")
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.answer()

    def answer(self):
        while True:
            line = self.p.stdout.readline()
            if not line:
                raise RuntimeError("the client ended")
            if line.startswith("{"):
                break
        found = json.loads(line.replace("-nan", "null").replace("nan", "null"))
        if "error" in found:
            raise RuntimeError("the client: " + found["error"])
        return found

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
        self.log.close()


class DrawLog:
    """When the player drew each frame, in seconds of the monotonic clock."""

    def __init__(self, path):
        self.path = path
        with open(path, "ab"):
            os.chmod(path, 0o666)

    def at(self, frame):
        with open(self.path, "rb") as f:
            f.seek(frame * 8)
            return struct.unpack("<Q", f.read(8))[0] / 1e6

    def wait(self, frame, seconds):
        end = time.monotonic() + seconds
        while not self.at(frame):
            if time.monotonic() > end:
                raise RuntimeError(f"the player has not drawn frame {frame} in {seconds:.0f} s")
            time.sleep(0.01)
        return self.at(frame)


def sleep_until(when):
    time.sleep(max(0, when - time.monotonic()))


class Usage:
    """CPU seconds of the server's processes since it was made, and their memory."""

    def __init__(self, peer):
        self.peer, self.start = peer, time.monotonic()
        self.before = self.seconds()

    def seconds(self):
        found = {}
        for pid, (name, side) in self.peer.processes().items():
            try:
                with open(f"/proc/{pid}/stat") as f:
                    fields = f.read().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[pid] = (name, side, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
        return found

    def cpu(self):
        """{side: {program: % of a core}}; the X server is a side of its own."""
        spent, found = time.monotonic() - self.start, {}
        for pid, (name, side, seconds) in self.seconds().items():
            before = self.before.get(pid, (name, side, 0))[2]
            programs = found.setdefault(side, {})
            programs[name] = programs.get(name, 0) + (seconds - before) / spent * 100
        return found

    def pss(self):
        """{side: {program: MB}}"""
        found = {}
        for pid, (name, side) in self.peer.processes().items():
            try:
                with open(f"/proc/{pid}/smaps_rollup") as f:
                    kb = next(int(r.split()[1]) for r in f if r.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
            programs = found.setdefault(side, {})
            programs[name] = programs.get(name, 0) + kb / 1024
        return found


def add_up(result, usage):
    """What the server's processes spent, and bytes a second, from the figures of the client's `end`."""
    cpu, pss = usage.cpu(), usage.pss()
    result["cpu_of"], result["pss_of"] = cpu, pss
    result["server_cpu"] = sum(sum(cpu.get(side, {}).values()) for side in ("client", "shared"))
    result["client_cpu"] = result["client_seconds"] / result["seconds"] * 100
    result["pss_client"] = sum(pss.get("client", {}).values())
    result["pss_shared"] = sum(pss.get("shared", {}).values())
    result["rate_kb"] = (result["rx"] - result["background"]) / 1000 / max(result["seconds"], 0.001)
    result["background_kb"] = result["background"] / 1000 / max(result["seconds"], 0.001)
    result["back_kb"] = result["tx"] / 1000 / max(result["seconds"], 0.001)


def own_rate(path):
    with open(path, "rb") as f:
        f.seek(28)
        return int.from_bytes(f.read(4), "little") / 1000


def run_scene(peer, client, name, args):
    s = SCENES[name]
    path = os.path.join(args.scene_dir, (s.source or name) + ".scene")
    log, rate, total = DrawLog(os.path.join(peer.work, "draw.log")), own_rate(path), s.warm + s.frames
    client.ask("begin", path, log.path, s.every, s.warm, total)
    peer.tell(f"{s.verb} {path} {log.path} {total} 0")
    first = log.wait(s.warm, 15 + s.warm / rate) + (1 / rate if s.warm else 0)  # entry 0: when the first frame is due
    if s.still:
        client.ask("settle", 3)
        time.sleep(2)
    else:
        sleep_until(first - LEAD)
    client.ask("mark")
    usage, background, bulk = Usage(peer), peer.background_bytes(), peer.bulk_bytes()
    result = {"frames": s.frames}
    if s.keys:
        verb, keys, apart, wait = s.keys
        time.sleep(wait)  # a film has become one
        result.update(client.ask(verb, keys, apart))
    if s.still:
        time.sleep(s.still)
    elif s.verb != "keys":
        sleep_until(log.wait(total, s.frames / rate + 10) + TAIL)
    result.update(client.ask("end"))
    result["background"] = peer.background_bytes() - background
    result["bulk_kb"] = (peer.bulk_bytes() - bulk) / 1000 / result["seconds"]
    add_up(result, usage)
    result.update(client.ask("settle", args.settle))
    result.update(client.ask("moving"))
    result["frame_kb"] = result["first_bytes"] / 1000 / result["first_frames"] if result["first_frames"] else None
    result["missing"] = result["drawn"] - result["shown"]
    result["client_ms"] = result["client_seconds"] * 1000 / s.frames
    return result
