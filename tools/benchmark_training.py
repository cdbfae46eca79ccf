#!/usr/bin/env python3
"""Frames per second and peak memory of a training step, beside NeMo's DuplexS2SModel.

Usage:

    tools/benchmark_training.py --nemo_python ~/nemo/bin/python 10M 60M 135M
    tools/benchmark_training.py 135M --precision bf16-mixed \
        --variants '{}' '{"model_conf": {"logits_chunk_frames": 1024}}'

A step is forward, loss, backward, gradient clipping and AdamW. Both sides have the same
Llama (random weights), batch, number format and threads; in place of the speech encoder
and the codec stand things that cost next to nothing. Padding counts: NeMo computes it,
we do not, so state its share; ESPnet's batches sorted by length have 0.02 or so. Each
case runs in a process of its own, --num_rounds times in turn; the round of median speed
is printed. NeMo needs an interpreter with nemo-toolkit 3.0.0:

    python3.12 -m venv nemo && nemo/bin/pip install "nemo-toolkit[asr]==3.0.0" peft \
        torch==2.11.0 torchaudio==2.11.0

On the CPU the memory of many small tensors that are freed stays with the process; run
with MALLOC_MMAP_THRESHOLD_=1048576 in the environment to see what the tensors need.
Prints a row of a Markdown table for each size and variant of ours. "peak" is all memory
of the process, "step" what of it came after model, optimiser and batch were built.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from training_benchmark.case import LLMS, Case, Measurement

from espnet2_duplex.bin.cli import run_cli

TOOLS = Path(__file__).resolve().parent
COLUMNS = ("LLM", "trained", "batch", "padding", "variant")
COLUMNS += ("frames/s", "peak MiB", "step MiB")
NEMO_COLUMNS = ("NeMo trained", "frames/s", "peak MiB", "step MiB")
RATIO_COLUMNS = ("speed ratio", "peak ratio", "step ratio")


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "sizes", nargs="*", default=["10M", "60M", "135M"], help=", ".join(LLMS)
    )
    parser.add_argument("--nemo_python", help="interpreter with nemo-toolkit")
    parser.add_argument("--batch_size", type=int, default=4, help="conversations (4)")
    parser.add_argument("--num_frames", type=int, default=250, help="longest (250)")
    parser.add_argument("--padding", type=float, default=0.15, help="share (0.15)")
    parser.add_argument(
        "--precision", choices=["float32", "bf16-mixed"], default="float32"
    )
    parser.add_argument(
        "--nemo_precision",
        choices=["float32", "bf16-mixed", "bf16-true"],
        help="as --precision if not given; bf16-true is in NeMo's configuration",
    )
    parser.add_argument("--num_steps", type=int, default=3, help="measured (3)")
    parser.add_argument("--num_rounds", type=int, default=1, help="in turn (1)")
    parser.add_argument("--num_threads", type=int, default=1)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--clock",
        choices=["wall", "cpu"],
        default="wall",
        help="cpu: the processor's time, for one thread on a machine that is not idle",
    )
    parser.add_argument(
        "--variants",
        nargs="+",
        type=json.loads,
        default=[{}],
        help="of ours: JSON objects with model_conf or backbone_conf, as a training "
        "configuration has them",
    )
    return parser


def build_case(args: argparse.Namespace, size: str) -> Case:
    """The case of one size.

    Raises:
        ValueError: If there is no such size, or the padding is half of the batch.
    """
    if size not in LLMS:
        raise ValueError(f"there is no LLM {size}; choose of {', '.join(LLMS)}.")
    if not 0 <= args.padding < 0.5:
        raise ValueError(
            f"--padding {args.padding} is not in 0 .. 0.5; lengths that fall evenly from "
            "the longest leave less than half of the batch empty."
        )
    return Case(
        llm=LLMS[size],
        batch_size=args.batch_size,
        num_frames=args.num_frames,
        padding_share=args.padding,
        precision=args.precision,
        num_steps=args.num_steps,
        num_threads=args.num_threads,
        device=args.device,
        clock=args.clock,
    )


def measure_in_process(python: str, side: str, case: Case) -> Measurement:
    """Run a case in a new process of that interpreter.

    Raises:
        ValueError: If it fails; the end of what it said is in the message.
    """
    threads = str(case.num_threads)
    environment = os.environ | {"PYTHONPATH": str(TOOLS), "OMP_NUM_THREADS": threads}
    environment |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with tempfile.TemporaryDirectory() as folder:
        case_file, result_file = Path(folder, "case"), Path(folder, "result")
        case_file.write_text(json.dumps(dataclasses.asdict(case)))
        done = subprocess.run(
            [python, "-m", "training_benchmark", side, case_file, result_file],
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
        )
        if done.returncode:
            end = " / ".join(done.stderr.strip().splitlines()[-3:])
            raise ValueError(f"the step of {side} under {python} failed: {end}")
        return Measurement(**json.loads(result_file.read_text()))


def frames_per_second(case: Case, measurement: Measurement) -> float:
    """Frames of conversation, padding not counted, per second of training."""
    return int(case.lengths().sum()) / measurement.step_seconds


def side_cells(case: Case, measurement: Measurement) -> list[str]:
    step_mebibytes = measurement.peak_mebibytes - measurement.built_mebibytes
    return [
        f"{frames_per_second(case, measurement):.0f}",
        f"{measurement.peak_mebibytes:.0f}",
        f"{step_mebibytes:.0f}",
    ]


def ratio_cells(ours: Measurement, nemo: Measurement) -> list[str]:
    """How many times as fast as NeMo's, and which part of its memory."""
    steps = [side.peak_mebibytes - side.built_mebibytes for side in (ours, nemo)]
    ratios = (
        nemo.step_seconds / ours.step_seconds,
        ours.peak_mebibytes / nemo.peak_mebibytes,
        steps[0] / steps[1],
    )
    return [f"{ratio:.2f}" for ratio in ratios]


