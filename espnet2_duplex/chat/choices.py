"""Probabilities of given continuations, from next-token probabilities.

A choice that another one begins with ("1" of "10", where digits are tokens) counts only
where the model does not go on to the longer one.
"""

import math
from collections.abc import Mapping, Sequence

import torch

Tokens = tuple[int, ...]


def prefixes_of(choices: Sequence[Tokens]) -> set[Tokens]:
    """Token sequences after which the next token decides between the choices.

    Args:
        choices: token ids of each, none empty, no two alike.
    """
    return {choice[:length] for choice in choices for length in range(len(choice))}


def longest_of(prefixes: set[Tokens]) -> list[Tokens]:
    """Those that no other one begins with: reading them reads all, in fixed order."""
    return sorted(
        prefix
        for prefix in prefixes
        if not any(
            len(other) > len(prefix) and other[: len(prefix)] == prefix
            for other in prefixes
        )
    )


def choice_probability(
    choice: Tokens,
    choices: Sequence[Tokens],
    log_probs: Mapping[Tokens, torch.Tensor],
) -> float:
    """Probability of one choice.

    Args:
        choice: one of `choices`.
        choices: all of them.
        log_probs: of the next token (V,), for each of `prefixes_of(choices)`.
    """
    likelihood = sum(
        float(log_probs[choice[:length]][token]) for length, token in enumerate(choice)
    )
    longer = {
        other[len(choice)]
        for other in choices
        if len(other) > len(choice) and other[: len(choice)] == choice
    }
    going_on = sum(math.exp(float(log_probs[choice][token])) for token in longer)
    return math.exp(likelihood) * max(0.0, 1.0 - going_on)
