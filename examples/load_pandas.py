"""The CSV files of a result folder in pandas: `python3 examples/load_pandas.py results/default`.

An empty cell was not measured; it never stands for 0. Column by column: docs/reference/columns.md, or `simulate explain COLUMN`.
"""

import sys
from pathlib import Path

import pandas as pd

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "results/default")
# Seeds have 64 bits: as floats they would lose digits.
runs = pd.read_csv(folder / "runs.csv", dtype={"seed": "uint64"})
experts = pd.read_csv(folder / "experts.csv")
pruning = pd.read_csv(folder / "pruning.csv")
claims = pd.read_csv(folder / "claims.csv")

print("Verdicts")
print(claims[claims["part"].isin(["probability", "all"])][["claim", "holds", "runs", "verdict"]].to_string(index=False))

print("\nNorm change and displacement by role at t = 0")
print(experts.groupby("role")[["delta", "displacement"]].describe(percentiles=[0.5]).round(6).to_string())

print("\nMean accuracy by number of experts kept, without further fine-tuning")
untuned = pruning[~pruning["finetuned"].astype(bool)]
print(untuned.groupby(["point", "criterion", "kept"])["accuracy"].mean().unstack("kept").round(3).to_string())

# A claim again, from the rows alone: in how many runs does every relevant expert exceed all others (T1c)?
relevant = experts["role"] == "relevant"
smallest = experts[relevant].groupby(["point", "run"])["delta"].min()
largest = experts[~relevant].groupby(["point", "run"])["delta"].max()
holds = (smallest > largest.reindex(smallest.index, fill_value=float("-inf"))).sum()
print(f"\nT1c holds in {holds} of {len(runs)} runs")
