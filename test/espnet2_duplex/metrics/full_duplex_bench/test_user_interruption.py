"""User interruption: agents that stop, talk on, or begin too early."""

import pytest

from espnet2_duplex.chat.asking import BadAnswer
from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.full_duplex_bench.ratings import (
    RatingCounts,
    parse_rating,
    rating_chat,
)
from espnet2_duplex.metrics.full_duplex_bench.user_interruption import (
    InterruptionCounts,
    count_interruption,
    count_strictly,
)
from espnet2_duplex.words import Word

INTERRUPTION = Segment(10.0, 12.0)


def spoken(start, end, step=0.5):
    """A word of 0.4 s every half second."""
    times = [start + n * step for n in range(int((end - start) / step))]
    return [Word("word", time, time + 0.4) for time in times]


def fixed(words, *segments):
    spans = [Segment(*segment) for segment in segments]
    return count_interruption(words, INTERRUPTION, spans).figures("fixed")


def strict(words):
    return count_strictly(words, INTERRUPTION.end).figures("strict")


def test_agent_that_stops_and_answers():
    words = spoken(12.8, 16.0)
    assert strict(words)["latency_mean"] == pytest.approx(0.8)
    figures = fixed(words, (5.0, 10.64), (12.8, 16.0))
    assert figures["take_over_rate"] == 1.0
    assert figures["latency_mean"] == pytest.approx(0.8)
    assert figures["stop_latency_mean"] == pytest.approx(0.64)
    assert figures["num_speaking_at_onset"] == 1
    assert figures["num_never_stopped"] == figures["num_early"] == 0


def test_agent_that_never_stops_has_no_latency():
    words = spoken(12.0, 16.0)
    assert strict(words)["take_over_rate"] == 1.0
    assert strict(words)["latency_mean"] == 0.0  # the published fault
    figures = fixed(words, (5.0, 16.0))
    assert figures["take_over_rate"] == 1.0
    assert figures["num_never_stopped"] == figures["num_speaking_at_onset"] == 1
    assert figures["latency_mean"] is None
    assert figures["stop_latency_mean"] is None


def test_a_quick_answer_after_a_stop_is_no_talking_on():
    words = spoken(12.3, 16.0)
    figures = fixed(words, (5.0, 11.9), (12.3, 14.0), (14.2, 16.0))
    assert figures["num_never_stopped"] == 0
    assert figures["stop_latency_mean"] == pytest.approx(1.9)
    assert figures["latency_mean"] == pytest.approx(0.3)


def test_a_short_pause_during_the_interruption_is_no_stop():
    words = spoken(12.0, 16.0)
    assert fixed(words, (5.0, 10.4), (10.8, 16.0))["num_never_stopped"] == 1
    figures = fixed(words, (5.0, 10.4), (10.9, 16.0))  # 0.5 s
    assert figures["num_never_stopped"] == 0
    assert figures["stop_latency_mean"] == pytest.approx(0.4)


def test_agent_that_begins_during_the_interruption_is_early():
    words = spoken(12.0, 16.0)
    figures = fixed(words, (5.0, 10.5), (11.5, 16.0))
    assert figures["latency_mean"] == 0.0
    assert figures["latency_mean_signed"] == -0.5
    assert figures["num_early"] == 1 and figures["num_never_stopped"] == 0
    assert figures["stop_latency_mean"] == 0.5


def test_words_before_the_end_count_only_strictly():
    words = spoken(9.0, 12.0)  # a transcript of the whole recording
    assert strict(words)["take_over_rate"] == 1.0
    assert fixed(words, (9.0, 12.0))["take_over_rate"] == 0.0


def test_silent_agent_takes_no_turn_and_does_not_stop():
    figures = fixed([])
    assert figures["take_over_rate"] == 0.0
    assert figures["num_speaking_at_onset"] == 0
    assert figures["latency_mean"] is None and figures["stop_latency_mean"] is None


def test_counts_add_and_say_what_the_repair_changed():
    stops = count_interruption(
        spoken(13.0, 16.0), INTERRUPTION, [Segment(5.0, 10.6), Segment(13.0, 16.0)]
    )
    goes_on = count_interruption(spoken(12.0, 16.0), INTERRUPTION, [Segment(5.0, 16.0)])
    total = stops + goes_on
    assert total.figures("strict")["latency_mean"] == 0.5
    assert total.figures("fixed")["latency_mean"] == 1.0
    assert total.changes()[0].startswith("1 of 2 agents talked on")
    assert "0.500 s with them, as published, and 1.000 s without" in total.changes()[0]


def test_ratings_are_of_those_that_were_rated():
    ratings = RatingCounts.of(4) + RatingCounts.of(1) + RatingCounts.of(None)
    assert ratings.figures() == {
        "rating_mean": 2.5,
        "num_rated": 2,
        "num_rating_failures": 1,
    }
    total = InterruptionCounts(ratings=ratings) + InterruptionCounts()
    assert total.figures("strict")["rating_mean"] == 2.5


@pytest.mark.parametrize(
    "reply, rating",
    [
        ("It fits. Rating: 5.", 5),
        ("**Rating (0-5):** 4", 4),
        ("Rating: 4/5", 4),
        ("The scale is 0 to 5.\n_Rating: 2_\n", 2),
        ("Rating: 4\nA rating of 5 would be too much.", 4),
        ("It fits.\nRating: 5", 5),
        ("rating: **0**", 0),
        ("Rating 2 would be harsh.\nRating: 3", 3),
    ],
)
def test_the_rating_of_a_reply_ends_its_last_line_with_one(reply, rating):
    assert parse_rating(reply) == rating


@pytest.mark.parametrize(
    "number",
    [
        "7",
        "35",
        "05",
        "3.5",
        "-3",
        "3-5",
        "0 to 5",
        "4/10",
        "four",
        "4 or 5",
        "\n4",
        "",
    ],
)
def test_a_reply_without_a_rating_from_0_to_5_is_no_answer(number):
    with pytest.raises(BadAnswer, match="no line ends with a rating from 0 to 5"):
        parse_rating(f"It fits.\nRating: {number}")


def test_the_judge_sees_both_turns_and_the_answer():
    system, user = rating_chat("Tea?", "No, coffee!", "Coffee it is.")
    assert (system.role, user.role) == ("system", "user")
    for text in ("Tea?", "No, coffee!", "Coffee it is."):
        assert text in user.content
