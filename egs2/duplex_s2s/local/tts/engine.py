"""What the recipe asks of a text-to-speech engine, and which kinds there are."""

import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from espnet2_duplex.simulation.yaml_fields import checked

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
    where: str, kind: str, options: Mapping[str, Any], downloads: Path
) -> Engine:
    """An engine, not yet prepared.

    Args:
        where: names it in errors.
        kind: one of `KINDS`, or the dotted name of a class derived from `Engine`.
        options: keyword arguments of its class, as YAML gives them.
        downloads: folder filled by `assets.py`.

    Raises:
        ValueError: no such kind, or the options are not those of its class, or not of
            the types with which it annotates them.
    """
    engine_class = _engine_class(kind, where)
    try:
        inspect.signature(engine_class).bind(downloads=downloads, **options)
    except TypeError as problem:
        known = [key for key in inspect.signature(engine_class).parameters]
        raise ValueError(
            f"{where}: {problem}; its options are "
            f"{', '.join(key for key in known if key != 'downloads') or 'none'}."
        ) from problem
    hints = _hints(engine_class)
    values = {
        name: checked(value, hints.get(name, Any), f"{where}.{name}")
        for name, value in options.items()
    }
    try:
        return engine_class(downloads=downloads, **values)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}.") from problem


def _hints(engine_class: type[Engine]) -> dict[str, Any]:
    try:
        return get_type_hints(engine_class.__init__)
    except NameError:  # imported for type checkers only
        return {}


def _engine_class(kind: str, where: str) -> type[Engine]:
    module, _, class_name = KINDS.get(kind, kind).rpartition(".")
    try:
        return getattr(importlib.import_module(module), class_name)
    except (ValueError, ImportError, AttributeError) as problem:
        raise ValueError(
            f"{where}.kind is {kind!r}, which cannot be imported ({problem}); write "
            f"{', '.join(KINDS)} or the dotted name of an Engine class."
        ) from problem
