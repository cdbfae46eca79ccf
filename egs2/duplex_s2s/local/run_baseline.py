#!/usr/bin/env python3
"""Run another system on a set, for the tables beside our model (local/baselines).

    python local/run_baseline.py cascade --data_dir data/test_qa \\
        --output_dir exp/baseline_cascade/test_qa

Writes `<output_dir>/<id>/{input.wav,output.wav,output.json}` as our own decoding does
(stage 9). A conversation that is there is kept, so a run that was stopped goes on where
it was; jobs with a part of the ids each (--key_file) may write to one folder.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from baselines.building import SYSTEMS
from baselines.options import add_common, settings_of
from baselines.sides import SAMPLE_RATE, System, UserSide
from progress import progress

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.conversation_folders import (
    not_decoded,
    select_wavs,
    write_folder,
)
from espnet2_duplex.conversation import Turn, turns_from_json
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import read_text, write_text
from espnet2_duplex.sound_files import read_mono
from espnet2_duplex.timing import nearest_sample

SETTINGS_FILE = "baseline.json"


def read_turns(data_dir: Path) -> dict[str, tuple[Turn, ...]]:
    """Turns by conversation.

    Raises:
        ValueError: the file is missing, or a line is wrong.
    """
    table = read_table(data_dir / "turns")
    return {name: turns_from_json(text, name) for name, text in table.items()}


def check_settings(output_dir: Path, settings: dict) -> None:
    """All conversations of a folder come from one system with the same settings.

    Raises:
        ValueError: some are there that do not.
    """
    path = output_dir / SETTINGS_FILE
    if path.is_file():
        earlier = json.loads(read_text(path))
        changed = [key for key in settings if earlier.get(key) != settings[key]]
        if changed:
            raise ValueError(
                f"{output_dir} was made with another {', '.join(changed)}; delete it "
                "or give another --output_dir."
            )
    else:
        write_text(path, json.dumps(settings, indent=1) + "\n")


def set_threads(num_threads: int) -> None:
    """Each job is one process; parallel jobs keep the cores busy."""
    import torch  # here: only those who run something wait for it

    torch.set_num_threads(num_threads)


def run_system(
    system: System,
    wavs: Sequence[tuple[str, str]],
    turns: dict[str, tuple[Turn, ...]],
    output_dir: Path,
    *,
    tail_seconds: float,
    num_done: int,
) -> None:
    """Let a system take part in conversations and write their folders.

    Args:
        system: in question.
        wavs: (id, path of the user's wav).
        turns: of each id.
        output_dir: gets a folder for each.
        tail_seconds: of silence to add after the user's wav.
        num_done: conversations that an earlier run has written, for the bar.

    Raises:
        ValueError: a wav or turns are missing.
    """
    total = num_done + len(wavs)
    tail = np.zeros(nearest_sample(tail_seconds, SAMPLE_RATE), np.float32)
    for name, path in progress(wavs, output_dir.name, total, num_done):
        if name not in turns:
            raise ValueError(f"{name} has no turns; make the set's data again.")
        speech = np.concatenate([read_mono(path, SAMPLE_RATE), tail])
        user = UserSide(name, speech, turns[name])
        agent = system.take_part(user)
        write_folder(
            output_dir / name,
            user=user.speech,
            agent=agent.speech,
            sample_rate=SAMPLE_RATE,
            turns=agent.turns,
            latency_seconds=agent.latency_seconds,
        )


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    systems = parser.add_subparsers(dest="system", required=True)
    for name, kind in SYSTEMS.items():
        one = systems.add_parser(
            name,
            help=kind.told,
            description=kind.told,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        add_common(one)
        kind.add_arguments(one)
    return parser


def main(cmd: Sequence[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.tail_seconds < 0:
        raise ValueError(f"--tail_seconds is {args.tail_seconds}; give 0 or more.")
    wavs = select_wavs(str(args.data_dir / "user.scp"), args.key_file)
    turns = read_turns(args.data_dir)
    check_settings(args.output_dir, settings_of(args))
    todo = not_decoded(wavs, str(args.output_dir))
    if todo:
        set_threads(args.num_threads)
        system = SYSTEMS[args.system].build(args)
        run_system(
            system,
            todo,
            turns,
            args.output_dir,
            tail_seconds=args.tail_seconds,
            num_done=len(wavs) - len(todo),
        )
    print(f"{len(wavs)} conversations are in {args.output_dir}", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
