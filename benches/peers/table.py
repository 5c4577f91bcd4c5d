"""Medians of the rounds, ratios and floors, as Markdown."""

from collections import defaultdict
from statistics import median

from contests import CONTESTS, DENSE

# Sizes and numbers of runs of the presets, as in common.py, which needs NumPy.
PRESETS = {
    "reference": dict(d=128, n=16, l=4, k=16, m=32, B=64, T=500, R=32),
    "large": dict(d=512, n=32, l=8, k=32, m=64, B=256, T=200, R=4),
}
CLEAN = 0.03  # the most that others may take of the machine in a round that counts
FAIR = 0.6  # the least share of the machine's multiply-adds at which a peer's matrix products are a fair comparison


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    return f"{number(min(values))} – {number(max(values))}"


def best_limits(rows):
    """The most that the machine reached in any round, by the name of the limit."""
    limits = [r for r in rows if r.get("label") == "limits" and "failed" not in r]
    names = [name for name in limits[0] if name.endswith(("gflops", "gbs", "_M"))] if limits else []
    return {name: max(r[name] for r in limits) for name in names}


def products_shares(rows):
    """By preset and type: the share of the machine's multiply-adds that the dense C peer's matrix products reach."""
    best, shares = best_limits(rows), {}
    for r in rows:
        if r.get("label") == "products" and "failed" not in r and best:
            share = r["products_gflops"] / best[f"fma_f{r['dtype'][-2:]}_gflops"]
            shares[r["preset"], r["dtype"]] = max(share, shares.get((r["preset"], r["dtype"]), 0))
    return shares


def contest_table(preset, xi, rows, shares):
    """The programs on one workload. A ratio is the median over the rounds of ours divided by theirs in that round."""
    runs = defaultdict(dict)
    for r in rows:
        if "failed" not in r and "missing" not in r:
            runs[r["label"], r["dtype"]][r["round"]] = r
    if not runs:
        return
    whole = PRESETS[preset]["T"] * PRESETS[preset]["R"]
    print(f"\n**`{preset}`, noise {xi:g}**\n")
    heads = ["program", "type", "seeds × iterations a second", "min – max", "this program ÷ it", "min – max", "active"]
    heads += ["start-up, s", "whole workload with start-up at this rate, s", "MB", "rounds (quiet)"]
    print(f"| {' | '.join(heads)} |")
    print("| --- | --- " + "| ---: " * 9 + "|")
    ours = next((key for key in runs if key[0].startswith("this program")), None)
    for key in sorted(runs, key=lambda key: -median(r["seed_iters_per_s"] for r in runs[key].values())):
        quiet = {n: r for n, r in runs[key].items() if r["foreign"] <= CLEAN}
        use = quiet if 2 * len(quiet) >= len(runs[key]) else runs[key]
        middle = lambda name: median(r[name] for r in use.values())
        rates = [r["seed_iters_per_s"] for r in use.values()]
        ratios = ["", ""]
        if ours and key != ours:
            both = [n for n in use if n in runs[ours]]
            each = [runs[ours][n]["seed_iters_per_s"] / use[n]["seed_iters_per_s"] for n in both]
            ratios = [f"**{median(each):.3g}**", spread(each)] if each else ratios
        start = median(r["wall_s"] - r["train_s"] for r in use.values())
        share = shares.get((preset, key[1])) if key[0] == DENSE else None
        unfair = "" if share is None or share >= FAIR else f" (no fair peer: {share:.0%} of the multiply-add peak)"
        print(
            f"| {key[0]}{unfair} | {key[1].replace('float', 'f')} | {number(median(rates))} | {spread(rates)} | {ratios[0]} | "
            f"{ratios[1]} | {middle('active'):.2f} | {start:.2f} | {start + whole / median(rates):.3g} | "
            f"{middle('rss_mb'):.0f} | {len(runs[key])} ({len(quiet)}) |"
        )
    for r in rows:
        if "missing" in r:
            print(f"| {r['label']} | {r['dtype'].replace('float', 'f')} | skipped: {r['missing']} |{' |' * 8}")


