# SPDX-License-Identifier: GPL-3.0-or-later
"""What the issue "Encode only what changed" asks of each scene, and the tables that say whether it was reached."""

# {scene or (scene, avc): {figure of a result: the most it may be; "psnr_moving": the least}}
EXACT_AT_ONCE = {"inexact": 0}
GOALS = {
    "idle": {"rx": 0, "differing": 0, "server_cpu": 0.05, "client_cpu": 0.05},
    "typing": {"rate_kb": 1.2, "lag_p50": 2.5, "lag_p95": 5, "missing": 0, "server_cpu": 0.5, "client_cpu": 0.5, **EXACT_AT_ONCE},
    "scroll": {"rate_kb": 50, "lag_p50": 6, "lag_p95": 12, "missing": 0, "server_cpu": 10, "client_cpu": 10, **EXACT_AT_ONCE},
    "page": {"rate_kb": 60, "lag_p50": 20, "client_ms": 25, **EXACT_AT_ONCE},
    "slide": {"frame_kb": 180, "lag_p50": 25, "missing": 0, "text_wrong": 0, "psnr_moving": 38, "sharp_after": 1},
    "slide-again": {"rate_kb": 10, "lag_p50": 10, "missing": 0, "inexact": 0},
    "drag": {"rate_kb": 250, "lag_p50": 7, "lag_p95": 14, "missing": 0, "text_wrong": 0, "psnr_moving": 36, "exact_after": 1,
             "server_cpu": 20, "client_cpu": 15},
    "film": {"rate_kb": 350, "lag_p50": 16, "lag_p95": 24, "missing": 0, "psnr_moving": 34.5, "text_wrong": 0, "sharp_after": 1,
             "server_cpu": 35, "client_cpu": 30},
    "pan": {"rate_kb": 250, "lag_p50": 12, "lag_p95": 18, "missing": 0, "psnr_moving": 37, "sharp_after": 1, "server_cpu": 22,
            "client_cpu": 22},
    ("film", "off"): {"rate_kb": 3000, "lag_p50": 35, "lag_p95": 50, "missing": 0, "psnr_moving": 34.5, "server_cpu": 60, "client_cpu": 80},
    "keys": {"p50": 3, "p95": 6},
}
STILL = {"gap_max": 1000, "text_after": 2, "sharp_after": 10}
LINK_GOALS = {  # the same on emulated links
    "wan": {"keys": {"p50": 46}, "scroll": {"missing": 0, "lag_p50": 32}, "film": {"missing": 0, "lag_p50": 45}},
    "slow": {"keys-film": {"p95": 130}, **{s: STILL for s in ("scroll", "drag", "film", "pan")}, "slide": {"text_after": 2, "sharp_after": 10}},
    "lossy": {"keys-film": {"p95": 70}, **{s: STILL for s in ("scroll", "drag", "film", "pan")}, "slide": {"text_after": 2, "sharp_after": 10}},
}
MEMORY_GOAL = 35  # MB of PSS per client
LEAST = ("psnr_moving",)


def goals_of(scene, avc, profile):
    if profile != "loopback":
        return LINK_GOALS.get(profile, {}).get(scene, {})
    return GOALS.get((scene, avc)) or GOALS.get(scene, {})


def number(value, digits=1):
    return "–" if value is None else f"{value:.{digits}f}"


def goal(result, goals):
    """"met", or what was missed and by how much; "" where nothing is asked."""
    missed = []
    for figure, limit in goals.items():
        value = result.get(figure)
        if value is None or (value < limit if figure in LEAST else value > limit):
            missed.append(f"{figure} {number(value, 2 if limit < 5 else 1)} {'<' if figure in LEAST else '>'} {limit}")
    return "missed: " + ", ".join(missed) if missed else "met" if goals else ""


def codecs(result):
    mix = [f"{name} {count} ({number(size / 1000, 0)} kB)" for name, (count, size) in result["codecs"].items()]
    return ", ".join(mix + [f"{result[what]} {what}" for what in ("copies", "fills", "cached") if result[what]])


