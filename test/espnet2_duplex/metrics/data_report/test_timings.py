"""Times of the stages of a corpus, of which some did only a part of the work."""

import pytest

from espnet2_duplex.metrics.data_report.timings import (
    Timing,
    all_seconds,
    parse_timing,
    stage_times,
    timing_table,
)


def rows(*timings, hours=2.0):
    return timing_table(timings, hours).rows


def test_times_of_the_runs_of_a_stage_add():
    speech, texts = Timing("speech", 30.0), Timing("texts", 5.0)
    assert rows(speech, texts, Timing("speech", 60.0)) == (
        ("speech", "2", "90.0", "45.00", ""),
        ("texts", "1", "5.0", "2.50", ""),
        ("all", "3", "95.0", "47.50", ""),
    )


def test_time_of_a_stage_that_was_done_in_part_is_estimated_for_the_whole():
    assert rows(Timing("speech", 100.0, 739, 1478), Timing("texts", 5.0)) == (
        ("speech", "1", "200.0", "100.00", "estimated from 739 of 1,478"),
        ("texts", "1", "5.0", "2.50", ""),
        ("all", "2", "205.0", "102.50", ""),
    )


def test_runs_that_did_the_whole_together_are_no_estimate():
    (stage,) = stage_times([Timing("s", 30.0, 30, 40), Timing("s", 12.0, 10, 40)])
    assert (stage.seconds, stage.num_runs, stage.remark) == (42.0, 2, "")


@pytest.mark.parametrize("num_done", [0, 4])
def test_run_that_finds_nearly_all_done_tells_no_time(num_done):
    timings = Timing("s", 1.5, num_done, 40), Timing("texts", 5.0)
    assert rows(*timings) == (
        ("s", "1", "–", "–", f"only {num_done} of 40 timed"),
        ("texts", "1", "5.0", "2.50", ""),
        ("all", "2", "5.0", "2.50", "without s"),
    )
    assert all_seconds(stage_times(timings)) == 5.0


def test_runs_that_do_not_tell_what_they_did_are_covered_by_the_estimate():
    (stage,) = stage_times([Timing("s", 99.0), Timing("s", 10.0, 10, 40)])
    assert (stage.seconds, stage.num_runs) == (40.0, 2)


def test_stage_that_was_done_twice_has_the_time_of_both():
    (stage,) = stage_times([Timing("s", 10.0, 40, 40), Timing("s", 12.0, 40, 40)])
    assert (stage.seconds, stage.remark) == (22.0, "")


@pytest.mark.parametrize(
    "line, expected",
    [
        ("texts 1", Timing("texts", 1.0)),
        ("speech synthesis 4.2", Timing("speech synthesis", 4.2)),
        ("speak_user 119.9 739 1478", Timing("speak_user", 119.9, 739, 1478)),
        ("speak_user 2.0 0 0", Timing("speak_user", 2.0, 0, 0)),
        ("pass2 3.5", Timing("pass2", 3.5)),
    ],
)
def test_lines_are_read(line, expected):
    assert parse_timing(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "3.5",
        "s 1 2",
        "s 1 2 3 4",
        "s 1 2.5 3",
        "s",
        "s x",
        "s -1",
        "s nan",
        "s inf",
    ],
)
def test_lines_of_another_form_are_refused(line):
    with pytest.raises(ValueError, match="expected a stage, its seconds"):
        parse_timing(line)
