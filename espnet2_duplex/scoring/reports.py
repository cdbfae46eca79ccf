"""RESULTS.md and report.html of a decode folder, from what scoring wrote."""

import argparse
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl, write_text
from espnet2_duplex.metrics.results import (
    RESULTS_FILE,
    read_results,
    scored_sets,
    write_report,
)
from espnet2_duplex.metrics.score_page.page import (
    PageOptions,
    ScoredSet,
    render_score_page,
)
from espnet2_duplex.scoring.sets import CONVERSATIONS_FILE

PAGE_FILE = "report.html"
BYTES_PER_MB = 1_000_000


def write_reports(results_dir: Path, args: argparse.Namespace) -> Path:
    """Write RESULTS.md and report.html; returns the former.

    Args:
        results_dir: decode folder.
        args: with `sets`, `compare`, `max_examples` and `max_page_mb`.

    Raises:
        ValueError: a set was not scored, or --compare is not NAME=DIR.
    """
    names = args.sets or scored_sets(results_dir)
    system = results_dir.resolve().name
    results = {name: _results_of(results_dir, name) for name in names}
    others = {
        other: {name: _results_of(folder, name) for name in names}
        for other, folder in _compared(args.compare, system).items()
    }
    sets = [
        ScoredSet(
            results_dir / name,
            results[name],
            read_jsonl(results_dir / name / CONVERSATIONS_FILE),
        )
        for name in names
    ]
    page_bytes = round(args.max_page_mb * BYTES_PER_MB)
    options = PageOptions(max_examples=args.max_examples, max_bytes=page_bytes)
    page = render_score_page(system, sets, others, options=options)
    write_text(results_dir / PAGE_FILE, page)
    return write_report(results_dir, {system: results, **others})


def _results_of(results_dir: Path, name: str) -> dict:
    return read_results(results_dir / name / RESULTS_FILE)


def _compared(entries: list[str], system: str) -> dict[str, Path]:
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