def floor_table(rows, pattern_floors):
    """What no program of this kind can beat on this machine, beside what ours reaches."""
    limits = [r for r in rows if r.get("label") == "limits" and "failed" not in r]
    if not limits:
        return
    best = best_limits(rows)
    print("\n**Floors, f64**: what the machine's limits allow\n")
    heads = ["workload", "algorithm", "Mflop an iteration", "Gaussians", "seeds × iterations a second", "reached"]
    print(f"| {' | '.join(heads)} |")
    print("| --- | --- " + "| ---: " * 4 + "|")
    for preset, xi in CONTESTS:
        ours = [
            r for r in rows if r.get("preset") == preset and r.get("xi") == xi and r["label"].startswith("this program")
        ]
        if not ours:
            continue
        reached = median(r["seed_iters_per_s"] for r in ours)
        if xi == 0:
            floor = pattern_floors.get(preset)
            shown = f"{number(floor)} | {reached / floor:.0%}" if floor else "not measured | "
            print(f"| {preset} | pattern coordinates, by `cargo bench --bench floor` | | | {shown} |")
            continue
        flops, moved, gaussians = dense_work(PRESETS[preset], median(r["active"] for r in ours))
        seconds = max(flops / best["fma_f64_gflops"] / 1e9, moved / best["triad_l2_gbs"] / 1e9)
        floor = 1 / (seconds + gaussians / best["normals_f64_M"] / 1e6)
        work = f"{flops / 1e6:.1f} | {gaussians:,}"
        print(f"| {preset}, noise {xi:g} | matrix products | {work} | {number(floor)} | {reached / floor:.0%} |")
    print(
        f"\nLimits, {limits[0]['procs']} cores: {best['fma_f64_gflops']:.0f} GFLOP/s of fused multiply-adds in f64, "
        f"{best['normals_f64_M']:,.0f} million Gaussian numbers a second, {best['triad_l2_gbs']:.0f} GB/s in the second "
        f"cache, {best['triad_dram_gbs']:.0f} in memory."
    )
    for (preset, dtype), share in products_shares(rows).items():
        print(f"Matrix products of the dense C peer, `{preset}`, {dtype.replace('float', 'f')}: {share:.0%} of the multiply-add peak.")
    if all(r["foreign"] > CLEAN for r in limits):
        print("They were measured on a busy machine, so they and the floors are too low.")


def dense_work(p, active):
    """Operations, bytes that have to move, and Gaussian numbers of an iteration by matrix products in f64."""
    d, n, l, k, m, B = (p[name] for name in "dnlkmB")
    hidden = 2 * B * k * l * d * m
    flops = 2 * B * n * d * k + hidden + active * (hidden + 2 * B * k * l * d) + (1 + active) * 2 * B * k * l * m
    return flops, 8 * (2 * B * n * d + 2 * k * d * (m + 1)), B * n * d


def default_table(rows):
    """The simulation `default`, from the command line."""
    runs = [r for r in rows if r.get("label") == "default" and "failed" not in r]
    if not runs:
        return
    print("\n**`simulate run default`** (1,000 seeds)\n")
    print("| seconds | min – max | not in the runs: loading, writing, judging, idle threads | `simulate judge`, s |")
    print("| ---: | ---: | ---: | ---: |")
    middle = lambda name: median(r[name] for r in runs)
    seconds = f"{middle('run_s'):.2f} | {spread([r['run_s'] for r in runs])}"
    print(f"| {seconds} | {middle('outside'):.1%} | {middle('judge_s'):.2f} |")


def show(rows, machine, pattern_floors):
    print(f"Machine: {machine}. Rounds: {len({r['round'] for r in rows})}.")
    shares = products_shares(rows)
    for preset, xi in CONTESTS:
        contest_table(preset, xi, [r for r in rows if r.get("preset") == preset and r.get("xi") == xi], shares)
    floor_table(rows, pattern_floors)
    default_table(rows)
    for r in rows:
        if "failed" in r:
            last = (r.get("said") or "").strip().splitlines()[-1:]
            print(f"\nFailed: {r['label']} {r.get('dtype', '')} on {r.get('preset', '')}: {' '.join(last)}")
