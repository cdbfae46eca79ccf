import copy
import math
from functools import partial

import pytest
import torch
from conftest import TINY_LLM
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from torch.utils._python_dispatch import TorchDispatchMode

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.text_head import scaled_logits
from espnet2_duplex.heads import Head
from espnet2_duplex.loss.head_loss import (
    Targets,
    head_losses,
    losses_in_chunks,
    matrix_losses,
)


def make_head(num_channels=3, size=11, spare_rows=0, bias=False, scale=None):
    linear = torch.nn.Linear(32, num_channels * size + spare_rows, bias=bias)
    torch.nn.init.normal_(linear.weight)
    return Head(linear, num_channels, size, scale)


def make_batch(head, num_frames=40):
    hidden = torch.randn(num_frames, 32, requires_grad=True)
    labels = torch.randint(head.size, (num_frames, head.num_channels))
    weights = torch.tensor([0.0, 0.2, 1.0, 10.0])
    return hidden, Targets(labels, weights[torch.randint(4, labels.shape)])


def plain_losses(head, hidden, targets):
    """By definition, from all logits at once: total, losses, predicted."""
    logits = head.logits(hidden).float()
    losses = cross_entropy(logits.transpose(1, 2), targets.labels, reduction="none")
    return (losses * targets.weights).sum(), losses, logits.argmax(-1)


def with_gradients(function, head, hidden, targets):
    tensors = [t for t in (hidden, *head.linear.parameters()) if t.requires_grad]
    total, losses, predicted = function(head, hidden, targets)
    return total, losses, predicted, torch.autograd.grad(2.5 * total, tensors)


def assert_same(found, expected, tolerance=1e-5):
    for one, other in zip(found[:2], expected[:2]):
        torch.testing.assert_close(one, other, atol=tolerance, rtol=tolerance)
    assert torch.equal(found[2], expected[2])
    assert len(found[3]) == len(expected[3])
    for one, other in zip(found[3], expected[3]):
        largest = other.abs().max().item()
        assert largest > 0
        torch.testing.assert_close(one, other, atol=tolerance * largest, rtol=0)


SOFT_CAP = type("Config", (), {"final_logit_softcapping": 5.0, "logit_scale": 0.5})


@pytest.mark.parametrize("function", [matrix_losses, losses_in_chunks])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_channels": 1},
        {"spare_rows": 4},
        {"bias": True, "spare_rows": 2},
        {"scale": partial(scaled_logits, config=SOFT_CAP)},
    ],
    ids=["channels", "text", "spare rows", "bias", "soft cap"],
)
@pytest.mark.parametrize("chunk_frames", [1, 7, 64])
def test_losses_and_gradients_are_those_of_all_logits(function, options, chunk_frames):
    head = make_head(**options)
    hidden, targets = make_batch(head)
    found = with_gradients(
        partial(function, chunk_frames=chunk_frames), head, hidden, targets
    )
    assert_same(found, with_gradients(plain_losses, head, hidden, targets))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 4), st.integers(1, 9))
