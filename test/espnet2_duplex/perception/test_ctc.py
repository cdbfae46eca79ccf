"""Character CTC: spelling, loss, errors."""

import math

import pytest
import torch

from espnet2_duplex.perception.ctc import (
    CtcErrors,
    ctc_loss,
    greedy_text,
    spoken_characters,
)


def test_texts_are_spelt_as_they_are_spoken():
    assert (
        spoken_characters("What's  up, well-known Doc?") == "what's up well known doc"
    )
    assert spoken_characters("In 1984.") is None
    assert spoken_characters("...") is None
    assert spoken_characters(None) is None


def test_certain_log_probs_are_read_back_and_cost_little():
    # blank 0, space 1, a 2, b 3: "ab a" with a repeat and blanks
    ids = torch.tensor([0, 2, 2, 3, 0, 1, 2, 0])
    log_probs = torch.full((8, 29), -20.0).scatter(1, ids[:, None], 0.0)
    assert greedy_text(log_probs) == "ab a"
    assert ctc_loss(log_probs[None], ["ab a"]) < 0.01
    assert ctc_loss(log_probs[None], ["bb a"]) > 3


def test_what_is_spelt_before_it_is_said_costs_and_does_not_count():
    # a space in either of two steps; before the second one nothing is said
    log_probs = torch.tensor([[0.5, 0.1, 0.4], [0.3, 0.1, 0.6]]).log()
    log_probs.requires_grad_()
    free = ctc_loss(log_probs[None], [" "])
    late = ctc_loss(log_probs[None], [" "], torch.tensor([1]))
    assert free.item() == pytest.approx(-math.log(0.5 * 0.1 + 0.1 * 0.3 + 0.1 * 0.1))
    assert late.item() == pytest.approx(-math.log(0.5 * 0.1))
    late.backward()
    assert log_probs.grad.isfinite().all()
    assert log_probs.grad[0].tolist() == pytest.approx([-1.0, 0.0, 0.0])


def test_errors_are_counts_that_add():
    errors = CtcErrors.between("the cat sat", "the bat") + CtcErrors.between("a", "a")
    assert errors == CtcErrors(2, 4, 5, 12)
    assert errors.word_error_rate == 0.5
    assert CtcErrors().word_error_rate is None
