#!/usr/bin/env python3
"""Sources of texts -> `<out>/conversations.jsonl` (format: conversation_format.py).

Reads the `texts` section of a corpus YAML, a list such as

    texts:
      - {source: marco, path: /data/marco/train.json, num: 1000}
      - {source: chitchat, num: 300, held_out: {valid: 0.1, test: 0.1}}
      - {source: conversations, path: generated/topic.jsonl}

The kinds of sources and their options stand in `sources/`. Paths are relative to
`--out` if they are there, else to the work folder.

Sets: an entry's `set`, or the row's own, stands; other rows are split by the SHA-1 of
their ids, with the shares `held_out` of their entry. No leak: rows with the same user
texts are put together, so that a row without a set of its own goes to train if one like
it is there, and is left out if one like it was put into a held-out set by name.
"""

import argparse
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

from conversation_format import split_sets, write_conversations
from corpus_settings import read_corpus
from sources.registry import parse_entry
from sources.rows import Job, choose
from sources.speakable import seconds_of

from espnet2_duplex.bin.cli import run_cli

REPEATED = "the same user texts are in a held-out set"


def read_entries(path: Path) -> tuple[list[dict], dict]:
    """The entries of `texts`, and the user voices of `speech` by their use.

    Raises:
        ValueError: the file is missing or faulty, or has no texts.
    """
    corpus = read_corpus(path)
    if not (isinstance(corpus.texts, list) and corpus.texts):
        raise ValueError(f"{path} has no list `texts`; add the sources of texts.")
    voices = {
        use: tuple(v for users in corpus.speech.user for v in getattr(users, use))
        for use in ("train_voices", "test_voices")
    }
    return corpus.texts, voices


def rows_of_entry(entry: object, where: str, job: Job) -> list[dict]:
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
    return [{**row, "_held_out": options.held_out} for row in rows]


def user_key(row: dict) -> tuple[str, ...]:
    """What tells rows apart for the sets: the words of the user's turns."""
    texts = (turn["text"] for turn in row["turns"] if turn["role"] == "user")
    return tuple(
        " ".join("".join(c for c in text.lower() if c.isalnum() or c == " ").split())
        for text in texts
    )


def with_sets(rows: list[dict], refused: Counter) -> list[dict]:
    """Rows that all have a set, none of them in two (rule above).

    Rows come with "_held_out", the shares of their entry, and go without it.
    """
    named: dict[tuple[str, ...], set[str]] = {}
    for row in rows:
        if "set" in row:
            named.setdefault(user_key(row), set()).add(row["set"])
    split = _split(rows)
    in_train = {user_key(row) for row in rows if split.get(row["id"]) == "train"}
    in_train |= {key for key, sets in named.items() if "train" in sets}
    complete = []
    for row in rows:
        row = {key: value for key, value in row.items() if key != "_held_out"}
        if "set" not in row:
            key = user_key(row)
            if key in named and "train" not in named[key]:
                refused[REPEATED] += 1
                continue
            row["set"] = "train" if key in in_train else split[row["id"]]
        complete.append(row)
    return complete


def _split(rows: list[dict]) -> dict[str, str]:
    """Sets of the rows without one, by the id, within each dataset."""
    by_source: dict[tuple, list[str]] = {}
    for row in rows:
        if "set" not in row:
            key = (row["source"], *row["_held_out"].items())
            by_source.setdefault(key, []).append(row["id"])
    split: dict[str, str] = {}
    for key, ids in by_source.items():
        split |= split_sets(ids, dict(key[1:]))
    return split


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


def needed_assets(config: Path) -> list[str]:
    """Names of the assets, besides the default ones, that a corpus' texts come from.

    Raises:
        ValueError: the YAML is faulty.
    """
    entries, _ = read_entries(config)
    kinds = [parse_entry(entry, str(config))[0] for entry in entries]
    return sorted({name for kind in kinds for name in kind.assets})


def make_texts(config: Path, job: Job) -> list[dict]:
    """All rows of a corpus YAML, with their sets; tells the progress.

    Raises:
        ValueError: the YAML or a source is faulty.
    """
    entries, voices = read_entries(config)
    job = replace(job, **voices)
    named = [(e, f"{config}, texts {number}") for number, e in enumerate(entries)]
    for entry, where in named:
        parse_entry(entry, where)  # all entries, before the first one takes minutes
    rows: list[dict] = []
    for entry, where in named:
        own = replace(job, refused=Counter())
        rows += rows_of_entry(entry, where, own)
        print(
            f"{where}: {entry['source']}: {len(rows)} conversations so far", flush=True
        )
        for reason, number in own.refused.most_common():
            print(f"  left out: {number}, {reason}", flush=True)
    return with_sets(rows, job.refused)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--out", type=Path, default=Path("data/local"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--list_assets", action="store_true", help="print what assets.py must fetch"
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.list_assets:
        print("\n".join(needed_assets(args.config)))
        return
    job = Job(args.downloads, args.out, args.seed)
    rows = make_texts(args.config, job)
    for reason, number in job.refused.most_common():
        print(f"left out: {number}, {reason}", flush=True)
    write_conversations(args.out / "conversations.jsonl", rows)
    for line in report(rows):
        print(line, flush=True)
    print(f"{args.out / 'conversations.jsonl'}: {len(rows)} conversations", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
