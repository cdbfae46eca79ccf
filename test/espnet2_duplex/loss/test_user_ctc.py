import math

import pytest
import torch
import torch.nn.functional as F

from espnet2_duplex.loss import UserTextCTC


def make_batch():
    heard = torch.randn(3, 12, 8, requires_grad=True)
    num_frames = torch.tensor([12, 9, 5])
    user_text = torch.tensor([[4, 4, 7, 2], [6, 1, 0, 0], [0, 0, 0, 0]])
    return heard, num_frames, user_text, torch.tensor([4, 2, 0])


def plain_ctc(head, heard, num_frames, user_text, lengths):
    """The definition: log-softmax over all classes, then torch's CTC."""
    log_probs = head.linear(heard).log_softmax(-1).transpose(0, 1)
    return F.ctc_loss(
        log_probs,
        user_text,
        num_frames,
        lengths,
        blank=head.num_tokens,
        reduction="sum",
    )


@pytest.mark.parametrize("num_tokens", [8, 50])
@pytest.mark.parametrize("chunk_frames", [256, 5])
def test_loss_and_gradients_are_those_of_the_definition(num_tokens, chunk_frames):
    head, batch = UserTextCTC(8, num_tokens), make_batch()

    def gradients(loss):
        return torch.autograd.grad(loss, [batch[0], *head.parameters()])

    expected = plain_ctc(head, *batch)
    found = head(*batch, chunk_frames)
    torch.testing.assert_close(found, expected)
    for one, other in zip(gradients(found), gradients(expected)):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_a_batch_that_says_every_token_has_no_others():
    head = UserTextCTC(8, 3)
    heard = torch.randn(1, 9, 8, requires_grad=True)
    batch = (heard, torch.tensor([9]), torch.tensor([[0, 1, 2]]), torch.tensor([3]))
    torch.testing.assert_close(head(*batch), plain_ctc(head, *batch))
    (gradient,) = torch.autograd.grad(head(*batch), [heard])
    (expected,) = torch.autograd.grad(plain_ctc(head, *batch), [heard])
    torch.testing.assert_close(gradient, expected, atol=1e-6, rtol=1e-5)


def test_a_silent_user_costs_the_blanks():
    head = UserTextCTC(8, 15)
    torch.nn.init.zeros_(head.linear.weight)
    torch.nn.init.zeros_(head.linear.bias)
    silent = torch.zeros(2, 0, dtype=torch.int64)
    loss = head(
        torch.randn(2, 6, 8), torch.tensor([6, 4]), silent, torch.tensor([0, 0])
    )
    assert loss.item() == pytest.approx(10 * math.log(16))


def test_frames_past_the_end_do_not_matter():
    head, (heard, *rest) = UserTextCTC(8, 20), make_batch()
    other = heard.detach().clone()
    other[1, 9:], other[2, 5:] = 100.0, -100.0
    torch.testing.assert_close(head(other, *rest), head(heard, *rest))


def test_a_text_that_does_not_fit_its_frames_costs_nothing():
    head = UserTextCTC(8, 20)
    text = torch.tensor([[3, 3, 3]])  # needs a blank between: five frames
    heard = torch.randn(1, 4, 8)
    assert head(heard, torch.tensor([4]), text, torch.tensor([3])).item() == 0
