"""Run a causal convolutional decoder of another project one piece at a time.

Mimi's decoder and those of ESPnet's codecs are SEANets: convolutions, transposed
convolutions, residual blocks, sometimes an LSTM. Their own `forward` knows whole
sequences only. The stages here borrow their modules, so that weights, devices and
state dicts stay where they are, and keep what each module needs of the past.

Every stage has `init_state(batch_size)` and `step(x, state) -> (y, state)` over
(B, C, T), T any number from 1; a state's size never changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FEW = 32  # frames, up to which a plain matrix product convolves faster


class Stage(Protocol):
    """A module that can run piece by piece."""

    def init_state(self, batch_size: int) -> Any:
        """Return the state before the first piece."""

    def step(self, x: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Map the next piece (B, C, T)."""


@dataclass(frozen=True, eq=False)
class Pointwise:
    """A module without memory, such as an activation."""

    module: nn.Module

    def init_state(self, batch_size: int) -> tuple[()]:
        """Return nothing."""
        return ()

    def step(self, x: Tensor, state: tuple[()]) -> tuple[Tensor, tuple[()]]:
        """Map (B, C, T)."""
        return self.module(x), state


@dataclass(frozen=True, eq=False)
class CausalConv:
    """A convolution whose padding stands on the left and is zeros.

    Args:
        conv: Without padding of its own; its stride must divide every piece.
    """

    conv: nn.Conv1d

    def init_state(self, batch_size: int) -> Tensor:
        """Return the zeros (B, C, context) before the first sample."""
        conv = self.conv
        context = conv.dilation[0] * (conv.kernel_size[0] - 1) + 1 - conv.stride[0]
        return conv.weight.new_zeros(batch_size, conv.in_channels, context)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C, T) to (B, C', T / stride)."""
        padded = torch.cat([state, x], dim=-1)
        context = padded[..., padded.size(-1) - state.size(-1) :]
        return _convolve(self.conv, padded), context


def _convolve(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """Convolve (B, C, T), padded already."""
    (kernel_size,), (dilation,), (stride,) = (
        conv.kernel_size,
        conv.dilation,
        conv.stride,
    )
    num_outputs = (x.size(-1) - dilation * (kernel_size - 1) - 1) // stride + 1
    if conv.groups > 1 or num_outputs > _FEW:
        return conv(x)
    columns = F.unfold(
        x[:, :, None], (1, kernel_size), (1, dilation), stride=(1, stride)
    )
    y = conv.weight.flatten(1) @ columns
    return y if conv.bias is None else y + conv.bias[:, None]


@dataclass(frozen=True, eq=False)
class CausalTransposedConv:
    """A transposed convolution whose last kernel - stride samples are cut off.

    Those samples are not final: the next piece adds to them.
    """

    conv: nn.ConvTranspose1d

    def init_state(self, batch_size: int) -> Tensor:
        """Return the zeros (B, C', kernel - stride) that nothing has reached yet."""
        conv = self.conv
        overlap = conv.kernel_size[0] - conv.stride[0]
        return conv.weight.new_zeros(batch_size, conv.out_channels, overlap)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C, T) to (B, C', T * stride)."""
        conv = self.conv
        y = _transposed(conv, x)
        num_final = y.size(-1) - state.size(-1)
        y = y + F.pad(state, (0, num_final))
        final, overlap = y[..., :num_final], y[..., num_final:]
        # The bias belongs to each sample once, however many pieces reach it.
        return (final if conv.bias is None else final + conv.bias[:, None]), overlap


def _transposed(conv: nn.ConvTranspose1d, x: Tensor) -> Tensor:
    """Convolve (B, C, T) to (B, C', kernel + stride * (T - 1)), without the bias."""
    if conv.groups > 1 or x.size(-1) > _FEW:
        return F.conv_transpose1d(x, conv.weight, None, conv.stride, groups=conv.groups)
    # On two frames of 1024 channels the library's own kernel takes 70 times as long.
    (kernel_size,), (stride,) = conv.kernel_size, conv.stride
    columns = (x.transpose(1, 2) @ conv.weight.flatten(1)).transpose(1, 2)
    length = kernel_size + stride * (x.size(-1) - 1)
    y = F.fold(columns, (1, length), (1, kernel_size), stride=(1, stride))
    return y.squeeze(2)


@dataclass(frozen=True, eq=False)
class Recurrent:
    """An LSTM over time, with or without a residual around it."""

    lstm: nn.LSTM
    residual: bool

    def init_state(self, batch_size: int) -> tuple[Tensor, Tensor]:
        """Return the zeros (layers, B, C) that the LSTM starts with."""
        lstm = self.lstm
        shape = lstm.num_layers, batch_size, lstm.hidden_size
        zeros = lstm.weight_hh_l0.new_zeros(shape)
        return zeros, zeros

    def step(
        self, x: Tensor, state: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Map (B, C, T)."""
        y, state = self.lstm(x.permute(2, 0, 1), state)
        y = y.permute(1, 2, 0)
        return (x + y if self.residual else y), state


@dataclass(frozen=True, eq=False)
class Chain:
    """Stages one after another."""

    stages: Sequence[Stage]

    def init_state(self, batch_size: int) -> tuple:
        """Return the state of every stage."""
        return tuple(stage.init_state(batch_size) for stage in self.stages)

    def step(self, x: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        """Map (B, C, T)."""
        new_state = []
        for stage, stage_state in zip(self.stages, state, strict=True):
            x, stage_state = stage.step(x, stage_state)
            new_state.append(stage_state)
        return x, tuple(new_state)


@dataclass(frozen=True, eq=False)
class Sum:
    """Two branches over one input, added; a residual block."""

    left: Stage
    right: Stage

    def init_state(self, batch_size: int) -> tuple:
        """Return the state of both branches."""
        return self.left.init_state(batch_size), self.right.init_state(batch_size)

    def step(self, x: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        """Map (B, C, T)."""
        left, left_state = self.left.step(x, state[0])
        right, right_state = self.right.step(x, state[1])
        return left + right, (left_state, right_state)
