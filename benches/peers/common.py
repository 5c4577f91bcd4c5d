"""Shared by the Python peers: workload presets, command line, check file, result line."""

import argparse, json, time
import numpy as np

PRESETS = {
    "reference": dict(d=128, n=16, l=4, k=16, m=32, B=64, T=500, R=32, eta_e=1.0, eta_r=0.3),
    "large": dict(d=512, n=32, l=8, k=32, m=64, B=256, T=200, R=4, eta_e=8.0, eta_r=1.0),
}


def parse(extra=lambda p: None):
    p = argparse.ArgumentParser()
    p.add_argument("--preset", choices=PRESETS, default="reference")
    for name in PRESETS["reference"]:
        p.add_argument("--" + name, type=float if name.startswith("eta") else int)
    p.add_argument("--dtype", choices=["float64", "float32"], default="float64")
    p.add_argument("--xi", type=float, default=0.1)  # token = pattern + xi N(0, I/d)
    p.add_argument("--init_e", type=float, default=0.05)  # std of W at the start
    p.add_argument("--init_r", type=float, default=0.05)  # std of w at the start
    p.add_argument("--n_test", type=int, default=2048)
    p.add_argument("--procs", type=int, default=2)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--check", help="train on the batches of this file, write FILE.<peer>, stop")
    extra(p)
    c = p.parse_args()
    for name, v in PRESETS[c.preset].items():
        if getattr(c, name) is None:
            setattr(c, name, v)
    return c


def signs(k):
    return np.where(np.arange(k) % 2 == 0, 1.0, -1.0)


def load_check(c):
    """Sets the sizes from the file; returns W[k,m,d], w[k,d], X[T,B,n,d], y[T,B] in float64."""
    with open(c.check, "rb") as f:
        c.d, c.n, c.l, c.k, c.m, c.B, c.T = map(int, np.fromfile(f, np.int32, 7))
        c.eta_e, c.eta_r = np.fromfile(f, np.float64, 2)

        def take(*s):
            return np.fromfile(f, np.float64, int(np.prod(s))).reshape(s)

        return take(c.k, c.m, c.d), take(c.k, c.d), take(c.T, c.B, c.n, c.d), take(c.T, c.B)


def save_check(c, peer, loss, rnorm, W, w):
    """loss[T], router norms [T,k], W[k,m,d], w[k,d], all float64."""
    with open(f"{c.check}.{peer}", "wb") as f:
        for a in (loss, rnorm, W, w):
            np.ascontiguousarray(a, np.float64).tofile(f)


def report(peer, c, start, first, acc, rnorm, active, note=""):
    """start: process start, first: start of the training proper (after imports and compilation)."""
    end = time.perf_counter()
    print(
        json.dumps(
            dict(
                peer=peer,
                preset=c.preset,
                dtype=c.dtype,
                xi=c.xi,
                T=c.T,
                R=c.R,
                train_s=round(end - first, 3),
                total_s=round(end - start, 3),
                seed_iters_per_s=round(c.T * c.R / (end - first), 1),
                acc=round(float(np.mean(acc)), 4),
                acc_min=round(float(np.min(acc)), 4),
                active=round(float(np.mean(active)), 3),
                rnorm_end=round(float(np.mean(np.asarray(rnorm)[..., -1, :])), 4),
                note=note,
            )
        )
    )
