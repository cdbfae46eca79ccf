"""What a YAML gives is checked by the type hints of what it fills."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.simulation.yaml_fields import Range, built, changed, checked

FROM_YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    "value, hint, wanted",
    [
        (3, int, 3),
        (3, float, 3.0),
        (-2, float, -2.0),
        (True, bool, True),
        ("a", str, "a"),
        (None, int | None, None),
        (3, int | None, 3),
        (None, Optional[str], None),
        ("a", str | int | float, "a"),
        (1.5, str | int | float, 1.5),
        ([1, 2], Range, (1.0, 2.0)),
        (["a"], tuple[str, ...], ("a",)),
        (["a"], Sequence[str], ("a",)),
        (["a"], list[str], ["a"]),
        ([], tuple[str, ...], ()),
        ([1, "a"], list, [1, "a"]),
        ([[1, 2]], tuple[Range, ...], ((1.0, 2.0),)),
        ({1: 1}, Mapping[int, float], {1: 1.0}),
        ({"a": [1]}, dict[str, list[int]], {"a": [1]}),
        ({1: "a"}, dict, {1: "a"}),
        ("a", str | list[str], "a"),
        (["a"], str | list[str], ["a"]),
        ({"a": 1}, Mapping[str, int | str] | Sequence[str], {"a": 1}),
        (["a"], Mapping[str, int | str] | Sequence[str], ("a",)),
        ({"any": [1]}, Any, {"any": [1]}),
    ],
)
def test_values_become_what_the_hint_says(value, hint, wanted):
    found = checked(value, hint, "x")
    assert found == wanted and type(found) is type(wanted)


@pytest.mark.parametrize(
    "value, hint, told",
    [
        ("3", int, "x is '3'; write a whole number."),
        (3.0, int, "x is 3.0; write a whole number."),
        (True, int, "x is True; write a whole number."),
        (True, float, "x is True; write a number."),
        (float("nan"), float, "x is nan; write a number."),
        (float("-inf"), float, "x is -inf; write a number."),
        (10**309, float, f"x is {10**309}; write a number."),
        (1, bool, "x is 1; write true or false."),
        (1, str, "x is 1; write a text."),
        (None, str, "x is None; write a text."),
        (1.5, int | None, "x is 1.5; write a whole number."),
        (True, str | int, "x is True; write a text or a whole number."),
        ("ab", Sequence[str], "x is 'ab'; write a list of texts."),
        ([1, "a"], list[int], "x[1] is 'a'; write a whole number."),
        (5, tuple[Range, ...], "x is 5; write a list of ranges."),
        (5, list, "x is 5; write a list."),
        ([2, 1], Range, "x is [2, 1]; write a range, [low, high]."),
        ([1], Range, "x is [1]; write a range, [low, high]."),
        (5, Mapping[str, int], "x is 5; write names with values."),
        (5, Mapping[int, float], "x is 5; write {a whole number: a number, ...}."),
        ({"a": "b"}, Mapping[str, int], "x.a is 'b'; write a whole number."),
        ({"a": 1}, Mapping[int, float], "a name in x is 'a'; write a whole number."),
        (
            {1: 1},
            Mapping[str, int],
            "x has the name 1; names are texts, so write it in quotes.",
        ),
        (5, str | list[str], "x is 5; write a text or a list of texts."),
    ],
)
def test_a_value_of_another_kind_is_one_sentence(value, hint, told):
    with pytest.raises(ValueError) as caught:
        checked(value, hint, "x")
    assert str(caught.value) == told


@dataclass(frozen=True)
class Options:
    path: str
    num: int | None = None
    gain_db: float = 0.0
    good_share: float = 0.5
    pause_seconds: Range = (0.0, 1.0)
    names: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self):
        if self.num == 13:
            raise ValueError("num is 13; write another")


def test_a_dataclass_is_built_from_what_the_yaml_has():
    values = {"path": "a", "gain_db": -3, "pause_seconds": [1, 2], "names": ["x"]}
    assert built(Options, values, "o") == Options(
        "a", gain_db=-3.0, pause_seconds=(1.0, 2.0), names=("x",)
    )


@pytest.mark.parametrize(
    "values, told",
    [
        (None, "o lacks path; add it."),
        ({"num": 1}, "o lacks path; add it."),
        ({"path": "a", "pat": 1}, "o has the unknown name pat; known are path, num, "),
        ({"path": 5}, "o.path is 5; write a text."),
        ({"path": "a", "num": -1}, "o.num is -1; expected 0 or more."),
        ({"path": "a", "num": 13}, "o: num is 13; write another."),
        ({"path": "a", "good_share": 2}, "o.good_share is 2; a share is from 0 to 1."),
        ({"path": "a", "pause_seconds": [-1, 1]}, "is [-1, 1]; expected 0 or more."),
        (["path"], "o is ['path']; expected names with values."),
    ],
)
def test_a_fault_of_a_built_dataclass_is_one_sentence(values, told):
    with pytest.raises(ValueError) as caught:
        built(Options, values, "o")
    assert told in str(caught.value) and "\n" not in str(caught.value)


@given(st.sampled_from(list(Options.__dataclass_fields__)), FROM_YAML)
def test_whatever_a_yaml_holds_the_field_has_its_type_or_an_error(name, value):
    try:
        settings = changed(Options("a"), {name: value}, "o")
    except ValueError as problem:
        assert str(problem).startswith("o") or "a name in o" in str(problem)
        return
    assert isinstance(settings.path, str) and isinstance(settings.gain_db, float)
    assert settings.num is None or type(settings.num) is int
    assert all(isinstance(number, float) for number in settings.pause_seconds)
    assert all(isinstance(one, str) for one in settings.names)
    for key, share in settings.shares.items():
        assert isinstance(key, str) and isinstance(share, float)
