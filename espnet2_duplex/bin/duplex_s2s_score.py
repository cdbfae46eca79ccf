#!/usr/bin/env python3
"""Score decoded sets on the audio that came out, and write RESULTS.md and report.html.

Recipe: `--decode_dir exp/.../decode --data_dir data --sets test_qa test_open` scores
<decode dir>/<set> against <data dir>/<set>, writes results.json and conversations.jsonl
into <decode dir>/<set>, then <decode dir>/RESULTS.md and <decode dir>/report.html. One
set alone: `--decode_dir <decode dir>/<set> --data_dir <data dir>/<set>`. Table and page
alone: `--results_dir <decode dir>`.

Parts of a set on several machines: each with `--key_file KEYS --part NAME` writes into
<set>/parts/NAME, and `--merge_parts` makes the set's results of them.

Exit code: 0 if everything was scored; 3 if conversations were left out or the judge could
not be asked, which is said in a line each, while the rest is scored; 1 if nothing was.
"""

import argparse
import logging
import sys
from pathlib import Path

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.score_arguments import (
    HelpFormatter,
    add_definitions,
    add_folders,
    add_reports,
)
from espnet2_duplex.bin.score_options import options_from, prices_from
from espnet2_duplex.scoring.judge import SetJudge
from espnet2_duplex.scoring.parts import folders, merge_parts
from espnet2_duplex.scoring.reports import compared_results, write_reports
from espnet2_duplex.scoring.set_records import Outcome, Stopwatch
from espnet2_duplex.scoring.sets import score_set

PARTLY_SCORED = 3  # exit code


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=HelpFormatter)
    add_folders(parser)
    add_reports(parser.add_argument_group("reports"))
    add_definitions(parser)
    return parser


def report_problems(name: str, outcome: Outcome) -> bool:
    """Say what was left out; returns whether anything was."""
    for problem in outcome.problems:
        logging.error("%s: left out: %s", name, problem)
    if outcome.judge_problem is not None:
        logging.error("%s: no GPT score: %s", name, outcome.judge_problem)
    return bool(outcome.problems or outcome.judge_problem)


def score_all(args: argparse.Namespace) -> bool:
    """Score the sets of the command line; returns whether all of it was scored."""
    options = options_from(args)
    wheres = folders(args)
    judge = SetJudge(options.gpt, prices_from(args), args.judge_cache)
    is_complete = True
    for where in wheres:
        watch = Stopwatch()
        outcome = score_set(where, options, judge, args.nj, watch)
        logging.info("%s: %s", where.decoded.name, watch.line())
        is_complete &= not report_problems(where.decoded.name, outcome)
    return is_complete


def merge_all(args: argparse.Namespace) -> bool:
    """Merge the parts of the sets; returns whether all of them had been scored."""
    is_complete = True
    for where in folders(args):
        outcome = merge_parts(where)
        is_complete &= not report_problems(where.decoded.name, outcome)
    return is_complete


def check_arguments(args: argparse.Namespace) -> Path | None:
    """What can be checked before anything is scored.

    Returns:
        Decode folder to report on; None: no report is asked for.

    Raises:
        ValueError: options contradict each other, or systems to compare with are
            missing.
    """
    if args.nj < 1:
        raise ValueError(f"--nj is {args.nj}; expected 1 or more processes")
    if args.merge_parts and args.decode_dir is None:
        raise ValueError(
            "--merge_parts was given without the set that was scored in parts; give "
            "--decode_dir and --data_dir"
        )
    if args.decode_dir is None and args.results_dir is None:
        raise ValueError(
            "there is nothing to score; give --decode_dir or --results_dir"
        )
    results_dir = args.results_dir
    if results_dir is None and args.sets and not args.part:
        results_dir = Path(args.decode_dir)
    if args.compare and results_dir is None:
        raise ValueError(
            "--compare is for RESULTS.md and report.html, which are written of a folder "
            "of sets; give --sets or --results_dir, or leave it out"
        )
    if args.compare and args.sets:
        compared_results(args.compare, results_dir.resolve().name, args.sets)
    return results_dir


def main(cmd=None) -> None:
    """Score sets and report on them; see the module's docstring.

    Raises:
        SystemExit: with PARTLY_SCORED if something was left out.
    """
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    results_dir = check_arguments(args)
    is_complete = True
    if args.merge_parts:
        is_complete = merge_all(args)
    elif args.decode_dir is not None:
        is_complete = score_all(args)
    if results_dir is not None:
        print(write_reports(results_dir, args).read_text(encoding="utf-8"))
    if not is_complete:
        sys.exit(PARTLY_SCORED)


if __name__ == "__main__":
    sys.exit(run_cli(main))
