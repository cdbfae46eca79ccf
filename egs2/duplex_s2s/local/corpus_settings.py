#!/usr/bin/env python3
"""The YAML of a corpus, in sections:

generate    dialogues and questions that an LLM writes (stage 1)
texts       sources of conversations.jsonl (stage 1)
sources     what the report says of the datasets (report_data.py)
speech      voices and rates (stage 2)
encoder     what an encoder learns from (plan_encoder_clips.py)
simulation  when everything is said, and what the user's channel does to it (stage 3)

Run as a script it lists what the shell wants to know:

generate    "name kind number-or-manifest context" of each entry, - for no context
banks       those of rooms and sounds that a set draws from
test_sets   names of the sets for tests
drawing     all that the layouts of the sets depend on, as JSON
settings    all that the data folder of --set depends on, as JSON
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from generate_settings import parse_generate, shell_words
from speech_settings import SpeechSettings, parse_speech_settings

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text
from espnet2_duplex.simulation.settings import SetSettings, read_sets
from espnet2_duplex.simulation.yaml_fields import section

BANKS = ("rooms", "sounds")  # of the user's channel, see `bank_settings`
LISTS = (
    *("generate", "banks", "user_rate", "test_sets", "drawing", "settings"),
    *BANKS,
)
SECTIONS = (
    *("generate", "texts", "sources", "speech", "encoder", "simulation"),
    *BANKS,
)


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
        told = " ".join(str(problem).split())
        raise ValueError(f"{path} is no valid YAML: {told}.") from problem
    if not isinstance(sections, dict) or not set(sections) <= set(SECTIONS):
        found = list(sections) if isinstance(sections, dict) else sections
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
    texts = sections.get("texts") or []
    if not isinstance(texts, list):
        raise ValueError(f"{path}: texts is {texts!r}; write a list of sources.")
    sources = _read_sources(sections.get("sources"), f"{path}: sources")
    speech = parse_speech_settings(sections.get("speech"), f"{path}: speech")
    sets = read_sets(sections.get("simulation"), str(path))
    if sources:
        _check_datasets(sets, sources, path)
    return Corpus(texts, sources, speech, sets, seed)


def _read_sources(value: object, where: str) -> dict[str, dict[str, str]]:
    """What the report says of each dataset."""
    return {
        name: dict(section(told, f"{where}.{name}"))
        for name, told in section(value, where).items()
    }


def _check_datasets(sets: SetSettings, sources: Mapping, path: Path) -> None:
    """Settings name only datasets of the section `sources`, where there is one."""
    for name, one in {"defaults": sets.defaults, **sets.named}.items():
        odd = sorted({*one.sources, *one.barge_in.sources} - set(sources))
        if odd:
            raise ValueError(
                f"{path}: the sources of the set {name} have {odd[0]!r}; expected "
                f"names of the section sources: {', '.join(sources)}."
            )


def read_speech(path: Path | None) -> SpeechSettings:
    """The section `speech` of a corpus YAML; the defaults without a file.

    Raises:
        ValueError: as `read_corpus`.
    """
    return SpeechSettings() if path is None else read_corpus(path).speech


def wanted_banks(corpus: Corpus) -> list[str]:
    """Of rooms and sounds those that a set draws from."""
    settings = [corpus.sets.defaults, *corpus.sets.named.values()]
    rooms = any(
        one.user_channel.room.share + one.user_channel.echo.share > 0
        for one in settings
    )
    sounds = any(one.noises.per_minute > 0 for one in settings)
    return ["rooms"] * rooms + ["sounds"] * sounds


def drawing_settings(corpus: Corpus) -> dict:
    """All that layouts depend on besides scripts, sounds and seed."""
    sets = corpus.sets.named or {"defaults": corpus.sets.defaults}
    after = {"user_channel", "audio_format"}  # matter when layouts are rendered
    drawn = {
        name: {key: value for key, value in asdict(one).items() if key not in after}
        for name, one in sets.items()
    }
    return {"sets": drawn, "user_rate": corpus.speech.user_rate}


def set_settings(corpus: Corpus, name: str) -> dict:
    """All that the data folder of a set depends on besides its layouts, banks and seed.

    Raises:
        ValueError: the YAML names sets, and this is none of them.
    """
    named = corpus.sets.named
    if named and name not in named:
        raise ValueError(f"there is no set {name!r}; expected {', '.join(named)}.")
    return {
        "agent_rate": corpus.speech.agent_rate,
        "settings": asdict(corpus.sets.of(name)),
        "sources": corpus.sources,
        "user_rate": corpus.speech.user_rate,
    }


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--list", choices=LISTS, required=True)
    parser.add_argument("--set", help="whose settings are listed")
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config)
    if args.list == "generate":
        generate = read_sections(args.config).get("generate")
        texts = parse_generate(generate, f"{args.config}: generate")
        print("\n".join(map(shell_words, texts)))
    elif args.list == "banks":
        print(*wanted_banks(corpus))
    elif args.list in BANKS:
        print(json.dumps(read_sections(args.config).get(args.list), sort_keys=True))
    elif args.list == "user_rate":
        print(corpus.speech.user_rate)
    elif args.list == "drawing":
        print(json.dumps(drawing_settings(corpus), sort_keys=True))
    elif args.list == "settings":
        if not args.set:
            raise ValueError("--list settings needs a set; name it with --set.")
        print(json.dumps(set_settings(corpus, args.set), sort_keys=True))
    else:
        print(*[name for name in corpus.sets.named if name.startswith("test")])


if __name__ == "__main__":
    sys.exit(run_cli(main))
