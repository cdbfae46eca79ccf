"""Counts, outliers, tables and page of a small corpus, worked out by hand."""

import numpy as np
import pytest
from tiny_corpus import INTERRUPTED, PLAIN, record

from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.data_report.audio import audio_faults
from espnet2_duplex.metrics.data_report.counting import count_records
from espnet2_duplex.metrics.data_report.limits import OutlierLimits
from espnet2_duplex.metrics.data_report.outliers import (
    Outlier,
    OutlierTally,
    find_outliers,
)
from espnet2_duplex.metrics.data_report.records import TurnTokens
from espnet2_duplex.metrics.data_report.statistics import CorpusCounts
from espnet2_duplex.metrics.data_report.tables import turn_taking_table


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


OWN_END = record(
    "c3",
    ("user", 1.0, 2.0, "tell me"),
    ("agent", 2.64, 6.3, "a b c d e f g h i j k l m n o p q r s t u v w x y z"),
    ("user", 6.0, 8.0, "stop it"),
    tokens=(TurnTokens(40, 2, 46),),
)


def test_barge_ins_at_the_agents_own_end_are_told_from_those_that_cut():
    counts = count_records([INTERRUPTED, OWN_END])
    assert counts.num_barge_ins == 2 and counts.barge_in_share == 1.0
    assert counts.cuts.hundredths == {64: 1}
    assert counts.own_ends.hundredths == {30: 1}
    table = turn_taking_table("Source", {"a": counts})
    row = dict(zip(table.headings, table.rows[0]))
    shown = [row[name] for name in ("barge-ins", "that cut", "own end", "late")]
    assert shown == ["2", "1", "1", "0"]


def test_turn_at_its_own_end_has_said_all_its_text():
    tokens = count_records([OWN_END]).tokens
    assert (tokens.num_tokens_uncut, tokens.num_dropped_uncut) == (40, 2)
    assert kinds(OWN_END) == ["fast"]


def test_limits_say_what_a_cut_is():
    counts = count_records([OWN_END], OutlierLimits(cut_seconds=0.3))
    assert len(counts.cuts) == 1 and len(counts.own_ends) == 0
    counts = count_records([OWN_END], OutlierLimits(cut_seconds=0.2))
    assert len(counts.late_ends) == 1


def test_interruptions_are_shown():
    whole = record("c", ("user", 1.0, 3.0, "a b"), ("agent", 2.0, 4.0, "a b c d"))
    table = turn_taking_table("Source", {"a": count_records([whole])})
    assert dict(zip(table.headings, table.rows[0]))["agent interrupts"] == "1"


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
        ("user", 6.0, 8.0, "stop it"),
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
        (
            [("user", 1, 27, "a " * 30)],
            200.0,
            ["no agent", "long conversation", "long turn"],
        ),
        (
            [("user", 1.0, 3.0, "a b"), ("agent", 2.0, 4.0, "a b c d")],
            9.0,
            ["interruption"],
        ),
        ([("user", 1.0, 2.0, "a b c d e f g")], 9.0, ["no agent", "fast user"]),
        ([("user", 1.0, 3.0, "a")], 9.0, ["no agent", "slow user"]),
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
