#!/usr/bin/env python3
"""Statistics of data folders as one HTML file.

    python local/report_data.py data/train data/valid --out data/report.html

Hours per source, speakers, turns, gaps, overlaps, barge-ins, lengths, the share of text
tokens that do not fit their turn, time per hour of conversation, and outliers
by id. Prints the paper's Table 1 for these data and a summary, in Markdown. Beside the
page <out>.json has all counts; it may be given in the place of folders, so that a
corpus can be reported in parts and merged. Reads text files only, unless --check_audio
is given.
"""

import argparse
import json
import sys
from dataclasses import fields, replace
from pathlib import Path

from corpus_settings import read_speech
from report_reading import (
    heard,
    read_records,
    read_source_infos,
    read_tables,
    read_timings,
)
from report_tokens import count_tokens, open_tokenizer

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_text, write_text
from espnet2_duplex.metrics.data_report.counts import (
    DataReport,
    SetStatistics,
    collect_set,
    report_from_dict,
    report_to_dict,
)
from espnet2_duplex.metrics.data_report.outliers import OutlierLimits
from espnet2_duplex.metrics.data_report.page import render_page
from espnet2_duplex.metrics.data_report.tables import (
    markdown_lines,
    paper_table,
    summary_table,
    timing_table,
)


def folder_statistics(
    folder: Path, args: argparse.Namespace, limits: OutlierLimits
) -> SetStatistics:
    """Count one data folder."""
    records = read_records(read_tables(folder))
    if args.token_model:
        records = count_tokens(records, open_tokenizer(args.token_model))
    if args.check_audio:
        speech = read_speech(args.config)
        rates = {"user": speech.user_rate, "agent": speech.agent_rate}
        records = heard(records, folder, rates)
    return collect_set(records, limits, args.max_listed)


def make_report(args: argparse.Namespace, limits: OutlierLimits) -> DataReport:
    """Count the folders and add what earlier reports counted.

    Raises:
        ValueError: a folder or report is broken, or two sets have one name.
    """
    sets: dict[str, SetStatistics] = {}
    infos = {}
    timings = read_timings(args.timings) if args.timings else ()
    for path in args.folders:
        if path.suffix == ".json":
            part = _stored_report(path)
            found, timings = part.sets, timings + part.timings
            infos.update(part.infos)
        else:
            found = {path.name: folder_statistics(path, args, limits)}
            infos.update(read_source_infos(path))
        for name in sets.keys() & found.keys():
            raise ValueError(
                f"{path} has the set {name}, which was there before; give each set "
                "once."
            )
        sets.update(found)
    return DataReport(sets, infos, timings, limits)


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
    """Table 1, summary and timings."""
    rows = {**report.sources, "all": report.total}
    tables = [paper_table(report.sources, report.infos), summary_table("Source", rows)]
    if report.timings:
        tables.append(timing_table(report.timings, report.total.hours))
    return "\n\n".join("\n".join(markdown_lines(table)) for table in tables)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        help="data folders, or .json of earlier reports",
    )
    parser.add_argument("--out", type=Path, required=True, help="the page, .html")
    parser.add_argument(
        "--token_model", help="SentencePiece .model or Hugging Face tokenizer folder"
    )
    parser.add_argument(
        "--timings", type=Path, help='lines "stage seconds", one for each run'
    )
    parser.add_argument(
        "--check_audio", action="store_true", help="listen for level, clipping, silence"
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
