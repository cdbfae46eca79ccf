"""Teaches the causal encoder to hear as the bidirectional Whisper does.

First the student's frames are pulled to the teacher's (mean squared error on features
that the teacher's statistics standardise), while a CTC head learns behind them without
moving them; then CTC trains all of it and the pull goes on with less weight.
"""

import logging

import torch
from torch.nn import functional

from espnet2_duplex.perception.ctc import CtcErrors, CtcHead, ctc_loss, greedy_text
from espnet2_duplex.perception.speech_rows import SpeechRows, Utterance
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher

NUM_STATISTICS_BATCHES = 4
EDGE_SAMPLES = 8000  # silence around a validation utterance


class Distillation(torch.nn.Module):
    """Student, CTC head, and the statistics of the teacher's features."""

    def __init__(self, encoder: WhisperCausalEncoder):
        super().__init__()
        self.encoder = encoder
        self.head = CtcHead(encoder.output_size)
        self.register_buffer("mean", torch.zeros(encoder.width))
        self.register_buffer("std", torch.ones(encoder.width))

    def measure_teacher(self, teacher: WhisperTeacher, rows: SpeechRows) -> None:
        """Take mean and standard deviation per channel from the first batches."""
        with torch.no_grad():
            frames = [
                teacher(rows.batch(step)[0]).flatten(0, 1)
                for step in range(NUM_STATISTICS_BATCHES)
            ]
        std, mean = torch.std_mean(torch.cat(frames), dim=0)
        self.mean.copy_(mean)
        self.std.copy_(std.clamp(min=1e-3))

    def losses(
        self,
        speech: torch.Tensor,
        texts: list[str | None],
        wanted: torch.Tensor,
        *,
        ctc_moves_encoder: bool,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Distillation and CTC loss.

        Args:
            speech: (B, T * samples_per_frame).
            texts: B transcripts; rows without one have no CTC loss.
            wanted: (B, 4 T, width), the teacher's frames.
            ctc_moves_encoder: False keeps CTC's gradient from the layers.
        """
        hidden = self.encoder.hidden(speech)
        distill = functional.mse_loss(
            (hidden.float() - self.mean) / self.std,
            (wanted.float() - self.mean) / self.std,
        )
        known = [row for row, text in enumerate(texts) if text]
        if not known:
            return distill, distill.new_zeros(())
        heard = hidden[known] if ctc_moves_encoder else hidden[known].detach()
        log_probs = self.head(self.encoder.embed(heard))
        return distill, ctc_loss(log_probs, [texts[row] for row in known])

    def transcribe(self, speech: torch.Tensor) -> str:
        """Greedy CTC transcript of speech (S,)."""
        num_samples = torch.tensor([len(speech)])
        with torch.no_grad():
            embeds, _ = self.encoder(speech[None], num_samples)
            return greedy_text(self.head(embeds)[0])


def evaluate(model: Distillation, utterances: list[Utterance]) -> CtcErrors:
    """Greedy CTC errors over the transcribed utterances."""
    model.eval()
    errors = CtcErrors()
    for utterance in utterances:
        if utterance.text is None:
            continue
        speech = torch.from_numpy(utterance.read())
        heard = model.transcribe(functional.pad(speech, (EDGE_SAMPLES, EDGE_SAMPLES)))
        logging.debug("%s: %s | %s", utterance.id, utterance.text, heard)
        errors = errors + CtcErrors.between(utterance.text, heard)
    return errors
