"""Frozen dataclasses filled from a YAML, with errors that name file and field."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_type_hints

Range = tuple[float, float]  # low, high; drawn uniformly between the two


def section(value: object, where: str) -> Mapping[str, Any]:
    """A section of a YAML; nothing in it is an empty section.

    Args:
        value: as YAML gives it.
        where: what to call it in an error.

    Raises:
        ValueError: it is no mapping, or a name in it is no text.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}; expected names with values.")
    for name in value:
        if not isinstance(name, str):
            raise ValueError(
                f"{where} has the name {name!r}; names are texts, so write it in quotes."
            )
    return value


def changed(settings: Any, changes: object, where: str) -> Any:
    """A frozen dataclass with some fields changed, as a YAML gives them.

    Args:
        settings: an instance; sections are dataclasses within it.
        changes: field -> value; of a section, a mapping of its own fields.
        where: what to call it in an error.

    Raises:
        ValueError: an unknown field, or a value of another kind or out of bounds.
    """
    changes = section(changes, where)
    names = [item.name for item in fields(settings)]
    odd = sorted(set(changes) - set(names))
    if odd:
        raise ValueError(
            f"{where} has the unknown name {odd[0]}; known are {', '.join(names)}."
        )
    kinds = get_type_hints(type(settings))
    values = {}
    for name, value in changes.items():
        old, place = getattr(settings, name), f"{where}.{name}"
        if is_dataclass(old):
            values[name] = changed(old, value, place)
        else:
            values[name] = _checked(value, kinds[name], place)
    try:
        return replace(settings, **values)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}.") from problem


def is_number(value: object) -> bool:
    """Whether a value of a YAML is a finite number."""
    is_numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_numeric and math.isfinite(value)


def _checked(value: Any, kind: Any, where: str) -> Any:
    """A value of a YAML as the dataclass wants it; other kinds are its own matter."""
    if kind == Range:
        return _range(value, where)
    if kind is float:
        if not is_number(value):
            raise ValueError(f"{where} is {value!r}; write a number.")
        if where.endswith("share") and not 0 <= value <= 1:
            raise ValueError(f"{where} is {value!r}; a share is from 0 to 1.")
        _check_sign(value, value, where)
        return float(value)
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"{where} is {value!r}; write true or false.")
    if kind is str and not isinstance(value, str):
        raise ValueError(f"{where} is {value!r}; write a text.")
    return value


def _range(value: object, where: str) -> Range:
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    if not is_pair or not all(map(is_number, value)) or value[0] > value[1]:
        raise ValueError(f"{where} is {value!r}; write a range, [low, high].")
    _check_sign(value[0], value, where)
    low, high = map(float, value)
    return low, high


def _check_sign(lowest: float, value: object, where: str) -> None:
    """Levels may be negative; lengths, rates and factors may not."""
    if lowest < 0 and not where.endswith("_db"):
        raise ValueError(f"{where} is {value!r}; expected 0 or more.")
