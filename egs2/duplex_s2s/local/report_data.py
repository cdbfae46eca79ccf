#!/usr/bin/env python3
"""Statistics of the sets of a corpus as one HTML file.

    python local/report_data.py data/train data/valid --out data/report.html

Hours per source, speakers, turns, gaps, overlaps, barge-ins, lengths, the share of text
tokens that do not fit their turn, time per hour of conversation, and outliers by id.
Prints the paper's Table 1 for the training set and a summary of all, in Markdown. Beside
the page <out>.json has all counts; it may be given in the place of its folders, so that
whole sets can be counted apart and merged. Reads the text files, and the audio of some
conversations, in which it measures the gaps as they are heard.
"""

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from corpus_settings import read_speech
from progress import progress
from report_audio import with_audio_faults, with_heard_gaps
from report_reading import (
    read_records,
    read_source_infos,
    read_tables,
    read_timings,
)
from report_tokens import count_tokens, open_tokenizer, token_model

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text, write_text
from espnet2_duplex.metrics.data_report.data_table import markdown_lines
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.merging import merge_reports
from espnet2_duplex.metrics.data_report.page import render_page
from espnet2_duplex.metrics.data_report.paper_table import paper_table
from espnet2_duplex.metrics.data_report.report import DataReport, collect_set
from espnet2_duplex.metrics.data_report.stored_report import (
    report_from_dict,
    report_to_dict,
)
from espnet2_duplex.metrics.data_report.tables import hours_table, turn_taking_table
from espnet2_duplex.metrics.data_report.timings import timing_table


def folder_report(
    folder: Path, args: argparse.Namespace, limits: OutlierLimits
) -> DataReport:
    """Count one data folder, a whole set.

    Raises:
        ValueError: it is broken.
    """
    tables = read_tables(folder)
    records, model = read_records(tables), None
    if args.token_model:
        tokenizer = open_tokenizer(args.token_model)
        model = token_model(args.token_model, tokenizer)
        records = count_tokens(records, tokenizer)
    if args.check_audio:
        speech = read_speech(args.config)
        rates = {"user": speech.user_rate, "agent": speech.agent_rate}
        records = with_audio_faults(records, folder, rates)
    records = with_heard_gaps(records, folder, len(tables.turns), args.num_listened)
    # Outermost, so that an error ends the bar's line.
    records = progress(records, f"reading {folder}", len(tables.turns))
    found = collect_set(records, limits, args.max_listed)
    infos = read_source_infos(folder)
    return DataReport({folder.name: found}, infos, (), limits, model)


def make_report(args: argparse.Namespace, limits: OutlierLimits) -> DataReport:
    """Count the folders and add what earlier reports counted.

    Raises:
        ValueError: a folder or report is broken, or they do not belong together.
    """
    timings = read_timings(args.timings) if args.timings else ()
    reports = [
        (
            str(path),
            (
                _stored_report(path)
                if path.suffix == ".json"
                else folder_report(path, args, limits)
            ),
        )
        for path in args.folders
    ]
    merged = merge_reports(reports, args.train_set)
    if args.limit and merged.limits != limits:
        raise ValueError(
            "--limit changes nothing in reports that were counted before; give the "
            "folders in their place."
        )
    return replace(merged, timings=timings + merged.timings)


def parse_limits(settings: list[str]) -> OutlierLimits:
    """Limits of the outliers, some of them set by "name=value".

    Raises:
        ValueError: an unknown name, or a value that is no number.
    """
    known = {field.name for field in fields(OutlierLimits)}
    values = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            known = known - {name}
        if name not in known:
            raise ValueError(
                f"--limit {setting} is not known; expected a number for one of "
                f"{', '.join(field.name for field in fields(OutlierLimits))}."
            )
    return replace(OutlierLimits(), **values)


def markdown(report: DataReport) -> str:
    """Table 1 and a summary of the training set, the sets, timings and tokenizer."""
    sources = {**report.named_sources, "all": report.training}
    sets = {name: found.total for name, found in report.sets.items()}
    sets["all sets"] = report.total
    tables = [paper_table(report.sources, report.infos)]
    for heading, rows in ((f"Source, {report.subject}", sources), ("Set", sets)):
        tables += [hours_table(heading, rows), turn_taking_table(heading, rows)]
    if report.timings:
        tables.append(timing_table(report.timings, report.total.hours))
    parts = ["\n".join(markdown_lines(table)) for table in tables]
    if report.token_model:
        model = report.token_model
        parts.append(f"Text tokens of {model.path}, {model.size} in all.")
    return "\n\n".join(parts)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        help="data folders, whole sets, or .json of earlier reports of them",
    )
    parser.add_argument("--out", type=Path, required=True, help="the page, .html")
    parser.add_argument(
        "--token_model", help="SentencePiece .model or Hugging Face tokenizer folder"
    )
    parser.add_argument(
        "--train_set",
        help="that Table 1 and the sources are about; train, or all sets if none is",
    )
    parser.add_argument(
        "--timings",
        type=Path,
        help='lines "stage seconds" or "stage seconds num_done num_total", one for '
        "each run",
    )
    parser.add_argument(
        "--num_listened",
        type=int,
        default=200,
        help="conversations of a set in whose audio the gaps are measured",
    )
    parser.add_argument(
        "--check_audio", action="store_true", help="level, clipping, silence of all"
    )
    parser.add_argument(
        "--config", type=Path, help="corpus YAML; the rates that --check_audio expects"
    )
    parser.add_argument(
        "--max_listed", type=int, default=50, help="outliers of a kind and set, by id"
    )
    parser.add_argument(
        "--limit",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="from where on something is an outlier: "
        + ", ".join(f"{f.name}={f.default:g}" for f in fields(OutlierLimits)),
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    if args.out.suffix != ".html":
        raise ValueError(f"--out is {args.out}; expected a name that ends in .html.")
    report = make_report(args, parse_limits(args.limit))
    stored = json.dumps(report_to_dict(report), ensure_ascii=False, allow_nan=False)
    write_text(args.out.with_suffix(".json"), stored + "\n")
    write_text(args.out, render_page(report))
    print(markdown(report))


def _stored_report(path: Path) -> DataReport:
    try:
        return report_from_dict(json.loads(read_text(path)))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


if __name__ == "__main__":
    sys.exit(run_cli(main))
