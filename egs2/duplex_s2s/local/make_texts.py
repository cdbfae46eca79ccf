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
texts are split as one, by the id of the first of them. Where one like them has a set by
name they go to train if that is train, and are left out if it is another.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from conversation_format import split_sets, write_conversations
from corpus_settings import read_corpus
from sources.registry import parse_entry
from sources.rows import Job, choose
from sources.speakable import seconds_of

from espnet2_duplex.bin.cli import run_cli

REPEATED = "the same user texts are in a held-out set"


@dataclass(frozen=True)
class Drafted:
    """A row that may still lack its set.

    Attributes:
        row: of the format.
        held_out: shares of the sets beside train, of its entry.
    """

    row: dict
    held_out: Mapping[str, float]


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
    return [Drafted(row, options.held_out) for row in rows]


def user_key(row: dict) -> tuple[str, ...]:
    """What tells rows apart for the sets: the words of the user's turns."""
    texts = (turn["text"] for turn in row["turns"] if turn["role"] == "user")
    return tuple(
        " ".join("".join(c for c in text.lower() if c.isalnum() or c == " ").split())
        for text in texts
    )


def with_sets(drafts: Sequence[Drafted], refused: Counter) -> list[dict]:
    """Rows that all have a set; none without a name is like one in another set.

    Args:
        drafts: in the order of the corpus.
        refused: counts those that are left out.
    """
    named: dict[tuple[str, ...], set[str]] = {}
    for draft in drafts:
        if "set" in draft.row:
            named.setdefault(user_key(draft.row), set()).add(draft.row["set"])
    sets = {key: "train" for key, names in named.items() if "train" in names}
    sets |= _split([draft for draft in drafts if user_key(draft.row) not in named])
    complete = []
    for draft in drafts:
        row = draft.row
        if "set" not in row:
            if user_key(row) not in sets:
                refused[REPEATED] += 1
                continue
            row = {**row, "set": sets[user_key(row)]}
        complete.append(row)
    return complete


def _split(drafts: Sequence[Drafted]) -> dict[tuple[str, ...], str]:
    """Sets by the user texts, from the id of their first row, within each dataset."""
    first: dict[tuple[str, ...], Drafted] = {}
    for draft in drafts:
        first.setdefault(user_key(draft.row), draft)
    by_source: dict[tuple, dict[str, tuple[str, ...]]] = {}
    for key, draft in first.items():
        source = (draft.row["source"], *draft.held_out.items())
        by_source.setdefault(source, {})[draft.row["id"]] = key
    return {
        keys[id]: name
        for source, keys in by_source.items()
        for id, name in split_sets(keys, dict(source[1:])).items()
    }


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
