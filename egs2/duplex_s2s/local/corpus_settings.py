#!/usr/bin/env python3
"""The YAML of a corpus, in sections:

generate    dialogues and questions that an LLM writes (stage 1)
texts       sources of conversations.jsonl (stage 1)
sources     what the report says of the datasets (report_data.py)
speech      voices and rates (stage 2)
simulation  when everything is said, and what the user's channel does to it (stage 3)
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from speech_settings import SpeechSettings, parse_speech_settings

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text
from espnet2_duplex.simulation.settings import SetSettings, read_sets

LISTS = ("generate", "banks", "test_sets")
GENERATED = ("topic", "ultrachat", "questions")
SECTIONS = ("generate", "texts", "sources", "speech", "simulation")


@dataclass(frozen=True)
class Corpus:
    """All settings of a corpus.

    Attributes:
        texts: sources of conversations.jsonl, as the YAML has them; none if that file
            is given by the user.
        sources: dataset -> what the report says of it.
        speech: voices and rates.
        sets: what the simulation draws.
        seed: of the whole corpus.
    """

    texts: list
    sources: dict[str, dict[str, str]]
    speech: SpeechSettings
    sets: SetSettings
    seed: int = 0


def read_sections(path: Path) -> dict:
    """The sections of a corpus YAML, as they stand there.

    Raises:
        ValueError: the file is missing, no YAML, or has other sections.
    """
    try:
        sections = yaml.safe_load(read_text(path))
    except yaml.YAMLError as problem:
        raise ValueError(f"{path} is no valid YAML: {problem}") from problem
    if not isinstance(sections, dict) or not set(sections) <= set(SECTIONS):
        found = sorted(sections) if isinstance(sections, dict) else sections
        raise ValueError(
            f"{path} holds {found!r}; expected the sections {', '.join(SECTIONS)}."
        )
    return sections


def read_corpus(path: Path, seed: int = 0) -> Corpus:
    """Read and check the YAML of a corpus.

    Raises:
        ValueError: an unknown section or name, or a wrong value; names it.
    """
    sections = read_sections(path)
    speech = parse_speech_settings(sections.get("speech") or {}, f"{path}: speech")
    sets = read_sets(sections.get("simulation") or {}, str(path))
    texts, sources = sections.get("texts") or [], sections.get("sources") or {}
    return Corpus(texts, sources, speech, sets, seed)


def read_speech(path: Path | None) -> SpeechSettings:
    """The section `speech` of a corpus YAML; the defaults without a file.

    Raises:
        ValueError: as `read_corpus`.
    """
    return SpeechSettings() if path is None else read_corpus(path).speech


def wanted_texts(path: Path) -> list[str]:
    """Lines "name kind number-or-manifest" of the section `generate`.

    Raises:
        ValueError: an entry has other fields.
    """
    lines = []
    for name, entry in (read_sections(path).get("generate") or {}).items():
        kind = entry.get("kind") if isinstance(entry, dict) else None
        wanted = "manifest" if kind == "questions" else "num"
        if kind not in GENERATED or set(entry) != {"kind", wanted}:
            raise ValueError(
                f"{path}: generate.{name} is {entry!r}; expected kind (one of "
                f"{', '.join(GENERATED)}) and num, of questions manifest."
            )
        lines.append(f"{name} {kind} {entry[wanted]}")
    return lines


def wanted_banks(corpus: Corpus) -> list[str]:
    """Of rooms and sounds those that a set draws from."""
    settings = [corpus.sets.defaults, *corpus.sets.named.values()]
    rooms = any(
        one.user_channel.room.share + one.user_channel.echo.share > 0
        for one in settings
    )
    sounds = any(one.noises.per_minute > 0 for one in settings)
    return ["rooms"] * rooms + ["sounds"] * sounds


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--list", choices=LISTS, required=True)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config)
    if args.list == "generate":
        print("\n".join(wanted_texts(args.config)))
    elif args.list == "banks":
        print(*wanted_banks(corpus))
    else:
        print(*[name for name in corpus.sets.named if name.startswith("test")])


if __name__ == "__main__":
    sys.exit(run_cli(main))
