"""Counts: to JSON and back, so that the results of parts merge."""

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.counts import Counts, Latencies, pooled, share


@dataclass(frozen=True)
class Inner(Counts):
    latencies: Latencies = Latencies()
    num: int = 0


@dataclass(frozen=True)
class Outer(Counts):
    inner: Inner = Inner()
    seconds: float = 0.0
    pairs: tuple[tuple[int, ...], ...] = ()
    name: str = ""
    lengths: Counter[int] = field(default_factory=Counter)
    voices: Counter[str] = field(default_factory=Counter)


EXAMPLE = Outer(
    Inner(Latencies((640_000, -80_000)), 2),
    1.5,
    ((1, 2), ()),
    "a",
    Counter({12: 1, 3: 2}),
    Counter({"f": 4}),
)

whole_numbers = st.integers(-(10**12), 10**12)
outers = st.builds(
    Outer,
    st.builds(
        Inner, st.builds(Latencies, st.lists(whole_numbers).map(tuple)), whole_numbers
    ),
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.lists(whole_numbers).map(tuple)).map(tuple),
    st.text(),
    st.dictionaries(whole_numbers, st.integers(0, 99)).map(Counter),
    st.dictionaries(st.text(), st.integers(0, 99)).map(Counter),
)


def through_json(counts):
    text = json.dumps(counts.to_dict(), allow_nan=False)
    return type(counts).from_dict(json.loads(text))


def test_dict_has_the_fields_in_their_order_and_the_keys_of_counters_sorted():
    assert json.dumps(EXAMPLE.to_dict()) == json.dumps(
        {
            "inner": {"latencies": {"microseconds": [-80_000, 640_000]}, "num": 2},
            "seconds": 1.5,
            "pairs": [[1, 2], []],
            "name": "a",
            "lengths": {3: 2, 12: 1},
            "voices": {"f": 4},
        }
    )


@given(outers)
def test_json_gives_the_same_counts_back(counts):
    back = through_json(counts)
    assert back == counts
    assert type(back.inner.latencies) is Latencies
    assert type(back.pairs) is tuple


def test_a_whole_number_is_taken_for_a_float():
    values = {**EXAMPLE.to_dict(), "seconds": 2}
    assert type(Outer.from_dict(values).seconds) is float


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, r"Outer\.name is 3; expected a text"),
        ({"seconds": "1.5"}, r"Outer\.seconds is '1\.5'; expected a number"),
        ({"seconds": True}, r"Outer\.seconds is True; expected a number"),
        ({"pairs": [[1, 2], [0.5]]}, r"Outer\.pairs\[1\]\[0\] is 0\.5; expected a wh"),
        ({"pairs": {"0": 1}}, r"Outer\.pairs is \{'0': 1\}; expected a list"),
        ({"inner": None}, r"Outer\.inner is None; expected an object"),
        ({"inner": {"num": 1}}, r"Outer\.inner\.latencies is missing; .* count again"),
        ({"other": 1}, r"Outer\.other is unknown; .* count again"),
        ({"lengths": {"x": 1}}, r"Outer\.lengths has the key 'x'; expected a whole"),
        ({"lengths": {"3": None}}, r"Outer\.lengths\.3 is None; expected a whole"),
        ({"lengths": [1]}, r"Outer\.lengths is \[1\]; expected an object"),
    ],
)
def test_what_does_not_fit_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        Outer.from_dict({**EXAMPLE.to_dict(), **change})


def test_counts_that_are_no_object_are_named():
    with pytest.raises(ValueError, match=r"^Inner is \[\]; expected an object$"):
        Inner.from_dict([])


@given(st.lists(st.builds(Inner, st.builds(Latencies, st.lists(whole_numbers)))))
def test_pooled_counts_are_their_sum(parts):
    assert pooled(iter(parts), Inner()) == sum(parts, Inner())


def test_pooling_copies_what_it_has_only_a_few_times():
    @dataclass(frozen=True)
    class Additions(Counts):
        most: int = 0

        def __add__(self, other):
            return Additions(max(self.most, other.most) + 1)

    # One after the other, the first would be copied 1,000 times.
    assert pooled([Additions()] * 1000, Additions()).most == 10


def test_mean_that_leaves_out_negative_times():
    latencies = Latencies((-2_000_000, 0, 500_000))
    assert latencies.mean == -0.5
    assert latencies.mean_not_negative == 0.25
    assert Latencies((-1,)).mean_not_negative is None


def test_share_of_nothing_is_not_defined():
    assert share(0, 0) is None
    assert share(1, 4) == 0.25
