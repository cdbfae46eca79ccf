"""Character CTC behind an encoder: what a stream of embeddings still knows of words."""

from dataclasses import dataclass
from typing import Iterable

import torch
from torch.nn import functional

CHARACTERS = " abcdefghijklmnopqrstuvwxyz'"  # id 0 is the blank
STEPS_PER_FRAME = 4  # speech has up to 25 characters a second, frames only 12.5
IMPOSSIBLE = -1e4  # logarithm of a probability; -inf has no gradient


def spoken_characters(text: str | None) -> str | None:
    """Text as CTC spells it, or None where its spelling is not what is spoken.

    >>> spoken_characters("What's the capital of Cote d'Ivoire?")
    "what's the capital of cote d'ivoire"
    >>> spoken_characters("In 1984.") is None
    True
    """
    if text is None:
        return None
    kept = text.lower().replace("-", " ").replace("’", "'")
    kept = "".join(c for c in kept if c not in '.,?!;:"()')
    kept = " ".join(kept.split())
    return kept if kept and set(kept) <= set(CHARACTERS) else None


class CtcHead(torch.nn.Module):
    """Four CTC steps out of each embedding."""

    def __init__(self, input_size: int):
        super().__init__()
        self.num_classes = len(CHARACTERS) + 1
        self.linear = torch.nn.Linear(input_size, STEPS_PER_FRAME * self.num_classes)

    def forward(self, embeds: torch.Tensor) -> torch.Tensor:
        """Log probabilities (B, 4 T, classes) of embeds (B, T, D)."""
        logits = self.linear(embeds).unflatten(2, (STEPS_PER_FRAME, self.num_classes))
        return logits.flatten(1, 2).float().log_softmax(dim=-1)


def ctc_loss(
    log_probs: torch.Tensor,
    texts: list[str],
    first_steps: torch.Tensor | None = None,
) -> torch.Tensor:
    """Mean CTC loss per character.

    Args:
        log_probs: (B, N, classes), all N steps valid.
        texts: B strings of CHARACTERS.
        first_steps: (B,) steps before which nothing is said, so that all of them must
            be blank; None: unknown.
    """
    ids = [[CHARACTERS.index(c) + 1 for c in text] for text in texts]
    lengths = torch.tensor([len(row) for row in ids])
    steps = torch.full_like(lengths, log_probs.shape[1])
    flat = torch.tensor([i for row in ids for i in row])
    waiting = 0.0
    if first_steps is not None:
        log_probs, waiting = _wait_until(log_probs, first_steps.to(log_probs.device))
    loss = functional.ctc_loss(
        log_probs.transpose(0, 1),
        flat.to(log_probs.device),
        steps,
        lengths,
        reduction="sum",
        zero_infinity=True,
    )
    return (loss + waiting) / lengths.sum().clamp(min=1)


def _wait_until(
    log_probs: torch.Tensor, first_steps: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Certain blanks in the steps before the first one, and what these cost, a scalar.

    torch's CTC has the gradient of the logits in view, so a mask alone would bend it.
    """
    steps = torch.arange(log_probs.shape[1], device=log_probs.device)
    is_before = steps < first_steps[:, None]
    certain = log_probs.new_full(log_probs.shape[2:], IMPOSSIBLE)
    certain[0] = 0.0
    cost = -(log_probs[:, :, 0] * is_before).sum()
    return torch.where(is_before[:, :, None], certain, log_probs), cost


def greedy_text(log_probs: torch.Tensor) -> str:
    """Most likely characters of one utterance, log_probs (N, classes)."""
    ids = torch.unique_consecutive(log_probs.argmax(dim=-1)).tolist()
    return " ".join("".join(CHARACTERS[i - 1] for i in ids if i).split())


@dataclass(frozen=True)
class CtcErrors:
    """Edit counts that add over utterances."""

    word_errors: int = 0
    num_words: int = 0
    character_errors: int = 0
    num_characters: int = 0

    def __add__(self, other: "CtcErrors") -> "CtcErrors":
        return CtcErrors(
            self.word_errors + other.word_errors,
            self.num_words + other.num_words,
            self.character_errors + other.character_errors,
            self.num_characters + other.num_characters,
        )

    @classmethod
    def between(cls, reference: str, hypothesis: str) -> "CtcErrors":
        """Counts of one utterance."""
        words = reference.split()
        return cls(
            edit_distance(words, hypothesis.split()),
            len(words),
            edit_distance(reference, hypothesis),
            len(reference),
        )

    @property
    def word_error_rate(self) -> float | None:
        """Errors per reference word; None without words."""
        return self.word_errors / self.num_words if self.num_words else None

    @property
    def character_error_rate(self) -> float | None:
        """Errors per reference character; None without characters."""
        if not self.num_characters:
            return None
        return self.character_errors / self.num_characters


def edit_distance(reference: Iterable, hypothesis: Iterable) -> int:
    """Levenshtein distance.

    >>> edit_distance("kitten", "sitting")
    3
    """
    hypothesis = list(hypothesis)
    row = list(range(len(hypothesis) + 1))
    for i, wanted in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, start=1):
            substituted = diagonal + (wanted != found)
            diagonal = row[j]
            row[j] = min(substituted, row[j] + 1, row[j - 1] + 1)
    return row[-1]
