"""Cross entropy of a head whose logits never exist all at once.

The gradient is found in the forward pass, chunk by chunk, while a chunk's logits are at
hand (as Liger's fused linear cross entropy does, arXiv 2410.10989): one matrix product
fewer than recomputing them, and one buffer for all chunks.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch.autograd.function import once_differentiable

from espnet2_duplex.heads import Head
from espnet2_duplex.loss.chunks import check_chunk, in_chunks


class HeadLosses(NamedTuple):
    """Losses of the N frames of C channels; only `total` has a gradient."""

    total: torch.Tensor  # () weighted sum
    losses: torch.Tensor  # (N, C) nats, not weighted
    predicted: torch.Tensor  # (N, C) int64 most likely token


@dataclass(frozen=True)
class Targets:
    """What the head should predict, and what each of it counts."""

    labels: torch.Tensor  # (N, C) int64
    weights: torch.Tensor  # (N, C) float


def head_losses(
    head: Head, hidden: torch.Tensor, targets: Targets, chunk_frames: int
) -> HeadLosses:
    """Losses of a head, the logits of `chunk_frames` frames at a time.

    Under autocast the matrix products are of low precision, and all sums of float32.

    Args:
        head: A head that is a matrix is called for no frame as a module.
        hidden: (N, H).
        targets: Of the N frames.
        chunk_frames: Frames whose logits exist at once.

    Raises:
        ValueError: If `chunk_frames` is below 1.
    """
    losses_of = matrix_losses if head.is_matrix else losses_in_chunks
    return losses_of(head, hidden, targets, chunk_frames)


def matrix_losses(
    head: Head, hidden: torch.Tensor, targets: Targets, chunk_frames: int
) -> HeadLosses:
    """`head_losses` of a head that is a matrix (`Head.is_matrix`)."""
    check_chunk(chunk_frames)
    weight, bias = head.linear.weight, head.linear.bias
    with_gradient = torch.is_grad_enabled()
    return HeadLosses(
        *_HeadLoss.apply(
            hidden, weight, bias, head, targets, chunk_frames, with_gradient
        )
    )


def losses_in_chunks(
    head: Head, hidden: torch.Tensor, targets: Targets, chunk_frames: int
) -> HeadLosses:
    """`head_losses` of any head: one with an adapter, or sharded over ranks.

    Logits are computed once more in the backward pass.
    """

    def chunk_losses(hidden, labels):
        logits = head.logits(hidden)
        # Predictions last: recomputing stops at the last value that backward needs.
        return _cross_entropy(logits, labels), logits.detach().argmax(-1)

    losses, predicted = in_chunks(chunk_losses, (hidden, targets.labels), chunk_frames)
    total = (losses * targets.weights).sum()
    return HeadLosses(total, losses.detach(), predicted)


def _cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Nats (...) of logits (..., V) under labels (...)."""
    losses = F.cross_entropy(
        logits.flatten(0, -2).float(), labels.flatten(), reduction="none"
    )
    return losses.view(labels.shape)


class _HeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(ctx, hidden, weight, bias, head, targets, chunk_frames, with_gradient):
        ctx.set_materialize_grads(False)
        needs = [with_gradient and need for need in ctx.needs_input_grad[:3]]
        device = hidden.device.type
        dtype = hidden.dtype
        if torch.is_autocast_enabled(device):
            dtype = torch.get_autocast_dtype(device)
        with torch.autocast(device, enabled=False):
            pass_ = _Pass(head, hidden, targets, dtype, needs)
            for start in range(0, len(hidden), chunk_frames):
                pass_.add(slice(start, start + chunk_frames), chunk_frames)
        ctx.gradients = pass_.gradients
        ctx.mark_non_differentiable(pass_.losses, pass_.predicted)
        total = (pass_.losses * targets.weights).sum()
        return total, pass_.losses, pass_.predicted

    @staticmethod
    @once_differentiable
    def backward(ctx, factor, *_):
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:
            raise RuntimeError(
                "the heads' loss has one backward pass only; compute the loss again, "
                "or ask for all gradients in one call"
            )
        given = [g if g is None else g.mul_(factor) for g in gradients]
        return (*given, None, None, None, None)


