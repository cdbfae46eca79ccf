"""Frozen dataclasses filled from a YAML, with errors that name file and field."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

Range = tuple[float, float]  # low, high; drawn uniformly between the two
LISTS = (list, tuple, Sequence)
MAPPINGS = (dict, Mapping)
ONE = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Range: "a range, [low, high]",
}
MANY = {int: "whole numbers", float: "numbers", str: "texts", Range: "ranges"}


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


def changed[T](settings: T, changes: object, where: str) -> T:
    """A frozen dataclass with some fields changed, as a YAML gives them.

    Args:
        settings: an instance; sections are dataclasses within it.
        changes: field -> value; of a section, a mapping of its own fields.
        where: what to call it in an error.

    Raises:
        ValueError: an unknown field, or a value of another kind or out of bounds.
    """
    changes = section(changes, where)
    hints = _known_hints(type(settings), changes, where)
    values = {}
    for name, value in changes.items():
        old, place = getattr(settings, name), f"{where}.{name}"
        if is_dataclass(old):
            values[name] = changed(old, value, place)
        else:
            values[name] = _field_value(value, hints[name], place)
    try:
        return replace(settings, **values)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}.") from problem


def built[T](kind: type[T], values: object, where: str) -> T:
    """A dataclass, some of whose fields have no default, from a YAML.

    Args:
        kind: the class.
        values: field -> value.
        where: what to call it in an error.

    Raises:
        ValueError: a field is unknown or missing, or a value is of another kind or out
            of bounds.
    """
    values = section(values, where)
    hints = _known_hints(kind, values, where)
    for item in fields(kind):
        is_needed = item.default is MISSING and item.default_factory is MISSING
        if is_needed and item.name not in values:
            raise ValueError(f"{where} lacks {item.name}; add it.")
    given = {
        name: _field_value(value, hints[name], f"{where}.{name}")
        for name, value in values.items()
    }
    try:
        return kind(**given)
    except ValueError as problem:
        raise ValueError(f"{where}: {str(problem).removesuffix('.')}.") from problem


def checked(value: object, hint: Any, where: str) -> Any:
    """A value of a YAML as a type hint wants it.

    Args:
        value: as YAML gives it.
        hint: bool, int, float, str, None, `Range`, lists (`list[X]`, `tuple[X, ...]`,
            `Sequence[X]`) and mappings of these, or a union; any other passes all.
        where: what to call it in an error.
    Returns:
        the value; a list is a tuple unless the hint is list, a number for float a float.
    Raises:
        ValueError: it is of another kind.
    """
    is_union = isinstance(hint, UnionType) or get_origin(hint) is Union
    kinds = get_args(hint) if is_union else (hint,)
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    for kind in kinds:
        if _has_form(value, kind):
            return _converted(value, kind, where)
    raise ValueError(f"{where} is {value!r}; write {' or '.join(map(_told, kinds))}.")


def is_number(value: object) -> bool:
    """Whether a value of a YAML is a finite number."""
    is_numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_numeric and abs(value) <= sys.float_info.max


def _known_hints(kind: type, values: Mapping, where: str) -> dict[str, Any]:
    """Type hints of a dataclass that has all the fields named."""
    names = [item.name for item in fields(kind)]
    odd = sorted(set(values) - set(names))
    if odd:
        raise ValueError(
            f"{where} has the unknown name {odd[0]}; known are {', '.join(names)}."
        )
    return get_type_hints(kind)


def _field_value(value: object, hint: Any, where: str) -> Any:
    """Levels may be negative; lengths, rates and factors may not; shares end at 1."""
    converted = checked(value, hint, where)
    for number in value if isinstance(value, (list, tuple)) else [value]:
        if not is_number(number):
            continue
        if where.endswith("share") and not 0 <= number <= 1:
            raise ValueError(f"{where} is {value!r}; a share is from 0 to 1.")
        if number < 0 and not where.endswith("_db"):
            raise ValueError(f"{where} is {value!r}; expected 0 or more.")
    return converted


def _has_form(value: object, kind: Any) -> bool:
    """Whether a value is of a kind, whatever lists and mappings hold."""
    if kind == Range:
        is_pair = isinstance(value, (list, tuple)) and len(value) == 2
        return is_pair and all(map(is_number, value)) and value[0] <= value[1]
    if kind is float:
        return is_number(value)
    if kind in (bool, int, str):
        return type(value) is kind
    form = get_origin(kind) or kind
    if form in LISTS:
        return isinstance(value, (list, tuple))
    return form not in MAPPINGS or isinstance(value, Mapping)


def _converted(value: Any, kind: Any, where: str) -> Any:
    """A value that has the form of its kind."""
    if kind == Range:
        low, high = map(float, value)
        return low, high
    if kind is float:
        return float(value)
    form, inner = get_origin(kind) or kind, get_args(kind)
    if form in LISTS:
        one = inner[0] if inner else Any
        items = (checked(v, one, f"{where}[{n}]") for n, v in enumerate(value))
        return list(items) if form is list else tuple(items)
    if form in MAPPINGS and inner:
        if inner[0] is str:
            section(value, where)
        return {
            checked(name, inner[0], f"a name in {where}"): checked(
                one, inner[1], f"{where}.{name}"
            )
            for name, one in value.items()
        }
    return value


def _told(kind: Any) -> str:
    """What to write for a value of a kind."""
    form, inner = get_origin(kind) or kind, get_args(kind)
    if kind in ONE:
        return ONE[kind]
    if form in LISTS:
        return f"a list of {MANY[inner[0]]}" if inner and inner[0] in MANY else "a list"
    if inner and inner[0] is not str:
        return f"{{{_told(inner[0])}: {_told(inner[1])}, ...}}"
    return "names with values"
