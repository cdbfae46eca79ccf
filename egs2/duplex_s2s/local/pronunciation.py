"""How texts sound: phonemes, and how unlike two of them are."""

from typing import List, Optional, Sequence

import numpy as np
from hibari.g2p import G2P

UNKNOWN = "\u2205"  # put by the G2P where a word is not in its dictionary


class Pronunciation:
    """Phonemes of words that are in the voices' dictionary."""

    def __init__(self) -> None:
        self._g2p = G2P(oov=False, unk=UNKNOWN)

    def phonemes(self, text: str) -> Optional[str]:
        """Phonemes without stress marks, None if a word is not in the dictionary."""
        phonemes = self._g2p(text)
        if UNKNOWN in phonemes:
            return None
        return phonemes.translate(str.maketrans("", "", "ˈˌ.,?!"))


def phoneme_distance(one: str, two: str) -> float:
    """Edit distance over the longer length: 0 the same, 1 nothing in common."""
    row = np.arange(len(two) + 1)
    letters = np.array(list(two))
    for position, letter in enumerate(one, 1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (letters != letter))
        new = np.concatenate([[position], changed])
        # Insertions run along the row: a running minimum of (value - column).
        columns = np.arange(len(new))
        row = np.minimum.accumulate(new - columns) + columns
    return int(row[-1]) / max(len(one), len(two), 1)


def farthest_first(
    candidates: Sequence[str], chosen: Sequence[str], count: int
) -> List[int]:
    """Indices of `count` candidates, each the least similar to all taken before."""
    nearest = np.full(len(candidates), 2.0)
    picked: List[int] = []
    taken = list(chosen)
    while len(picked) < min(count, len(candidates)):
        for other in taken:
            distances = [phoneme_distance(text, other) for text in candidates]
            nearest = np.minimum(nearest, distances)
        best = int(np.argmax(nearest))
        picked.append(best)
        nearest[best] = -1.0
        taken = [candidates[best]]
    return picked