class _Pass:
    """One pass over the frames: what it has found so far.

    Args:
        head: The head.
        hidden: (N, H).
        targets: Of the N frames.
        dtype: Of the matrix products.
        needs: Whether hidden states, weight and bias need a gradient.
    """

    def __init__(self, head, hidden, targets, dtype, needs):
        self.head, self.hidden, self.targets, self.dtype = head, hidden, targets, dtype
        weight, bias = head.linear.weight, head.linear.bias
        self.matrix = weight.detach()[: head.num_rows].to(dtype)
        self.bias = None if bias is None else bias.detach()[: head.num_rows]
        self.sum_dtype = torch.promote_types(dtype, torch.float32)
        self.losses = hidden.new_empty(targets.labels.shape, dtype=self.sum_dtype)
        self.predicted = torch.empty_like(targets.labels)
        self.needs_gradient = any(needs)
        self.buffer = None
        self.gradients = [
            torch.zeros_like(value) if need else None
            for value, need in zip((hidden, weight, bias), needs)
        ]

    def add(self, part: slice, chunk_frames: int) -> None:
        """Losses and gradients of the frames `part`."""
        hidden = self.hidden[part].detach().to(self.dtype)
        logits = self._raw_logits(hidden, chunk_frames)
        scale = self.head.scale
        if not self.needs_gradient:
            self._slope(logits if scale is None else scale(logits), part)
        elif scale is None:
            self._add_gradients(self._slope(logits, part), hidden, part)
        else:
            with torch.enable_grad():
                raw = logits.requires_grad_()
                scaled = scale(raw)
            slope = self._slope(scaled.detach().clone(), part)
            (slope,) = torch.autograd.grad(scaled, raw, slope)
            self._add_gradients(slope, hidden, part)

    def _raw_logits(self, hidden: torch.Tensor, chunk_frames: int) -> torch.Tensor:
        """(n, C * S) in the buffer that all chunks share."""
        if self.buffer is None:
            num_frames = min(chunk_frames, len(self.hidden))
            self.buffer = hidden.new_empty(
                (num_frames, self.head.num_rows), dtype=self.sum_dtype
            )
        logits = self.buffer[: len(hidden)]
        if self.dtype == self.sum_dtype:
            torch.mm(hidden, self.matrix.T, out=logits)
        else:
            logits.copy_(hidden @ self.matrix.T)
        return logits if self.bias is None else logits.add_(self.bias)

    def _slope(self, logits: torch.Tensor, part: slice) -> torch.Tensor:
        """Fill in the losses; the gradient (n, C * S) of the logits, in their place.

        What is there instead where no gradient is needed has no meaning.
        """
        channels = logits.view(-1, self.head.num_channels, self.head.size)
        labels, weights = self.targets.labels[part], self.targets.weights[part]
        best, self.predicted[part] = channels.max(-1)
        behind = best - channels.gather(-1, labels[..., None]).squeeze(-1)
        torch.softmax(channels, -1, out=channels)
        likely = channels.gather(-1, self.predicted[part][..., None]).squeeze(-1)
        self.losses[part] = behind - likely.log()  # likely: 1 / S or more
        if self.needs_gradient:
            weights = weights[..., None].to(channels.dtype)
            channels.mul_(weights).scatter_add_(-1, labels[..., None], -weights)
        return logits

    def _add_gradients(
        self, slope: torch.Tensor, hidden: torch.Tensor, part: slice
    ) -> None:
        of_hidden, of_weight, of_bias = self.gradients
        if of_bias is not None:
            of_bias[: self.head.num_rows] += slope.sum(0)
        slope = slope.to(self.dtype)
        if of_hidden is not None:
            of_hidden[part] = slope @ self.matrix
        if of_weight is not None:
            rows = of_weight[: self.head.num_rows]
            if rows.dtype == self.dtype == self.sum_dtype:
                rows.addmm_(slope.T, hidden)
            else:
                rows += slope.T @ hidden
