"""Replays a trace in NumPy, from the definitions alone, and compares the routers and neurons.

    simulate trace default --seed 7 --out run.safetensors
    python tests/replay_trace.py run.safetensors

Needs NumPy. Exits 1 if a router differs by more than 1e-9, or if a tensor has another shape than FORMAT says.
"""

import json
import sys

import numpy as np


SHAPES = {
    "basis": "dd", "signs": "k", "routers_0": "kd", "neurons_0": "kmd", "tokens": "IBn", "labels": "IB", "noise": "IBnd",
    "recorded": "R", "routers": "Rkd", "routers_t": "kd", "neurons_t": "kmd",
}  # fmt: skip


def check_shapes(tensors, meta):
    """Ends the program if a shape is not the one of FORMAT, with the sizes of the metadata."""
    sizes = {letter: int(meta[key]) for letter, key in [("k", "experts"), ("m", "neurons"), ("d", "patterns")]}
    for name, letters in SHAPES.items():
        shape = tensors[name].shape if name in tensors else ()
        fits = all(sizes.setdefault(letter, size) == size for letter, size in zip(letters, shape))
        if name in tensors and (len(shape) != len(letters) or not fits):
            sys.exit(f"tensor {name} has shape {list(shape)}: must be {list(letters)} with {sizes}")


def load(path):
    """A safetensors file: 8 bytes of header length, a JSON header, then the numbers."""
    raw = open(path, "rb").read()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    meta = header.pop("__metadata__")
    kinds = {"F64": "<f8", "I32": "<i4"}
    tensors = {
        name: np.frombuffer(raw[8 + size :][slice(*t["data_offsets"])], kinds[t["dtype"]]).reshape(t["shape"])
        for name, t in header.items()
    }
    return tensors, meta


def step(w, W, signs, x, y, l, router_rate, expert_rate):
    """One SGD step of the mean hinge loss. x [B, n, d], w [k, d], W [k, m, d]; returns the moved w and W."""
    B, k, m = len(x), len(w), W.shape[1]
    scores = np.einsum("bnd,kd->bkn", x, w)
    chosen = np.argsort(-scores, axis=2, kind="stable")[:, :, :l]  # ties: the smallest position
    top = np.take_along_axis(scores, chosen, 2)
    gates = np.exp(top - top.max(2, keepdims=True))
    gates /= gates.sum(2, keepdims=True)
    dw, dW, f, parts = np.zeros_like(w), np.zeros_like(W), np.zeros(B), []
    for s in range(k):
        tokens = np.take_along_axis(x, chosen[:, s, :, None], 1)  # [B, l, d]
        before = tokens @ W[s].T  # [B, l, m]
        sigma = np.maximum(before, 0).mean(2)
        mean = (gates[:, s] * sigma).sum(1)
        f += signs[s] * mean
        parts.append((tokens, before, sigma, mean))
    active = (y * f < 1) * y / B
    for s, (tokens, before, sigma, mean) in enumerate(parts):
        push = signs[s] * active[:, None] * gates[:, s]  # [B, l]
        dw[s] = np.einsum("bl,bld->d", push * (sigma - mean[:, None]), tokens)
        dW[s] = np.einsum("bl,blm,bld->md", push, (before > 0).astype(float), tokens) / m
    return w + router_rate * dw, W + expert_rate * dW


def step_tokens(w, W, signs, x, y, c, groups, raw, router_rate, expert_rate):
    """The same with token choice: every token goes to its c best experts of each group."""
    k, m, size = len(w), W.shape[1], len(w) // groups
    before = np.einsum("bnd,kmd->bnkm", x, W)
    values = signs * np.maximum(before, 0).mean(3)  # [B, n, k]
    scores = np.einsum("bnd,kd->bnk", x, w)
    gates, pulls, f = np.zeros_like(scores), np.zeros_like(scores), np.zeros(len(x))
    for g in range(groups):
        own = slice(g * size, (g + 1) * size)
        z = scores[:, :, own]
        chosen = np.zeros_like(z)
        np.put_along_axis(chosen, np.argsort(-z, axis=2, kind="stable")[:, :, :c], 1.0, 2)
        p = np.exp(z - z.max(2, keepdims=True)) * (1.0 if raw else chosen)
        p /= p.sum(2, keepdims=True)
        v = values[:, :, own] * chosen
        mean = (p * v).sum(2, keepdims=True)
        f += mean.sum((1, 2)) / groups
        gates[:, :, own] = p * chosen / groups
        pulls[:, :, own] = p * (v - mean) / groups
    active = ((y * f < 1) * y / len(x))[:, None, None]
    dw = np.einsum("bnk,bnd->kd", active * pulls, x)
    dW = np.einsum("bnk,bnkm,bnd->kmd", active * gates * signs, (before > 0).astype(float), x) / m
    return w + router_rate * dw, W + expert_rate * dW


def main():
    t, meta = load(sys.argv[1])
    check_shapes(t, meta)
    for key in ("capacity", "load_balance", "entropy", "momentum", "importance_loss", "load_loss"):
        if float(meta[key]) != 0:
            sys.exit(f"{key} = {meta[key]}: this replay knows only 0")
    for key, known in (("loss", "hinge"), ("member_loss", "mean")):
        if meta[key] != known:
            sys.exit(f"{key} = {meta[key]}: this replay knows only {known}")
    by_tokens = meta["routing"] == "token-choice"
    if not by_tokens and meta["groups"] != "1":
        sys.exit(f"groups = {meta['groups']}: this replay knows groups only with token choice")
    w, W = t["routers_0"].copy(), t["neurons_0"].copy()
    worst, recorded = 0.0, {int(i): r for i, r in zip(t["recorded"], t["routers"])}
    rates = float(meta["router_rate"]), float(meta["expert_rate"])
    if by_tokens:
        rates = (int(meta["experts_per_token"]), int(meta["groups"]), meta["gates"] == "raw", *rates)
    else:
        rates = (int(meta["tokens_per_expert"]), *rates)
    for i in range(len(t["tokens"]) + 1):
        if i in recorded:
            worst = max(worst, np.abs(w - recorded[i]).max())
        if i < len(t["tokens"]):
            x = t["basis"][t["tokens"][i]]
            if "noise" in t:
                x = x + t["noise"][i]
            move = step_tokens if by_tokens else step
            w, W = move(w, W, t["signs"], x, t["labels"][i].astype(float), *rates)
    worst = max(worst, np.abs(w - t["routers_t"]).max())
    neurons = np.abs(W - t["neurons_t"]).max()
    print(f"{len(t['tokens'])} iterations: largest difference {worst:.2e} in routers, {neurons:.2e} in neurons")
    return int(not worst <= 1e-9)


if __name__ == "__main__":
    sys.exit(main())
