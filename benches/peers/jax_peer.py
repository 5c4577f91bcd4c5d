"""JAX CPU peer: autodiff, vmap over runs, lax.scan over iterations, all in one jit.

--procs 1 leaves both cores to XLA's thread pool; --procs 2 starts two pinned single-core processes.
--chunk is the number of runs vmapped together (all the runs of the process when 0)."""

import os, sys, time

START = time.perf_counter()
import subprocess, json
import common


def extra(p):
    p.add_argument("--chunk", type=int, default=0)
    p.add_argument("--select", choices=["topk", "argmax"], default="argmax")  # lax.top_k is slow in float64
    p.add_argument("--gather", choices=["take", "onehot"], default="take")
    p.add_argument("--prng", default="threefry2x32")  # rbg is 4-7 times slower on a CPU
    p.add_argument("--fast_math", type=int, default=1, help="XLA's fast math, as -ffast-math for the C peer")
    p.add_argument("--part", type=int, default=-1, help="internal: which of the processes this is")


c = common.parse(extra)
if c.procs > 1 and c.part < 0 and not c.check:  # parent: start the pinned children, add up
    kids = [
        subprocess.Popen(
            ["taskset", "-c", str(p), sys.executable, *sys.argv, "--part", str(p)], stdout=subprocess.PIPE, text=True
        )
        for p in range(c.procs)
    ]
    rs = [json.loads(q.communicate()[0].splitlines()[-1]) for q in kids]
    r = dict(
        rs[0],
        R=c.R,
        acc=sum(q["acc"] for q in rs) / c.procs,
        acc_min=min(q["acc_min"] for q in rs),
        active=sum(q["active"] for q in rs) / c.procs,
        train_s=max(q["train_s"] for q in rs),
        total_s=round(time.perf_counter() - START, 3),
        rnorm_end=sum(q["rnorm_end"] for q in rs) / c.procs,
    )
    print(json.dumps(dict(r, seed_iters_per_s=round(c.T * c.R / r["train_s"], 1))))
    sys.exit()
if c.fast_math:
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_enable_fast_math=true"
if c.part >= 0:
    c.R //= c.procs
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
import jax

jax.config.update("jax_enable_x64", c.dtype == "float64")
jax.config.update("jax_default_prng_impl", c.prng)
jax.config.update("jax_default_matmul_precision", "highest")
import jax.numpy as jnp
import numpy as np
from jax import lax

dt = jnp.dtype(c.dtype)


def batch(key, B):
    k1, k2, k3, k4 = jax.random.split(key, 4)
    plus = jax.random.bernoulli(k1, 0.5, (B,))
    pos = jax.random.randint(k2, (B, 1), 0, c.n)
    ids = jax.random.randint(k3, (B, c.n), 2, c.d)
    ids = jnp.where(jnp.arange(c.n) == pos, jnp.where(plus, 0, 1)[:, None], ids)
    X = jax.nn.one_hot(ids, c.d, dtype=dt)
    if c.xi:
        X += (c.xi / c.d**0.5) * jax.random.normal(k4, (B, c.n, c.d), dt)
    return X, jnp.where(plus, 1, -1).astype(dt)


def select(g):
    """The l largest of the last axis, in order, ties to the smaller index: values and indices."""
    if c.select == "topk":
        return lax.top_k(g, c.l)
    h, J = lax.stop_gradient(g), []
    for _ in range(c.l):
        J.append(jnp.argmax(h, -1))
        h = jnp.where(jnp.arange(c.n) == J[-1][..., None], jnp.finfo(dt).min, h)
    J = jnp.stack(J, -1)
    return jnp.where(J[..., None] == jnp.arange(c.n), g[..., None, :], 0).sum(-1), J


def model(params, X, a):
    """X [B,n,d] -> f [B]; W is [k,m,d], w is [k,d]."""
    W, w = params
    B = X.shape[0]
    top, J = select(jnp.einsum("xd,kd->kx", X.reshape(B * c.n, c.d), w).reshape(c.k, B, c.n))
    G = jax.nn.softmax(top, -1)  # [k, B, l]
    if c.gather == "take":
        Xg = X.reshape(B * c.n, c.d)[(J + c.n * jnp.arange(B)[:, None]).reshape(c.k, -1)]
    else:
        Xg = jnp.einsum("kbln,bnd->kbld", jax.nn.one_hot(J, c.n, dtype=dt), X).reshape(c.k, -1, c.d)
    sig = jax.nn.relu(jnp.einsum("kxd,kmd->kxm", Xg, W)).mean(-1).reshape(c.k, B, c.l)
    return jnp.einsum("k,kbl,kbl->b", a, G, sig)


def loss_fn(params, X, y, a):
    slack = 1 - y * model(params, X, a)
    return jax.nn.relu(slack).mean(), (slack > 0).mean()


def step(params, X, y, a):
    (loss, active), g = jax.value_and_grad(loss_fn, has_aux=True)(params, X, y, a)
    params = (params[0] - c.eta_e * g[0], params[1] - c.eta_r * g[1])
    return params, (loss, jnp.linalg.norm(params[1], axis=-1), active)


def run(key):
    a = jnp.asarray(common.signs(c.k), dt)
    kw, kr, kt, ke = jax.random.split(key, 4)
    params = (c.init_e * jax.random.normal(kw, (c.k, c.m, c.d), dt), c.init_r * jax.random.normal(kr, (c.k, c.d), dt))

    def body(carry, key):  # the batch is carried, which makes XLA store it once
        p, (loss, rnorm, active) = step(carry[0], *carry[1], a)  # instead of fusing its generation into each use
        return (p, batch(key, c.B)), (rnorm, active)

    keys = jax.random.split(kt, c.T)
    (params, _), (rnorm, active) = lax.scan(body, (params, batch(ke, c.B)), keys)

    def test(_, key):
        X, y = batch(key, c.B)
        return _, (y * model(params, X, a) > 0).mean()

    _, acc = lax.scan(test, 0, jax.random.split(ke, c.n_test // c.B))
    return acc.mean(), rnorm, active.mean()


if c.check:
    W, w, X, y = common.load_check(c)
    params = jnp.asarray(W, dt), jnp.asarray(w, dt)
    a = jnp.asarray(common.signs(c.k), dt)
    (W, w), (loss, rnorm, _) = jax.jit(lambda p, X, y: lax.scan(lambda p, b: step(p, *b, a), p, (X, y)))(
        params, jnp.asarray(X, dt), jnp.asarray(y, dt)
    )
    common.save_check(c, f"jax_{c.select}_{c.gather}_{c.dtype}", loss, rnorm, W, w)
else:
    chunk = c.chunk or c.R
    keys = jax.random.split(jax.random.key(c.seed * 1000 + max(c.part, 0)), c.R)
    f = jax.jit(jax.vmap(run)).lower(keys[:chunk]).compile()
    first = time.perf_counter()
    out = [jax.block_until_ready(f(keys[i : i + chunk])) for i in range(0, c.R, chunk)]
    acc, rnorm, active = (np.concatenate(x) for x in zip(*out))
    common.report(
        "jax",
        c,
        START,
        first,
        acc,
        rnorm,
        active,
        f"select={c.select} gather={c.gather} prng={c.prng} chunk={chunk} procs={c.procs} compile={first - START:.1f}s",
    )
