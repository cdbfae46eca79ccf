"""Any TTS with a command line."""

import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tts.engine import Engine

from espnet2_duplex.dataset_checks import load_speech


class CommandEngine(Engine):
    """Runs a program for each sentence: text on its standard input, speech in a wav.

    Args:
        downloads: not needed.
        command: split into words as a shell would, but run without one; {wav}, {voice},
            {speed} and {seed} are replaced in each word. {wav} must be among them.
        sample_rate: of the wav, which is mono, in Hz.
        voices: names to put in the place of {voice}.
        timeout_seconds: after which a sentence has failed.

    Raises:
        ValueError: the command has no {wav}, or its program is not installed.
    """

    def __init__(
        self,
        downloads: Path,
        command: str,
        sample_rate: int,
        voices: Sequence[str],
        timeout_seconds: float = 120.0,
    ) -> None:
        self._words = shlex.split(command)
        self._sample_rate = sample_rate
        self._voices = tuple(voices)
        self._timeout_seconds = timeout_seconds
        if not any("{wav}" in word for word in self._words):
            raise ValueError(f"the command {command!r} has no {{wav}} to write to")
        if shutil.which(self._words[0]) is None:
            raise ValueError(
                f"the program {self._words[0]!r} is not there; install it or correct "
                "the command"
            )

    @property
    def sample_rate(self) -> int:
        return self._sample_rate

    def voices(self) -> Sequence[str]:
        return self._voices

    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "speech.wav"
            values = {"wav": wav, "voice": voice, "speed": f"{speed:g}", "seed": seed}
            self._run([_filled(word, values) for word in self._words], text)
            return load_speech(wav, self._sample_rate)

    def _run(self, words: list[str], text: str) -> None:
        try:
            subprocess.run(
                words,
                input=text + "\n",
                capture_output=True,
                check=True,
                encoding="utf-8",
                errors="replace",
                timeout=self._timeout_seconds,
            )
        except subprocess.TimeoutExpired as problem:
            raise ValueError(
                f"{words[0]} was not done after {self._timeout_seconds:g} s"
            ) from problem
        except subprocess.CalledProcessError as problem:
            last = (problem.stderr.strip().splitlines() or ["no message"])[-1]
            raise ValueError(
                f"{words[0]} ended with exit code {problem.returncode}: {last}"
            ) from problem


def _filled(word: str, values: dict[str, object]) -> str:
    for name, value in values.items():
        word = word.replace(f"{{{name}}}", str(value))
    return word
