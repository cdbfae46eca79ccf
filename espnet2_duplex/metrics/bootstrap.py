"""How sure a difference between two systems is, given the sentences that were drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES_AT_ONCE = 500


@dataclass(frozen=True)
class Difference:
    """A difference and the interval that holds 95 % of its resamples.

    Attributes:
        value: first minus second.
        low: 2.5th percentile.
        high: 97.5th percentile.
    """

    value: float
    low: float
    high: float


def paired_bootstrap(
    first: Sequence[float],
    second: Sequence[float],
    weights: Sequence[float] | None = None,
    *,
    num_resamples: int = 10_000,
    seed: int = 0,
) -> Difference | None:
    """Difference of two pooled rates, or of two means, over the same sentences.

    Sentences are drawn with replacement, both systems' scores of a sentence together
    (Bisani and Ney, ICASSP 2004). The rate of a system is the sum of its scores over
    the sum of the weights.

    Args:
        first: (N,), for example errors of each sentence.
        second: (N,) of the other system.
        weights: (N,), for example characters of each sentence; None for means.
        num_resamples: number of draws of N sentences.
        seed: same seed, same interval.

    Returns:
        None without sentences or weight.
    """
    change = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    weight = np.ones_like(change) if weights is None else np.asarray(weights, float)
    if not weight.sum() > 0:
        return None
    rng = np.random.default_rng(seed)
    shares = np.full(len(change), 1 / len(change))
    rates = []
    for begin in range(0, num_resamples, RESAMPLES_AT_ONCE):
        size = min(RESAMPLES_AT_ONCE, num_resamples - begin)
        draws = rng.multinomial(len(change), shares, size)  # (R, N)
        with np.errstate(invalid="ignore", divide="ignore"):
            rates.append((draws @ change) / (draws @ weight))
    # A draw of sentences without weight has no rate.
    low, high = np.nanpercentile(np.concatenate(rates), [2.5, 97.5])
    return Difference(float(change.sum() / weight.sum()), float(low), float(high))
