"""Draw the learning curve of a speech encoder from its training's history.

    python -m espnet2_duplex.bin.perception_plot \
        --history exp/encoder_distill/history.jsonl --output_dir exp/encoder_distill

writes learning_curve.png, losses and error rates of the validation set over hours of
speech, and learning_curve.md. The history is the whole one, however often the training
was resumed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_text
from espnet2_duplex.perception.ctc_history import Point, read_history


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--history", required=True, type=Path)
    parser.add_argument("--output_dir", required=True, type=Path)
    return parser


def main(cmd=None) -> None:
    """Write both files; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    points = read_history(args.history)
    if not points:
        raise ValueError(f"{args.history} has no checkpoint yet; train further.")
    draw(args.output_dir / "learning_curve.png", points)
    write_text(args.output_dir / "learning_curve.md", to_markdown(points))


def loss_names(points: Sequence[Point]) -> list[str]:
    """Of all points, in the order of first use."""
    return list(dict.fromkeys(name for point in points for name in point.losses))


def to_markdown(points: Sequence[Point]) -> str:
    """A table with one row for each checkpoint."""
    names = loss_names(points)
    header = ("steps", "hours of speech", "hours", *names, "WER %", "CER %")
    lines = [header, ("---",) * len(header)]
    for point in points:
        rates = (point.word_error_rate, point.character_error_rate)
        lines.append(
            (
                str(point.step),
                f"{point.speech_hours:.2f}",
                f"{point.train_hours:.2f}",
                *(_or_dash(point.losses.get(name), ".4f") for name in names),
                *(_or_dash(rate and 100 * rate, ".1f") for rate in rates),
            )
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _or_dash(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)


def draw(path: Path, points: Sequence[Point]) -> None:
    """Losses, and error rates where there are any, as a PNG."""
    from matplotlib.figure import Figure

    panels = {
        "loss": {
            n: [point.losses.get(n) for point in points] for n in loss_names(points)
        }
    }
    if any(point.word_error_rate is not None for point in points):
        panels["error rate, validation"] = {
            "WER": [point.word_error_rate for point in points],
            "CER": [point.character_error_rate for point in points],
        }
    figure = Figure(figsize=(5 * len(panels), 3.5), layout="constrained")
    all_axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, curves) in zip(all_axes, panels.items()):
        for name, values in curves.items():
            known = [
                (p.speech_hours, v) for p, v in zip(points, values) if v is not None
            ]
            axes.plot(*zip(*known), marker=".", label=name)
        axes.set(title=title, xlabel="hours of speech", xlim=(0, None), ylim=(0, None))
        axes.grid(alpha=0.3)
        axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


if __name__ == "__main__":
    sys.exit(run_cli(main))
