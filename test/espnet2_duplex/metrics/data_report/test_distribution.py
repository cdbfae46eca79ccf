"""Histograms that add: exact means, percentiles to a hundredth, JSON and back."""

import json
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.counts import Counts
from espnet2_duplex.metrics.data_report.distribution import Distribution

values = st.lists(st.integers(-5000, 90000).map(lambda n: n / 1000), max_size=40)


def test_mean_is_exact_and_percentiles_are_to_a_hundredth():
    found = Distribution.of([0.641, 0.644, 0.655])
    assert found.hundredths == {64: 2, 66: 1}
    assert found.mean == pytest.approx(0.6466667)
    assert [found.percentile(p) for p in (0, 50, 67, 100)] == [0.64, 0.64, 0.66, 0.66]


def test_nothing_has_no_mean_and_no_percentile():
    assert len(Distribution()) == 0
    assert Distribution().mean is None
    assert Distribution().percentile(50) is None


@given(values, values)
def test_distributions_add(first, second):
    together = Distribution.of(first) + Distribution.of(second)
    assert together == Distribution.of(first + second)
    assert len(together) == len(first) + len(second)


@dataclass(frozen=True)
class Outer(Counts):
    num: int = 0
    lengths: Distribution = field(default_factory=Distribution)


@given(values)
def test_counts_survive_json(numbers):
    counts = Outer(3, Distribution.of(numbers))
    stored = json.loads(json.dumps(counts.to_dict()))
    assert Outer.from_dict(stored) == counts


def test_counts_that_lack_a_field_are_refused():
    with pytest.raises(ValueError, match="Outer.lengths is missing"):
        Outer.from_dict({"num": 1})
