"""FrameClock against worked-out values and exact arithmetic."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.timing import FrameClock, microseconds, nearest_sample

CLOCK = FrameClock()


def test_readme_values():
    assert CLOCK.nearest_frame(1.28) == 16
    assert CLOCK.samples_per_frame(16000) == 1280
    assert CLOCK.samples_per_frame(22050) == 1764


def test_boundaries_that_floats_misplace_are_exact():
    boundaries = {frame: frame * 80 / 1000 for frame in range(1, 2000)}
    misplaced = [n for n, seconds in boundaries.items() if int(seconds * 12.5) != n]
    assert len(misplaced) == 137  # the reason for integer arithmetic
    assert misplaced[0] == 29  # 2.32 s
    for frame, seconds in boundaries.items():
        assert CLOCK.nearest_frame(seconds) == frame
        assert CLOCK.ceil_frames(seconds) == frame
        assert CLOCK.seconds(frame) == seconds


@pytest.mark.parametrize(
    "seconds, nearest, ceil",
    [
        (0.0, 0, 0),
        (0.039, 0, 1),
        (0.04, 1, 1),  # a tie goes to the later frame
        (0.12, 2, 2),  # also from an odd frame, unlike Python's round
        (0.1199999, 2, 2),  # less than a microsecond from the tie
        (0.079999, 1, 1),
        (0.080001, 1, 2),
        (0.64, 8, 8),
        (1.5, 19, 19),
    ],
)
def test_rounding_is_as_named(seconds, nearest, ceil):
    assert CLOCK.nearest_frame(seconds) == nearest
    assert CLOCK.ceil_frames(seconds) == ceil


@pytest.mark.parametrize(
    "num_samples, sample_rate, num_frames",
    [(0, 16000, 0), (1, 16000, 1), (1280, 16000, 1), (1281, 16000, 2)]
    + [(1764, 22050, 1), (3529, 22050, 3)],
)
def test_a_partly_filled_frame_counts(num_samples, sample_rate, num_frames):
    assert CLOCK.num_frames(num_samples, sample_rate) == num_frames


def test_rate_without_whole_frames_is_refused():
    with pytest.raises(ValueError, match="11025 Hz .* 40 Hz; resample"):
        FrameClock(40).samples_per_frame(11025)


@pytest.mark.parametrize("rate", [12.5, "12.5", "25/2", Fraction(25, 2)])
def test_rate_is_exact_however_it_is_written(rate):
    assert FrameClock(rate) == FrameClock()
    assert FrameClock(21.5).frame_rate == Fraction(43, 2)


@pytest.mark.parametrize("rate", [0, -12.5])
def test_rate_must_be_above_zero(rate):
    with pytest.raises(ValueError, match="above zero"):
        FrameClock(rate)


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), float("-inf")])
def test_time_must_be_finite(seconds):
    with pytest.raises(ValueError, match="finite"):
        CLOCK.nearest_frame(seconds)


@given(st.integers(0, 10**8), st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_samples_survive_the_way_through_seconds(sample, sample_rate):
    assert nearest_sample(sample / sample_rate, sample_rate) == sample
    assert CLOCK.nearest_sample(sample / sample_rate, sample_rate) == sample


@given(st.integers(0, 10**11), st.fractions(Fraction(1), Fraction(100)))
def test_frames_equal_exact_arithmetic(micros, frame_rate):
    clock = FrameClock(frame_rate)
    seconds = micros / 1_000_000
    exact = Fraction(micros, 1_000_000) * frame_rate
    assert microseconds(seconds) == micros
    assert clock.ceil_frames(seconds) == -(-exact // 1)
    assert clock.nearest_frame(seconds) == (exact + Fraction(1, 2)) // 1
