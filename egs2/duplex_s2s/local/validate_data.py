#!/usr/bin/env python3
"""Check data folders: tables, wavs, turns and events of every conversation.

    python local/validate_data.py data/train data/valid
    python local/validate_data.py data/train --strict_agent --job 2 --num_jobs 4

All tables have the same ids; wavs are whole, finite, mono, of the expected rate and as
long as each other and utt2dur; turns and events lie inside, and turns of one role do not
overlap. Rates are those of the corpus, where its YAML is named.

Up to twenty faults are listed, each in one sentence that names the file or the turn and
tells the remedy; with any, the exit code is 1.
"""

import argparse
import sys
from pathlib import Path

from corpus_settings import read_speech
from data_checks import Checked, check_conversation, check_silence, read_tables
from progress import progress
from shares import add_share_options, check_share

from espnet2_duplex.bin.cli import run_cli

MAX_SHOWN_FAULTS = 20


def validate_folder(
    folder: Path,
    user_rate: int,
    agent_rate: int,
    *,
    job: int = 1,
    num_jobs: int = 1,
    strict_agent: bool = False,
) -> Checked:
    """Check every `num_jobs`-th conversation of a data folder.

    Args:
        folder: Kaldi-style.
        user_rate: of its wavs, in Hz.
        agent_rate: likewise.
        job: which share, from 1 on.
        num_jobs: number of shares.
        strict_agent: whether the agent must be silent outside its turns, as simulated
            conversations are and recorded ones are not.

    Raises:
        ValueError: a table is missing or faulty, or has other ids than the others.
    """
    tables = read_tables(folder)
    conversations, faults = [], []
    mine = list(tables["user.scp"])[job - 1 :: num_jobs]
    for key in progress(mine, f"checking {folder.name}"):
        told = {name: table[key] for name, table in tables.items()}
        conversation, found = check_conversation(
            key, told, (user_rate, agent_rate), check_silence if strict_agent else None
        )
        faults += found
        if conversation is not None:
            conversations.append(conversation)
    return Checked(tuple(conversations), tuple(faults))


def check_no_faults(folder: Path, faults: tuple[str, ...]) -> None:
    """There are none.

    Raises:
        ValueError: there are; the first are listed on stderr, one a line.
    """
    if len(faults) == 1:
        raise ValueError(faults[0])
    shown = faults[:MAX_SHOWN_FAULTS]
    for fault in shown:
        print(f"fault: {fault}", file=sys.stderr)
    if faults:
        raise ValueError(
            f"{folder} has {len(faults)} faults, {len(shown)} of which are listed "
            "above; correct them and check it again."
        )


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--config", type=Path, help="corpus YAML")
    parser.add_argument(
        "--strict_agent",
        action="store_true",
        help="the agent's wav must be exactly zero outside its turns, as in a simulated "
        "set; recorded calls are not",
    )
    add_share_options(parser)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    check_share(args)
    speech = read_speech(args.config)
    for folder in args.folders:
        checked = validate_folder(
            folder,
            speech.user_rate,
            speech.agent_rate,
            job=args.job,
            num_jobs=args.num_jobs,
            strict_agent=args.strict_agent,
        )
        check_no_faults(folder, checked.faults)
        seconds = sum(conversation.duration for conversation in checked.conversations)
        num = len(checked.conversations)
        print(f"{folder}: {num} conversations, {seconds:.0f} s are good")


if __name__ == "__main__":
    sys.exit(run_cli(main))
