"""Times, rates and their intervals, worked out by hand; their pictures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_conversations import barge_in, conversation, response

from espnet2_duplex.metrics.score_definitions import definitions_of
from espnet2_duplex.metrics.score_page.distributions import (
    kinds,
    render_distributions,
)
from espnet2_duplex.metrics.score_page.estimates import (
    first_response_times,
    mean_estimate,
    pooled_estimate,
    rates,
    response_times,
    stop_times,
)
from espnet2_duplex.metrics.score_page.plots import (
    TimeAxis,
    draw_rates,
    draw_times,
    estimate_text,
)

CONVERSATIONS = [
    conversation(
        "a",
        barge_ins=[barge_in(3.5, 4.0), barge_in(5.0, 7.0, in_time=False)],
        false_alarms=[{"user_turn": 0, "start": 0.6}, {"user_turn": 0, "start": 1.0}],
        responses=[response(-0.25), response(0.75, 1)],
        answered=[0],
    ),
    conversation(
        "b",
        barge_ins=[barge_in(3.5, 8.0, in_time=False, stopped=False)],
        responses=[response(0.5)],
        answered=[0],
        unanswered=[1],
    ),
]


def test_stops_are_grouped_and_have_the_paper_s_mean_and_that_of_all():
    times = stop_times(CONVERSATIONS)
    assert times.groups == {"in time": [0.5], "late": [2.0], "not stopped": [4.5]}
    in_time, every = times.means
    assert (in_time.value, in_time.num) == (0.5, 1)
    assert every.value == pytest.approx(7.0 / 3)
    assert every.num == 3


def test_first_response_is_of_the_first_turn_only():
    times = first_response_times(CONVERSATIONS)
    assert times.groups == {"after the user": [0.5], "early": [-0.25]}
    assert [mean.name for mean in times.means] == ["mean, not early", "mean, all"]
    assert [mean.value for mean in times.means] == [0.5, 0.125]
    assert [mean.num for mean in times.means] == [1, 2]
    not_early, every = response_times(CONVERSATIONS).means
    assert (not_early.value, every.value) == (0.625, pytest.approx(1 / 3))


def test_rates_are_those_of_results_json():
    stopped, alarms, answered = rates(CONVERSATIONS)
    assert (stopped.value, stopped.num) == (pytest.approx(1 / 3), 3)
    # Two segments began during one of four user turns.
    assert (alarms.value, alarms.num) == (0.25, 4)
    # Turn 1 of the first has a response and left no time: it is not counted.
    assert (answered.value, answered.num) == (pytest.approx(2 / 3), 3)


def test_nothing_measured_has_no_estimate():
    assert rates([conversation("x", user_turns=[])]) == ()
    assert stop_times([]).means == ()
    assert mean_estimate("mean", [[], []]) is None


def test_equal_conversations_have_an_interval_without_width():
    found = pooled_estimate("rate", [1] * 30, [2] * 30)
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_interval_of_a_mean_is_that_of_its_standard_error():
    # 400 conversations, half 0 and half 1: standard error 0.5 / 20.
    found = mean_estimate("mean", [[n % 2] for n in range(400)])
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.006)
    assert found.high == pytest.approx(0.5 + 1.96 * 0.025, abs=0.006)


def test_events_of_one_conversation_stay_together():
    """Ten conversations with 40 equal events each are not 400 events."""
    together = mean_estimate("mean", [[n % 2] * 40 for n in range(10)])
    apart = mean_estimate("mean", [[n % 2] for n in range(400)])
    assert together.value == apart.value == 0.5
    assert together.high - together.low > 4 * (apart.high - apart.low)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.floats(-2, 20), max_size=3), min_size=1, max_size=8))
def test_interval_is_the_same_for_the_same_seed_and_inside_the_values(values):
    found = mean_estimate("mean", values, seed=3)
    assert found == mean_estimate("mean", values, seed=3)
    if found:
        every = [value for each in values for value in each]
        assert min(every) - 1e-9 <= found.low <= found.high <= max(every) + 1e-9


def test_bars_are_whole_frames_and_the_outermost_hold_the_rest():
    axis = TimeAxis.around([0.1, 9.0])
    assert (axis.first, axis.last) == (0, 50)  # 0 to 4 s
    heights = axis.heights([0.0, 0.0799, 0.08, 0.64, 4.01, 100.0])
    assert (heights[0], heights[1], heights[8], heights[50]) == (2, 1, 1, 2)
    assert sum(heights) == 6


def test_axis_always_holds_zero_and_the_limit_of_a_stop():
    axis = TimeAxis.around([])
    assert (axis.first, axis.last) == (0, 20)
    assert TimeAxis.around([-0.3]).first == -4
    assert axis.x(0.0) < axis.x(0.64) < axis.x(1.5)


def test_dashed_lines_stand_where_the_definitions_have_them():
    definitions = definitions_of(
        {"options": {"turn_taking": {"success_seconds": 1.2}, "quality": {}}}
    )
    stop, first, _ = kinds(definitions)
    assert stop.marks == (0.64, 1.2) and first.marks == (0.64,)
    assert "the 1.2 s within which a stop is in time" in stop.meaning
    html = render_distributions({"a": CONVERSATIONS}, definitions, seed=0)
    assert ">1.2 s</text>" in html


def test_a_mark_beyond_all_values_is_on_the_axis():
    axis = TimeAxis.around([0.1], (6.0,))
    assert axis.x(6.0) < axis.x(100.0)


def test_picture_has_a_path_per_group_with_its_number():
    times = stop_times(CONVERSATIONS)
    svg = draw_times("<a&b>", times, TimeAxis.around([4.5], (0.64, 1.5)))
    for group in ("in time", "late", "not stopped"):
        assert f"<title>{group}: 1</title>" in svg
    assert "0.64 s" in svg and "1.5 s" in svg
    assert "<a&b>" not in svg and "&lt;a&amp;b&gt;" in svg


def test_rates_without_events_show_a_dash():
    stopped, *_ = rates(CONVERSATIONS)
    svg = draw_rates("stopped in time", {"a": stopped, "b": None})
    assert f"a: {estimate_text(stopped, percent=True)}" in svg
    assert "b: –" in svg
    assert svg.count("<circle") == 1


def test_estimate_text_has_unit_interval_and_number():
    found = pooled_estimate("mean", [1.0, 1.0], [2, 2])
    assert estimate_text(found) == "mean 0.50 s [0.50, 0.50] of 4"
    assert estimate_text(found, percent=True) == "50.0 % [50.0, 50.0] of 4"