def picture(result):
    if "samples" not in result:  # an application
        return "exact" if result["differing"] == 0 else f"{number(result['psnr'])} dB"
    if result["samples"] and not result["inexact"]:
        return "exact at once"
    parts = []
    if result["samples"]:
        parts.append(f"{number(result['psnr_moving'])} dB")
        parts.append(f"{number(result['text_wrong_pixels'], 0)} pixels of text wrong" if result["text_wrong"] else "text exact at once")
    if result["exact_after"] is None:
        parts.append(f"then {number(result['psnr'])} dB, never exact")
    for what, name in (("text_after", "text exact"), ("sharp_after", "45 dB"), ("exact_after", "exact")):
        if result["samples"] and result[what] is not None and (result["text_wrong"] or what != "text_after"):
            parts.append(f"{name} {number(result[what], 2)} s after")
    return ", ".join(parts) or "exact"


def row(scene, peer, result, goals):
    """One row in the form of docs/PERFORMANCE.md."""
    if "error" in result:
        return f"| {scene} | {peer} | {result['error']} |||||||"
    lag, frames = "–", "–"
    if result.get("shown"):
        lag, frames = f"{number(result['lag_p50'])} / {number(result['lag_p95'])}", f"{result['shown']} of {result['drawn']}"
    if "keys" in result:
        lag = f"key {number(result['p50'])} / {number(result['p95'])}"
        frames = f"{result['keys']} of {result['of']}"
    if "frames_per_s" in result:
        frames = f"{number(result['frames_per_s'])}/s"
    size = f"{number(result['rate_kb'])} kB" + (f" + {number(result['background_kb'])} kB" if result["background"] else "")
    cpu = f"{number(result['server_cpu'])} + {number(result['client_cpu'])}"
    return (f"| {scene} | {peer} | {size}, back {number(result['back_kb'])} kB | {lag} | {frames} | {picture(result)} | {cpu} | {codecs(result)} | "
            f"{goal(result, goals)} |")


def programs(of):
    return ", ".join(f"{name} {number(value)}" for name, value in sorted(of.items(), key=lambda kv: -kv[1]))


def memory_row(what, scene, peer, r, oriel):
    judged = f" | {goal(r, {'pss_client': MEMORY_GOAL})}" if oriel else " | "
    return (f"| PSS, {what} ({scene}) | {peer} | per client {number(r['pss_client'])} MB: {programs(r['pss_of'].get('client', {}))} | "
            f"shared {number(r['pss_shared'])} MB: {programs(r['pss_of'].get('shared', {}))}{judged} |")


def resource_rows(peer, results, oriel):
    """The scene that took most memory, with each program's part, and a screen that stands still; and the most CPU."""
    done = [(name, r) for name, r in results.items() if "pss_of" in r]
    if not done:
        return
    scene, r = max(done, key=lambda x: x[1]["pss_client"])
    yield memory_row("at most", scene, peer, r, oriel)
    if "idle" in results and results["idle"] in [r for _, r in done]:
        yield memory_row("still", "idle", peer, results["idle"], oriel)
    scene, r = max(done, key=lambda x: x[1]["server_cpu"])
    yield (f"| CPU %, at most ({scene}) | {peer} | per client: {programs(r['cpu_of'].get('client', {}))} | "
           f"shared: {programs(r['cpu_of'].get('shared', {}))}; X server: {programs(r['cpu_of'].get('x', {}))} | |")


def tables(everything):
    """Markdown: for each value of --avc one table of scenes, then who used what."""
    for avc in everything["avc"]:
        yield f"\nAVC {avc}, {everything['profile']}, seed {everything['seed']}\n"
        yield "| scene | | bytes a second | lag, ms | frames | picture | CPU, % | codecs | goal |\n|---|---|---|---|---|---|---|---|---|"
        for scene in everything["scenes"]:
            for peer, by_avc in everything["results"].items():
                if scene in by_avc.get(avc, {}):
                    goals = goals_of(scene, avc, everything["profile"]) if peer == "oriel" else {}
                    yield row(scene, peer, by_avc[avc][scene], goals)
        yield "\n| most used | | per client | shared | goal |\n|---|---|---|---|---|"
        for peer, by_avc in everything["results"].items():
            yield from resource_rows(peer, by_avc.get(avc, {}), peer == "oriel")
