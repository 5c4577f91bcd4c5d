#!/usr/bin/env python3
"""Does every `expect` of the shipped simulations come out whatever the master seed is? Prints the table of docs/measured/VERSION/seeds.md.

    python3 tests/expectations.py                          # all, at five master seeds: about four hours on 2 cores
    python3 tests/expectations.py certificates --seeds 5,6 # one simulation at others
    python3 tests/expectations.py --table                  # the tables of what was run, without running

Needs target/release/simulate (or --simulate PATH) and nothing beside Python's standard library. Finished runs in --out
are kept, unless they are another program's. The exit status is 1 if a verdict is not as expected, or would come out at
fewer than 95 % of fresh master seeds.

The power of an expectation, the probability that it comes out at a fresh master seed, is computed from all seeds that
were run. A share is the pooled one (x + ½)/(n + 1), in the exact test. A slope or a comparison has as many standard
errors beyond its threshold as in the mean over seeds, and one standard error of spread. Each test is at the level that
Holm's method leaves it. Of several parts SUPPORTED needs all (Bonferroni), REFUTED the best one."""

import argparse, csv, os, re, subprocess, sys
from collections import defaultdict
from math import exp, inf, lgamma, log
from statistics import NormalDist, mean, median

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SEEDS = [0, 1, 777, 4242, 20261127]
ALPHA = 0.05
# What takes longest comes last, so that most of the table is there soon.
LAST = ["certificates", "criteria", "theorem1"]


def with_expectations():
    """The shipped simulations that expect a verdict."""
    names = []
    for file in sorted(os.listdir(os.path.join(ROOT, "sims"))):
        with open(os.path.join(ROOT, "sims", file)) as f:
            if re.search(r"^expect\s*=", f.read(), re.MULTILINE):
                names.append(file.removesuffix(".toml"))
    return sorted(names, key=lambda name: LAST.index(name) if name in LAST else -1)


def run(a, name, seed):
    """Runs one simulation at one master seed; its exit status must say what claims.csv says."""
    folder = os.path.join(a.out, f"{name}-{seed}")
    command = [a.simulate, "run", name, "--seed", str(seed), "--check", "--quiet", "--resume", "--out", folder]
    status = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    expected = 3 if any(not is_as_expected(claim) for claim in claims(folder)) else 0
    if status != expected:
        sys.exit(f"exit status {status} in place of {expected}: {' '.join(command)}")


def claims(folder):
    """The rows of claims.csv, a list for each claim of the file; the one with the expectation comes last."""
    numbered = defaultdict(list)
    with open(os.path.join(folder, "claims.csv"), newline="") as f:
        for row in csv.DictReader(f):
            numbered[row["number"]].append(row)
    return [sorted(rows, key=lambda row: row["part"] == "all") for rows in numbered.values()]


def is_as_expected(claim):
    return claim[-1]["expected"] in ("", claim[-1]["verdict"])


def name_of(claim):
    row = claim[-1]
    words = [row["claim"], row["case"], row["against"], row["feature"]]
    return " ".join(word for word in words if word)


def parts(claim):
    return [row for row in claim if row["part"] != "all"]


def shown(claim):
    """The numbers of the parts that do not have the expected verdict."""
    off = [row for row in parts(claim) if row["verdict"] != claim[-1]["expected"]]
    words = []
    for row in off:
        count = f"{row['holds']} of {row['runs']}" if row["holds"] else f"{float(row['estimate'] or 'nan'):.3f}"
        words.append(f"{row['part']} {count}")
    return f"{name_of(claim)} {claim[-1]['verdict']} ({', '.join(words)})"


def binomial_tail(n, p, x):
    """P[Bin(n, p) ≥ x]."""
    if p <= 0 or p >= 1:
        return float(x <= (n if p >= 1 else 0))
    logs = [log(p), log(1 - p)]
    term = lambda i: exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) + i * logs[0] + (n - i) * logs[1])
    return min(1.0, sum(term(i) for i in range(max(0, x), n + 1)))


