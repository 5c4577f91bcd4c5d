#!/usr/bin/env python3
"""Runs this program and its peers on the same workloads, interleaved, and prints the tables of docs/measured/VERSION/performance.md.

    python3 benches/peers/compare.py                     # everything: 5 rounds, 15 to 22 minutes on 2 cores
    python3 benches/peers/compare.py --rounds 3 --presets reference --noise 0 --peers c
    python3 benches/peers/compare.py --check-only        # all train on the same batches and must agree
    python3 benches/peers/compare.py --table target/peers/results.jsonl

Builds everything into cargo's target folder. The Python peers need NumPy and JAX, taken from PYTHON=... or from a
virtual environment that is made in target/peers/venv; PyTorch takes part if that Python has it (PyPI's wheel for Linux
is the CUDA build of several gigabytes, so it is not installed from here). A peer that can't be built is a row that says
why. The C peers are built for this processor's vectors, or for those of C_MARCH=x86-64-v3 (AVX2) or x86-64 (SSE2); what
share of the processor's multiply-adds their matrix products reach is measured, too. Before each run it waits for a
quiet machine (--wait), and notes what other processes took."""

import argparse, csv, json, os, subprocess, sys, tempfile, time

import machine, table
from contests import CONTESTS, DENSE, PEERS, checks, entries

REALS = (("double", 64), ("float", 32))
MARCH = os.environ.get("C_MARCH", "native")
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def target_folder():
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)["target_directory"]


def build(target, peers):
    """Builds ours and the C peers; returns where everything is, and what is missing for which reason."""
    command = ["cargo", "build", "--release", "--locked", "--example", "workload", "--bin", "simulate"]
    subprocess.run(command, cwd=ROOT, check=True)
    folder = os.path.join(target, "peers")
    os.makedirs(folder, exist_ok=True)
    missing = {}
    if "c" in peers:
        programs = {f"{name}_f{bits}": (name, real) for name in ("pattern", "dense") for real, bits in REALS}
        for out, (name, real) in [*programs.items(), ("limits", ("limits", "double"))]:
            command = ["gcc", "-O3", f"-march={MARCH}", "-ffast-math", "-Wall", f"-DREAL={real}", f"{HERE}/{name}.c"]
            note_missing(missing, out, [*command, "-o", os.path.join(folder, out), "-lm"])
    release = os.path.join(target, "release")
    return {
        "workload": f"{release}/examples/workload",
        "simulate": f"{release}/simulate",
        "build": folder,
        "here": HERE,
        "missing": missing,
    }


def note_missing(missing, name, command):
    """Runs a command that makes something or shows that it is there; else notes why not, and says it."""
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in lines if "error" in line.lower()] or lines[-1:] or [f"status {done.returncode}"]
        reason = errors[0] if done.returncode else None
    except OSError as error:
        reason = f"{command[0]}: {error.strerror}"
    if reason:
        missing[name] = reason.strip().replace("|", "/")
        say(f"skipped: {name}, {missing[name]}")


def python(folder, peers, missing):
    """A Python that has what the peers need; notes those that it does not have."""
    wanted = [peer for peer in peers if peer != "c"]
    if not wanted:
        return None
    found = os.environ.get("PYTHON")
    if not found:
        venv = os.path.join(folder, "venv")
        found = os.path.join(venv, "bin", "python")
        if not os.path.exists(os.path.join(venv, "ready")):
            try:
                subprocess.run([sys.executable, "-m", "venv", venv], check=True)
                subprocess.run([found, "-m", "pip", "install", "--quiet", "numpy", "jax[cpu]"], check=True)
                open(os.path.join(venv, "ready"), "w").close()
            except (OSError, subprocess.CalledProcessError) as error:
                say("no virtual environment with NumPy and JAX:", error)
    for peer in wanted:
        note_missing(missing, peer, [found, "-c", f"import numpy, {peer}"])
    return found


def check(peers, paths):
    """All programs train on the same batches; False if one differs from NumPy in float64."""
    if "numpy" not in peers or "numpy" in paths["missing"]:
        say("skipped: the comparison on the same batches, which needs NumPy")
        return True
    agree = True
    with tempfile.TemporaryDirectory() as folder:
        for name in ("noise", "ties"):
            file = os.path.join(folder, name)
            batches = [paths["python"], f"{HERE}/batches.py"]
            subprocess.run([*batches, "write", file, name], check=True)
            for command in checks(name, file, peers, paths):
                subprocess.run(command, check=True)
            print(f"Same batches, {name}:", flush=True)
            agree &= subprocess.run([*batches, "compare", file]).returncode == 0
    return agree


