#!/usr/bin/env python3
"""Conversations of a training set as a test set: what was learned, asked by new voices.

Every n-th conversation of the set `train` whose turns are synthesised becomes one of
the set `test_known`, so that `run.sh --conversations` speaks it in the voices of test
sets. One is kept as `train` and one as `valid`, which every file of conversations needs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from conversation_format import write_conversations

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text


def known_conversations(rows: Sequence[dict], every: int) -> list[dict]:
    """Rows of conversations.jsonl -> the rows of the new file, in the same order.

    Args:
        rows: of all sets.
        every: takes the first of so many, at least 4: the next two are the others.
    Raises:
        ValueError: fewer than three conversations of `train` are synthesised.
    """
    spoken = [
        row
        for row in rows
        if row["set"] == "train" and not any("wav" in turn for turn in row["turns"])
    ]
    if len(spoken) < 3:
        raise ValueError(
            f"{len(spoken)} conversations of the set train are synthesised, but three "
            "are needed; give the conversations.jsonl of a larger corpus."
        )
    sets = {1: "train", 2: "valid"} | dict.fromkeys(
        range(0, len(spoken), every), "test_known"
    )
    return [spoken[index] | {"set": sets[index]} for index in sorted(sets)]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("conversations", type=Path, help="of the corpus, a JSONL")
    parser.add_argument("--out", type=Path, required=True, help="the new JSONL")
    parser.add_argument("--every", type=int, default=10, help="one of so many is taken")
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.every < 4:
        raise ValueError(f"--every is {args.every}; give 4 or more.")
    lines = read_text(args.conversations).split("\n")
    rows = known_conversations(
        [json.loads(line) for line in lines if line.strip()], args.every
    )
    write_conversations(args.out, rows)
    print(f"{args.out}: {len(rows) - 2} conversations in test_known")


if __name__ == "__main__":
    sys.exit(run_cli(main))
