#!/usr/bin/env python3
"""Time a codec's streaming decoder on one CPU core: one step per 80 ms frame.

Usage:

    tools/benchmark_codec.py [--codec_config exp/codec/codec.yaml \
        --codec_model exp/codec/codec.pth] [--seconds 60] [--threads 1]

Without files an untrained codec of the default shape is timed; the time does not
depend on the weights. Decoding whole conversations and encoding are timed beside it.
"""

import argparse
import time
from collections.abc import Callable

import torch

from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.loading import build_codec, load_codec


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Time a codec against real time.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--codec_config", help="codec.yaml")
    parser.add_argument("--codec_model", help="codec.pth")
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech")
    parser.add_argument("--threads", type=int, default=1)
    return parser


def decode_in_steps(codec: AbsCodec, codes: torch.Tensor) -> list[float]:
    """Return the seconds that each step took."""
    state = codec.init_state(1)
    step_seconds = []
    for frame in codes.split(1, dim=1):
        start = time.perf_counter()
        _, state = codec.step(frame, state)
        step_seconds.append(time.perf_counter() - start)
    return step_seconds


def time_once(function: Callable, argument: torch.Tensor) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


@torch.inference_mode()
def main(cmd=None):
    args = get_parser().parse_args(cmd)
    torch.set_num_threads(args.threads)
    if args.codec_config is None:
        codec = build_codec("istft", {}).eval()
    else:
        codec = load_codec(args.codec_config, args.codec_model)
    num_frames = int(args.seconds * codec.frame_rate)
    speech = 0.1 * torch.randn(1, num_frames * codec.samples_per_frame)
    codes = codec.encode(speech)
    decode_in_steps(codec, codes[:, :20])  # warm up

    step_seconds = torch.tensor(decode_in_steps(codec, codes))
    frame_seconds = float(1 / codec.frame_rate)
    print(f"threads {args.threads}, {args.seconds:g} s of speech")
    print(f"decode in steps   {args.seconds / float(step_seconds.sum()):7.1f} x real")
    print(f"  median step     {1e3 * float(step_seconds.median()):7.2f} ms")
    print(f"  99th percentile {1e3 * float(step_seconds.quantile(0.99)):7.2f} ms")
    print(f"  of a frame      {1e3 * frame_seconds:7.2f} ms")
    print(f"decode at once    {args.seconds / time_once(codec.decode, codes):7.1f} x")
    print(f"encode at once    {args.seconds / time_once(codec.encode, speech):7.1f} x")


if __name__ == "__main__":
    main()
