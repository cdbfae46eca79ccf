"""What the recipe asks of a text-to-speech engine, and which kinds there are."""

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

KINDS = {
    "kokoro": "tts.kokoro.KokoroEngine",
    "hibari": "tts.hibari_engine.HibariEngine",
    "espnet": "tts.espnet_engine.EspnetEngine",
    "command": "tts.command.CommandEngine",
}


class Engine(ABC):
    """Speaks sentences. The same arguments give the same samples on one machine.

    Constructing one is cheap, so that plans can be checked; `prepare` loads the model.
    One thread each: parallel jobs keep the cores busy.
    """

    @property
    @abstractmethod
    def sample_rate(self) -> int:
        """Hz of what `speak` returns; known once the engine is prepared."""

    @abstractmethod
    def voices(self) -> Sequence[str]:
        """Names of the voices, known without the model."""

    @abstractmethod
    def speak(self, text: str, voice: str, speed: float, seed: int) -> np.ndarray:
        """Samples (N,) float32 of one sentence or a few.

        Args:
            text: what is said.
            voice: one that passes `check_voice`.
            speed: factor on the voice's own pace.
            seed: of whatever the engine draws, below 2 ** 32.

        Raises:
            ValueError: the text cannot be spoken.
        """

    def check_voice(self, voice: str) -> None:
        """A voice exists.

        Raises:
            ValueError: if not; names those that do.
        """
        if voice not in self.voices():
            raise ValueError(
                f"there is no voice {voice!r}; take one of {', '.join(self.voices())}"
            )

    def check_text(self, text: str) -> None:
        """A text can be pronounced, as far as that shows without speaking it.

        Raises:
            ValueError: if not.
        """

    def prepare(self, voices: Sequence[str]) -> None:
        """Load what these voices need.

        Raises:
            ValueError: a file or a package is missing.
        """


def build_engine(
    name: str, kind: str, options: Mapping[str, Any], downloads: Path
) -> Engine:
    """An engine, not yet prepared.

    Args:
        name: what the corpus YAML calls it, for errors.
        kind: one of `KINDS`, or the dotted name of a class derived from `Engine`.
        options: keyword arguments of its class.
        downloads: folder filled by `assets.py`.

    Raises:
        ValueError: no such kind, or the options are not those of its class.
    """
    path = KINDS.get(kind, kind)
    module, _, class_name = path.rpartition(".")
    try:
        engine_class = getattr(importlib.import_module(module), class_name)
    except (ValueError, ImportError, AttributeError) as problem:
        raise ValueError(
            f"engine {name}: the kind {kind!r} cannot be imported ({problem}); write "
            f"{', '.join(KINDS)} or the dotted name of an Engine class."
        ) from problem
    try:
        inspect.signature(engine_class).bind(downloads=downloads, **options)
    except TypeError as problem:
        known = [key for key in inspect.signature(engine_class).parameters]
        raise ValueError(
            f"engine {name}: {problem}; its options are "
            f"{', '.join(key for key in known if key != 'downloads') or 'none'}."
        ) from problem
    try:
        return engine_class(downloads=downloads, **options)
    except ValueError as problem:
        raise ValueError(f"engine {name}: {problem}.") from problem
