"""Teaches the causal encoder to hear as the bidirectional Whisper does.

First the student's frames are pulled to the teacher's (mean squared error on features
that the teacher's statistics standardise), while a CTC head learns behind them without
moving them; then CTC trains all of it and the pull goes on with less weight, until the
teacher leaves.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from espnet2_duplex.perception.ctc_model import CtcModel
from espnet2_duplex.perception.ctc_objective import CtcObjective
from espnet2_duplex.perception.speech_rows import RowBatch, SpeechRows
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher

NUM_STATISTICS_BATCHES = 4
MIN_STD = 1e-3


@dataclass(frozen=True)
class DistillSettings:
    """When the teacher pulls, and how much.

    Attributes:
        num_distill_steps: with the teacher alone, before CTC moves the encoder.
        num_teacher_steps: after which CTC goes on alone; None: never.
        distill_weight: of the pull, beside CTC.

    Raises:
        ValueError: steps are left in which nothing moves the encoder.
    """

    num_distill_steps: int = 150
    num_teacher_steps: int | None = None
    distill_weight: float = 0.3

    def __post_init__(self) -> None:
        num = self.num_teacher_steps
        if num is not None and num < self.num_distill_steps:
            raise ValueError(
                f"num_teacher_steps is {num}, below num_distill_steps "
                f"{self.num_distill_steps}; write at least as many"
            )

    def is_joint(self, step: int) -> bool:
        """Whether CTC moves the encoder by now."""
        return step >= self.num_distill_steps

    def has_teacher(self, step: int) -> bool:
        """Whether the teacher still pulls."""
        return self.num_teacher_steps is None or step < self.num_teacher_steps


class DistilledModel(CtcModel):
    """Student, CTC head, and the statistics of the teacher's features."""

    def __init__(self, encoder: WhisperCausalEncoder):
        super().__init__(encoder)
        self.register_buffer("mean", torch.zeros(encoder.width))
        self.register_buffer("std", torch.ones(encoder.width))

    def measure(self, frames: torch.Tensor) -> None:
        """Take mean and standard deviation per channel of the teacher's frames.

        Args:
            frames: (N, width).
        """
        std, mean = torch.std_mean(frames, dim=0)
        self.mean.copy_(mean)
        self.std.copy_(std.clamp(min=MIN_STD))

    def distance(self, hidden: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Mean squared error of standardised frames, both (B, 4 T, width)."""
        return functional.mse_loss(
            (hidden.float() - self.mean) / self.std,
            (wanted.float() - self.mean) / self.std,
        )


class Distillation(CtcObjective):
    """CTC with a teacher that hears the undisturbed rows.

    Args:
        model: the student; must be on the teacher's device.
        teacher: is not trained.
        settings: its schedule.
    """

    model: DistilledModel

    def __init__(
        self, model: DistilledModel, teacher: WhisperTeacher, settings: DistillSettings
    ):
        super().__init__(model)
        self.teacher = teacher
        self.settings = settings

    def begin(self, rows: SpeechRows) -> None:
        """Measure the teacher's features on the first batches."""
        device = self.model.mean.device
        with torch.no_grad():
            frames = [
                self.teacher(rows.batch(step).undisturbed.to(device)).flatten(0, 1)
                for step in range(NUM_STATISTICS_BATCHES)
            ]
        self.model.measure(torch.cat(frames))

    def losses(
        self, batch: RowBatch, step: int
    ) -> dict[str, tuple[float, torch.Tensor]]:
        """See CtcObjective."""
        is_joint = self.settings.is_joint(step)
        hidden = self.model.encoder.hidden(batch.speech)
        heard = hidden if is_joint else hidden.detach()
        ctc = self.model.ctc(self.model.encoder.embed(heard), batch)
        losses = {"CTC": (1.0, ctc)}
        if self.settings.has_teacher(step):
            with torch.no_grad():
                wanted = self.teacher(batch.undisturbed)
            weight = self.settings.distill_weight if is_joint else 1.0
            losses["distillation"] = weight, self.model.distance(hidden, wanted)
        return losses
