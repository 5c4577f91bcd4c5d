#!/usr/bin/env python3
"""How fast `simulate rank` and `simulate prune` are on one layer of Mixtral 8x7B at its true shapes, beside `cp`.

    python3 benches/checkpoint.py target/release/simulate [--rounds 5] [--dir DIR]

Writes a pair of synthetic checkpoints (2.8 GB each; the first is sparse, as only its router is read), prunes 8 experts to
6, and copies as many bytes with `cp` in the same round; both end when the bytes are on the disk. Prints the median over
rounds of the ratio of their times, the times, and the peak memory.
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import statistics
import struct
import subprocess
import tempfile
import time

HIDDEN, INNER, EXPERTS, KEPT = 4096, 14336, 8, 6
LAYER = "model.layers.0.block_sparse_moe"
PIECE = 1 << 24


def tensors():
    """Names and shapes in the order of the file."""
    yield f"{LAYER}.gate.weight", (EXPERTS, HIDDEN)
    for expert in range(EXPERTS):
        yield f"{LAYER}.experts.{expert}.w1.weight", (INNER, HIDDEN)
        yield f"{LAYER}.experts.{expert}.w2.weight", (HIDDEN, INNER)
        yield f"{LAYER}.experts.{expert}.w3.weight", (INNER, HIDDEN)


def write(folder, seed, sparse):
    """Writes a checkpoint whose numbers are random BF16 of about 0.01; with `sparse`, those of experts are holes."""
    folder.mkdir(parents=True)
    header, start = {"__metadata__": {"format": "pt"}}, 0
    for name, (rows, columns) in tensors():
        end = start + 2 * rows * columns
        header[name] = {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    draw = random.Random(seed)
    router = b"".join(struct.pack("<f", draw.gauss(0, 0.01))[2:] for _ in range(EXPERTS * HIDDEN))
    piece = draw.randbytes(PIECE)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + router)
        left = start - len(router)
        if sparse:
            file.truncate(file.tell() + left)
        while left and not sparse:
            left -= file.write(piece[: min(PIECE, left)])
        file.flush()
        os.fsync(file.fileno())
    config = {
        "model_type": "mixtral",
        "num_local_experts": EXPERTS,
        "num_experts_per_tok": 2,
        "num_hidden_layers": 1,
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
    }
    (folder / "config.json").write_text(json.dumps(config))


def timed(command):
    """Wall seconds, processor seconds and peak MiB of a command."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command}: status {status}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("simulate")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dir", help="a folder on the disk that is measured")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.dir) as name:
        folder = pathlib.Path(name)
        before, after, pruned, copy = (folder / part for part in ("before", "after", "pruned", "copy"))
        write(before, 1, sparse=True)
        write(after, 2, sparse=False)
        prune = [arguments.simulate, "prune", before, after, "--keep", f"{KEPT}/{EXPERTS}", "--out", pruned]
        # cp ends before its bytes are on the disk; sync waits for them, as prune does.
        again = ["sh", "-c", 'cp "$1" "$2" && sync "$2"', "sh", pruned / "model.safetensors", copy]
        rounds = []
        for _ in range(arguments.rounds):
            shutil.rmtree(pruned, ignore_errors=True)
            copy.unlink(missing_ok=True)
            os.sync()
            rounds.append((timed(prune), timed(again)))
            (wall, cpu, peak), (cp_wall, cp_cpu, _) = rounds[-1]
            print(f"prune {wall:.2f} s, {cpu:.2f} s of processor, {peak:.0f} MiB; cp {cp_wall:.2f} s, {cp_cpu:.2f} s")
        ratios = [prune[0] / cp[0] for prune, cp in rounds]
        written = (pruned / "model.safetensors").stat().st_size
        print(f"{written / 1e9:.2f} GB are written; prune / cp = {statistics.median(ratios):.2f} (median of wall times)")
        wall, cpu, peak = timed([arguments.simulate, "rank", before, after])
        print(f"rank {wall:.2f} s, {cpu:.2f} s of processor, {peak:.0f} MiB")


if __name__ == "__main__":
    main()
