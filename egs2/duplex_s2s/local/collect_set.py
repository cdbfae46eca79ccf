#!/usr/bin/env python3
"""Rendered wavs + layouts -> the data folder of a set.

Writes user.scp, agent.scp, turns, events, utt2dur, utt2source, utt2spk, spk2utt and
sources (what the corpus' YAML says of the datasets) beside the wavs in `--rendered`,
and puts that folder in the place of `--out` by renaming, so that a set is complete and
checked or as it was. Samples and turns were checked when they were rendered; here the
headers of the wavs are.

All tables are sorted by the conversation's id. It begins with its speaker where the set
has a `num_conversations`, and is the script's own where it has none, so that Kaldi's
sorting by speaker may fail there: ESPnet reads tables by key and does not need it.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from corpus_settings import read_corpus
from layout_files import count_layouts, layouts_path, read_layouts, wav_path
from progress import progress

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import turns_to_json
from espnet2_duplex.data_folder import write_speakers, write_table
from espnet2_duplex.events import events_to_json
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.sound_files import read_header
from espnet2_duplex.timing import nearest_sample

TABLES = (
    *("user.scp", "agent.scp", "turns", "events"),
    *("utt2dur", "utt2source", "utt2spk"),
)


def check_wav(path: Path, sample_rate: int, duration: float) -> None:
    """A rendered wav is there, mono, at this rate in Hz, and as long as its layout.

    Raises:
        ValueError: if it is not so.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing; run local/data.sh --stage 3.")
    header = read_header(path)
    found = (header.sample_rate, header.num_channels, header.num_samples)
    if found != (sample_rate, 1, nearest_sample(duration, sample_rate)):
        raise ValueError(
            f"{path} has {header.sample_rate} Hz, {header.num_channels} channels and "
            f"{header.seconds:.2f} s; expected {sample_rate} Hz, mono and "
            f"{duration:.2f} s, so delete it and run local/data.sh --stage 3."
        )


def set_tables(
    layouts: Iterable[tuple[int, Layout]],
    rendered: Path,
    out: Path,
    suffix: str,
    rates: Mapping[str, int],
) -> dict[str, dict[str, str]]:
    """The set's text files but for spk2utt, name -> table.

    Args:
        layouts: of the set, with their numbers; none is kept.
        rendered: folder of the wavs.
        out: where that folder will be.
        suffix: of the wavs.
        rates: in Hz, of "user" and "agent".

    Raises:
        ValueError: a wav is missing or not as it was rendered.
    """
    tables: dict[str, dict[str, str]] = {name: {} for name in TABLES}
    for number, layout in layouts:
        conversation = layout.conversation
        key = conversation.id
        for role, rate in rates.items():
            path = wav_path(rendered, number, key, role, suffix)
            check_wav(path, rate, conversation.duration)
            tables[f"{role}.scp"][key] = str(out / path.relative_to(rendered))
        tables["turns"][key] = turns_to_json(conversation.turns)
        tables["events"][key] = events_to_json(layout.events)
        tables["utt2dur"][key] = f"{conversation.duration:.2f}"
        tables["utt2source"][key] = layout.source
        tables["utt2spk"][key] = layout.speaker
    return tables


def remove_leftovers(rendered: Path) -> None:
    """Remove what jobs that were killed had begun to write."""
    for path in rendered.rglob(".*.tmp"):
        path.unlink()


def replace_folder(new: Path, folder: Path) -> None:
    """Put `new` where `folder` is, by renaming; one call at a time.

    What an earlier call has left that was killed is removed.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}.{os.getpid()}.replaced")
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    for old in folder.parent.glob(f".{folder.name}.*.replaced"):
        shutil.rmtree(old, ignore_errors=True)


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
        help="folder of layouts (%(default)s)",
    )
    parser.add_argument(
        "--rendered",
        type=Path,
        required=True,
        help="what render_conversations.py wrote",
    )
    parser.add_argument("--out", type=Path, required=True, help="the data folder")
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config)
    suffix = corpus.sets.of(args.set).audio_format
    rates = {"user": corpus.speech.user_rate, "agent": corpus.speech.agent_rate}
    path = layouts_path(args.local, args.set)
    layouts = progress(read_layouts(path), f"checking {args.set}", count_layouts(path))
    tables = set_tables(layouts, args.rendered, args.out, suffix, rates)
    remove_leftovers(args.rendered)
    for name, table in tables.items():
        write_table(args.rendered / name, table)
    write_speakers(args.rendered, tables["utt2spk"])
    if corpus.sources:
        told = {name: json.dumps(info) for name, info in corpus.sources.items()}
        write_table(args.rendered / "sources", told)
    replace_folder(args.rendered, args.out)
    seconds = sum(map(float, tables["utt2dur"].values()))
    print(
        f"{args.out}: {len(tables['turns'])} conversations, {seconds:.0f} s", flush=True
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
