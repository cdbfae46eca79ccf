#!/usr/bin/env python3
"""Time the effects of the user's channel on one CPU core: each alone, and all of them.

Usage:

    tools/benchmark_user_channel.py
    tools/benchmark_user_channel.py --rooms data/local/rooms --seconds 120

The streams are noise where somebody speaks; the time does not depend on what is said.
How long the whole simulation takes, `tools/benchmark_simulation.py` measures.
"""

import argparse
import os
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

# Before numpy is loaded: the figures are for one core.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

from espnet2_duplex.bin.cli import run_cli  # noqa: E402
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
    return parser


def main(cmd: list[str] | None = None) -> None:
    """Print the table."""
    options = get_parser().parse_args(cmd)
    if options.seconds <= 0 or options.num_rounds < 1:
        raise ValueError("Expected seconds above 0 and at least one round.")
    keep_freed_memory()
    bank = made_up_bank(16, seed=0)
    if options.rooms:
        bank = Bank.load(options.rooms, sample_rate=USER_RATE)
    rows = {f"{name} (share 1)": with_shares({name: 1.0}) for name in EFFECTS}
    rows["all (share 1)"] = with_shares(dict.fromkeys(EFFECTS, 1.0))
    rows["all (shares below)"] = with_shares(ROBUST_SHARES)
    shares = ", ".join(f"{name} {share:g}" for name, share in ROBUST_SHARES.items())
    print(f"{options.num_rounds} conversations of {options.seconds:g} s, 1 core")
    costs = {
        name: time_channel(settings, bank, options.seconds, options.num_rounds)
        for name, settings in rows.items()
    }
    print_table("effect", costs)
    print(f"\nShares: {shares}")


if __name__ == "__main__":
    sys.exit(run_cli(main))
