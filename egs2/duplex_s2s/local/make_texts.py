#!/usr/bin/env python3
"""Sources of texts -> `<out>/conversations.jsonl` (format: conversation_format.py).

Reads the `texts` section of a corpus YAML, a list such as

    texts:
      - {source: marco, path: /data/marco/train.json, num: 1000}
      - {source: chitchat, num: 300, held_out: {valid: 0.1, test: 0.1}}
      - {source: conversations, path: generated/topic.jsonl}

The kinds of sources and their options stand below. Paths are relative to `--out` if
they are there, else to the work folder.

Sets: an entry's `set`, or the row's own, stands; other rows are split by the SHA-1 of
their ids, with the shares `held_out` of their entry. No leak: rows with the same user
texts, recording or passage are split as one, by the id of the first of them. Where one
like them has a set by name they go to train if that is train, and are left out if it is
another; and so is what one entry puts into train and another one into a held-out set.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from conversation_format import write_conversations
from corpus_settings import read_corpus
from sources.listing import input_files, options_help
from sources.registry import Kind, parse_entry
from sources.rows import Job, Options, choose
from sources.sets import Drafted, check_ids, with_sets
from sources.turn_lengths import seconds_of

from espnet2_duplex.bin.cli import run_cli


def read_entries(path: Path) -> tuple[list[dict], dict]:
    """The entries of `texts`, and what `speech` says to a `Job`: voices and rates.

    Raises:
        ValueError: the file is missing or faulty, or has no texts.
    """
    corpus = read_corpus(path)
    if not (isinstance(corpus.texts, list) and corpus.texts):
        raise ValueError(f"{path} has no list `texts`; add the sources of texts.")
    speech = corpus.speech
    voices = {
        use: tuple(v for users in speech.user for v in getattr(users, use))
        for use in ("train_voices", "test_voices")
    }
    rates = {"user_rate": speech.user_rate, "agent_rate": speech.agent_rate}
    return corpus.texts, voices | rates


def rows_of_entry(entry: object, where: str, job: Job) -> list[Drafted]:
    """Rows of one entry; those that its options put into a set have it.

    Raises:
        ValueError: the entry or its files are faulty.
    """
    kind, options = parse_entry(entry, where)
    rows = choose(kind.rows(options, job), options.num, job.seed)
    if options.set:
        rows = [{**row, "set": options.set} for row in rows]
    if options.num is not None and len(rows) < options.num:
        print(f"{where}: {options.num} are wanted, there are {len(rows)}", flush=True)
    return [Drafted(row, options.held_out, where) for row in rows]


def report(rows: list[dict]) -> list[str]:
    """Lines that tell the number and estimated length of each dataset's set."""
    counts: dict[tuple[str, str], Counter] = {}
    for row in rows:
        count = counts.setdefault((row["source"], row["set"]), Counter())
        count["conversations"] += 1
        for turn in row["turns"]:
            count[turn["role"]] += seconds_of(turn["text"], turn["role"])
    return [
        f"{source}, {name}: {count['conversations']} conversations, about "
        f"{count['user'] / 60:.1f} min of users, {count['agent'] / 60:.1f} min of agent"
        for (source, name), count in sorted(counts.items())
    ]


def parsed_entries(config: Path) -> list[tuple[Kind, Options]]:
    """Kinds and options of all entries of a corpus YAML.

    Raises:
        ValueError: the YAML is faulty.
    """
    entries, _ = read_entries(config)
    return [parse_entry(e, f"{config}, texts {n}") for n, e in enumerate(entries)]


def needed_assets(config: Path) -> list[str]:
    """Names of the assets, besides the default ones, that a corpus' texts come from.

    Raises:
        ValueError: the YAML is faulty.
    """
    parsed = parsed_entries(config)
    return sorted({name for kind, _ in parsed for name in kind.assets})


def needed_files(config: Path, job: Job) -> list[str]:
    """Paths of the files that a corpus' texts come from (`sources.listing`), each once.

    Raises:
        ValueError: the YAML is faulty or a file does not exist.
    """
    parsed = parsed_entries(config)
    files = [
        file for kind, options in parsed for file in input_files(kind, options, job)
    ]
    return list(dict.fromkeys(map(str, files)))


def make_texts(config: Path, job: Job) -> list[dict]:
    """All rows of a corpus YAML, with their sets; tells the progress.

    Raises:
        ValueError: the YAML or a source is faulty.
    """
    entries, speech = read_entries(config)
    job = replace(job, **speech)
    named = [(e, f"{config}, texts {number}") for number, e in enumerate(entries)]
    for entry, where in named:
        parse_entry(entry, where)  # all entries, before the first one takes minutes
    rows: list[Drafted] = []
    for entry, where in named:
        own = replace(job, refused=Counter())
        rows += rows_of_entry(entry, where, own)
        print(
            f"{where}: {entry['source']}: {len(rows)} conversations so far", flush=True
        )
        for reason, number in own.refused.most_common():
            print(f"  left out: {number}, {reason}", flush=True)
    check_ids(rows)
    return with_sets(rows, job.refused)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=options_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--out", type=Path, default=Path("data/local"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--list_assets", action="store_true", help="print what assets.py must fetch"
    )
    parser.add_argument(
        "--list_inputs",
        action="store_true",
        help="print the files that the texts come from, but for generated ones",
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.list_assets:
        print("\n".join(needed_assets(args.config)))
        return
    job = Job(args.downloads, args.out, args.seed)
    if args.list_inputs:
        print("".join(f"{path}\n" for path in needed_files(args.config, job)), end="")
        return
    rows = make_texts(args.config, job)
    for reason, number in job.refused.most_common():
        print(f"left out: {number}, {reason}", flush=True)
    write_conversations(args.out / "conversations.jsonl", rows)
    for line in report(rows):
        print(line, flush=True)
    print(f"{args.out / 'conversations.jsonl'}: {len(rows)} conversations", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
