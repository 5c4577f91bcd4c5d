"""NumPy peer: vectorised over batch and experts, one run after another, runs spread over processes."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
import time

START = time.perf_counter()
import multiprocessing as mp
import numpy as np
import common


def batch(rng, c, B):
    y = np.where(rng.random(B) < 0.5, 1.0, -1.0).astype(c.dtype)
    ids = rng.integers(2, c.d, (B, c.n))
    ids[np.arange(B), rng.integers(0, c.n, B)] = np.where(y > 0, 0, 1)
    if c.xi:
        X = rng.standard_normal((B * c.n, c.d), dtype=c.dtype)
        X *= X.dtype.type(c.xi / c.d**0.5)
    else:
        X = np.zeros((B * c.n, c.d), c.dtype)
    X[np.arange(B * c.n), ids.ravel()] += 1
    return X, y  # [B n, d], [B]


def forward(X, W, w, a, c):
    B = len(X) // c.n
    g = np.ascontiguousarray((X @ w.T).reshape(B, c.n, c.k).transpose(2, 0, 1))  # [k, B, n]
    J = np.argsort(-g, axis=-1, kind="stable")[..., : c.l]
    G = np.exp(np.take_along_axis(g, J, -1) - np.take_along_axis(g, J[..., :1], -1))
    G /= G.sum(-1, keepdims=True)  # [k, B, l]
    Xg = X[(J + c.n * np.arange(B)[:, None]).reshape(c.k, -1)]  # [k, B l, d]
    H = Xg @ W  # [k, B l, m]
    sig = (np.maximum(H, 0).sum(-1) / c.m).astype(X.dtype).reshape(c.k, B, c.l)
    bar = (G * sig).sum(-1)  # [k, B]
    return Xg, H, G, sig, bar, a @ bar


def step(X, y, W, w, a, c):
    B, dt = len(y), X.dtype.type
    Xg, H, G, sig, bar, f = forward(X, W, w, a, c)
    slack = 1 - y * f
    on = np.flatnonzero(slack > 0)
    if len(on) == 0:
        return 0.0, 0
    if len(on) < 0.7 * B:  # skip the samples whose gradient is zero
        Xg = Xg.reshape(c.k, B, -1)[:, on].reshape(c.k, -1, c.d)
        H = H.reshape(c.k, B, -1)[:, on].reshape(c.k, -1, c.m)
        G, sig, bar, coef = G[:, on], sig[:, on], bar[:, on], np.outer(a, y[on])
    else:
        coef = np.outer(a, y * (slack > 0))
    coef = G * (coef / B).astype(dt)[..., None]  # -dL/dsigma_j
    D = coef.reshape(c.k, -1, 1) * (H > 0)
    W += dt(c.eta_e / c.m) * (Xg.transpose(0, 2, 1) @ D)
    w += dt(c.eta_r) * ((coef * (sig - bar[..., None])).reshape(c.k, 1, -1) @ Xg)[:, 0]
    return float(slack[on].sum()) / B, len(on)


def run(args):
    c, seed = args
    rng = np.random.Generator(np.random.SFC64([c.seed, seed]))
    a = common.signs(c.k).astype(c.dtype)
    W = (c.init_e * rng.standard_normal((c.k, c.d, c.m))).astype(c.dtype)
    w = (c.init_r * rng.standard_normal((c.k, c.d))).astype(c.dtype)
    rnorm, active = np.empty((c.T, c.k)), 0
    for t in range(c.T):
        X, y = batch(rng, c, c.B)
        active += step(X, y, W, w, a, c)[1]
        rnorm[t] = np.sqrt((w * w).sum(1))
    good = 0
    for s in range(0, c.n_test, c.B):
        X, y = batch(rng, c, min(c.B, c.n_test - s))
        good += int((y * forward(X, W, w, a, c)[-1] > 0).sum())
    return good / c.n_test, rnorm, active / (c.T * c.B)


def check(c):
    W, w, X, y = common.load_check(c)
    X, y = X.astype(c.dtype), y.astype(c.dtype)
    W, w = np.ascontiguousarray(W.transpose(0, 2, 1)).astype(c.dtype), w.astype(c.dtype)
    a = common.signs(c.k).astype(c.dtype)
    loss, rnorm = [], []
    for t in range(c.T):
        loss.append(step(X[t].reshape(-1, c.d), y[t], W, w, a, c)[0])
        rnorm.append(np.sqrt((w * w).sum(1)))
    common.save_check(c, "numpy_" + c.dtype, loss, rnorm, W.transpose(0, 2, 1), w)


if __name__ == "__main__":
    c = common.parse()
    if c.check:
        check(c)
    else:
        first = time.perf_counter()
        with mp.get_context("fork").Pool(c.procs) as pool:
            out = pool.map(run, [(c, s) for s in range(c.R)], chunksize=1)
        acc, rnorm, active = zip(*out)
        common.report("numpy", c, START, first, acc, rnorm, active)
