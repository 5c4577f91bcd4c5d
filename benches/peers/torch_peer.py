"""PyTorch CPU peer, batched over runs: --grad auto (autograd) or hand (the analytic gradient)."""

import time

START = time.perf_counter()
import torch
import common


def batch(gen, c, R, B, dt):
    y = torch.where(torch.rand(R, B, generator=gen) < 0.5, 1.0, -1.0).to(dt)
    ids = torch.randint(2, c.d, (R, B, c.n), generator=gen)
    ids.scatter_(2, torch.randint(0, c.n, (R, B, 1), generator=gen), torch.where(y > 0, 0, 1)[..., None])
    if c.xi:
        X = torch.empty(R, B, c.n, c.d, dtype=dt).normal_(0, c.xi / c.d**0.5, generator=gen)
    else:
        X = torch.zeros(R, B, c.n, c.d, dtype=dt)
    X.view(-1, c.d)[torch.arange(R * B * c.n), ids.view(-1)] += 1
    return X, y


def route(X, w, c):
    """Top-l tokens of every expert: their scores [R,k,B,l] and the tokens themselves [R,k,B*l,d]."""
    R, B = X.shape[:2]
    g = torch.bmm(w, X.view(R, B * c.n, c.d).mT).view(R, c.k, B, c.n)
    top, J = torch.sort(g, dim=-1, descending=True, stable=True)
    top, J = top[..., : c.l], J[..., : c.l]
    J = J + c.n * torch.arange(R * B).view(R, 1, B, 1)
    return top, X.view(-1, c.d)[J.reshape(-1)].view(R * c.k, B * c.l, c.d)


def forward(X, W, w, a, c):
    R, B = X.shape[:2]
    top, Xg = route(X, w, c)
    G = torch.softmax(top, -1)  # [R, k, B, l]
    H = torch.bmm(Xg, W.view(R * c.k, c.d, c.m))  # [R k, B l, m]
    sig = (H.relu().sum(-1) / c.m).view(R, c.k, B, c.l)
    bar = (G * sig).sum(-1)  # [R, k, B]
    return Xg, H, G, sig, bar, torch.einsum("k,rkb->rb", a, bar)


def step_auto(X, y, W, w, a, c):
    slack = 1 - y * forward(X, W, w, a, c)[-1]
    loss = slack.relu().mean(1)  # one loss per run
    gW, gw = torch.autograd.grad(loss.sum(), (W, w))
    with torch.no_grad():
        W.sub_(gW, alpha=c.eta_e)
        w.sub_(gw, alpha=c.eta_r)
    return loss.detach(), (slack > 0).sum()


@torch.no_grad()
def step_hand(X, y, W, w, a, c):
    R, B = y.shape
    Xg, H, G, sig, bar, f = forward(X, W, w, a, c)
    slack = 1 - y * f
    coef = G * (a[None, :, None] * (y * (slack > 0))[:, None] / B)[..., None]  # [R, k, B, l]
    D = (H > 0).to(H.dtype).mul_(coef.view(R * c.k, -1, 1))
    W.view(R * c.k, c.d, c.m).baddbmm_(Xg.mT, D, alpha=c.eta_e / c.m)
    u = (coef * (sig - bar[..., None])).view(R * c.k, 1, -1)
    w.view(R * c.k, 1, c.d).baddbmm_(u, Xg, alpha=c.eta_r)
    return slack.relu().mean(1), (slack > 0).sum()


def run(c, R, seed, dt):
    gen = torch.Generator().manual_seed(1000 * c.seed + seed)
    a = torch.as_tensor(common.signs(c.k), dtype=dt)
    W = (c.init_e * torch.randn(R, c.k, c.d, c.m, generator=gen, dtype=dt)).requires_grad_(c.grad == "auto")
    w = (c.init_r * torch.randn(R, c.k, c.d, generator=gen, dtype=dt)).requires_grad_(c.grad == "auto")
    step = step_auto if c.grad == "auto" else step_hand
    rnorm, active = torch.empty(c.T, R, c.k), 0
    for t in range(c.T):
        active += int(step(*batch(gen, c, R, c.B, dt), W, w, a, c)[1])
        rnorm[t] = w.detach().norm(dim=-1)
    good = torch.zeros(R)
    with torch.no_grad():
        for s in range(0, c.n_test, c.B):
            X, y = batch(gen, c, R, min(c.B, c.n_test - s), dt)
            good += (y * forward(X, W, w, a, c)[-1] > 0).sum(1)
    return (good / c.n_test).tolist(), rnorm.transpose(0, 1), active / (c.T * c.B * R)


def share(args):  # one process's runs, c.chunk at a time
    c, p = args
    torch.set_num_threads(max(1, 2 // c.procs))
    acc, rnorm, active = [], [], []
    for s in range(p * c.chunk, c.R, c.procs * c.chunk):
        o = run(c, min(c.chunk, c.R - s), s, getattr(torch, c.dtype))
        acc += o[0]
        rnorm += [o[1].numpy()[i] for i in range(len(o[0]))]
        active.append(o[2])
    return acc, rnorm, active


def check(c):
    W, w, X, y = map(torch.as_tensor, common.load_check(c))
    dt = getattr(torch, c.dtype)
    X, y, a = X.to(dt), y.to(dt), torch.as_tensor(common.signs(c.k), dtype=dt)
    W = W.mT[None].contiguous().to(dt).requires_grad_(c.grad == "auto")
    w = w[None].to(dt).requires_grad_(c.grad == "auto")
    step, loss, rnorm = (step_auto if c.grad == "auto" else step_hand), [], []
    for t in range(c.T):
        loss.append(float(step(X[t][None], y[t][None], W, w, a, c)[0]))
        rnorm.append(w.detach()[0].norm(dim=-1).double().numpy())
    common.save_check(c, f"torch_{c.grad}_{c.dtype}", loss, rnorm, W.detach()[0].mT, w.detach()[0])


def extra(p):
    p.add_argument("--grad", choices=["auto", "hand"], default="hand")
    p.add_argument("--chunk", type=int, default=4, help="runs in one batch")


if __name__ == "__main__":
    c = common.parse(extra)
    if c.check:
        check(c)
    else:
        first = time.perf_counter()
        if c.procs == 1:
            out = [share((c, 0))]
        else:
            import torch.multiprocessing as mp

            with mp.get_context("fork").Pool(c.procs) as pool:
                out = pool.map(share, [(c, p) for p in range(c.procs)], chunksize=1)
        common.report(
            "torch_" + c.grad,
            c,
            START,
            first,
            sum((o[0] for o in out), []),
            sum((o[1] for o in out), []),
            sum((o[2] for o in out), []),
            f"chunk={c.chunk} procs={c.procs}",
        )
