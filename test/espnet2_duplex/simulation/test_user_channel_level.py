import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.simulation.user_channel.level import (
    clip,
    energy,
    peak_of,
    vary_level,
)
from espnet2_duplex.simulation.user_channel.settings import Level


def vary(stream, seed=0, **settings):
    level = Level(share=1, **settings)
    return vary_level(np.float32(stream), level, 1000, np.random.default_rng(seed))


def test_the_gain_is_in_decibels():
    steady = {"gain_range_db": (-6.0206, -6.0206), "wander_range_db": (0, 0)}
    assert vary([0.5, 0.0, -0.2], **steady) == pytest.approx([0.25, 0, -0.1])


def test_gains_fill_their_range():
    steady = {"gain_range_db": (-20, 5), "wander_range_db": (0, 0)}
    gains = [20 * np.log10(vary([0.1], seed, **steady)[0] / 0.1) for seed in range(300)]
    assert min(gains) == pytest.approx(-20, abs=0.5)
    assert max(gains) == pytest.approx(5, abs=0.5)
    assert np.mean(gains) == pytest.approx(-7.5, abs=1.5)


def test_what_would_clip_is_turned_down():
    loud = vary([0.8, -0.4], gain_range_db=(6, 6), wander_range_db=(0, 0))
    assert loud == pytest.approx([0.99, -0.495])


def test_the_level_wanders_within_its_bounds_and_without_jumps():
    output = vary(
        np.full(20_000, 0.1), gain_range_db=(0, 0), wander_range_db=(4, 4)
    )  # 20 s, 4 s between turning points
    decibels = 20 * np.log10(output / 0.1)
    assert np.abs(decibels).max() <= 4.001
    assert decibels.max() - decibels.min() > 1
    assert np.abs(np.diff(decibels)).max() < 0.01  # at most 8 dB in 4000 samples


def test_the_argument_is_not_changed():
    stream = np.full(100, 0.9, np.float32)
    level = Level(share=1, gain_range_db=(6, 6))
    vary_level(stream, level, 1000, np.random.default_rng(0))
    assert (stream == np.float32(0.9)).all()


@given(st.lists(st.floats(-10, 10, width=32), max_size=50))
def test_energy_is_the_sum_of_squares(values):
    stream = np.array(values, np.float32)
    expected = np.sum(stream.astype(np.float64) ** 2)
    assert energy(stream) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_peak_and_clipping():
    stream = np.float32([0.5, -1.5, 1.0])
    assert peak_of(stream) == 1.5
    assert peak_of(stream[:0]) == 0
    assert clip(stream) == pytest.approx([0.5, -0.99, 0.99])
