"""What an encoder is trained for: CTC alone; `distillation` adds a teacher."""

import torch

from espnet2_duplex.perception.ctc_model import CtcModel
from espnet2_duplex.perception.speech_rows import RowBatch, SpeechRows


class CtcObjective:
    """The model spells what is said.

    Args:
        model: to be trained.
    """

    def __init__(self, model: CtcModel):
        self.model = model

    def begin(self, rows: SpeechRows) -> None:
        """What must be known before the first step; a resumed training skips it."""

    def losses(
        self, batch: RowBatch, step: int
    ) -> dict[str, tuple[float, torch.Tensor]]:
        """Losses of a step.

        Args:
            batch: on the model's device.
            step: from 0.

        Returns:
            Name -> weight and scalar; what is minimised is their weighted sum.
        """
        return {"CTC": (1.0, self.model.ctc(self.model.encode(batch.speech), batch))}
