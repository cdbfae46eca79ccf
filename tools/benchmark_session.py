#!/usr/bin/env python3
"""Time a session frame by frame: is it real time, and does it stay so?

Prints the median time of a step in the first and in the last minute of one long
conversation, the 95th percentile, and the real-time factor (step time / frame time).
"""

import argparse
import statistics
import time

import numpy as np
import torch

from espnet2_duplex.bin.duplex_s2s_inference import DuplexSpeech2Speech


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packed", help="Packed model or hub name")
    parser.add_argument("--seconds", type=float, default=600.0, help="at least 120")
    parser.add_argument("--num_threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser


def step_times(s2s: DuplexSpeech2Speech, seconds: float) -> list[float]:
    """Seconds that each step of a noisy conversation takes."""
    clock, rng = s2s.stepper.clock, np.random.default_rng(0)
    session, times = s2s.session(), []
    for _ in range(clock.ceil_frames(seconds)):
        pcm = 0.05 * rng.standard_normal(s2s.stepper.frame_samples)
        start = time.perf_counter()
        session.step(pcm)
        times.append(time.perf_counter() - start)
    return times


def main(cmd=None) -> None:
    args = get_parser().parse_args(cmd)
    torch.set_num_threads(args.num_threads)
    s2s = DuplexSpeech2Speech.from_pretrained(args.packed, device=args.device)
    times = step_times(s2s, args.seconds)
    minute = s2s.stepper.clock.ceil_frames(60.0)
    frame_seconds = s2s.stepper.clock.seconds(1)
    print("| part | median ms | 95 % ms | real-time factor |")
    print("|---|---|---|---|")
    for name, part in (("first", times[:minute]), ("last", times[-minute:])):
        median = statistics.median(part)
        p95 = statistics.quantiles(part, n=20)[-1]
        print(
            f"| {name} minute of {args.seconds:.0f} s | {1e3 * median:.1f} | "
            f"{1e3 * p95:.1f} | {median / frame_seconds:.3f} |"
        )


if __name__ == "__main__":
    main()
