#!/usr/bin/env python3
"""Spoken conversations -> one list of layouts for each set (Sec. 4 and 5.2).

Reads `<local>/spoken.jsonl` (a wav for every turn), draws when everything is said as the
`simulation` section of the corpus' YAML has it, and writes
`<local>/layouts/<set>.jsonl`. Conversations that cannot be used are listed with the
reason in `<local>/left_out.jsonl`. Same seed, same bytes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import soundfile
from clips import is_spoken, read_failures
from corpus_settings import read_corpus
from tqdm import tqdm

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.simulation.drawing import Drawer, too_long
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.simulation.script import Script, SpokenTurn
from espnet2_duplex.simulation.settings import Settings
from espnet2_duplex.simulation.user_sounds import Pools, Sound


def wav_seconds(path: str) -> float:
    """Length of a wav, from its header.

    Raises:
        ValueError: if it is unreadable.
    """
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as problem:
        raise ValueError(
            f"{path} cannot be read as audio; delete it and run local/data.sh "
            "--stage 2."
        ) from problem
    return info.frames / info.samplerate


def spoken_turn(row: dict) -> SpokenTurn:
    """A turn of `spoken.jsonl` with the length of its wav."""
    times = {name: row.get(name) for name in ("start", "end")}
    seconds = wav_seconds(row["wav"])
    return SpokenTurn(row["role"], row["text"], row["wav"], seconds, **times)


def scripts_by_set(
    rows: Iterable[dict], failures: dict[str, str], left_out: list[dict]
) -> dict[str, list[Script]]:
    """Scripts of each set of conversations.jsonl.

    Args:
        rows: of `spoken.jsonl`.
        failures: why clips could not be spoken.
        left_out: gets the conversations that need one of them.
    """
    sets: dict[str, list[Script]] = {}
    for row in rows:
        lost = [t["wav"] for t in row["turns"] if not is_spoken(t["wav"], failures)]
        if lost:
            why = failures[Path(lost[0]).stem]
            reason = "a turn could not be spoken"
            left_out.append({"id": row["id"], "reason": reason, "why": why})
            continue
        turns = tuple(spoken_turn(turn) for turn in row["turns"])
        script = Script(row["id"], row["source"], row["speaker"], turns)
        sets.setdefault(row["set"], []).append(script)
    return sets


def usable(
    scripts: Iterable[Script], settings: Settings, left_out: list[dict]
) -> Iterator[Script]:
    """Scripts whose turns are short enough; the others are added to `left_out`."""
    limit = settings.turn_taking.max_turn_seconds
    for script in scripts:
        if too_long(script, limit):
            reason = f"a turn is longer than {limit:g} s"
            left_out.append({"id": script.id, "reason": reason})
        else:
            yield script


def read_pools(local: Path, failures: dict[str, str]) -> Pools:
    """Backchannels that were spoken, and the bank of noises where there is one."""
    backchannels: dict[str, list[Sound]] = {}
    path = local / "backchannels.jsonl"
    for row in read_jsonl(path) if path.is_file() else []:
        if is_spoken(row["wav"], failures):
            sound = Sound(row["wav"], wav_seconds(row["wav"]), row["text"])
            backchannels.setdefault(row["speaker"], []).append(sound)
    bank = local / "sounds"
    noises = []
    if bank.is_dir():
        rows = read_jsonl(bank / "sounds.jsonl")
        noises = [Sound(str(bank / row["wav"]), row["seconds"]) for row in rows]
    return Pools(backchannels, noises)


def write_layouts(path: Path, layouts: Iterable[Layout]) -> float:
    """Write one layout a line; returns their seconds."""
    seconds = 0.0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for layout in layouts:
            file.write(layout.to_json() + "\n")
            seconds += layout.conversation.duration
    return seconds


def draw_set(
    name: str,
    settings: Settings,
    sets: dict[str, list[Script]],
    left_out: list[dict],
    pools: Pools,
    args: argparse.Namespace,
) -> None:
    """Write the layouts of one set.

    Raises:
        ValueError: no conversation can be used.
    """
    wanted = settings.scripts or name
    scripts = list(usable(sets.get(wanted, ()), settings, left_out))
    if not scripts:
        raise ValueError(
            f"set {name}: no conversation of conversations.jsonl is left in the set "
            f"{wanted!r} (there are {', '.join(sorted(sets)) or 'none'}); correct "
            f"{args.config} or see {args.local}/left_out.jsonl."
        )
    drawer = Drawer(name, scripts, settings, pools, args.seed, args.user_rate)
    path = args.local / "layouts" / f"{name}.jsonl"
    seconds = write_layouts(path, tqdm(drawer, f"drawing {name}", len(drawer)))
    print(f"{name}: {len(drawer)} conversations, {seconds / 3600:.2f} h", flush=True)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config)
    args.user_rate = corpus.speech.user_rate
    left_out: list[dict] = []
    failures = read_failures(args.local / "clips")
    rows = read_jsonl(args.local / "spoken.jsonl")
    sets = scripts_by_set(tqdm(rows, "reading"), failures, left_out)
    pools = read_pools(args.local, failures)
    for name in corpus.sets.named or sorted(sets):
        draw_set(name, corpus.sets.of(name), sets, left_out, pools, args)
    unique = {(row["id"], row["reason"]): row for row in left_out}
    write_jsonl(args.local / "left_out.jsonl", unique.values())
    for reason, count in Counter(row["reason"] for row in unique.values()).items():
        print(f"{count} conversations left out: {reason} (left_out.jsonl)", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
