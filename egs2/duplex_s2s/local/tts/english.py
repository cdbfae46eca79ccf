"""English text -> phonemes in the alphabet that Kokoro and hibari share."""

import re

from hibari import Hibari
from hibari.g2p import G2P

NOT_LATIN = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f]")


class EnglishPhonemes:
    """Phonemes of both accents; the dictionaries are loaded when first asked for."""

    def __init__(self) -> None:
        self._speakers: dict[bool, Hibari] = {}

    def phonemes(self, text: str, *, british: bool = False) -> list[str]:
        """Phonemes, one string a sentence.

        Raises:
            ValueError: if nothing of the text, or not all of it, can be pronounced.
        """
        if british not in self._speakers:
            self._speakers[british] = Hibari(g2p=G2P(british=british))
        phonemes = self._speakers[british].phonemize(text)
        spoken = any(char.isalpha() for char in "".join(phonemes))
        if NOT_LATIN.search(text) or not spoken:
            raise ValueError(
                f"the text {text!r} cannot be pronounced; write it with English words "
                "in Latin letters"
            )
        return phonemes
