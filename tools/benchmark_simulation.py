#!/usr/bin/env python3
"""Time the simulation of conversations on one CPU core, by processor time.

First each effect of the user's channel and all of them, on streams that are noise where
somebody speaks: the time does not depend on what is said. Then, with --local, the scripts
of stage 3 on the speech of a corpus: drawing, rendering (no clip is in memory yet) and
collecting one set, together with their start.

Usage, from egs2/duplex_s2s, as the clips' paths are from there:

    ../../tools/benchmark_simulation.py
    ../../tools/benchmark_simulation.py --rooms data/local/rooms --seconds 120
    ../../tools/benchmark_simulation.py --config conf/data_all.yaml \\
        --local data_all/local --set train --num 300
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

# Before numpy is loaded: the figures are for one core.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402
import yaml  # noqa: E402

from espnet2_duplex.bin.cli import run_cli  # noqa: E402
from espnet2_duplex.data_folder import read_table  # noqa: E402
from espnet2_duplex.simulation.user_channel.bank import (  # noqa: E402
    Bank,
    RoomResponses,
)
from espnet2_duplex.simulation.user_channel.chain import (  # noqa: E402
    EFFECTS,
    apply_user_channel,
)
from espnet2_duplex.simulation.user_channel.memory import (  # noqa: E402
    keep_freed_memory,
)
from espnet2_duplex.simulation.user_channel.settings import UserChannel  # noqa: E402

SCRIPTS = Path(__file__).resolve().parents[1] / "egs2" / "duplex_s2s" / "local"
STAGE_3 = ("draw_conversations.py", "render_conversations.py", "collect_set.py")
USER_RATE = 16000  # Hz
AGENT_RATE = 22050  # Hz
TURN_SECONDS = 4.0
GAP_SECONDS = 0.64
NUM_REPEATS = 3
SPEECH_RMS = 10 ** (-24 / 20)
# What a set for training a robust model may have.
ROBUST_SHARES = {
    "room": 0.3,
    "echo": 0.3,
    "noise": 0.6,
    "level": 1.0,
    "telephone": 0.15,
    "packet_loss": 0.1,
}


def with_shares(shares: dict[str, float]) -> UserChannel:
    """The default ranges, with these shares."""
    effects = UserChannel()
    return UserChannel(
        **{
            name: replace(getattr(effects, name), share=share)
            for name, share in shares.items()
        }
    )


def make_streams(seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The user's and the agent's stream, which speak in turns."""
    generator = np.random.default_rng(seed)
    streams = []
    for rate, first in ((USER_RATE, 0.0), (AGENT_RATE, TURN_SECONDS + GAP_SECONDS)):
        stream = np.zeros(round(seconds * rate), np.float32)
        for start in np.arange(first, seconds, 2 * (TURN_SECONDS + GAP_SECONDS)):
            turn = stream[round(start * rate) : round((start + TURN_SECONDS) * rate)]
            turn[:] = SPEECH_RMS * generator.standard_normal(len(turn))
        streams.append(stream)
    return streams[0], streams[1]


def made_up_bank(num_rooms: int, seed: int) -> Bank:
    """Rooms of decaying noise, as long as real ones: RT60 from 0.1 to 0.8 s."""
    generator = np.random.default_rng(seed)
    rooms = []
    for rt60 in np.linspace(0.1, 0.8, num_rooms):
        num_taps = round(rt60 * USER_RATE)
        decay = 10 ** (-3 * np.arange(num_taps) / num_taps)
        noise = 0.05 * decay * generator.standard_normal((2, num_taps))
        noise[:, 0] = 1
        rooms.append(RoomResponses(*noise.astype(np.float32)))
    return Bank(USER_RATE, tuple(rooms))


def time_channel(
    settings: UserChannel, bank: Bank, seconds: float, num_rounds: int
) -> float:
    """Milliseconds of processor time per second of conversation.

    The mean over conversations, as each draws other effects, of the best of
    `NUM_REPEATS`, as other programs disturb and the first one compiles.
    """
    user, agent = make_streams(seconds, seed=0)
    best = []
    for seed in range(num_rounds):
        times = []
        for _ in range(NUM_REPEATS):
            generator = np.random.default_rng(seed)
            begin = time.process_time()
            apply_user_channel(
                user, agent, USER_RATE, AGENT_RATE, settings, bank, generator
            )
            times.append(time.process_time() - begin)
        best.append(min(times))
    return 1e3 * statistics.mean(best) / seconds


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
    done = subprocess.run(command, capture_output=True, text=True)
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
    for part in ("spoken.jsonl", "backchannels.jsonl", "clips", "rooms", "sounds"):
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
    parser.add_argument("--seconds", type=float, default=60.0, help="of a conversation")
    parser.add_argument("--num_rounds", type=int, default=50, help="conversations")
    parser.add_argument("--rooms", type=Path, help="folder of local/make_rooms.py")
    parser.add_argument("--config", type=Path, help="corpus YAML, with --local")
    parser.add_argument("--local", type=Path, help="its folder of texts and clips")
    parser.add_argument("--set", default="train", help="that is made (%(default)s)")
    parser.add_argument("--num", type=int, default=300, help="conversations of the set")
    return parser


def time_effects(bank: Bank, seconds: float, num_rounds: int) -> None:
    """Print the table of the effects."""
    rows = {f"{name} (share 1)": with_shares({name: 1.0}) for name in EFFECTS}
    rows["all (share 1)"] = with_shares(dict.fromkeys(EFFECTS, 1.0))
    rows["all (shares below)"] = with_shares(ROBUST_SHARES)
    print(f"{num_rounds} conversations of {seconds:g} s, 1 core")
    costs = {
        name: time_channel(settings, bank, seconds, num_rounds)
        for name, settings in rows.items()
    }
    print_table("effect", costs)
    shares = ", ".join(f"{name} {share:g}" for name, share in ROBUST_SHARES.items())
    print(f"\nShares: {shares}")


def main(cmd: list[str] | None = None) -> None:
    """Print the tables."""
    options = get_parser().parse_args(cmd)
    if options.seconds <= 0 or options.num_rounds < 1 or options.num < 1:
        raise ValueError(
            "Expected seconds above 0, at least one round and one conversation."
        )
    if bool(options.local) != bool(options.config):
        raise ValueError("Expected --local and --config together, or none of them.")
    keep_freed_memory()
    bank = made_up_bank(16, seed=0)
    if options.rooms:
        bank = Bank.load(options.rooms, sample_rate=USER_RATE)
    time_effects(bank, options.seconds, options.num_rounds)
    if options.local:
        with tempfile.TemporaryDirectory() as folder:
            costs = time_scripts(
                options.config, options.local, options.set, options.num, Path(folder)
            )
        print_table("script", costs)


if __name__ == "__main__":
    sys.exit(run_cli(main))
