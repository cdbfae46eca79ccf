"""Which sets, or which part of a set, to score; and parts that become a set again."""

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from espnet2_duplex.data_folder import read_keys
from espnet2_duplex.metrics.merged_results import merge_results
from espnet2_duplex.metrics.recordings import read_references
from espnet2_duplex.metrics.results import RESULTS_FILE, read_scored, write_results
from espnet2_duplex.scoring.set_records import Outcome, SetToScore

PARTS = "parts"


def folders(args: argparse.Namespace) -> list[SetToScore]:
    """Sets of the command line, checked before the first is begun.

    Raises:
        ValueError: a folder is missing, or options contradict each other.
    """
    if args.data_dir is None:
        raise ValueError("--decode_dir was given without --data_dir; give both")
    _check_part(args)
    decode_dir, data_dir = Path(args.decode_dir), Path(args.data_dir)
    pairs = [(decode_dir, data_dir)]
    if args.sets:
        if len(set(args.sets)) < len(args.sets):
            raise ValueError(
                f"--sets is {' '.join(args.sets)}; name every set only once"
            )
        pairs = [(decode_dir / name, data_dir / name) for name in args.sets]
    else:
        _check_one_set(data_dir)
    for decoded, _ in pairs:
        if not decoded.is_dir():
            raise ValueError(
                f"{decoded} does not exist; decode the set (stage 9) before scoring it"
            )
    keys = read_keys(args.key_file) if args.key_file else None
    return [
        SetToScore(
            decoded, data, decoded / PARTS / args.part if args.part else decoded, keys
        )
        for decoded, data in pairs
    ]


def merge_parts(where: SetToScore) -> Outcome:
    """Write the results.json and conversations.jsonl of a set from those of its parts.

    Returns:
        What had gone wrong in the parts.

    Raises:
        ValueError: there are no parts; they are not those of one division of the set;
            one is damaged; or they were scored by different definitions.
    """
    parts = sorted(
        path.parent for path in where.decoded.glob(f"{PARTS}/*/{RESULTS_FILE}")
    )
    if not parts:
        raise ValueError(
            f"{where.decoded / PARTS} has no scored parts; score each with --key_file "
            "and --part first"
        )
    results: list[dict] = []
    rows: dict[str, dict] = {}
    for part in parts:
        found, part_rows = read_scored(part)
        _check_number(part, found, part_rows)
        for row in part_rows:
            if row["id"] in rows:
                raise ValueError(
                    f"{row['id']} is in {part} and in another part; delete the parts "
                    "that are not of one division of the set"
                )
            rows[row["id"]] = row
        results.append(found)
    _check_whole(where, rows)
    merged = merge_results(results, where.decoded.name)
    ordered = [rows[name] for name in sorted(rows)]
    write_results(where.decoded, merged, ordered)
    problems = (row["problem"] for row in ordered)
    return Outcome(tuple(filter(None, problems)), merged["gpt_score"]["problem"])


def _check_part(args: argparse.Namespace) -> None:
    """Options about parts, which of them go together."""
    if args.merge_parts and (args.key_file or args.part):
        raise ValueError(
            "--merge_parts brings all scored parts together and scores nothing; leave "
            "--key_file and --part out"
        )
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
    if args.part and (args.part in (".", "..") or Path(args.part).name != args.part):
        raise ValueError(
            f"--part is {args.part!r}; expected the name of a folder without any above "
            "it, as 1 or first_half"
        )


def _check_one_set(data_dir: Path) -> None:
    """Refuse a folder of sets where a set is expected."""
    names = sorted(path.parent.name for path in data_dir.glob("*/turns"))
    if names and not (data_dir / "turns").is_file():
        raise ValueError(
            f"{data_dir} has no turns, but its sub-folders {', '.join(names)} have; "
            "name the sets to score with --sets"
        )


def _check_number(part: Path, results: dict, rows: Sequence[dict]) -> None:
    num = results["num_conversations"] + results["num_problems"]
    if num != len(rows):
        raise ValueError(
            f"{part} has counts of {num} conversations but {len(rows)} lines; score "
            "this part again"
        )


def _check_whole(where: SetToScore, names: Iterable[str]) -> None:
    """The parts have the conversations of the data, all of them and no others."""
    expected, found = set(read_references(where.data)), set(names)
    missing, unknown = sorted(expected - found), sorted(found - expected)
    turns = where.data / "turns"
    if missing:
        raise ValueError(
            f"{len(missing)} of the {len(expected)} conversations of {turns} are in no "
            f"scored part of {where.decoded}, the first is {missing[0]}; score the part "
            "that has them before merging"
        )
    if unknown:
        raise ValueError(
            f"the parts of {where.decoded} have {len(unknown)} conversation(s) that are "
            f"not in {turns}, the first is {unknown[0]}; delete the parts that are of "
            "other data"
        )
