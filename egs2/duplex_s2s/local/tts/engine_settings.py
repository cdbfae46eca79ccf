"""What a corpus YAML says of an engine, and what of it clips are named by."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clips import digest

from espnet2_duplex.simulation.yaml_fields import checked, section

BUILT_IN = ("kokoro", "hibari")  # kinds that are engines of their own name, too


@dataclass(frozen=True)
class EngineSettings:
    """One engine.

    Attributes:
        name: in the YAML.
        kind: see `tts.engine.build_engine`.
        options: of that kind.
        revision: of code or weights, as the user counts them; "" for none.
        where: names it in errors.
    """

    name: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    revision: str | int | float = ""
    where: str = field(default="speech", compare=False)

    @property
    def version(self) -> str:
        """Changes with kind, options and revision, so that clips are spoken anew.

        "" of a built-in kind under its own name, without either.
        """
        is_built_in = self.name == self.kind and self.kind in BUILT_IN
        if is_built_in and not self.options and self.revision == "":
            return ""
        options = json.dumps(self.options, sort_keys=True, default=str)
        revision = () if self.revision == "" else (self.revision,)
        return digest(self.kind, options, *revision)


def parse_engines(engines: object, where: str) -> dict[str, EngineSettings]:
    """The built-in engines, and those of the section `engines`.

    Args:
        engines: the section, as YAML gives it.
        where: names it in errors.

    Raises:
        ValueError: an engine is no section, has no kind, or a revision that is neither
            text nor number.
    """
    parsed = {}
    for name in BUILT_IN:
        parsed[name] = EngineSettings(name, name, where=f"{where}.{name}")
    for name, given in section(engines, where).items():
        place = f"{where}.{name}"
        options = dict(section(given, place))
        if "kind" not in options:
            raise ValueError(f"{place} is {given!r}; give it a kind.")
        kind = checked(options.pop("kind"), str, f"{place}.kind")
        revision = options.pop("revision", "")
        revision = checked(revision, str | int | float, f"{place}.revision")
        parsed[name] = EngineSettings(name, kind, options, revision, place)
    return parsed
