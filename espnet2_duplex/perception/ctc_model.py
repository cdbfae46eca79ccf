"""An encoder and the CTC head behind it: what is trained, and how it transcribes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.ctc import (
    STEPS_PER_FRAME,
    CtcErrors,
    CtcHead,
    ctc_loss,
    greedy_text,
)
from espnet2_duplex.perception.speech_rows import RowBatch
from espnet2_duplex.perception.utterances import Utterance

EDGE_SAMPLES = 8000  # silence around an utterance that is transcribed


class CtcModel(torch.nn.Module):
    """Any streaming encoder with a head that spells what is said.

    Args:
        encoder: turns speech into one embedding a frame.
    """

    def __init__(self, encoder: AbsStreamingEncoder):
        super().__init__()
        self.encoder = encoder
        self.head = CtcHead(encoder.output_size)

    def encode(self, speech: torch.Tensor) -> torch.Tensor:
        """Embeddings (B, T, D) of speech (B, S), all of it valid."""
        num_samples = torch.full((len(speech),), speech.shape[1], device=speech.device)
        return self.encoder(speech, num_samples)[0]

    def ctc(self, embeds: torch.Tensor, batch: RowBatch) -> torch.Tensor:
        """Mean CTC loss per character of the rows with a text.

        From scratch, a row's first words would else be guessed in the silence before
        them, which is never unlearnt: nothing may be spelt before it is said.

        Args:
            embeds: (B, T, D).
            batch: the rows.

        Returns:
            A scalar; 0, with a gradient of zeros, if no row has a text.
        """
        known = [row for row, text in enumerate(batch.texts) if text]
        if not known:
            return 0 * embeds.sum()
        texts = [batch.texts[row] for row in known]
        first_frames = batch.first_samples[known] // self.encoder.samples_per_frame
        log_probs = self.head(embeds[known])
        return ctc_loss(log_probs, texts, STEPS_PER_FRAME * first_frames)

    def transcribe(self, speech: torch.Tensor) -> str:
        """Greedy CTC transcript of speech (S,), heard as a whole."""
        with torch.no_grad():
            return greedy_text(self.head(self.encode(speech[None]))[0])

    def transcribe_in_steps(self, speech: torch.Tensor) -> str:
        """Greedy CTC transcript of speech (S,), heard frame by frame."""
        hop = self.encoder.samples_per_frame
        speech = functional.pad(speech, (0, -len(speech) % hop))
        embeds = []
        with torch.no_grad():
            state = self.encoder.init_state(1)
            for frame in speech[None].split(hop, dim=1):
                embed, state = self.encoder.step(frame, state)
                embeds.append(embed)
            return greedy_text(self.head(torch.cat(embeds, dim=1))[0])


@dataclass(frozen=True)
class Heard:
    """A transcribed utterance.

    Attributes:
        utterance: with what is said in it.
        text: what the model spells.
    """

    utterance: Utterance
    text: str

    @property
    def errors(self) -> CtcErrors:
        """Edit counts of the two."""
        return CtcErrors.between(self.utterance.text, self.text)


def transcribe_all(
    model: CtcModel, utterances: Sequence[Utterance], *, in_steps: bool = False
) -> list[Heard]:
    """Transcripts of the utterances that have a text.

    Args:
        model: is left in evaluation mode.
        utterances: to be read; half a second of silence is put on either side.
        in_steps: whether they are heard frame by frame.
    """
    model.eval()
    transcribe = model.transcribe_in_steps if in_steps else model.transcribe
    device = next(model.parameters()).device
    heard = []
    for utterance in utterances:
        if utterance.text is not None:
            speech = torch.from_numpy(utterance.read()).to(device)
            speech = functional.pad(speech, (EDGE_SAMPLES, EDGE_SAMPLES))
            heard.append(Heard(utterance, transcribe(speech)))
    return heard


def total_errors(heard: Sequence[Heard]) -> CtcErrors:
    """Edit counts of all."""
    return sum((one.errors for one in heard), CtcErrors())
