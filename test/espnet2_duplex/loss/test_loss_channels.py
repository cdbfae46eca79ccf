import math

import pytest
import torch

from espnet2_duplex.duplex_lm import DuplexLogits
from espnet2_duplex.heads import Head
from espnet2_duplex.loss import (
    Labels,
    LossWeights,
    channel_loss,
    frame_losses,
    text_class_weights,
)
from espnet2_duplex.packing import Packing
from espnet2_duplex.vocabulary import TextIds

IDS = TextIds(bos=1, eos=2, pad=0)


def duplex_loss(logits, labels, ids, weights):
    """The loss of given logits: hidden states that heads of ones and zeros copy."""
    hidden = torch.cat([logits.text, logits.speech.flatten(2)], dim=-1)
    text_size, width = logits.text.shape[-1], hidden.shape[-1]
    heads = []
    for rows, channels in ((slice(text_size), 1), (slice(text_size, width), 3)):
        weight = torch.eye(width, dtype=hidden.dtype)[rows]
        linear = torch.nn.Linear(width, len(weight), bias=False, dtype=hidden.dtype)
        linear.weight = torch.nn.Parameter(weight)
        heads.append(Head(linear, channels, len(weight) // channels))
    packing = Packing.of(labels.valid.sum(1), labels.valid.shape[1])
    weights = text_class_weights(labels.text, ids, weights)
    frames = frame_losses(heads, packing.pack(hidden), labels, weights, packing, 5)
    return channel_loss(frames, labels)


def random_batch(num_frames=12, batch=2, codebooks=3, text_size=7, speech_size=11):
    logits = DuplexLogits(
        torch.randn(batch, num_frames, text_size, dtype=torch.float64),
        torch.randn(batch, num_frames, codebooks, speech_size, dtype=torch.float64),
    )
    text = torch.randint(text_size, (batch, num_frames))
    speech = torch.randint(speech_size, (batch, num_frames, codebooks))
    return logits, Labels(text, speech, torch.ones(text.shape, dtype=torch.bool))


def test_uniform_logits_cost_the_logarithm_of_the_vocabulary():
    logits = DuplexLogits(torch.zeros(1, 4, 7), torch.zeros(1, 4, 3, 11))
    text, speech = torch.ones(1, 4).long(), torch.ones(1, 4, 3).long()
    valid = torch.tensor([[True, True, True, False]])
    sums = duplex_loss(logits, Labels(text, speech, valid), IDS, LossWeights())
    assert sums.num_frames == 3
    assert sums.text.item() == pytest.approx(3 * math.log(7))
    expected = 3.0 * math.log(7) + 3 * 1.0 * math.log(11)  # weights 3 and 1, K = 3
    assert sums.mean(LossWeights()).item() == pytest.approx(expected)


@pytest.mark.parametrize("num_padding", [20, 60])
def test_padding_changes_nothing(num_padding):
    logits, labels = random_batch()
    expected = duplex_loss(logits, labels, IDS, LossWeights())

    def pad(tensor, value):
        shape = (tensor.shape[0], num_padding) + tensor.shape[2:]
        return torch.cat([tensor, torch.full(shape, value, dtype=tensor.dtype)], 1)

    padded = duplex_loss(
        DuplexLogits(pad(logits.text, math.nan), pad(logits.speech, 1e4)),
        Labels(pad(labels.text, 3), pad(labels.speech, 5), pad(labels.valid, False)),
        IDS,
        LossWeights(),
    )
    assert padded.mean(LossWeights()).item() == pytest.approx(
        expected.mean(LossWeights()).item(), abs=1e-6
    )


@pytest.mark.parametrize(
    "name, token", [("text_bos", 1), ("text_eos", 2), ("text_pad", 0)]
)
def test_a_class_weight_acts_on_frames_of_its_label_only(name, token):
    logits, labels = random_batch(num_frames=4, batch=1)
    labels.text[:] = torch.tensor([[1, 2, 0, 5]])
    losses = [
        duplex_loss(logits, labels, IDS, LossWeights(**{name: weight})).text
        for weight in (1.0, 2.0, 3.0)
    ]
    frame = labels.text[0].tolist().index(token)
    own = -logits.text[0, frame].log_softmax(-1)[token]
    assert (losses[1] - losses[0]).item() == pytest.approx(own.item())
    assert (losses[2] - losses[1]).item() == pytest.approx(own.item())


def test_neither_words_nor_the_denominator_change_with_class_weights():
    logits = DuplexLogits(torch.zeros(1, 4, 7), torch.zeros(1, 4, 3, 11))
    labels = Labels(
        torch.tensor([[1, 2, 0, 5]]),
        torch.zeros(1, 4, 3).long(),
        torch.ones(1, 4, dtype=torch.bool),
    )
    nemo = LossWeights(text_bos=10.0, text_eos=1.0, text_pad=0.2)
    sums = duplex_loss(logits, labels, IDS, nemo)
    assert sums.text.item() == pytest.approx((10 + 1 + 0.2 + 1) * math.log(7))
    assert sums.num_frames == 4


def test_correct_frames_are_counted_per_channel():
    logits, labels = random_batch()
    text, speech = labels.text, labels.speech
    logits.text.scatter_(-1, text[..., None], 100.0)
    logits.speech.scatter_(-1, speech[..., None], 100.0)
    logits.speech[:, 0, 1] = 0.0
    logits.speech[:, 0, 1, (speech[:, 0, 1] + 1) % 11] = 1.0
    sums = duplex_loss(logits, labels, IDS, LossWeights())
    assert sums.text_correct == 24
    assert sums.speech_correct[0] == 24 and sums.speech_correct[2] == 24
    assert sums.speech_correct[1] < 24
