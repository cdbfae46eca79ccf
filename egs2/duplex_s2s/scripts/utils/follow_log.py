#!/usr/bin/env python3
"""Prints the lines of a growing log that tell the progress, until it is killed or its
caller ends.

Jobs write to log files, where nobody sees them advance; this shows the newest line with
a count ("12/40", "35%", "epoch"), at most one every few seconds.
"""

import argparse
import os
import re
import time
from pathlib import Path

COUNT = re.compile(r"\d+/\d+|\d+%|\d+epoch")
PREFIX = re.compile(r"^\[[^]]*\] \S+ \S+ \([^)]*\) (INFO|WARNING): ")


def get_parser() -> argparse.ArgumentParser:
    """The log and the pace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("log", type=Path, help="it may appear later")
    parser.add_argument("--every", type=float, default=10.0, help="seconds")
    return parser


def newest_count(text: str) -> str | None:
    """Last line of `text` with a count, without ESPnet's prefix.

    A progress bar overwrites its line with carriage returns; the newest state counts.
    """
    for line in reversed(re.split(r"[\r\n]+", text)):
        if COUNT.search(line) and not line.startswith("#"):
            return PREFIX.sub("", line.strip())
    return None


def main(cmd: list[str] | None = None) -> None:
    """Follow the log from its present end on, as long as the caller lives."""
    args = get_parser().parse_args(cmd)
    caller = os.getppid()
    position = args.log.stat().st_size if args.log.exists() else 0
    while os.getppid() == caller:
        time.sleep(args.every)
        if not args.log.exists():
            continue
        if args.log.stat().st_size < position:  # a new run began the log anew
            position = 0
        with args.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(position)
            line = newest_count(log.read())
            position = log.tell()
        if line is not None:
            print(f"    {args.log.name}: {line[:160]}", flush=True)


if __name__ == "__main__":
    main()
