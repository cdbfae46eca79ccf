#!/usr/bin/env python3
"""Layouts of a set -> its wavs, as one of several jobs.

Renders every `--num_jobs`-th conversation of `<local>/layouts/<set>.jsonl` into
`<out>/wav/`: `<id>_user` and `<id>_agent`. A wav that is there is kept, so that a run
that was stopped goes on; the stage that calls this empties the folder when layouts or
settings have changed. Bytes do not depend on the number of jobs. Streams are checked
before they are written, so what `collect_set.py` finds there is good.
"""

import argparse
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from corpus_settings import Corpus, read_corpus, wanted_banks
from layout_files import count_layouts, layouts_path, read_layouts, wav_path
from progress import progress
from shares import add_share_options, check_share, seed_number

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import Conversation
from espnet2_duplex.dataset_checks import (
    check_equal_duration,
    check_speech,
    load_speech,
)
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.simulation.streams import render
from espnet2_duplex.simulation.user_channel.chain import Bank
from espnet2_duplex.simulation.user_channel.memory import keep_freed_memory
from espnet2_duplex.sound_files import write_wav
from espnet2_duplex.timing import FrameClock

CLIPS_IN_MEMORY = 512  # answers recur


@lru_cache(maxsize=CLIPS_IN_MEMORY)
def load_clip(path: str, sample_rate: int) -> np.ndarray:
    """Samples (N,) float32 of a clip, kept for the next conversation."""
    return load_speech(Path(path), sample_rate)


def check_streams(
    conversation: Conversation, streams: Sequence[np.ndarray], rates: Sequence[int]
) -> None:
    """What `validate_data.py` asks of the wavs, of samples that are not written yet.

    Args:
        conversation: its id and turns.
        streams: of user and agent, (N,) float32.
        rates: of the streams, in Hz.

    Raises:
        ValueError: a sample is not finite, the streams cover different numbers of
            frames, or a turn ends after them.
    """
    clock = FrameClock()
    id, num_frames = conversation.id, []
    for role, stream, rate in zip(("user", "agent"), streams, rates):
        check_speech(f"conversation {id}: the {role}'s stream", stream, rate, rate)
        num_frames.append(clock.num_frames(len(stream), rate))
    check_equal_duration(id, *num_frames, clock)
    Conversation(id, conversation.turns, clock.seconds(num_frames[0]))


def render_conversation(
    layout: Layout, paths: tuple[Path, Path], corpus: Corpus, name: str, bank: Bank
) -> None:
    """Write both wavs of a conversation unless they are there.

    Raises:
        ValueError: a clip is missing, or the streams are not fit for a data folder.
    """
    if all(path.is_file() for path in paths):
        return
    rates = (corpus.speech.user_rate, corpus.speech.agent_rate)
    channel = corpus.sets.of(name).user_channel
    streams = render(layout, *rates, channel, bank, corpus.seed, load_clip)
    check_streams(layout.conversation, streams, rates)
    for path, stream, rate in zip(paths, streams, rates):
        write_wav(path, stream, rate)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--set", required=True, help="name of the set")
    parser.add_argument(
        "--local",
        type=Path,
        default=Path("data/local"),
        help="folder of layouts and rooms (%(default)s)",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the set")
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="of the user's channel"
    )
    parser.add_argument("--noises", type=Path, help="wav.scp of recorded noise")
    add_share_options(parser)
    return parser


def read_bank(corpus: Corpus, local: Path, noises: Path | None) -> Bank:
    """Rooms, where a set of the corpus has any, and recorded noises."""
    rooms = local / "rooms" if "rooms" in wanted_banks(corpus) else None
    return Bank.load(rooms, noises, corpus.speech.user_rate)


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    check_share(args)
    keep_freed_memory()  # streams come and go by the megabyte
    corpus = read_corpus(args.config, seed=args.seed)
    suffix = corpus.sets.of(args.set).audio_format
    bank = read_bank(corpus, args.local, args.noises)
    path = layouts_path(args.local, args.set)
    mine = read_layouts(path, args.job, args.num_jobs)
    count = len(range(args.job - 1, count_layouts(path), args.num_jobs))
    for number, layout in progress(mine, f"rendering {args.set}", count):
        key = layout.conversation.id
        paths = tuple(
            wav_path(args.out, number, key, role, suffix) for role in ("user", "agent")
        )
        render_conversation(layout, paths, corpus, args.set, bank)


if __name__ == "__main__":
    sys.exit(run_cli(main))
