#!/usr/bin/env python3
"""Memory of one training step on one GPU, worked out part by part.

Usage:

    tools/memory_of_training.py                    # the paper's model, 1000 s a GPU
    tools/memory_of_training.py --llm 135M --conversation_seconds 120 --num_shards 8

Prints a Markdown table: a line for each part, a column for each way of training. The
formulas are in training_benchmark/memory_parts.py; GiB are of 2**30 bytes. What the
allocator keeps beside (fragments, workspaces of matrix products) is not counted: leave
a tenth free.
"""

import argparse
import sys

from training_benchmark.case import LLMS
from training_benchmark.memory_parts import PARTS, Plan, peak_bytes
from training_benchmark.model_sizes import Llm, Model

from espnet2_duplex.bin.cli import run_cli

FRAMES_PER_SECOND = 12.5


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--llm", choices=LLMS, default="1.1B", help="size (1.1B)")
    parser.add_argument("--seconds", type=float, default=1000, help="a GPU (1000)")
    parser.add_argument(
        "--conversation_seconds", type=float, default=100, help="each (100)"
    )
    parser.add_argument("--logits_chunk_frames", type=int, default=1024)
    parser.add_argument(
        "--num_shards", type=int, default=1, help="GPUs of DeepSpeed ZeRO-2 (1: none)"
    )
    return parser


def make_plans(args: argparse.Namespace) -> list[Plan]:
    """From nothing saved to everything saved."""
    common = {
        "num_frames": round(args.seconds * FRAMES_PER_SECOND),
        "conversation_frames": round(args.conversation_seconds * FRAMES_PER_SECOND),
        "num_shards": args.num_shards,
        "logits_chunk_frames": args.logits_chunk_frames,
    }
    return [
        Plan("float32", is_mixed=False, **common),
        Plan("bf16", **common),
        Plan("bf16, checkpointing", is_checkpointed=True, **common),
    ]


def main(cmd=None):
    """Print the table; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    model, plans = Model(Llm(**LLMS[args.llm])), make_plans(args)
    print(
        f"{args.llm}: {model.weights() / 1e6:.0f} M weights, {args.seconds:g} s on a GPU "
        f"in conversations of {args.conversation_seconds:g} s, GiB\n"
    )
    rows = {name: [part(model, plan) for plan in plans] for name, part in PARTS.items()}
    rows["peak"] = [peak_bytes(model, plan) for plan in plans]
    print("|", " | ".join(["part", *(plan.name for plan in plans)]), "|")
    print("|", " | ".join("---" for _ in range(1 + len(plans))), "|")
    for name, values in rows.items():
        print("|", " | ".join([name, *(f"{v / 2**30:.1f}" for v in values)]), "|")


if __name__ == "__main__":
    sys.exit(run_cli(main))
