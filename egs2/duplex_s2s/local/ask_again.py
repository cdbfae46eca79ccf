#!/usr/bin/env python3
"""Conversations of a training set as a test set: what was learned, asked by new voices.

Every n-th conversation of the set `train` whose turns are synthesised becomes one of
the set `test_known`, so that `run.sh --conversations` speaks it in the voices of test
sets. One is kept as `train` and one as `valid`, which every file of conversations needs.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from conversation_format import read_texts, write_conversations
from conversation_rows import TextConversation
from sources.own import row_of

from espnet2_duplex.bin.cli import run_cli


def known_conversations(
    conversations: Sequence[TextConversation], every: int
) -> list[dict]:
    """Conversations of a corpus -> the rows of the new file, in the same order.

    Args:
        conversations: of all sets.
        every: takes the first of so many, at least 4: the next two are the others.
    Raises:
        ValueError: fewer than three conversations of `train` are synthesised.
    """
    spoken = [
        row_of(one, name="", out=Path())
        for one in conversations
        if one.set == "train" and all(turn.wav is None for turn in one.turns)
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
    rows = known_conversations(read_texts(args.conversations), args.every)
    write_conversations(args.out, rows)
    print(f"{args.out}: {len(rows) - 2} conversations in test_known")


if __name__ == "__main__":
    sys.exit(run_cli(main))
