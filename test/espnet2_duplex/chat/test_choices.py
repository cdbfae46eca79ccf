"""Probabilities of continuations, worked out from those of single tokens."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.chat.choices import choice_probability, longest_of, prefixes_of

ONE, TWO, TEN = (1,), (2,), (1, 0)


def log_probs(*shares):
    return torch.tensor(shares, dtype=torch.float64).log()


def test_a_number_counts_only_where_the_model_does_not_go_on_to_a_longer_one():
    known = {(): log_probs(0.1, 0.6, 0.3), (1,): log_probs(0.25, 0.25, 0.5)}
    choices = [ONE, TWO, TEN]
    found = [choice_probability(choice, choices, known) for choice in choices]
    # 1 without 10: 0.6 * 0.75; 10: 0.6 * 0.25.
    assert found == pytest.approx([0.45, 0.3, 0.15])


def test_what_must_be_read_to_tell_the_choices_apart():
    prefixes = prefixes_of([ONE, TWO, TEN])
    assert prefixes == {(), (1,)}
    assert longest_of(prefixes) == [(1,)]
    assert longest_of({()}) == [()]
    assert longest_of({(), (1,), (2,), (2, 3)}) == [(1,), (2, 3)]


@given(
    st.sets(
        st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple),
        min_size=1,
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_probabilities_of_all_choices_add_up_to_one_at_most(choices, random):
    known = {}
    for prefix in prefixes_of(choices):
        weights = [random.random() + 0.01 for _ in range(3)]
        known[prefix] = log_probs(*(weight / sum(weights) for weight in weights))
    total = sum(choice_probability(choice, choices, known) for choice in choices)
    assert 0 < total <= 1 + 1e-9 or math.isclose(total, 0, abs_tol=1e-9)
