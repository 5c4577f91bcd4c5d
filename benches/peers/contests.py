"""What runs against what: the commands of every program on every workload."""

from collections import namedtuple

# `missing`: why it can't be run, or None.
Entry = namedtuple("Entry", "label dtype command missing")
DENSE = "C, dense"

# Whole trainings in pattern coordinates. What takes longer trains fewer runs, and `large` for 20 of its 200 iterations:
# all that train so long have the same share of active samples, and JAX does not skip the others anyway.
SHORT = {"reference": dict(R=8), "large": dict(T=20, R=2, n_test=256)}
CONTESTS = [("reference", 0.0), ("reference", 0.1), ("large", 0.0), ("large", 0.1)]
PEERS = ["c", "jax", "numpy", "torch"]


def entries(preset, xi, peers, paths, procs):
    """The programs on one workload, ours first. `paths`: where the built programs and the Python are."""
    short = dict(SHORT[preset], procs=procs)
    size = dict(procs=procs) if xi == 0 else short
    engine = "pattern" if xi == 0 else "dense"
    ours = [paths["workload"], f"engine={engine}", f"preset={preset}", f"xi={xi}", *pairs(size)]
    missing = paths["missing"]
    yield Entry(f"this program, {engine} engine", "float64", ours, None)
    for dtype in ("float64", "float32"):
        if "c" in peers:
            label = "C, pattern coordinates" if xi == 0 else DENSE
            program = f"{engine}_f{dtype[-2:]}"
            command = [f"{paths['build']}/{program}", f"preset={preset}", f"xi={xi}", *pairs(size)]
            yield Entry(label, dtype, command, missing.get(program))
        for peer, label, options in (
            ("jax", "JAX", ["--chunk", "1"]),
            ("numpy", "NumPy", []),
            ("torch", "PyTorch", ["--grad", "hand", "--chunk", "4" if preset == "reference" else "1"]),
        ):
            # To keep a round short: NumPy, which is no faster than JAX, in f64 on `reference` only.
            is_left_out = {
                "numpy": dtype == "float32" or preset == "large",
                "torch": dtype == "float64" and preset == "large",
            }
            if peer in peers and not is_left_out.get(peer, False):
                script = [paths["python"], f"{paths['here']}/{peer}_peer.py", *options]
                flags = [f"--{name}={value}" for name, value in short.items()]
                command = [*script, "--preset", preset, "--xi", str(xi), "--dtype", dtype, *flags]
                yield Entry(label, dtype, command, missing.get(peer))


def checks(name, file, peers, paths):
    """The programs that train on the batches of `file`: `noise`, or `ties` without noise."""
    for engine in ("dense",) if name == "noise" else ("dense", "pattern"):
        yield [paths["workload"], f"engine={engine}", f"check={file}"]
        for bits in (64, 32):
            if "c" in peers and f"{engine}_f{bits}" not in paths["missing"]:
                yield [f"{paths['build']}/{engine}_f{bits}", f"check={file}"]
    variants = {
        "numpy": [[]],
        "jax": [
            ["--select", s, "--gather", g] for s, g in (("argmax", "take"), ("topk", "take"), ("argmax", "onehot"))
        ],
        "torch": [["--grad", grad] for grad in ("auto", "hand")],
    }
    for peer in peers:
        for options in variants.get(peer, []) if peer not in paths["missing"] else []:
            for dtype in ("float64", "float32"):
                script = [paths["python"], f"{paths['here']}/{peer}_peer.py"]
                yield [*script, *options, "--check", file, "--dtype", dtype]


def pairs(size):
    return [f"{name}={value}" for name, value in size.items()]
