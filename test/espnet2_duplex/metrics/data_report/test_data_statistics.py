"""Counts, outliers, tables and page of a small corpus, worked out by hand."""

import json

import numpy as np
import pytest

from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.metrics.data_report.audio import audio_faults
from espnet2_duplex.metrics.data_report.counts import (
    DataReport,
    collect_set,
    report_from_dict,
    report_to_dict,
)
from espnet2_duplex.metrics.data_report.distribution import Distribution
from espnet2_duplex.metrics.data_report.figures import Histogram, bar_grid
from espnet2_duplex.metrics.data_report.outliers import (
    Outlier,
    OutlierLimits,
    OutlierTally,
    find_outliers,
)
from espnet2_duplex.metrics.data_report.page import render_page
from espnet2_duplex.metrics.data_report.records import Record, TurnTokens
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts, count_records
from espnet2_duplex.metrics.data_report.tables import (
    PAPER_ROWS,
    SourceInfo,
    hours_text,
    markdown_lines,
    paper_table,
    timing_table,
)


class Backchannel:
    kind, start, end = "backchannel", 3.0, 3.5


def record(id, *spans, duration=12.0, source="alpaca", **known):
    """A record of turns such as ("user", 1.0, 2.0, "some words")."""
    whole = Conversation(id, tuple(Turn(*span) for span in spans), duration)
    return Record(whole, known.pop("speaker", "ann"), source, **known)


INTERRUPTED = record(
    "c1",
    ("user", 1.0, 2.0, "tell me"),
    ("agent", 2.64, 6.64, "a b c d e f g h i j k l m n o p q r s t u v w x y z"),
    ("user", 6.0, 8.0, "stop it"),
    ("agent", 8.64, 10.64, "all right I do"),
    events=(Backchannel(),),
    tokens=(TurnTokens(80, 32, 50), TurnTokens(4, 1, 25)),
)
PLAIN = record(
    "c2",
    ("user", 0.5, 2.5, "hello"),
    ("agent", 3.14, 5.14, "hi to you my friend"),
    duration=6.0,
    speaker="bob",
    tokens=(TurnTokens(6, 0, 25),),
)


def test_hours_silence_and_speakers():
    counts = count_records([INTERRUPTED, PLAIN])
    assert counts.num_conversations == 2
    assert counts.hours == pytest.approx(18 / 3600)
    assert counts.user_turns.sum == 5.0 and counts.agent_turns.sum == 8.0
    assert counts.silence_seconds == pytest.approx(18 - 5 - 8 + 0.64)
    assert counts.speakers == {"ann": 1, "bob": 1}


def test_turns_exchanges_and_barge_ins():
    counts = count_records([INTERRUPTED, PLAIN])
    assert (counts.turns.mean, counts.exchanges.mean) == (3.0, 1.5)
    assert counts.gaps.hundredths == {64: 3}
    assert counts.cuts.hundredths == {64: 1}
    assert counts.barge_in_share == 0.5
    assert counts.backchannels.hundredths == {50: 1}


def test_words_of_cut_turns_are_not_speech():
    counts = count_records([INTERRUPTED, PLAIN])
    assert counts.words_per_second.hundredths == {200: 1, 250: 1}


def test_dropped_tokens_of_cut_turns_are_told_apart():
    tokens = count_records([INTERRUPTED, PLAIN]).tokens
    assert (tokens.num_turns, tokens.num_tokens, tokens.num_dropped) == (3, 90, 33)
    assert tokens.dropped_share == pytest.approx(33 / 90)
    assert tokens.dropped_share_uncut == pytest.approx(1 / 10)
    assert tokens.num_turns_dropping == 2
    assert tokens.per_frame.hundredths == {160: 1, 16: 1, 24: 1}


def test_counts_of_parts_are_those_of_the_whole():
    parts = count_records([INTERRUPTED]) + count_records([PLAIN])
    assert parts == count_records([INTERRUPTED, PLAIN])
    assert count_records([]) == CorpusCounts()


def kinds(record, **limits):
    return [found.kind for found in find_outliers(record, OutlierLimits(**limits))]


def test_what_the_simulation_makes_is_no_outlier():
    assert kinds(PLAIN) == []
    assert kinds(INTERRUPTED, max_dropped_share=0.25) == []


@pytest.mark.parametrize(
    "start, is_outlier", [(2.6, False), (2.68, False), (2.599, True), (2.681, True)]
)
def test_gap_may_be_half_a_frame_off(start, is_outlier):
    spans = ("user", 1.0, 2.0, "hello"), ("agent", start, 5.0, "a b c d e")
    assert kinds(record("c", *spans)) == ["gap"] * is_outlier


@pytest.mark.parametrize("end, is_outlier", [(6.3, False), (6.68, False), (6.7, True)])
def test_only_a_late_cut_is_an_outlier(end, is_outlier):
    spans = (
        ("user", 1.0, 2.0, "hello"),
        ("agent", 2.64, end, "a b c d e f g"),
        ("user", 6.0, 8.0, "stop"),
    )
    assert kinds(record("c", *spans)) == ["late cut"] * is_outlier


