"""A TTS engine that hums: for tests of what is around engines."""

import hashlib

import numpy as np
from tts.engine import Engine


class ToneEngine(Engine):
    """One tone a voice, a tenth of a second a word.

    "mute" is silence, "broken" an error of the engine, "foreign" does not pass
    `check_text`, and "moody" fails with every first seed. Texts spoken are in `spoken`.
    """

    def __init__(self, downloads, voices=("low", "high"), error=None):
        self._voices = tuple(voices)
        self.error = error
        self.spoken = []

    @property
    def sample_rate(self):
        return 24000

    def voices(self):
        return self._voices

    def check_text(self, text):
        if "foreign" in text:
            raise ValueError("the text is foreign")

    def speak(self, text, voice, speed, seed):
        self.spoken.append(text)
        if self.error is not None:
            raise self.error
        if "broken" in text or "moody" in text and self.spoken.count(text) == 1:
            raise RuntimeError("the engine has stalled")
        num_samples = round(2400 * len(text.split()) / speed)
        pitch = 200 + hashlib.sha1(voice.encode()).digest()[0]
        tone = np.sin(2 * np.pi * pitch * np.arange(num_samples) / 24000)
        return ((0.0 if "mute" in text else 0.5) * tone).astype(np.float32)
