#!/usr/bin/env python3
"""Time the simulation of conversations by processor time: the scripts of stage 3.

Draws, renders and collects some conversations of one set of a corpus whose clips are
there, in one job with one thread, as `local/data.sh` does it. No clip is in memory when
the rendering begins. Usage, from egs2/duplex_s2s, as the clips' paths are from there:

    ../../tools/benchmark_simulation.py --config conf/data_all.yaml \\
        --local data_all/local --set train --num 300

A script reads all of the corpus' texts and needs a while to start, whatever the number
of conversations is; more of them show what a long job costs.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table

SCRIPTS = Path(__file__).resolve().parents[1] / "egs2" / "duplex_s2s" / "local"
STAGE_3 = ("draw_conversations.py", "render_conversations.py", "collect_set.py")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
MATERIAL = ("spoken.jsonl", "backchannels.jsonl", "clips", "rooms", "sounds")


def corpus_of_one_set(config: Path, name: str, num_conversations: int) -> dict:
    """The sections of a corpus YAML with one set, and the one that it is like.

    Raises:
        ValueError: the corpus has no such set.
    """
    sections = yaml.safe_load(config.read_text(encoding="utf-8"))
    simulation = sections.get("simulation") or {}
    sets = simulation.get("sets") or {}
    if name not in sets:
        raise ValueError(
            f"{config} has no set {name!r}; expected one of {', '.join(sets)}."
        )
    wanted = [name, *filter(None, [(sets[name] or {}).get("like")])]
    few = {
        one: {**(sets[one] or {}), "num_conversations": num_conversations}
        for one in wanted
    }
    return {**sections, "simulation": {**simulation, "sets": few}}


def run_script(name: str, *options: object) -> float:
    """Run a script of the recipe; returns its seconds of processor time.

    Raises:
        ValueError: it failed.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, str(SCRIPTS / name), *map(str, options)]
    one_thread = {**os.environ, **dict.fromkeys(THREADS, "1")}
    done = subprocess.run(command, env=one_thread, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{name} failed: {done.stderr.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def time_scripts(
    config: Path, local: Path, name: str, num_conversations: int, folder: Path
) -> dict[str, float]:
    """Milliseconds of processor time per second of conversation, of each script.

    Args:
        config: corpus YAML.
        local: what stages 1 and 2 have left; it is not changed.
        name: of the set.
        num_conversations: that are made.
        folder: for what is made.
    """
    few, made, out = folder / "corpus.yaml", folder / "local", folder / name
    sections = corpus_of_one_set(config, name, num_conversations)
    few.write_text(yaml.safe_dump(sections), encoding="utf-8")
    made.mkdir()
    for part in MATERIAL:
        if (local / part).exists():
            (made / part).symlink_to((local / part).absolute())
    corpus = ("--config", few, "--local", made)
    of_set = (*corpus, "--set", name)
    rendered = folder / "rendered"
    costs = {
        "draw": run_script("draw_conversations.py", *corpus),
        "render": run_script("render_conversations.py", *of_set, "--out", rendered),
        "collect": run_script(
            "collect_set.py", *of_set, "--rendered", rendered, "--out", out
        ),
    }
    starts = sum(run_script(script, "--help") for script in STAGE_3)
    duration = sum(map(float, read_table(out / "utt2dur").values()))
    print(f"\n{num_conversations} conversations of {name}, {duration:.0f} s")
    costs["whole"] = sum(costs.values())
    costs["whole without the start of the scripts"] = costs["whole"] - starts
    return {part: 1e3 * seconds / duration for part, seconds in costs.items()}


def print_table(heading: str, costs: dict[str, float]) -> None:
    """One row for each cost in milliseconds."""
    print(
        f"\n| {heading} | ms per second of conversation | x real time |\n|---|---|---|"
    )
    for name, cost in costs.items():
        print(f"| {name} | {cost:.3f} | {1e3 / cost:,.0f} |")


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument(
        "--local", type=Path, required=True, help="its texts and clips, not changed"
    )
    parser.add_argument("--set", default="train", help="that is made (%(default)s)")
    parser.add_argument("--num", type=int, default=300, help="conversations")
    return parser


def main(cmd: list[str] | None = None) -> None:
    """Print the table."""
    options = get_parser().parse_args(cmd)
    if options.num < 1:
        raise ValueError(f"--num is {options.num}; expected at least 1.")
    with tempfile.TemporaryDirectory() as folder:
        costs = time_scripts(
            options.config, options.local, options.set, options.num, Path(folder)
        )
    print_table("script", costs)


if __name__ == "__main__":
    sys.exit(run_cli(main))
