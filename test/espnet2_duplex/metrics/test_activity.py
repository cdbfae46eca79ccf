"""Speech segments of a waveform."""

import numpy as np
import pytest

from espnet2_duplex.metrics.activity import (
    ActivityOptions,
    Segment,
    energy_segments,
    make_detector,
    merge_segments,
)


def tone(num_samples):
    return 0.1 * np.sin(np.arange(num_samples) * 0.3).astype(np.float32)


def test_energy_finds_a_tone_between_silences():
    speech = np.zeros(16000, dtype=np.float32)
    speech[4800:9600] = tone(4800)
    assert energy_segments(speech, threshold_db=-45.0) == [Segment(0.3, 0.6)]


def test_energy_segment_at_the_end_stops_with_the_audio():
    speech = np.zeros(16100, dtype=np.float32)
    speech[8000:] = tone(8100)
    assert energy_segments(speech, threshold_db=-45.0) == [Segment(0.5, 16100 / 16000)]


def test_silence_has_no_segments_whatever_the_detector():
    silence = np.zeros(16000, dtype=np.float32)
    for vad in ("energy", "silero"):
        assert make_detector(ActivityOptions(vad=vad))(silence) == ()


def test_gaps_below_the_limit_are_merged_and_those_at_it_stay():
    segments = [Segment(2.0, 3.0), Segment(0.0, 1.0), Segment(1.499, 1.5)]
    assert merge_segments(segments, 0.5) == (Segment(0.0, 1.5), Segment(2.0, 3.0))


def test_overlapping_segments_are_merged_without_a_gap_limit():
    segments = [Segment(0.0, 3.0), Segment(1.0, 2.0), Segment(3.0, 4.0)]
    assert merge_segments(segments, 0.0) == (Segment(0.0, 4.0),)


def test_detector_merges_what_it_finds():
    speech = np.zeros(32000, dtype=np.float32)
    for start in (3200, 9600, 24000):  # pauses of 0.2 and 0.7 s
        speech[start : start + 3200] = tone(3200)
    segments = make_detector(ActivityOptions(vad="energy"))(speech)
    assert segments == (Segment(0.2, 0.8), Segment(1.5, 1.7))


def test_unknown_detector_is_refused():
    with pytest.raises(ValueError, match="'webrtc'; expected one of silero, energy"):
        make_detector(ActivityOptions(vad="webrtc"))


@pytest.mark.parametrize(
    "options",
    [
        {"merge_gap_seconds": float("nan")},
        {"min_speech_seconds": -0.1},
        {"min_silence_seconds": float("inf")},
        {"threshold": 1.5},
        {"threshold_db": float("-inf")},
        {"threshold_db": 3.0},
    ],
)
def test_options_outside_their_range_are_named(options):
    ((name, value),) = options.items()
    with pytest.raises(ValueError, match=f"^{name} is {value}; expected a finite"):
        ActivityOptions(**options)


def test_segment_that_ends_before_it_starts_is_refused():
    with pytest.raises(ValueError, match="its end must follow"):
        Segment(2.0, 2.0)
