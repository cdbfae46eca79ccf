#!/usr/bin/env python3
"""Rendered wavs + layouts -> the data folder of a set.

Writes user.scp, agent.scp, turns, events, utt2dur, utt2source, utt2spk, spk2utt and
sources (what the corpus' YAML says of the datasets) beside the wavs in `--rendered`, and puts that folder in the place of `--out` by
renaming, so that a set is complete or as it was.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from corpus_settings import read_corpus
from render_conversations import read_lines, wav_path

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import turns_to_json
from espnet2_duplex.data_folder import write_speakers, write_table
from espnet2_duplex.events import events_to_json
from espnet2_duplex.simulation.layout import Layout


def set_tables(
    layouts: list[Layout], rendered: Path, out: Path, suffix: str
) -> dict[str, dict[str, str]]:
    """The set's text files, name -> table.

    Raises:
        ValueError: a wav is missing.
    """
    names = ("user.scp", "agent.scp", "turns", "events", "utt2dur", "utt2source")
    tables: dict[str, dict[str, str]] = {name: {} for name in names}
    for number, layout in enumerate(layouts):
        key = layout.conversation.id
        for role in ("user", "agent"):
            path = wav_path(rendered, number, key, role, suffix)
            if not path.is_file():
                raise ValueError(f"{path} is missing; run local/data.sh --stage 3.")
            tables[f"{role}.scp"][key] = str(out / path.relative_to(rendered))
        tables["turns"][key] = turns_to_json(layout.conversation.turns)
        tables["events"][key] = events_to_json(layout.events)
        tables["utt2dur"][key] = f"{layout.conversation.duration:.2f}"
        tables["utt2source"][key] = layout.source
    return tables


def replace_folder(new: Path, folder: Path) -> None:
    """Put `new` where `folder` is, by renaming."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    old = folder.with_name(f".{folder.name}.{os.getpid()}.replaced")
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--set", required=True, help="name of the set")
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--rendered", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the data folder")
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config)
    suffix = corpus.sets.of(args.set).audio_format
    lines = read_lines(args.local / "layouts" / f"{args.set}.jsonl")
    layouts = [Layout.from_json(line) for line in lines]
    for name, table in set_tables(layouts, args.rendered, args.out, suffix).items():
        write_table(args.rendered / name, table)
    speakers = {layout.conversation.id: layout.speaker for layout in layouts}
    write_speakers(args.rendered, speakers)
    if corpus.sources:
        told = {name: json.dumps(info) for name, info in corpus.sources.items()}
        write_table(args.rendered / "sources", told)
    replace_folder(args.rendered, args.out)
    seconds = sum(layout.conversation.duration for layout in layouts)
    print(f"{args.out}: {len(layouts)} conversations, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
