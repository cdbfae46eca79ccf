"""The definitions that sets were scored with, and where those of systems differ."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from espnet2_duplex.metrics.activity import ActivityOptions
from espnet2_duplex.metrics.answers import QualityOptions
from espnet2_duplex.metrics.turn_taking.options import TurnTakingOptions
from espnet2_duplex.metrics.turn_taking.reactions import ReactionOptions

# Measured on the data or taken from them, so that they differ between sets.
OF_THE_DATA = ("characters_per_second", "voice")
DIGEST = re.compile("[0-9a-f]{64}")  # of a voice; its beginning tells it apart


def definitions_of(results: Mapping) -> dict[str, Any]:
    """Times that texts of a page name, by their names; seconds.

    Args:
        results: content of a results.json; what its options lack has its default.
    """
    options = results.get("options", {})
    activity = ActivityOptions(**options.get("activity", {}))
    reactions = ReactionOptions(**options.get("reactions", {}))
    return {
        **asdict(TurnTakingOptions(**options.get("turn_taking", {}))),
        "merge_gap_seconds": activity.merge_gap_seconds,
        "cut_seconds": QualityOptions(**options.get("quality", {})).cut_seconds,
        "reaction_seconds": reactions.success_seconds,
    }


def differing_options(
    systems: Mapping[str, Mapping[str, Mapping]],
) -> dict[str, list[tuple[str, str]]]:
    """What was not scored as the first system's set of the same name was.

    A set that the first system lacks is compared with its first set, and so are its
    own; what is taken from the data is no difference then. Of a path, only its last
    part counts.

    Args:
        systems: system -> set -> content of its results.json.

    Returns:
        difference, such as ``turn_taking.success_seconds is 1.0, not 1.5`` -> each
        (system, set) that has it.
    """
    first, *_ = systems.values()
    differences: dict[str, list[tuple[str, str]]] = {}
    for system, sets in systems.items():
        for name, results in sets.items():
            is_same_set = name in first and results is not first[name]
            expected = first[name] if is_same_set else next(iter(first.values()), {})
            for text in _differences(results, expected, across_sets=not is_same_set):
                differences.setdefault(text, []).append((system, name))
    return differences


def _differences(
    results: Mapping, expected: Mapping, *, across_sets: bool
) -> Iterator[str]:
    for name, value, usual in _unequal(
        results.get("options", {}), expected.get("options", {})
    ):
        if not (across_sets and name.rpartition(".")[2].startswith(OF_THE_DATA)):
            yield f"{name} is {_text(value)}, not {_text(usual)}"


def _unequal(
    found: Mapping, expected: Mapping, prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Dotted name and both values of options that differ; older results lack some."""
    for key in (key for key in expected if key in found):
        name, value, usual = f"{prefix}{key}", found[key], expected[key]
        if isinstance(value, Mapping) and isinstance(usual, Mapping):
            yield from _unequal(value, usual, f"{name}.")
        elif _without_folder(value) != _without_folder(usual):
            yield name, value, usual


def _without_folder(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_without_folder(item) for item in value]
    return value.rstrip("/").rpartition("/")[2] if isinstance(value, str) else value


def _text(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, Mapping):
        return "given"
    return str(value)[:8] if DIGEST.fullmatch(str(value)) else str(value)