def share_power(rows, level, verdict):
    """P[the exact test decides], at the pooled share. `level`: that of the test."""
    n, threshold = int(rows[0]["runs"]), float(rows[0]["level"])
    share = (sum(int(row["holds"]) for row in rows) + 0.5) / (sum(int(row["runs"]) for row in rows) + 1)
    if verdict == "REFUTED":  # the claim's failures, with the same test
        threshold, share = 1 - threshold, 1 - share
    enough = next((x for x in range(n + 1) if binomial_tail(n, threshold, x) <= level), n + 1)
    return binomial_tail(n, share, enough)


def normal_power(rows, level, factors):
    """P[a test with normal errors decides], at the mean of what was seen in standard errors."""
    normal = NormalDist()
    quantile = lambda p: inf if p < 1e-300 else normal.inv_cdf(1 - p) if p > 1e-15 else (-2 * log(p)) ** 0.5
    seen = [quantile(min(float(row["p_holm"]) / factor, 0.5)) for row, factor in zip(rows, factors)]
    return 1.0 if mean(seen) == inf else normal.cdf(mean(seen) - quantile(level))


def powers(folders):
    """(name, power) of each claim with an expectation."""
    files = [claims(folder) for folder in folders]
    every = [[row for claim in file for row in parts(claim)] for file in files]
    found = []
    for same in zip(*files):
        verdict = same[0][-1]["expected"]
        if not verdict:
            continue
        of_parts = []
        for rows in zip(*map(parts, same)):
            # Holm's factor: the hypotheses (two a part) whose p-value is not smaller.
            smaller = lambda row, all_rows: sum(float(other["p_holm"]) < float(row["p_holm"]) for other in all_rows)
            factors = [2 * len(all_rows) - smaller(row, all_rows) for row, all_rows in zip(rows, every)]
            level = ALPHA / median(factors)
            is_share = rows[0]["part"] in ("probability", "constant")
            right = [row for row in rows if row["verdict"] == verdict]
            if is_share:
                of_parts.append(share_power(rows, level, verdict))
            else:
                of_parts.append(normal_power(rows, level, factors) if right else 0.0)
        both = 1 - sum(1 - power for power in of_parts)
        found.append((name_of(same[0]), max(0.0, both) if verdict == "SUPPORTED" else max(of_parts)))
    return found


def tables(a):
    """Prints both tables; whether all is as expected with enough power."""
    is_fine = True
    print(f"| simulation | {' | '.join(f'seed {seed}' for seed in a.seeds)} | least power of an expectation |")
    print(f"|---|{'---|' * (len(a.seeds) + 1)}")
    for name in a.names:
        folders = [os.path.join(a.out, f"{name}-{seed}") for seed in a.seeds]
        cells = []
        for folder in folders:
            if not os.path.exists(os.path.join(folder, "claims.csv")):
                cells.append("not run")
                continue
            told = [claim for claim in claims(folder) if claim[-1]["expected"]]
            off = [claim for claim in told if not is_as_expected(claim)]
            cells.append(f"{len(told) - len(off)} of {len(told)}" + "".join(f"; {shown(claim)}" for claim in off))
            is_fine &= not off
        done = [folder for folder, cell in zip(folders, cells) if cell != "not run"]
        found = sorted(powers(done), key=lambda pair: pair[1]) if done else []
        low = [f"{name} {power:.3f}" for name, power in found if power < 0.99]
        least = ", ".join(low) if low else f"{found[0][1]:.4f} ({found[0][0]})" if found else ""
        is_fine &= all(power >= 0.95 for _, power in found)
        print(f"| `{name}` | {' | '.join(cells)} | {least} |")
    return is_fine


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("names", nargs="*", help="simulations; all that expect a verdict if none is given")
    p.add_argument("--seeds", type=lambda text: [int(word) for word in text.split(",")], default=SEEDS)
    p.add_argument("--simulate", default=os.path.join(ROOT, "target", "release", "simulate"))
    p.add_argument("--out", default=os.path.join(ROOT, "results", "expectations"))
    p.add_argument("--table", action="store_true", help="run nothing")
    a = p.parse_args()
    a.names = a.names or with_expectations()
    if not a.table:
        for name in a.names:
            for seed in a.seeds:
                run(a, name, seed)
                print(f"{name} at master seed {seed}: done", file=sys.stderr, flush=True)
    sys.exit(0 if tables(a) else 1)


if __name__ == "__main__":
    main()
