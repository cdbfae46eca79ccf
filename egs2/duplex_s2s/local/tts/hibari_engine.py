"""hibari: five small, fast English voices; "heart", the agent's, is in the package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hibari import SAMPLE_RATE, Hibari
from hibari.voices import VOICES
from tts.engine import Engine
from tts.english import EnglishPhonemes


class HibariEngine(Engine):
    """hibari's voices; all but "heart" are fetched from the hub when first prepared.

    Args:
        downloads: not needed.
    """

    def __init__(self, downloads: Path) -> None:
        self._english = EnglishPhonemes()
        self._speakers: dict[str, Hibari] = {}

    @property
    def sample_rate(self) -> int:
        return SAMPLE_RATE

    def voices(self) -> Sequence[str]:
        return tuple(VOICES)

    def check_text(self, text: str) -> None:
        self._english.phonemes(text)

    def prepare(self, voices: Sequence[str]) -> None:
        for voice in voices:
            self.check_voice(voice)
            if voice not in self._speakers:
                try:
                    self._speakers[voice] = Hibari(voice, threads=1)
                except RuntimeError as problem:
                    raise ValueError(str(problem).rstrip(".")) from problem

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        self.check_text(text)
        self.prepare([voice])
        speech = self._speakers[voice](text, speed=speed, seed=seed)
        return speech.astype(np.float32)


def kokoro_original(voice: str) -> str:
    """The Kokoro voice that one of hibari's was distilled from: the same speaker."""
    return VOICES[voice]["kokoro"]
