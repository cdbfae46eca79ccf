"""How an encoder's training went: means of losses, speed, error rates."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.perception.ctc import CtcErrors
from espnet2_duplex.perception.speech_rows import RowBatch
from espnet2_duplex.perception.utterances import SAMPLE_RATE


class Meter:
    """Means of losses and speed from when it was made to the last step.

    As a string it is a line of the log.
    """

    def __init__(self) -> None:
        self._began = self._ended = time.monotonic()
        self.speech_seconds = 0.0
        self.num_rows = 0
        self.num_spelt = 0
        self._losses: list[Mapping[str, float]] = []

    def add(self, batch: RowBatch, losses: Mapping[str, float]) -> None:
        """Count a step."""
        self.speech_seconds += batch.speech.numel() / SAMPLE_RATE
        self.num_rows += len(batch.texts)
        self.num_spelt += sum(text is not None for text in batch.texts)
        self._losses.append(losses)
        self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """By the clock."""
        return self._ended - self._began

    @property
    def losses(self) -> dict[str, float]:
        """Name -> mean over the steps that had it."""
        names = dict.fromkeys(name for losses in self._losses for name in losses)
        values = {n: [step[n] for step in self._losses if n in step] for n in names}
        return {name: sum(some) / len(some) for name, some in values.items()}

    def __str__(self) -> str:
        losses = "".join(f"{name} {loss:.4f}, " for name, loss in self.losses.items())
        speed, spelt = (
            self.speech_seconds / self.seconds,
            self.num_spelt / self.num_rows,
        )
        return (
            f"{losses}{spelt:.0%} of rows with a text, {speed:.1f} s of speech a second"
        )


@dataclass(frozen=True)
class Point:
    """What is known at a checkpoint.

    Attributes:
        step: steps done.
        speech_hours: trained on since the beginning, repetitions included.
        train_hours: spent since the beginning, without error rates.
        losses: means since the checkpoint before.
        word_error_rate: of the speech that is not trained on; None without any.
        character_error_rate: as well.
    """

    step: int
    speech_hours: float
    train_hours: float
    losses: Mapping[str, float] = field(default_factory=dict)
    word_error_rate: float | None = None
    character_error_rate: float | None = None


class History:
    """The points of a training, kept in a file from which a resumed one goes on.

    Args:
        path: of the file, JSON lines.
        num_done: steps of the checkpoint; points after it are dropped.
    """

    def __init__(self, path: Path, num_done: int) -> None:
        self.path = path
        known = read_history(path) if path.exists() else []
        self.points = [point for point in known if point.step <= num_done]

    def add(self, step: int, meter: Meter, errors: CtcErrors) -> None:
        """Log and keep a point."""
        last = self.points[-1] if self.points else Point(0, 0.0, 0.0)
        wer, cer = errors.word_error_rate, errors.character_error_rate
        if errors.num_words:
            message = "step %d: WER %.1f %%, CER %.1f %% of %d words"
            logging.info(message, step, 100 * wer, 100 * cer, errors.num_words)
        speech_hours = last.speech_hours + meter.speech_seconds / 3600
        train_hours = last.train_hours + meter.seconds / 3600
        self.points.append(
            Point(step, speech_hours, train_hours, meter.losses, wer, cer)
        )
        write_jsonl(self.path, map(asdict, self.points))


def read_history(path: Path) -> list[Point]:
    """The points of a training.

    Raises:
        ValueError: the file is missing or broken.
    """
    return [Point(**row) for row in read_jsonl(path)]
