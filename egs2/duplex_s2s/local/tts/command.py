"""Any TTS with a command line."""

import shlex
import shutil
import string
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tts.engine import Engine

from espnet2_duplex.dataset_checks import load_speech

PLACEHOLDERS = ("text", "wav", "voice", "speed", "seed")


class CommandEngine(Engine):
    """Runs a program for each sentence, which writes speech into a wav.

    Args:
        downloads: not needed.
        command: split into words as a shell would, but run without one, so that
            whatever replaces {text}, {wav}, {voice}, {speed} or {seed} stays in its
            word. {wav} must be among them; without {text} the program reads the text
            from its standard input. A brace itself is written twice: {{ or }}.
        sample_rate: of the wav, which is mono, in Hz.
        voices: names to put in the place of {voice}.
        timeout_seconds: after which a sentence has failed.

    Raises:
        ValueError: the command has no {wav}, or other placeholders, or its program is
            not installed; or a number is not above 0.

    Example:
        `espeak-ng -v {voice} -w {wav} --stdin` or `pico2wave -l {voice} -w {wav} {text}`
    """

    def __init__(
        self,
        downloads: Path,
        command: str,
        sample_rate: int,
        voices: Sequence[str],
        timeout_seconds: float = 120.0,
    ) -> None:
        self._words = split_command(command)
        self._sample_rate = sample_rate
        self._voices = tuple(voices)
        self._timeout_seconds = timeout_seconds
        if min(sample_rate, timeout_seconds) <= 0:
            raise ValueError(
                f"sample_rate is {sample_rate} and timeout_seconds {timeout_seconds:g}; "
                "write numbers above 0"
            )
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
        is_argument = any("text" in placeholders(word) for word in self._words)
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "speech.wav"
            values = {"text": text, "wav": wav, "voice": voice, "seed": seed}
            values["speed"] = f"{speed:g}"
            words = [word.format_map(values) for word in self._words]
            self._run(words, "" if is_argument else text + "\n")
            return load_speech(wav, self._sample_rate)

    def _run(self, words: list[str], standard_input: str) -> None:
        try:
            subprocess.run(
                words,
                input=standard_input,
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


def split_command(command: str) -> list[str]:
    """Words of a command, checked.

    Raises:
        ValueError: a quote or brace is not closed, {wav} is missing, or there is
            another placeholder than `PLACEHOLDERS`.
    """
    try:
        words = shlex.split(command)
        found = {name for word in words for name in placeholders(word)}
    except ValueError as problem:
        raise ValueError(
            f"the command {command!r} cannot be read ({problem}); close its quotes, and "
            "write a brace that is no placeholder's twice"
        ) from problem
    odd = sorted(found - set(PLACEHOLDERS))
    if odd:
        raise ValueError(
            f"the command {command!r} has the unknown placeholder {{{odd[0]}}}; known "
            f"are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}, and {{{{ and }}}} "
            "for braces"
        )
    if "wav" not in found:
        raise ValueError(f"the command {command!r} has no {{wav}} to write to")
    return words


def placeholders(word: str) -> set[str]:
    """Names in braces, with whatever stands in the braces beside them.

    Raises:
        ValueError: a brace has no partner.
    """
    found = set()
    for _, name, form, conversion in string.Formatter().parse(word):
        if name is not None:
            rest = (f"!{conversion}" if conversion else "") + (
                f":{form}" if form else ""
            )
            found.add(name + rest)
    return found
