"""English text -> phonemes in the alphabet that Kokoro and hibari share."""

import functools
import re

from hibari import Hibari
from hibari.g2p import G2P

NOT_LATIN = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f]")


def english_phonemes(text: str, *, british: bool = False) -> list[str]:
    """Phonemes, one string a sentence.

    Raises:
        ValueError: if nothing of the text, or not all of it, can be pronounced.
    """
    phonemes = _reader(british).phonemize(text)
    spoken = any(char.isalpha() for char in "".join(phonemes))
    if NOT_LATIN.search(text) or not spoken:
        raise ValueError(
            f"the text {text!r} cannot be pronounced; write it with English words in "
            "Latin letters"
        )
    return phonemes


@functools.cache  # loading a dictionary takes a second
def english_g2p(british: bool) -> G2P:
    """The dictionary of an accent, shared by all who read."""
    return G2P(british=british)


@functools.cache
def _reader(british: bool) -> Hibari:
    return Hibari(g2p=english_g2p(british))