def measure_rounds(
    sides: list[tuple[str, str, Case]], num_rounds: int
) -> list[Measurement]:
    """Of each side, an interpreter, its name and its case, the round of median speed.

    The sides take turns, so that whatever else the machine does meets all of them.
    """
    rounds = [[measure_in_process(*side) for side in sides] for _ in range(num_rounds)]
    return [
        sorted(found, key=lambda one: one.step_seconds)[num_rounds // 2]
        for found in zip(*rounds)
    ]


def measure_rows(args: argparse.Namespace, size: str) -> Iterator[list[str]]:
    """Cells of one size: a row for each variant, all beside the same one of NeMo."""
    case = build_case(args, size)
    num_frames = int(case.lengths().sum())
    padding = 1 - num_frames / (case.batch_size * case.num_frames)
    cases = [dataclasses.replace(case, variant=variant) for variant in args.variants]
    sides = [(sys.executable, "ours", variant_case) for variant_case in cases]
    if args.nemo_python is not None:
        precision = args.nemo_precision or args.precision
        theirs = dataclasses.replace(case, precision=precision)
        sides.append((args.nemo_python, "nemo", theirs))
    measured = measure_rounds(sides, args.num_rounds)
    for variant, ours in zip(args.variants, measured):
        cells = [
            size,
            f"{ours.num_parameters / 1e6:.1f} M",
            f"{case.batch_size} x {case.num_frames}",
            f"{100 * padding:.0f} %",
            json.dumps(variant),
            *side_cells(case, ours),
        ]
        if args.nemo_python is not None:
            nemo = measured[-1]
            cells.append(f"{nemo.num_parameters / 1e6:.1f} M")
            cells += [*side_cells(case, nemo), *ratio_cells(ours, nemo)]
        yield cells


def main(cmd=None):
    """Print the table; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    nemo_precision = args.nemo_precision or args.precision
    print(
        f"{args.precision} (NeMo {nemo_precision}), {args.device}, "
        f"{args.num_threads} thread(s), median of {args.num_steps} steps by "
        f"{args.clock} time, {args.num_rounds} round(s)\n"
    )
    columns = COLUMNS
    if args.nemo_python is not None:
        columns += NEMO_COLUMNS + RATIO_COLUMNS
    print("|", " | ".join(columns), "|")
    print("|", " | ".join("---" for _ in columns), "|", flush=True)
    for size in args.sizes:
        for cells in measure_rows(args, size):
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
