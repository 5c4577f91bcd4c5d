#!/usr/bin/env python3
"""Pruned checkpoints in transformers: they load, and compute what the same model computes with its experts masked in memory.

usage: round_trip.py SIMULATE [PAIRS]

Prunes the pairs of tests/data/checkpoints with the program, loads the results with PyTorch and transformers, and compares

- `delete` with the fine-tuned model whose router gives the pruned experts -inf,
- `zero` with the fine-tuned model whose pruned experts' last weights are 0.

Then prints next-token accuracy on the domains of fine-tuning, by the number of experts that stay, for the order of the router
norm change and for random orders. Exits 0 with a message where PyTorch or transformers can't be had, 1 if anything differs.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import torch
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(0)

SEEDS = 10
LAST = {"mixtral": "w2", "olmoe": "down_proj", "qwen2_moe": "down_proj"}
BLOCK = {"mixtral": "block_sparse_moe", "olmoe": "mlp", "qwen2_moe": "mlp"}


def tokens(domains, count, generator):
    """Sequences of the sparse Markov chains that the pairs were trained on."""
    vocabulary = 64
    chains = torch.full((10, vocabulary, vocabulary), 1e-3)
    own = torch.Generator().manual_seed(7)
    for domain in range(10):
        for token in range(16, vocabulary):
            following = torch.randperm(vocabulary - 16, generator=own)[:3] + 16
            chains[domain, token, following] += torch.tensor([0.7, 0.2, 0.1])
    chains[:, :, :16] = 1e-6
    chains = chains / chains.sum(-1, keepdim=True)
    drawn = domains[torch.randint(len(domains), (count,), generator=generator)]
    text = torch.zeros(count, 32, dtype=torch.long)
    text[:, 0] = 3 + drawn.clamp(max=9)
    text[:, 1] = torch.randint(16, vocabulary, (count,), generator=generator)
    for place in range(2, 32):
        text[:, place] = torch.multinomial(chains[drawn, text[:, place - 1]], 1, generator=generator)[:, 0]
    return text


@torch.no_grad()
def logits(model, text):
    return model(input_ids=text, output_router_logits=False).logits


def accuracy(output, text):
    return (output[:, 1:-1].argmax(-1) == text[:, 2:]).float().mean().item()


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, torch_dtype=torch.float32, attn_implementation="eager").eval()


def blocks(family, model):
    return [getattr(layer, BLOCK[family]) for layer in model.model.layers]


def masked(family, folder, layers):
    """The model with pruned experts at -inf."""
    model = load(folder)
    for block, layer in zip(blocks(family, model), layers):
        pruned = torch.tensor(layer["pruned"], dtype=torch.long)
        block.gate.register_forward_hook(lambda _, __, output, pruned=pruned: output.index_fill(-1, pruned, float("-inf")))
    return model


def silenced(family, folder, layers):
    """The model with 0 in the last weights of pruned experts."""
    model = load(folder)
    for block, layer in zip(blocks(family, model), layers):
        for expert in layer["pruned"]:
            torch.nn.init.zeros_(getattr(block.experts[expert], LAST[family]).weight)
    return model


def main():
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    simulate = pathlib.Path(sys.argv[1]).resolve()
    here = pathlib.Path(__file__).resolve().parent.parent
    pairs = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here / "data" / "checkpoints"
    text = tokens(torch.tensor([8, 9]), 256, torch.Generator().manual_seed(1))
    worst, compared = 0.0, 0
    with tempfile.TemporaryDirectory() as work:
        for family in LAST:
            base, tuned = pairs / family / "pretrained", pairs / family / "finetuned"

            def prune(name, *arguments):
                out = pathlib.Path(work) / family / name
                out.parent.mkdir(exist_ok=True)
                subprocess.run([simulate, "prune", base, tuned, "--out", out, *arguments], check=True, capture_output=True)
                return out, json.loads((out / "prune.json").read_text())["layers"]

            whole = accuracy(logits(load(tuned), text), text)
            print(f"{family}: accuracy of the fine-tuned model {whole:.3f}")
            for kept in range(7, 1, -1):
                own = None
                drawn = []
                for seed in range(-1, SEEDS):
                    by = ["--by", "random", "--seed", str(seed)] if seed >= 0 else []
                    out, layers = prune(f"delete-{kept}-{seed}", "--keep", f"{kept}/8", *by)
                    output = logits(load(out), text)
                    expected = logits(masked(family, tuned, layers), text)
                    worst = max(worst, (output - expected).abs().max().item())
                    compared += 1
                    if seed >= 0:
                        drawn.append(accuracy(output, text))
                    else:
                        own = accuracy(output, text)
                out, layers = prune(f"zero-{kept}", "--keep", f"{kept}/8", "--semantics", "zero")
                output = logits(load(out), text)
                worst = max(worst, (output - logits(silenced(family, tuned, layers), text)).abs().max().item())
                compared += 1
                drawn.sort()
                beaten = sum(other < own for other in drawn)
                print(
                    f"  {kept} of 8: by norm change {own:.3f}, zeroed {accuracy(output, text):.3f}, at random "
                    f"{sum(drawn) / SEEDS:.3f} ({drawn[0]:.3f} to {drawn[-1]:.3f}), better than {beaten} of {SEEDS}"
                )
    print(f"{compared} models compared, largest difference of a logit {worst:.2e}")
    if worst > 1e-4:
        print("a pruned checkpoint does not compute what the masked model does")
        sys.exit(1)


main()
