#!/usr/bin/env python3
"""Time codecs on one CPU core: decoding in 80 ms steps, decoding and encoding at once.

Usage:

    tools/benchmark_codec.py exp/codec/codec.yaml nanocodec mimi

A codec is a codec.yaml with its codec.pth beside it, or the name of a shape, which is
built untrained at its default size; the time does not depend on the weights. Prints one
row of a Markdown table for each.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.loading import build_codec, load_codec

COLUMNS = (
    "codec",
    "parameters",
    "size",
    "kb/s",
    "step, median",
    "step, 99 %",
    "decode in steps",
    "decode at once",
    "encode at once",
)
WARM_UP_FRAMES = 20


@dataclass(frozen=True)
class Timing:
    """How fast one codec is.

    Attributes:
        step_seconds: Of each step (T,); None for a codec that has none.
        decode_seconds: Of decoding everything at once.
        encode_seconds: Of encoding everything at once.
        speech_seconds: Of the speech that was decoded and encoded.
    """

    step_seconds: torch.Tensor | None
    decode_seconds: float
    encode_seconds: float
    speech_seconds: float

    def cells(self) -> list[str]:
        """Return the cells of the table that tell it."""
        at_once = [self._speed(self.decode_seconds), self._speed(self.encode_seconds)]
        if self.step_seconds is None:
            return ["-", "-", "-", *at_once]
        steps = self.step_seconds
        milliseconds = [1e3 * float(steps.quantile(q)) for q in (0.5, 0.99)]
        return [
            *(f"{value:.2f} ms" for value in milliseconds),
            self._speed(float(steps.sum())),
            *at_once,
        ]

    def _speed(self, seconds: float) -> str:
        return f"{self.speech_seconds / seconds:.1f} x real time"


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "codecs",
        nargs="*",
        metavar="CODEC",
        default=["istft"],
        help="codec.yaml, or one of istft, nanocodec, mimi (istft)",
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="of speech (60)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (1)")
    return parser


def get_codec(name: str) -> tuple[AbsCodec, str]:
    """Return a codec by its name or file, and its size in words."""
    if not name.endswith((".yaml", ".yml")):
        codec = build_codec(name, {}).eval()
        tensors = codec.state_dict().values()
        num_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return codec, f"{num_bytes / 1e6:.1f} MB in memory"
    weights = Path(name).with_suffix(".pth")
    codec = load_codec(name, weights)
    return codec, f"{weights.stat().st_size / 1e6:.1f} MB"


def time_steps(codec: AbsCodec, codes: torch.Tensor) -> torch.Tensor:
    """Return the seconds (T,) that each step of decoding codes (1, T, K) took."""
    state = codec.init_state(1)
    step_seconds = []
    for frame in codes.split(1, dim=1):
        start = time.perf_counter()
        _, state = codec.step(frame, state)
        step_seconds.append(time.perf_counter() - start)
    return torch.tensor(step_seconds)


def time_once(function: Callable, argument: torch.Tensor) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


@torch.inference_mode()
def time_codec(codec: AbsCodec, seconds: float) -> Timing:
    """Decode and encode so many seconds."""
    num_frames = max(1, int(seconds * codec.frame_rate))
    codes = torch.randint(codec.codebook_size, (1, num_frames, codec.num_codebooks))
    speech = 0.1 * torch.randn(1, num_frames * codec.samples_per_frame)
    step_seconds = None
    if codec.can_stream:
        time_steps(codec, codes[:, :WARM_UP_FRAMES])
        step_seconds = time_steps(codec, codes)
    return Timing(
        step_seconds,
        time_once(codec.decode, codes),
        time_once(codec.encode, speech),
        float(num_frames / codec.frame_rate),
    )


def describe(name: str, codec: AbsCodec, size: str) -> list[str]:
    """Return the cells of the table that do not depend on the machine."""
    num_parameters = sum(parameter.numel() for parameter in codec.parameters())
    frame_bits = codec.num_codebooks * math.log2(codec.codebook_size)
    return [
        name,
        f"{num_parameters / 1e6:.1f} M",
        size,
        f"{frame_bits * float(codec.frame_rate) / 1e3:.2f}",
    ]


def main(cmd=None):
    """Print the table; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    threads = f"{args.threads} thread" + "s" * (args.threads > 1)
    print(f"{args.seconds:g} s of speech, {threads}\n")
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join("---" for _ in COLUMNS), "|")
    for name in args.codecs:
        codec, size = get_codec(name)
        timing = time_codec(codec, args.seconds)
        print("|", " | ".join(describe(name, codec, size) + timing.cells()), "|")


if __name__ == "__main__":
    sys.exit(run_cli(main))
