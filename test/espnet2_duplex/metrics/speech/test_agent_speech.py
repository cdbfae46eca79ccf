"""Silence is removed, windows are weighted, voices compared; counts add."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.speech import agent_speech
from espnet2_duplex.metrics.speech.agent_speech import (
    WINDOW_SAMPLES,
    ScoreCounts,
    SpeechJudges,
    SpeechOptions,
    SpeechQualityCounts,
    joined_speech,
    spread,
    windowed_dnsmos,
)

RATE = 16000


def levels(sample):
    """A DNSMOS that gives the mean and the last sample of its window."""
    assert len(sample.speech) == WINDOW_SAMPLES
    return {
        "dnsmos_overall": float(sample.speech.mean()),
        "dnsmos_p808": float(sample.speech[-1]),
    }


def noise(seconds, seed=0):
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return (0.1 * samples).astype(np.float32)


def test_segments_are_joined():
    speech = np.arange(2 * RATE, dtype=np.float32)
    joined = joined_speech(speech, [Segment(0.5, 0.75), Segment(1.0, 1.5)])
    expected = [*range(8000, 12000), *range(16000, 24000)]
    assert joined.tolist() == expected
    assert len(joined_speech(speech, [])) == 0


def test_windows_do_not_overlap_and_weigh_by_their_seconds():
    half = WINDOW_SAMPLES // 2
    speech = np.concatenate([np.full(WINDOW_SAMPLES, 4.0), np.full(half, 1.0)])
    scores = windowed_dnsmos(levels, speech, 9)
    assert scores == {
        "dnsmos_overall": pytest.approx(3.0),
        "dnsmos_p808": pytest.approx(3.0),
    }


def test_rest_of_less_than_half_a_window_is_left_out():
    rest = np.full(WINDOW_SAMPLES // 2 - 1, 1.0)
    speech = np.concatenate([np.full(WINDOW_SAMPLES, 4.0), rest])
    assert windowed_dnsmos(levels, speech, 9)["dnsmos_overall"] == pytest.approx(4.0)


def test_short_speech_is_repeated():
    speech = np.array([1.0, 2, 3, 4])  # fits a whole number of times
    scores = windowed_dnsmos(levels, speech, 9)
    assert scores["dnsmos_overall"] == pytest.approx(2.5)
    assert scores["dnsmos_p808"] == 4.0


def test_of_many_windows_a_few_are_heard_evenly_spread():
    levels_of_windows = np.repeat([0.0, 1, 2, 3, 4, 5], WINDOW_SAMPLES)
    heard = []

    def judge(sample):
        heard.append(sample.speech[0])
        return levels(sample)

    scores = windowed_dnsmos(judge, levels_of_windows, 3)
    assert heard == [1, 3, 5]
    assert scores["dnsmos_overall"] == pytest.approx(3.0)


@given(st.integers(1, 200), st.integers(1, 20))
def test_spread_numbers_differ_and_lie_evenly(num, max_chosen):
    chosen = spread(num, max_chosen)
    assert len(chosen) == min(num, max_chosen)
    assert 0 <= chosen[0] and chosen[-1] < num
    gaps = {after - before for before, after in zip(chosen, chosen[1:])}
    assert not gaps or (min(gaps) > 0 and max(gaps) - min(gaps) <= 1)


def test_a_limit_of_no_window_is_named():
    with pytest.raises(ValueError, match="max_windows is 0; expected 1 or more"):
        SpeechOptions(max_windows=0)


def test_the_judges_hear_no_more_windows_than_allowed(monkeypatch):
    heard = []
    judge = lambda sample: heard.append(1) or levels(sample)  # noqa: E731
    monkeypatch.setattr(agent_speech, "DnsMos", lambda: judge)
    seconds = 5 * WINDOW_SAMPLES / RATE
    speech = np.ones(5 * WINDOW_SAMPLES, np.float32)
    SpeechJudges(SpeechOptions(max_windows=2))(speech, [Segment(0, seconds)])
    assert len(heard) == 2


@pytest.fixture
def judges(monkeypatch):
    monkeypatch.setattr(agent_speech, "DnsMos", lambda: levels)
    monkeypatch.setattr(agent_speech, "make_utmos", lambda name: lambda speech: 3.5)
    monkeypatch.setattr(agent_speech, "read_voice", lambda *_: np.array([0.0, 2.0]))
    encode = lambda speech: np.array([speech.max(), 1.0])  # noqa: E731
    monkeypatch.setattr(agent_speech, "resemblyzer_encoder", lambda: encode)
    return lambda **options: SpeechJudges(SpeechOptions(**options))


def test_only_segments_are_judged(judges):
    speech = np.concatenate([np.full(RATE, 9.0), np.ones(2 * RATE), np.zeros(RATE)])
    judge = judges(mos="utmosv2", voice=("voice.wav",))
    scores = judge(speech.astype(np.float32), [Segment(1, 2), Segment(2.5, 3)])
    assert scores == {
        "dnsmos_overall": pytest.approx(1.0),
        "dnsmos_p808": pytest.approx(1.0),
        "utmosv2": 3.5,
        "speaker_similarity": pytest.approx(0.5**0.5),
    }


def test_who_is_not_asked_gives_no_score(judges):
    scores = judges()(np.ones(2 * RATE, np.float32), [Segment(0, 2)])
    assert set(scores) == {"dnsmos_overall", "dnsmos_p808", "speaker_similarity"}
    assert scores["speaker_similarity"] is None


@pytest.mark.parametrize(
    "segments", [[], [Segment(0, 0.5), Segment(1, 1.4)], [Segment(2, 4)]]
)
def test_nothing_to_hear_has_no_scores(judges, segments):
    speech = np.concatenate([np.ones(2 * RATE), np.zeros(2 * RATE)])
    scores = judges(mos="utmos")(speech.astype(np.float32), segments)
    assert set(scores.values()) == {None} and "utmos" in scores


def test_real_judges_hear_noise_and_give_the_same_scores_again():
    judge = SpeechJudges(SpeechOptions())
    speech = noise(10.0)
    scores = judge(speech, [Segment(0, 10)])
    assert 1 <= scores["dnsmos_overall"] < 3 and 1 <= scores["dnsmos_p808"] < 4
    assert judge(speech, [Segment(0, 10)]) == scores


def test_unknown_judge_is_named():
    with pytest.raises(ValueError, match="'ears'; expected one of dnsmos, utmos"):
        SpeechOptions(mos="ears")


def test_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "speechmos.dnsmos", None)
    with pytest.raises(ValueError, match="'speechmos.dnsmos', which is not installed"):
        SpeechJudges(SpeechOptions())


def test_conversations_without_a_score_are_in_no_mean():
    parts = [
        {"dnsmos_overall": 3.0, "utmos": 4.0, "speaker_similarity": None},
        {"dnsmos_overall": 4.0, "utmos": None, "speaker_similarity": None},
    ]
    counts = sum(map(SpeechQualityCounts.of, parts), SpeechQualityCounts())
    assert counts.dnsmos_overall == ScoreCounts(2, 7_000_000)
    assert counts.means() == {
        "dnsmos_overall": 3.5,
        "dnsmos_p808": None,
        "utmos": 4.0,
        "utmosv2": None,
        "speaker_similarity": None,
    }


@given(st.lists(st.floats(-1, 5)), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(scores, random):
    whole = sum(map(ScoreCounts.of, scores), ScoreCounts())
    random.shuffle(scores)
    assert sum(map(ScoreCounts.of, scores), ScoreCounts()) == whole
    if scores:
        assert whole.mean == pytest.approx(np.mean(scores), abs=1e-6)
