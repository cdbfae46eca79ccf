import copy
import math

import pytest
import torch
from conftest import TINY_LLM
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.loss import Labels, LossWeights, channel_loss, frame_losses
from espnet2_duplex.vocabulary import SpeechIds, TextIds

IDS = TextIds(bos=1, eos=2, pad=0)
NEMO_WEIGHTS = LossWeights(text_bos=10.0, text_eos=1.0, text_pad=0.2)


def make_model(tied=False):
    torch.manual_seed(1)
    conf = {**TINY_LLM, "tie_word_embeddings": tied}
    model = DuplexLM(Backbone(conf, 23, window_frames=16), 3, SpeechIds(6))
    torch.nn.init.normal_(model.speech_head.weight)
    return model


def make_batch(lengths, longest=None):
    longest = longest or max(lengths)
    generator = torch.Generator().manual_seed(len(lengths))
    shape = (len(lengths), longest)
    hidden = torch.randn(*shape, 32, generator=generator)
    steps = torch.arange(longest)
    labels = Labels(
        text=torch.randint(6, shape, generator=generator),  # all classes are frequent
        speech=torch.randint(11, (*shape, 3), generator=generator),
        valid=steps < torch.tensor(lengths)[:, None],
    )
    return hidden.requires_grad_(), labels


def loss_and_gradients(model, hidden, labels, chunk_frames, weights=NEMO_WEIGHTS):
    """The loss, its frames, and the gradients of hidden states and both heads."""
    model.zero_grad()
    hidden.grad = None
    frames = frame_losses(model.logits, hidden, labels, chunk_frames)
    loss = channel_loss(frames, labels, IDS, weights).mean(weights)
    loss.backward()
    head = model.backbone.llm.get_output_embeddings()
    gradients = (hidden.grad, head.weight.grad, model.speech_head.weight.grad)
    return loss.detach(), frames, [g.clone() for g in gradients]


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("chunk_frames", [1, 7, 64])
def test_chunked_loss_and_gradients_are_those_of_the_whole(tied, chunk_frames):
    model, (hidden, labels) = make_model(tied), make_batch([20, 15, 1])
    loss, frames, gradients = loss_and_gradients(model, hidden, labels, None)
    other_loss, others, other_gradients = loss_and_gradients(
        model, hidden, labels, chunk_frames
    )
    torch.testing.assert_close(other_loss, loss, atol=1e-6, rtol=1e-6)
    for one, other in zip(gradients, other_gradients):
        assert one.abs().max() > 0
        torch.testing.assert_close(other, one, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(others.text, frames.text)
    torch.testing.assert_close(others.speech, frames.speech)
    assert torch.equal(others.text_predicted, frames.text_predicted)
    assert torch.equal(others.speech_correct, frames.speech_correct)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 5),
    st.integers(1, 50),
)
def test_any_lengths_padding_and_chunk_give_one_loss(lengths, num_padding, chunk):
    model = make_model()
    hidden, labels = make_batch(lengths, max(lengths) + num_padding)
    whole = loss_and_gradients(model, hidden, labels, None)[0]
    chunked = loss_and_gradients(model, hidden, labels, chunk)[0]
    torch.testing.assert_close(chunked, whole, atol=1e-6, rtol=1e-6)


def test_padding_is_not_computed_in_chunks():
    model, (hidden, labels) = make_model(), make_batch([4, 2], longest=9)
    with torch.no_grad():
        hidden[~labels.valid] = math.nan
    loss, _, (gradient, *_) = loss_and_gradients(model, hidden, labels, 3)
    assert loss.isfinite()
    assert (gradient[~labels.valid] == 0).all()


class LargestTensor(TorchDispatchMode):
    """Watches the number of values in the largest result of any operation."""

    num_values = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if isinstance(result, torch.Tensor):
            self.num_values = max(self.num_values, result.numel())
        return result


def test_logits_of_all_frames_never_exist_at_once():
    model, (hidden, labels) = make_model(), make_batch([500, 500])
    with LargestTensor() as whole:
        loss_and_gradients(model, hidden, labels, None)
    with LargestTensor() as chunked:
        loss_and_gradients(model, hidden, labels, 10)
    assert whole.num_values == 1000 * 3 * 11
    assert chunked.num_values == 1000 * 32  # the hidden states


def test_under_bfloat16_autocast_heads_sum_their_gradient_in_float32():
    model, (hidden, labels) = make_model(), make_batch([400, 300])
    exact = loss_and_gradients(model, hidden, labels, None)
    with torch.autocast("cpu", torch.bfloat16):
        whole = loss_and_gradients(copy.deepcopy(model), hidden, labels, None)
        chunked = loss_and_gradients(copy.deepcopy(model), hidden, labels, 2)
    assert chunked[0].dtype == torch.float32
    assert chunked[0].item() == pytest.approx(whole[0].item(), rel=1e-3)
    for one, other, true in zip(whole[2], chunked[2], exact[2]):
        error = (other - true).norm() / true.norm()
        # 350 chunks; summed in bfloat16 they would be off by several per cent
        assert error < 1.5 * (one - true).norm() / true.norm() < 0.02


def test_class_weights_hold_in_chunks_as_in_the_whole():
    model, (hidden, labels) = make_model(), make_batch([30])
    plain = frame_losses(model.logits, hidden, labels, 7).text[0]
    text = labels.text[0]
    weight = torch.ones(30)
    weight[text == IDS.bos], weight[text == IDS.pad] = 10.0, 0.2
    frames = frame_losses(model.logits, hidden, labels, 7)
    found = channel_loss(frames, labels, IDS, NEMO_WEIGHTS).text
    assert found.item() == pytest.approx((plain * weight).sum().item(), rel=1e-6)


def test_evaluation_in_chunks_needs_no_gradient():
    model, (hidden, labels) = make_model(), make_batch([20, 15])
    with torch.no_grad():
        frames = frame_losses(model.logits, hidden, labels, 8)
    assert not frames.text.requires_grad
    assert frames.text_predicted[1, 15:].tolist() == [-1] * 5


@pytest.mark.parametrize("chunk_frames", [0, -3])
def test_a_chunk_without_frames_is_refused(chunk_frames):
    model, (hidden, labels) = make_model(), make_batch([4])
    with pytest.raises(ValueError, match=f"logits_chunk_frames is {chunk_frames}"):
        frame_losses(model.logits, hidden, labels, chunk_frames)
