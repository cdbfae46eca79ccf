"""Which sets, or which part of a set, to score; and parts that become a set again."""

import argparse
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl, read_text, write_jsonl
from espnet2_duplex.metrics.results import (
    RESULTS_FILE,
    merge_results,
    read_results,
    write_results,
)
from espnet2_duplex.scoring.sets import CONVERSATIONS_FILE, SetToScore

PARTS = "parts"


def folders(args: argparse.Namespace) -> list[SetToScore]:
    """Sets of the command line, checked before the first is begun.

    Raises:
        ValueError: a folder is missing, or options contradict each other.
    """
    if args.data_dir is None:
        raise ValueError("--decode_dir was given without --data_dir; give both")
    if args.key_file and args.sets and len(args.sets) > 1:
        raise ValueError(
            f"--key_file chooses conversations of one set, but --sets has "
            f"{len(args.sets)}; score one set at a time"
        )
    if bool(args.key_file) != bool(args.part):
        raise ValueError(
            "--key_file and --part belong together: what is scored of a set, and the "
            "name under which it is kept; give both"
        )
    decode_dir, data_dir = Path(args.decode_dir), Path(args.data_dir)
    pairs = [(decode_dir, data_dir)]
    if args.sets:
        pairs = [(decode_dir / name, data_dir / name) for name in args.sets]
    for decoded, _ in pairs:
        if not decoded.is_dir():
            raise ValueError(
                f"{decoded} does not exist; decode the set (stage 9) before scoring it"
            )
    keys = _read_keys(args.key_file) if args.key_file else None
    return [
        SetToScore(
            decoded, data, decoded / PARTS / args.part if args.part else decoded, keys
        )
        for decoded, data in pairs
    ]


def merge_parts(where: SetToScore) -> None:
    """Write the results.json and conversations.jsonl of a set from those of its parts.

    Raises:
        ValueError: there are no parts, a conversation is in two of them, or they were
            scored by different definitions.
    """
    parts = sorted(
        path.parent for path in where.decoded.glob(f"{PARTS}/*/results.json")
    )
    if not parts:
        raise ValueError(
            f"{where.decoded / PARTS} has no scored parts; score each with --key_file "
            "and --part first"
        )
    rows: dict[str, dict] = {}
    for part in parts:
        for row in read_jsonl(part / CONVERSATIONS_FILE):
            if row["id"] in rows:
                raise ValueError(
                    f"{row['id']} is in {part} and in another part; delete the parts "
                    "that are not of one division of the set"
                )
            rows[row["id"]] = row
    results = [read_results(part / RESULTS_FILE) for part in parts]
    write_results(where.decoded, merge_results(results, where.decoded.name))
    ordered = (rows[name] for name in sorted(rows))
    write_jsonl(where.decoded / CONVERSATIONS_FILE, ordered)


def _read_keys(path: Path) -> tuple[str, ...]:
    """First words of the lines of a key file, as ESPnet has them.

    Raises:
        ValueError: there are none.
    """
    keys = tuple(
        line.split()[0] for line in read_text(path).splitlines() if line.strip()
    )
    if not keys:
        raise ValueError(f"{path} names no conversation; leave the part out")
    return keys
