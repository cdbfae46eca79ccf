"""hibari: five small, fast English voices; "heart", the agent's, is in the package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from hibari.voices import VOICES
from tts.engine import Engine
from tts.english import english_g2p, english_phonemes


class HibariEngine(Engine):
    """hibari's voices; all but "heart" are fetched from the hub when first prepared.

    Args:
        downloads: not needed.
    """

    def __init__(self, downloads: Path) -> None:
        self._speakers: dict[str, Hibari] = {}

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def voices(self) -> Sequence[str]:
        return tuple(VOICES)

    def check_text(self, text: str) -> None:
        english_phonemes(text)

    def prepare(self, voices: Sequence[str]) -> None:
        for voice in voices:
            self.check_voice(voice)
            if voice in self._speakers:
                continue
            g2p = english_g2p(VOICES[voice]["british"])
            try:
                self._speakers[voice] = Hibari(voice, threads=1, g2p=g2p)
            except RuntimeError as problem:  # of the download
                raise ValueError(str(problem).rstrip(".")) from problem

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        self.check_text(text)
        self.prepare([voice])
        speech = self._speakers[voice](text, speed=speed, seed=seed)
        return speech.astype(np.float32)


def kokoro_original(voice: str) -> str:
    """The Kokoro voice that one of hibari's was distilled from: the same speaker."""
    return VOICES[voice]["kokoro"]
