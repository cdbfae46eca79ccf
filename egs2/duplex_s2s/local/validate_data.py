#!/usr/bin/env python3
"""Check data folders: files, wavs and turns of every conversation.

    python local/validate_data.py data/train data/valid

Rates are those of the corpus, where its YAML is named.

The first fault ends the check with one sentence that names the file or the turn and
tells the remedy, and exit code 1.
"""

import argparse
import sys
from pathlib import Path
from typing import List, Optional

from corpus_settings import read_corpus
from progress import progress
from speech_settings import SpeechSettings

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import Conversation
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.dataset_checks import load_conversation


def validate_folder(
    folder: Path, user_rate: int, agent_rate: int
) -> List[Conversation]:
    """Check one data folder; returns its conversations.

    Raises:
        ValueError: if anything in it is wrong.
    """
    names = ("user.scp", "agent.scp", "turns")
    tables = {name: read_table(folder / name) for name in names}
    for name in (*names[1:], "utt2dur", "utt2spk"):
        keys = set(tables[name] if name in tables else read_table(folder / name))
        odd = sorted(keys.symmetric_difference(tables["user.scp"]))
        if odd:
            where = folder / (name if odd[0] not in keys else "user.scp")
            raise ValueError(
                f"{where} lacks the conversation {odd[0]}; give every file of "
                f"{folder} the same ids."
            )
    return [
        load_conversation(
            key,
            tables["turns"][key],
            Path(tables["user.scp"][key]),
            Path(tables["agent.scp"][key]),
            user_rate=user_rate,
            agent_rate=agent_rate,
        )
        for key in progress(tables["user.scp"], f"checking {folder.name}")
    ]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--config", type=Path, help="corpus YAML")
    return parser


def main(cmd: Optional[List[str]] = None) -> None:
    args = get_parser().parse_args(cmd)
    speech = read_corpus(args.config).speech if args.config else SpeechSettings()
    for folder in args.folders:
        conversations = validate_folder(folder, speech.user_rate, speech.agent_rate)
        seconds = sum(conversation.duration for conversation in conversations)
        print(f"{folder}: {len(conversations)} conversations, {seconds:.0f} s are good")


if __name__ == "__main__":
    sys.exit(run_cli(main))
