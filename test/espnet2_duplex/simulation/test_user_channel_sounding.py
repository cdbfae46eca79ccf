import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.simulation.user_channel.sounding import (
    convolve,
    resample,
    sounding_cells,
    sounding_spans,
)


@st.composite
def streams(draw):
    """Silence with some stretches of noise, of any length."""
    stream = np.zeros(draw(st.integers(0, 9000)), np.float32)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, max(len(stream) - 1, 0)))
        piece = stream[start : start + draw(st.integers(1, 4000))]
        piece[:] = rng.standard_normal(len(piece))
    return stream


@given(streams(), st.integers(1, 3000))
def test_convolution_equals_its_definition(stream, num_taps):
    response = np.random.default_rng(1).standard_normal(num_taps).astype(np.float32)
    response /= np.sqrt(num_taps)
    output = convolve(stream, response)
    assert output.dtype == np.float32 and output.shape == stream.shape
    if len(stream):
        expected = np.convolve(stream.astype(np.float64), response)[: len(stream)]
        np.testing.assert_allclose(output, expected, atol=3e-5)


def test_silence_stays_exactly_zero_away_from_sound():
    stream = np.zeros(100_000, np.float32)
    stream[50_000:51_000] = 1
    output = convolve(stream, np.ones(100, np.float32))
    assert not output[:49_600].any()  # the cell of 320 samples before the sound


def test_cells_with_sound():
    stream = np.zeros(11, np.float32)
    stream[[4, 10]] = 1
    assert sounding_cells(stream, 4).tolist() == [False, True, True]
    assert sounding_cells(stream[:10], 5).tolist() == [True, False]


def test_spans_join_over_short_silences_and_have_a_margin():
    cells = np.zeros(40, np.float32)
    cells[[10, 14, 30]] = 1  # 3 silent cells, then 15
    assert sounding_spans(cells, 1) == [(9, 16), (29, 32)]
    assert sounding_spans(np.zeros(40, np.float32), 1) == []


@pytest.mark.parametrize("from_rate", [8000, 16000, 22050, 24000, 44100])
def test_resampling_keeps_time_and_level(from_rate):
    seconds = np.arange(round(2 * from_rate)) / from_rate
    window = np.where(
        (seconds > 0.5) & (seconds < 1.5), 1 - np.cos(2 * np.pi * (seconds - 0.5)), 0
    )
    stream = np.float32(0.2 * window * np.sin(2 * np.pi * 440 * seconds))
    output = resample(stream, from_rate, 16000, 32000)
    seconds = np.arange(32000) / 16000
    window = np.where(
        (seconds > 0.5) & (seconds < 1.5), 1 - np.cos(2 * np.pi * (seconds - 0.5)), 0
    )
    expected = 0.2 * window * np.sin(2 * np.pi * 440 * seconds)
    np.testing.assert_allclose(output, expected, atol=1e-4)
    assert not output[:7000].any() and not output[25000:].any()


def test_resampling_cuts_and_pads_to_the_length_asked_for():
    stream = np.ones(22050, np.float32)
    assert resample(stream, 22050, 16000, 15000).shape == (15000,)
    longer = resample(stream, 22050, 16000, 17000)
    assert longer.shape == (17000,) and not longer[16000:].any()
