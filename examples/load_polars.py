"""The CSV files of a result folder in Polars: `python3 examples/load_polars.py results/default`.

An empty cell was not measured; it never stands for 0. Column by column: docs/reference/columns.md, or `simulate explain COLUMN`.
"""

import sys
from pathlib import Path

import polars as pl

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/default")


def read(name):
    # Types from all rows: a column may be empty in the first thousands. Seeds have 64 bits.
    overrides = {"seed": pl.UInt64} if name == "runs.csv" else None
    return pl.read_csv(folder / name, infer_schema_length=None, schema_overrides=overrides)


runs, experts, pruning, claims = (read(name) for name in ("runs.csv", "experts.csv", "pruning.csv", "claims.csv"))

print("Verdicts")
print(claims.filter(pl.col("part").is_in(["probability", "all"])).select("claim", "holds", "runs", "verdict"))

print("Norm change and displacement by role at t = 0")
print(experts.group_by("role").agg(pl.len(), pl.col("delta", "displacement").median()).sort("role"))

print("Mean accuracy by number of experts kept, without further fine-tuning")
untuned = pruning.filter(~pl.col("finetuned"))
print(untuned.group_by("point", "criterion", "kept").agg(pl.col("accuracy").mean()).sort("point", "criterion", "kept"))

# A claim again, from the rows alone: in how many runs does every relevant expert exceed all others (T1c)?
relevant = pl.col("role") == "relevant"
by_run = experts.group_by("point", "run").agg(
    smallest=pl.col("delta").filter(relevant).min(),
    largest=pl.col("delta").filter(~relevant).max(),
)
holds = by_run.select((pl.col("smallest") > pl.col("largest").fill_null(float("-inf"))).sum()).item()
print(f"T1c holds in {holds} of {len(runs)} runs")
