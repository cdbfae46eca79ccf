"""What of the judge's answers counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.metrics.gpt.answer import BadAnswer, expected_score, parse_scores


def entry(turn=1, score=7):
    return {"turn": turn, "reason": "right", "score": score}


def text_of(*entries):
    return json.dumps({"turns": list(entries)})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["turns", "turn", "score"]), inner, max_size=3),
    max_leaves=10,
)


def test_scores_come_in_the_order_of_the_turns():
    assert parse_scores(text_of(entry(2, 0), entry(1, 10)), 2) == [10, 0]


@pytest.mark.parametrize("form", ["```json\n{}\n```", "Here you are: {}", "\n{} \n"])
def test_what_stands_around_the_object_is_passed_over(form):
    assert parse_scores(form.replace("{}", text_of(entry())), 1) == [7]


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "no JSON object"),
        ("7", "no JSON object"),
        ("Turn 1: 7", "no JSON object"),
        ('{"turns": [{"turn": 1, "sco', "not one JSON object"),
        (text_of(entry()) + text_of(entry()), "not one JSON object"),
        ("[" * 3 + text_of(entry())[:-1], "not one JSON object"),
        ('{"score": 7}', "no JSON object with a list"),
        ('{"turns": {"1": 7}}', "no JSON object with a list"),
        ('{"turns": [7]}', "an entry is no JSON object"),
        (text_of(entry(turn="1")), "not a number"),
        (text_of(entry(turn=True)), "not a number"),
        (text_of(entry(score=11)), "whole number from 0 to 10"),
        (text_of(entry(score=-1)), "whole number from 0 to 10"),
        (text_of(entry(score=7.5)), "whole number from 0 to 10"),
        (text_of(entry(score="7")), "whole number from 0 to 10"),
        (text_of(entry(score=True)), "whole number from 0 to 10"),
        (text_of(entry(score=None)), "whole number from 0 to 10"),
        (text_of(entry(score=float("nan"))), "whole number from 0 to 10"),
        (text_of(entry(), entry()), "turn 1 has two scores"),
        (text_of(), "scores of 0 turns"),
        (text_of(entry(turn=2)), "not of 1 to 1"),
        (text_of(entry(), entry(turn=2)), "scores of 2 turns"),
    ],
)
def test_an_answer_of_another_form_is_told_in_which_way(text, reason):
    with pytest.raises(BadAnswer, match=reason):
        parse_scores(text, 1)


def test_deep_nesting_is_a_bad_answer():
    with pytest.raises(BadAnswer):
        parse_scores('{"turns":' * 100_000 + "}", 1)


@given(st.lists(st.integers(0, 10), min_size=1, max_size=8), st.randoms())
def test_every_right_answer_is_read(scores, random):
    entries = [entry(number, score) for number, score in enumerate(scores, 1)]
    random.shuffle(entries)
    assert parse_scores(text_of(*entries), len(scores)) == scores


@given(st.text(max_size=60) | JSON_VALUES.map(json.dumps), st.integers(1, 3))
def test_any_text_gives_whole_scores_or_a_bad_answer(text, num_turns):
    try:
        scores = parse_scores(text, num_turns)
    except BadAnswer:
        return
    assert len(scores) == num_turns
    assert all(type(score) is int and 0 <= score <= 10 for score in scores)


def test_the_expected_score_weighs_the_numbers():
    shares = [0.0] * 11
    shares[4], shares[10] = 0.1, 0.3  # (0.4 + 3) / 0.4
    assert expected_score(shares) == pytest.approx(8.5)


def test_without_a_likely_number_there_is_no_expected_score():
    assert expected_score([0.0] * 11) is None
    assert expected_score([float("nan")] * 11) is None


@given(st.lists(st.floats(1e-6, 1), min_size=11, max_size=11))
def test_the_expected_score_lies_on_the_scale(shares):
    assert -1e-9 <= expected_score(shares) <= 10 + 1e-9