@pytest.mark.parametrize(
    "spans, duration, expected",
    [
        ([("agent", 1.0, 3.0, "a b c d")], 9.0, ["no user"]),
        ([("user", 1.0, 3.0, "a b c d")], 9.0, ["no agent"]),
        (
            [("user", 0.1, 0.3, "a")],
            1.0,
            ["no agent", "short conversation"] + ["short turn"],
        ),
        ([("user", 1, 27, "a")], 200.0, ["no agent", "long conversation", "long turn"]),
        (
            [("user", 1.0, 3.0, "a"), ("agent", 2.0, 4.0, "a b c d")],
            9.0,
            ["interruption"],
        ),
        (
            [("user", 1.0, 2.0, "a"), ("agent", 2.64, 3.64, "a b c d e f")],
            9.0,
            ["fast"],
        ),
        ([("user", 1.0, 2.0, "a"), ("agent", 2.64, 6.64, "a")], 9.0, ["slow"]),
    ],
)
def test_odd_conversations_are_named(spans, duration, expected):
    assert kinds(record("c", *spans, duration=duration)) == expected


def test_turn_that_loses_too_many_tokens_is_named_with_its_numbers():
    (found,) = find_outliers(INTERRUPTED)
    assert found == Outlier(
        "dropped tokens",
        "c1",
        "1 of the 4 tokens of the agent turn at 8.64 s found none of its 25 frames",
    )


def test_tally_counts_what_it_does_not_list():
    found = [Outlier("gap", f"c{n}", "") for n in range(5)]
    tally = OutlierTally(2).extended(found[:1]).extended(found[1:])
    assert tally.num == {"gap": 5}
    assert [outlier.id for outlier in tally.listed["gap"]] == ["c0", "c1"]


def test_table_1_has_our_rows_and_the_papers():
    infos = {
        "topic": SourceInfo("Topic", "Conversation", "TTS", "Real"),
        "alpaca": SourceInfo("Alpaca", "Spoken QA", "TTS", "Augment"),
    }
    sources = {
        "topic": count_records([INTERRUPTED]),
        "alpaca": count_records([PLAIN]),
        "new": count_records([INTERRUPTED]),
    }
    table = paper_table(sources, infos)
    assert table.rows == (
        ("Spoken QA", "Alpaca", "0.00", "TTS", "✗", "✗"),  # single exchanges only
        ("Conversation", "Topic", "0.00", "TTS", "Real", "✓"),
        ("–", "new", "0.00", "–", "–", "✓"),
    )
    assert table.paper_rows == PAPER_ROWS
    lines = markdown_lines(table)
    assert lines[0] == "|Task|Dataset|#Hours|Speech|Multi-turn|Barge-in|"
    assert lines[-1] == "|*Conversation*|*Topic*|*0.3k*|*TTS*|*Augment*|*✓*|"


@pytest.mark.parametrize(
    "hours, text", [(0.254, "0.25"), (99.0, "99.00"), (200.0, "0.2k"), (3049, "3.0k")]
)
def test_hours_are_written_as_in_the_paper(hours, text):
    assert hours_text(hours) == text


def test_times_of_the_processes_of_a_stage_add():
    timings = (("speech", 30.0), ("texts", 5.0), ("speech", 60.0))
    assert timing_table(timings, hours=2.0).rows == (
        ("speech", "2", "90.0", "45.00"),
        ("texts", "1", "5.0", "2.50"),
        ("all", "3", "95.0", "47.50"),
    )


def small_report():
    limits = OutlierLimits()
    sets = {
        "train": collect_set([INTERRUPTED, PLAIN], limits, 10),
        "valid": collect_set([record("c<3>", source="topic")], limits, 10),
    }
    infos = {"topic": SourceInfo("Topic")}
    return DataReport(sets, infos, (("speech", 9.0),), limits)


def test_report_survives_json():
    report = small_report()
    stored = json.loads(json.dumps(report_to_dict(report)))
    assert report_from_dict(stored) == report
    assert stored["total"]["num_conversations"] == 3
    assert stored["seconds_per_hour"] == pytest.approx(9 * 3600 / 30)
    assert stored["sets"]["train"]["total"]["barge_in_share"] == 0.5


def test_foreign_json_is_refused():
    with pytest.raises(ValueError, match="it holds no report of data"):
        report_from_dict({"sets": {}})


def test_page_stands_alone_and_escapes_ids():
    page = render_page(small_report())
    assert "http" not in page and "<script" not in page
    assert "c&lt;3&gt;" in page and "c<3>" not in page
    assert page.count("data:image/svg+xml") == 12  # hours; no pauses, no noises
    assert page == render_page(small_report())


def test_bars_are_centred_and_one_far_value_does_not_widen_them():
    values = Distribution.of([0.60, 0.64, 0.68] * 200 + [30.0])
    assert bar_grid(Histogram("seconds", {"a": values}, 0.64)) == (59, 69, 1)
    turns = Distribution.of([2, 4, 4, 8])
    assert bar_grid(Histogram("", {"a": turns}, unit=100)) == (1, 9, 100)


TURN = Turn("user", 0.5, 1.5, "hello")


@pytest.mark.parametrize(
    "gain, expected",
    [
        (0.3, []),
        (1e-3, ["level of -6", "silent"]),
        (1.0, ["clipped", "level of -0"]),
    ],
)
def test_level_and_clipping_are_heard(gain, expected):
    tone = gain * np.where(np.arange(32000) % 2, 1.0, -1.0)
    tone[:8000] = 0  # outside the turn
    faults = list(audio_faults("user", 0.99999 * tone, 16000, [TURN]))
    assert len(faults) == len(expected)
    assert all(word in fault for word, fault in zip(expected, faults))


def test_turn_that_is_mostly_silent_is_heard():
    tone = 0.3 * np.where(np.arange(32000) % 2, 1.0, -1.0)
    tone[12000:] = 0
    assert list(audio_faults("user", tone, 16000, [TURN])) == [
        "75% of the user's turns are silent"
    ]