def default_run(paths):
    """The simulation `default` from the command line: seconds, and the share that is not in its runs."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "default")
        start = time.perf_counter()
        subprocess.run([paths["simulate"], "run", "default", "--quiet", "--timings", "--out", out], check=True)
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        subprocess.run([paths["simulate"], "judge", out], check=True, capture_output=True)
        judge = time.perf_counter() - start
        with open(os.path.join(out, "runs.csv")) as f:
            inside = sum(float(row["seconds"]) for row in csv.DictReader(f))
    return dict(run_s=seconds, judge_s=judge, outside=max(0, 1 - inside / seconds / machine.CORES))


def pattern_floors():
    """By preset, from the lines of JSON that the bench `floor` prints; empty if it prints none."""
    command = ["cargo", "bench", "--locked", "--bench", "floor"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {line["preset"]: line["seed_iters_per_s"] for line in lines if "seed_iters_per_s" in line}


def rounds(a, peers, paths, record):
    chosen = [(preset, xi) for preset, xi in CONTESTS if preset in a.presets and xi in a.noise]
    for number in range(a.rounds):
        jobs = [(preset, xi, e) for preset, xi in chosen for e in entries(preset, xi, peers, paths, a.procs)]
        # Every other round goes backwards, so that a drift of the machine hits all alike.
        for preset, xi, entry in jobs if number % 2 == 0 else reversed(jobs):
            if entry.missing:
                if number == 0:
                    record(dict(label=entry.label, preset=preset, xi=xi, dtype=entry.dtype, missing=entry.missing, round=0))
                continue
            r = machine.run(entry.command, wait=a.wait)
            r.update(round=number, label=entry.label, preset=preset, xi=xi, dtype=entry.dtype, command=entry.command)
            record(r)
            rate = r.get("seed_iters_per_s", r)
            say(f"{number} {preset} {xi:g} {entry.label} {entry.dtype}: {rate} (others {r['foreign']:.1%})")
        if "c" in peers and "limits" not in paths["missing"]:
            limits = machine.run([f"{paths['build']}/limits", str(a.procs)], wait=a.wait)
            record(dict(limits, round=number, label="limits"))
        for preset, xi, entry in jobs:
            if entry.label == DENSE and not entry.missing:
                products = machine.run([entry.command[0], f"preset={preset}", f"procs={a.procs}", "products=1"], wait=0)
                record(dict(products, round=number, label="products", preset=preset, dtype=entry.dtype))
        if a.default:
            machine.wait_until_quiet(a.wait)
            record(dict(default_run(paths), round=number, label="default"))


def options():
    words = lambda text: [word for word in text.split(",") if word]
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--presets", type=words, default=["reference", "large"])
    p.add_argument("--noise", type=lambda text: [float(word) for word in words(text)], default=[0.0, 0.1])
    p.add_argument("--peers", type=words, default=PEERS, help="of c, jax, numpy, torch")
    p.add_argument("--procs", type=int, default=2, help="threads, or processes, of every program")
    p.add_argument("--wait", type=float, default=10, help="most seconds to wait for a quiet machine before a run")
    p.add_argument("--no-default", dest="default", action="store_false", help="without the simulation `default`")
    p.add_argument("--no-floor", dest="floor", action="store_false", help="without the bench `floor`")
    p.add_argument("--no-check", dest="check", action="store_false", help="without the comparison on the same batches")
    p.add_argument("--check-only", action="store_true")
    p.add_argument("--out", help="where each run's line goes; target/peers/results.jsonl")
    p.add_argument("--table", help="only the tables of this file")
    return p.parse_args()


def main():
    a = options()
    if a.table:
        with open(a.table) as f:
            lines = [json.loads(line) for line in f]
        return table.show(lines[1:], lines[0]["machine"], lines[-1].get("floors", {}))
    peers = list(a.peers)
    paths = build(target_folder(), peers)
    paths["python"] = python(paths["build"], peers, paths["missing"])
    if (a.check or a.check_only) and not check(peers, paths):
        sys.exit("the programs differ")
    if a.check_only:
        return
    rows = []
    out = a.out or os.path.join(paths["build"], "results.jsonl")
    with open(out, "w") as f:
        print(json.dumps({"machine": machine.describe(MARCH)}), file=f, flush=True)

        def record(row):
            rows.append(row)
            print(json.dumps(row), file=f, flush=True)

        rounds(a, peers, paths, record)
        floors = pattern_floors() if a.floor else {}
        print(json.dumps({"label": "floors", "floors": floors, "round": 0}), file=f)
    table.show(rows, machine.describe(MARCH), floors)


if __name__ == "__main__":
    main()
