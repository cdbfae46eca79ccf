"""RESULTS.md and report.html of a decode folder, from what scoring wrote."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from espnet2_duplex.jsonl import write_text
from espnet2_duplex.metrics.results import (
    RESULTS_FILE,
    read_results,
    read_scored,
    scored_sets,
)
from espnet2_duplex.metrics.results_table import write_report
from espnet2_duplex.metrics.score_page.page import (
    PageOptions,
    ScoredSet,
    render_score_page,
)

PAGE_FILE = "report.html"
BYTES_PER_MB = 1_000_000


def write_reports(results_dir: Path, args: argparse.Namespace) -> Path:
    """Write RESULTS.md and report.html; returns the former.

    Args:
        results_dir: decode folder.
        args: with `sets`, `compare`, `max_examples` and `max_page_mb`.

    Raises:
        ValueError: a set was not scored to its end, or as `compared_results`.
    """
    names = args.sets or scored_sets(results_dir)
    system = results_dir.resolve().name
    others = compared_results(args.compare, system, names)
    sets = [
        ScoredSet(results_dir / name, *read_scored(results_dir / name))
        for name in names
    ]
    page_bytes = round(args.max_page_mb * BYTES_PER_MB)
    options = PageOptions(max_examples=args.max_examples, max_bytes=page_bytes)
    page = render_score_page(system, sets, others, options=options)
    write_text(results_dir / PAGE_FILE, page)
    results = {each.name: each.results for each in sets}
    return write_report(results_dir, {system: results, **others})


def compared_results(
    entries: Sequence[str], system: str, names: Sequence[str]
) -> dict[str, dict[str, dict]]:
    """System -> set -> results.json of the systems of --compare.

    Args:
        entries: NAME=DIR each.
        system: name of the one that they are compared with.
        names: its sets; another system may lack some, but not all.

    Raises:
        ValueError: an entry is not like that, a name is taken, or a folder has results
            of none of the sets, or damaged ones.
    """
    return {
        other: _results_in(folder, names)
        for other, folder in _compared(entries, system).items()
    }


def _results_in(folder: Path, names: Sequence[str]) -> dict[str, dict]:
    paths = {name: folder / name / RESULTS_FILE for name in names}
    found = {name: read_results(path) for name, path in paths.items() if path.is_file()}
    if not found:
        raise ValueError(
            f"--compare names {folder}, which has results of none of the sets "
            f"{', '.join(names)}; score that system first"
        )
    return found


def _compared(entries: Sequence[str], system: str) -> dict[str, Path]:
    """Decode folders of other systems, by name.

    Raises:
        ValueError: an entry is not NAME=DIR, or a name is taken.
    """
    folders: dict[str, Path] = {}
    for entry in entries:
        name, _, folder = entry.partition("=")
        if not name or not folder:
            raise ValueError(
                f"--compare is {entry!r}; expected NAME=DIR, a system and its decode "
                "folder"
            )
        if name in folders or name == system:
            raise ValueError(
                f"--compare has the name {name!r}, which is taken; give every system "
                "its own name"
            )
        folders[name] = Path(folder)
    return folders