def test_any_number_of_frames_channels_and_tokens(num_frames, chunk, channels, size):
    head = make_head(channels, size)
    hidden, targets = make_batch(head, num_frames)
    targets.weights.clamp_(min=0.1)
    total, losses, _ = head_losses(head, hidden, targets, chunk)
    expected = plain_losses(head, hidden, targets)
    torch.testing.assert_close(total, expected[0], atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(losses, expected[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("frozen", ["hidden", "head", "both"])
def test_what_is_frozen_gets_no_gradient(frozen):
    head = make_head()
    hidden, targets = make_batch(head)
    hidden.requires_grad_(frozen == "head")
    head.linear.requires_grad_(frozen == "hidden")
    if frozen == "both":
        assert not head_losses(head, hidden, targets, 8).total.requires_grad
        return
    found = with_gradients(partial(head_losses, chunk_frames=8), head, hidden, targets)
    assert_same(found, with_gradients(plain_losses, head, hidden, targets))


def test_a_certain_right_prediction_costs_nothing_and_a_wrong_one_all():
    head = Head(torch.nn.Linear(2, 2, bias=False), 1, 2)
    torch.nn.init.eye_(head.linear.weight)
    hidden = torch.tensor([[200.0, 0.0], [200.0, 0.0]])
    targets = Targets(torch.tensor([[0], [1]]), torch.ones(2, 1))
    total, losses, predicted = head_losses(head, hidden, targets, 8)
    assert losses.tolist() == [[0.0], [200.0]] and total == 200
    assert predicted.tolist() == [[0], [0]]


class LargestTensor(TorchDispatchMode):
    """Watches the number of values in the largest result of any operation."""

    num_values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.num_values = max(self.num_values, result.numel())
        return result


@pytest.mark.parametrize("function", [matrix_losses, losses_in_chunks])
def test_logits_of_all_frames_never_exist_at_once(function):
    head = make_head(size=30)
    hidden, targets = make_batch(head, 1000)
    with LargestTensor() as whole:
        with_gradients(plain_losses, head, hidden, targets)
    with LargestTensor() as chunked:
        with_gradients(partial(function, chunk_frames=10), head, hidden, targets)
    assert whole.num_values == 1000 * 3 * 30
    assert chunked.num_values == 1000 * 32  # the hidden states


@pytest.mark.parametrize("function", [matrix_losses, losses_in_chunks])
def test_under_bfloat16_autocast_heads_sum_their_gradient_in_float32(function):
    head = make_head()
    hidden, targets = make_batch(head, 700)
    exact = with_gradients(plain_losses, head, hidden, targets)
    with torch.autocast("cpu", torch.bfloat16):
        whole = with_gradients(plain_losses, copy.deepcopy(head), hidden, targets)
        chunked = with_gradients(
            partial(function, chunk_frames=2), head, hidden, targets
        )
    assert chunked[0].dtype == torch.float32
    assert chunked[0].item() == pytest.approx(whole[0].item(), rel=1e-3)
    for one, other, true in zip(whole[3], chunked[3], exact[3]):
        error = (other - true).norm() / true.norm()
        # 350 chunks; summed in bfloat16 they would be off by several per cent
        assert error < 1.5 * (one - true).norm() / true.norm() < 0.02


@pytest.mark.parametrize("without", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("scale", [None, partial(scaled_logits, config=SOFT_CAP)])
def test_evaluation_needs_no_gradient(scale, without, monkeypatch):
    head = make_head(scale=scale)
    hidden, targets = make_batch(head)
    expected = plain_losses(head, hidden, targets)
    monkeypatch.setattr(torch.autograd, "grad", None)  # no gradient on the way
    with without():
        total, losses, predicted = head_losses(head, hidden, targets, 8)
    assert not total.requires_grad and not losses.requires_grad
    torch.testing.assert_close(total, expected[0].detach())
    torch.testing.assert_close(losses, expected[1].detach())
    assert torch.equal(predicted, expected[2])


def test_a_second_backward_pass_is_refused():
    head = make_head()
    total = head_losses(head, *make_batch(head), 8).total
    total.backward(retain_graph=True)
    with pytest.raises(
        RuntimeError, match="one backward pass only; compute the loss again"
    ):
        total.backward()


@pytest.mark.parametrize("function", [matrix_losses, losses_in_chunks])
@pytest.mark.parametrize("chunk_frames", [0, -3])
def test_a_chunk_without_frames_is_refused(function, chunk_frames):
    head = make_head()
    with pytest.raises(ValueError, match=f"logits_chunk_frames is {chunk_frames}"):
        function(head, *make_batch(head), chunk_frames)


def test_a_matrix_is_a_head_without_adapter_or_shards():
    backbone = Backbone(TINY_LLM, 20, window_frames=16)
    assert backbone.text_head.is_matrix
    backbone.llm.get_output_embeddings().weight.ds_id = 0  # as ZeRO-3 marks it
    assert not backbone.text_head.is_matrix
    assert not Head(torch.nn.Sequential(torch.nn.Linear(2, 2)), 1, 2).is_matrix


def test_untrained_heads_cost_the_logarithm_of_the_vocabulary():
    head = make_head(size=11)
    torch.nn.init.zeros_(head.linear.weight)
    losses = head_losses(head, *make_batch(head), 8).losses
    torch.testing.assert_close(losses, torch.full_like(losses, math.log(11)))


@pytest.mark.parametrize("is_matrix", [True, False])
def test_any_head_has_losses(is_matrix):
    head = make_head()
    hidden, targets = make_batch(head)
    expected = with_gradients(plain_losses, head, hidden, targets)
    if not is_matrix:
        head.linear.weight.ds_id = 0
    assert head.is_matrix == is_matrix
    found = with_gradients(partial(head_losses, chunk_frames=8), head, hidden, targets)
    assert_same(found, expected)
