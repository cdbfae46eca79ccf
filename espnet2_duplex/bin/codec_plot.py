"""Draw the learning curve of a codec over minutes, from the training's checkpoint.

Usage (end of the training in stage 4 of the recipe):

    python -m espnet2_duplex.bin.codec_plot \
        --checkpoint exp/codec/checkpoint.pth --output_dir exp/codec

writes learning_curve.png and learning_curve.md. ESPnet's own images and its tensorboard
count epochs or updates; what a shape of codec costs is seen over time. The checkpoint
holds the whole history, however often the training was resumed. The entropy is that of
a batch's codes, which its frames bound: training and validation differ in them, and
codec_score measures a whole set.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli

METRICS = ("mel_loss", "code_entropy_bits")
PARTS = ("train", "valid")


@dataclass(frozen=True)
class Point:
    """What is known at the end of one epoch.

    Attributes:
        updates: Of the generator, since the beginning.
        minutes: Spent in training and validation since the beginning.
        values: By the part ("train", "valid") and the name of the metric.
    """

    updates: int
    minutes: float
    values: Mapping[str, Mapping[str, float]]


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Draw a codec's learning curve.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument("--output_dir", required=True, type=Path)
    parser.add_argument("--metrics", nargs="+", default=METRICS, help="to draw")
    return parser


def curve(stats: Mapping[int, Mapping], metrics: Sequence[str]) -> list[Point]:
    """Return one point for each epoch.

    Args:
        stats: Of ESPnet's reporter, by epoch, part and name.
        metrics: Names of the values to keep.

    Raises:
        ValueError: If the validation does not know a metric.
    """
    points, seconds = [], 0.0
    for epoch, parts in sorted(stats.items()):
        missing = [name for name in metrics if name not in parts["valid"]]
        if missing:
            raise ValueError(
                f"Epoch {epoch} has no {missing[0]}; choose among "
                f"{', '.join(parts['valid'])}."
            )
        seconds += sum(_seconds(parts[part]["time"]) for part in PARTS)
        values = {
            part: {name: parts[part][name] for name in metrics if name in parts[part]}
            for part in PARTS
        }
        points.append(Point(parts["train"]["total_count"], seconds / 60.0, values))
    return points


def read_stats(checkpoint: Path) -> dict[int, dict]:
    """Read the reporter's history out of checkpoint.pth.

    Raises:
        ValueError: If there is none.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    stats = state.get("reporter", {}).get("stats")
    if not stats:
        raise ValueError(
            f"{checkpoint} holds no history of a training; pass the checkpoint.pth of "
            "the training's folder."
        )
    return stats


def _seconds(time: Any) -> float:
    # ESPnet writes a timedelta as a dictionary, which torch.load lets through.
    return time["__timedelta_seconds__"]


def to_markdown(points: Sequence[Point], metrics: Sequence[str]) -> str:
    """Return a table of the validation's values, one row for each epoch."""
    rows = [("updates", "minutes", *metrics), ("---",) * (2 + len(metrics))]
    for point in points:
        values = [f"{point.values['valid'][name]:.3f}" for name in metrics]
        rows.append((str(point.updates), f"{point.minutes:.1f}", *values))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def draw_curve(path: Path, points: Sequence[Point], metrics: Sequence[str]) -> None:
    """Draw every metric over minutes, training and validation, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * len(metrics), 3.5), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(metrics), squeeze=False)[0], metrics):
        for part in PARTS:
            known = [point for point in points if name in point.values[part]]
            minutes = [point.minutes for point in known]
            values = [point.values[part][name] for point in known]
            axes.plot(minutes, values, marker=".", label=part)
        axes.set(title=name, xlabel="minutes", xlim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def main(cmd=None):
    """Write both files; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    points = curve(read_stats(args.checkpoint), args.metrics)
    draw_curve(args.output_dir / "learning_curve.png", points, args.metrics)
    with replacing(args.output_dir / "learning_curve.md") as temporary:
        temporary.write_text(to_markdown(points, args.metrics), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(run_cli(main))
