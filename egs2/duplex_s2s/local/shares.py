"""Options of a script that works as one of several jobs, and checks of seeds."""

import argparse


def add_share_options(parser: argparse.ArgumentParser) -> None:
    """`--job` and `--num_jobs`."""
    parser.add_argument("--job", type=int, default=1, help="this job, from 1 on")
    parser.add_argument("--num_jobs", type=int, default=1, help="that share the work")


def check_share(args: argparse.Namespace) -> None:
    """This job is one of the jobs.

    Raises:
        ValueError: it is not.
    """
    if not 1 <= args.job <= args.num_jobs:
        raise ValueError(
            f"--job is {args.job} and --num_jobs {args.num_jobs}; give --job a number "
            "from 1 to --num_jobs."
        )


def seed_number(text: str) -> int:
    """Type of a `--seed` option: numpy's generators take no negative ones."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{value} is negative; write 0 or more")
    return value
