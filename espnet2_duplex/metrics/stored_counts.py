"""Counts as JSON and back: what `Counts.to_dict` and `Counts.from_dict` do.

The dataclass itself says what a field holds. Known are whole numbers, numbers, texts,
tuples of one kind, counters and further dataclasses of counts.
"""

from collections import Counter
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

KINDS = {int: "a whole number", float: "a number", str: "a text"}


def stored(value: Any) -> Any:
    """Dataclasses and counters as dicts, tuples as lists, the rest as it is.

    ``dataclasses.asdict`` would count the pairs of a counter instead of copying them.
    """
    if is_dataclass(value):
        return {
            known.name: stored(getattr(value, known.name)) for known in fields(value)
        }
    if isinstance(value, Counter):
        return dict(sorted(value.items()))
    if isinstance(value, tuple):
        return [stored(item) for item in value]
    return value


def restored(kind: Any, value: Any, name: str) -> Any:
    """Inverse of :func:`stored`, also after JSON.

    Args:
        kind: what is expected: a class of counts or the annotation of a field.
        value: what was stored.
        name: of the field, for messages.

    Raises:
        ValueError: the value does not fit.
    """
    if is_dataclass(kind):
        return _restored_counts(kind, value, name)
    if get_origin(kind) is tuple:
        item_kind, _ = get_args(kind)  # tuple[item_kind, ...]
        items = _checked(value, list, "a list", name)
        return tuple(
            restored(item_kind, item, f"{name}[{index}]")
            for index, item in enumerate(items)
        )
    if get_origin(kind) is Counter:
        (key_kind,) = get_args(kind)
        pairs = _checked(value, dict, "an object", name).items()
        return Counter(
            {
                _restored_key(key_kind, key, name): restored(
                    int, count, f"{name}.{key}"
                )
                for key, count in pairs
            }
        )
    if kind is float:
        return float(_checked(value, int | float, KINDS[float], name))
    assert kind in KINDS, f"{name} is of {kind}, which counts do not hold"
    return _checked(value, kind, KINDS[kind], name)


def _restored_counts(kind: type, value: Any, name: str) -> Any:
    values = _checked(value, dict, "an object", name)
    hints = get_type_hints(kind)
    names = [known.name for known in fields(kind)]
    for field in (*names, *values):
        if (field in names) != (field in values):
            problem = "is unknown" if field in values else "is missing"
            raise ValueError(
                f"{name}.{field} {problem}; the counts come from another version, so "
                "count again"
            )
    return kind(
        **{
            field: restored(hints[field], values[field], f"{name}.{field}")
            for field in names
        }
    )


def _restored_key(kind: type, key: Any, name: str) -> Any:
    """A key of a counter: JSON makes texts of whole numbers."""
    try:
        return kind(key)
    except ValueError:
        raise ValueError(
            f"{name} has the key {key!r}; expected {KINDS[kind]}"
        ) from None


def _checked(value: Any, kind: Any, expected: str, name: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}; expected {expected}")
    return value
