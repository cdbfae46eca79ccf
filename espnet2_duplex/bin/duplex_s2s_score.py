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
from espnet2_duplex.bin.score_arguments import add_arguments, options_from, prices_from
from espnet2_duplex.scoring.judge import SetJudge
from espnet2_duplex.scoring.parts import folders, merge_parts
from espnet2_duplex.scoring.reports import write_reports
from espnet2_duplex.scoring.sets import Outcome, Stopwatch, score_set

PARTLY_SCORED = 3  # exit code


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--decode_dir", help="Folder of the sets, or one set")
    parser.add_argument("--data_dir", help="Folder of the sets' data, or one set's")
    parser.add_argument("--sets", nargs="*", help="Sets to score, in this order")
    parser.add_argument("--nj", type=int, default=1, help="Processes, a thread each")
    parser.add_argument("--key_file", type=Path, help="Score only these conversations")
    parser.add_argument("--part", help="Name of this part of the set")
    parser.add_argument(
        "--merge_parts", action="store_true", help="Only bring the parts together"
    )
    group = parser.add_argument_group("reports")
    group.add_argument("--results_dir", type=Path, help="Only report on this folder")
    group.add_argument(
        "--compare",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="Decode folder of another system that was scored; repeatable",
    )
    group.add_argument(
        "--max_examples", type=int, default=12, help="Conversations of a set to hear"
    )
    group.add_argument("--max_page_mb", type=float, default=20.0)
    add_arguments(parser)
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


def main(cmd=None) -> None:
    """Score sets and report on them; see the module's docstring.

    Raises:
        SystemExit: with PARTLY_SCORED if something was left out.
    """
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if args.nj < 1:
        raise ValueError(f"--nj is {args.nj}; expected 1 or more processes")
    if args.decode_dir is None and args.results_dir is None:
        raise ValueError(
            "there is nothing to score; give --decode_dir or --results_dir"
        )
    is_complete = True
    if args.merge_parts:
        for where in folders(args):
            merge_parts(where)
    elif args.decode_dir is not None:
        is_complete = score_all(args)
    if args.results_dir or (args.sets and not args.part):
        results_dir = args.results_dir or Path(args.decode_dir)
        print(write_reports(results_dir, args).read_text(encoding="utf-8"))
    if not is_complete:
        sys.exit(PARTLY_SCORED)


if __name__ == "__main__":
    sys.exit(run_cli(main))
