"""Batches on which all programs train, and the comparison of what came out.

batches.py write FILE noise | ties     noise: noisy tokens; ties: no noise and zero routers, so that equal scores abound
batches.py compare FILE                what the programs left beside FILE, against NumPy in float64"""

import glob, sys
import numpy as np

D, N, L, K, M, B, T = 64, 12, 3, 6, 16, 40, 60  # B l and m are multiples of no tile, on purpose
RATES = [4.0, 1.0]  # eta_e, eta_r


def write(path, is_noisy):
    r = np.random.default_rng(7)
    y = np.where(r.random((T, B)) < 0.5, 1.0, -1.0)
    ids = r.integers(2, D, (T, B, N))
    np.put_along_axis(ids, r.integers(0, N, (T, B, 1)), np.where(y > 0, 0, 1)[..., None], -1)
    X = is_noisy * 0.1 / D**0.5 * r.standard_normal((T, B, N, D))
    np.put_along_axis(X, ids[..., None], np.take_along_axis(X, ids[..., None], -1) + 1, -1)
    neurons, routers = 0.05 * r.standard_normal((K, M, D)), is_noisy * 0.05 * r.standard_normal((K, D))
    with open(path, "wb") as f:
        np.array([D, N, L, K, M, B, T], np.int32).tofile(f)
        for a in (np.array(RATES), neurons, routers, X, y):
            a.tofile(f)


def compare(path):
    """Whether every program agrees; prints the largest difference of each kind of number."""
    right = np.fromfile(path + ".numpy_float64")
    ends = np.cumsum([T, T * K, K * M * D, K * D])
    cut = dict(zip(("loss", "router norms", "W", "w"), map(slice, [0, *ends[:-1]], ends)))
    print(f"loss {right[0]:.3f} at the start, {right[T - 1]:.3f} at the end")
    agree = True
    for file in sorted(glob.glob(path + ".*")):
        a = np.fromfile(file)
        most = {
            name: float(np.abs(a[s] - right[s]).max()) if len(a) == len(right) else np.inf for name, s in cut.items()
        }
        ok = max(most.values()) < (1e-10 if file.endswith("64") else 1e-3)
        agree &= ok
        shown = " ".join(f"{name} {value:.1e}" for name, value in most.items())
        print(f"  {file[len(path) + 1:]:28s} {shown}", "ok" if ok else "DIFFERS")
    return agree


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3] == "noise")
else:
    sys.exit(not compare(sys.argv[2]))
