#!/usr/bin/env python3
"""Time the text alignment of one batch: compiled kernel against plain Python.

Run it in the environment that tools/setup_venv.sh makes.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from espnet2_duplex.alignment import align_text
from espnet2_duplex.timing import FrameClock

BOS, EOS, PAD = 1, 2, 0
FIRST_TOKEN, NUM_TOKENS = 3, 32000
# collate_token_channel on the default batch; of NeMo 3.0.0, measured on 2 cores.
NEMO_MILLISECONDS = 8.0
NEMO_TARGET_RATIO = 20  # we may take at most a twentieth of that
ROUND_SECONDS = 0.02


@dataclass(frozen=True)
class Item:
    """Arguments of align_text for one conversation."""

    start_frames: np.ndarray  # (N,)
    end_frames: np.ndarray  # (N,)
    token_ids: np.ndarray  # (L,)
    token_offsets: np.ndarray  # (N + 1,)
    num_frames: int


@dataclass(frozen=True)
class Timing:
    """Medians in milliseconds."""

    call: float  # of all calls
    first_call: float  # of the first call in each round


def make_batch(options: argparse.Namespace) -> list[Item]:
    """Conversations whose turns lie anywhere in equal shares of the time."""
    generator = np.random.default_rng(options.seed)
    num_frames = FrameClock().ceil_frames(options.seconds)
    share = num_frames // options.num_turns  # frames of a turn and the silence before
    first_frames = np.arange(options.num_turns) * share
    batch = []
    for _ in range(options.batch_size):
        starts = first_frames + generator.integers(0, share // 2, options.num_turns)
        ends = starts + generator.integers(2, share // 2 + 1, options.num_turns)
        num_tokens = options.num_turns * options.tokens_per_turn
        batch.append(
            Item(
                starts,
                ends,
                generator.integers(FIRST_TOKEN, NUM_TOKENS, num_tokens),
                np.arange(options.num_turns + 1) * options.tokens_per_turn,
                num_frames,
            )
        )
    return batch


def collate_kernel(batch: list[Item]) -> np.ndarray:
    """Text channels (B, T) by align_text."""
    channels = np.empty((len(batch), batch[0].num_frames), dtype=np.int64)
    for row, item in zip(channels, batch):
        row[:], _ = align_text(
            item.start_frames,
            item.end_frames,
            item.token_ids,
            item.token_offsets,
            item.num_frames,
            BOS,
            EOS,
            PAD,
        )
    return channels


def collate_plain(batch: list[Item]) -> np.ndarray:
    """Text channels (B, T), each conversation frame by frame in plain Python."""
    channels = []
    for item in batch:
        channel = [PAD] * item.num_frames
        offsets = item.token_offsets.tolist()
        tokens = item.token_ids.tolist()
        turns = zip(item.start_frames.tolist(), item.end_frames.tolist())
        for turn, (start, end) in enumerate(turns):
            channel[start] = BOS
            frame = start + 1
            for token in tokens[offsets[turn] : offsets[turn + 1]]:
                if frame == end:
                    break
                channel[frame] = token
                frame += 1
            channel[min(end, item.num_frames - 1)] = EOS
        channels.append(channel)
    return np.array(channels, dtype=np.int64)


def time_in_turn(functions: list[Callable], num_rounds: int) -> list[Timing]:
    """Time each function.

    In each round each is called for ``ROUND_SECONDS``, so that all see the same load.
    The first call of a round finds cold caches and fresh memory, the others do not.
    """
    first: list[list[float]] = [[] for _ in functions]
    all_calls: list[list[float]] = [[] for _ in functions]
    for _ in range(num_rounds):
        for index, function in enumerate(functions):
            round_end = time.perf_counter() + ROUND_SECONDS
            calls = []
            while (begin := time.perf_counter()) < round_end or not calls:
                function()
                calls.append(1000 * (time.perf_counter() - begin))
            first[index].append(calls[0])
            all_calls[index] += calls
    return [
        Timing(statistics.median(calls), statistics.median(first_calls))
        for calls, first_calls in zip(all_calls, first)
    ]


def get_parser() -> argparse.ArgumentParser:
    """Options; the defaults are the batch of NeMo's figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--batch_size", type=int, default=64, help="conversations")
    parser.add_argument("--seconds", type=float, default=120.0, help="of each")
    parser.add_argument("--num_turns", type=int, default=8, help="agent turns of each")
    parser.add_argument("--tokens_per_turn", type=int, default=60, help="text tokens")
    parser.add_argument("--num_rounds", type=int, default=50, help="of timing")
    parser.add_argument("--seed", type=int, default=0, help="of the random turns")
    return parser


def main(cmd: list[str] | None = None) -> None:
    """Print the table."""
    parser = get_parser()
    options = parser.parse_args(cmd)
    share = FrameClock().ceil_frames(options.seconds) // max(options.num_turns, 1)
    if min(options.batch_size, options.num_turns, options.num_rounds) < 1 or share < 4:
        parser.error(
            "expected at least one conversation, turn and round, and 0.32 s a turn"
        )
    batch = make_batch(options)
    # The first call compiles, or loads what was compiled; it is not timed.
    np.testing.assert_array_equal(collate_kernel(batch), collate_plain(batch))
    kernel, plain = time_in_turn(
        [lambda: collate_kernel(batch), lambda: collate_plain(batch)],
        options.num_rounds,
    )
    print(
        f"{options.batch_size} conversations of {options.seconds:g} s, "
        f"{options.num_turns} turns of {options.tokens_per_turn} tokens; "
        f"medians of {options.num_rounds} rounds"
    )
    print(f"{'':<34}{'ms a batch':>12}{'first call':>12}{'ratio':>8}")
    for name, timing in (("align_text (numba)", kernel), ("plain Python", plain)):
        ratio = timing.call / kernel.call
        print(f"{name:<34}{timing.call:>12.3f}{timing.first_call:>12.3f}{ratio:>8.1f}")
    if options == parser.parse_args([]):  # the batch of NeMo's figure
        ratio = NEMO_MILLISECONDS / kernel.call
        name = "NeMo's collate_token_channel (*)"
        print(f"{name:<34}{NEMO_MILLISECONDS:>12.3f}{'':>12}{ratio:>8.1f}")
        print("(*) measured with NeMo 3.0.0 on 2 cores;", end=" ")
        print(f"the ratio is to be at least {NEMO_TARGET_RATIO}")


if __name__ == "__main__":
    main()
