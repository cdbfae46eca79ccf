"""NanoCodec's decoder: quantized values to a waveform, causal and streaming."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from espnet2_duplex.codec.conv_stages import (
    CausalConv,
    CausalTransposedConv,
    Chain,
    Pointwise,
    Stage,
    Sum,
)

FIRST_KERNEL = 7
LAST_KERNEL = 3


class HalfSnake(nn.Module):
    """Snake on the first half of the channels, leaky ReLU on the others.

    Snake, x + sin(alpha x)^2 / alpha, makes periodic signals easy to draw (Ziyin et
    al., arXiv 2006.08195); alpha is learnt for every channel.
    """

    def __init__(self, num_channels: int):
        super().__init__()
        self.sizes = [num_channels // 2, num_channels - num_channels // 2]
        self.alpha = nn.Parameter(torch.ones(1, self.sizes[0], 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T)."""
        snake, leaky = x.split(self.sizes, dim=1)
        # Never divides by zero, and is the constant of the public weights' training.
        snake = snake + (self.alpha * snake).sin().square() / (self.alpha + 1e-9)
        return torch.cat([snake, F.leaky_relu(leaky)], dim=1)


@dataclass(frozen=True, eq=False)
class Mean:
    """Branches over one input, averaged."""

    branches: Sequence[Stage]

    def init_state(self, batch_size: int) -> tuple:
        """Return the state of every branch."""
        return tuple(branch.init_state(batch_size) for branch in self.branches)

    def step(self, x: Tensor, state: tuple) -> tuple[Tensor, tuple]:
        """Map (B, C, T) to (B, C, T)."""
        pairs = [b.step(x, s) for b, s in zip(self.branches, state, strict=True)]
        outputs, new_state = zip(*pairs)
        return sum(outputs) / len(outputs), new_state


class NanoDecoder(nn.Module):
    """Quantized values (B, T, num_dims) -> speech, without look-ahead.

    HiFi-GAN's generator (Kong et al., arXiv 2010.05646) with causal convolutions,
    HalfSnake, and transposed convolutions that mix no more than two channels each.
    Widths halve from stage to stage.

    Args:
        num_dims: Size of the quantized values.
        num_channels: Width at the frame rate.
        strides: One stage for each; their product is the samples of a frame.
        kernel_sizes: Of the residual units.
        dilations: Of the residual units.
    """

    def __init__(
        self,
        num_dims: int,
        num_channels: int,
        strides: Sequence[int],
        kernel_sizes: Sequence[int],
        dilations: Sequence[int],
    ):
        super().__init__()
        self.inlet = nn.Conv1d(num_dims, num_channels, FIRST_KERNEL)
        self.activations = nn.ModuleList()
        self.samplers = nn.ModuleList()
        self.blocks = nn.ModuleList()
        for stride in strides:
            self.activations.append(HalfSnake(num_channels))
            half = num_channels // 2
            self.samplers.append(
                nn.ConvTranspose1d(num_channels, half, 2 * stride, stride, groups=half)
            )
            num_channels = half
            branches = [
                nn.ModuleList([_residual_unit(num_channels, k, d) for d in dilations])
                for k in kernel_sizes
            ]
            self.blocks.append(nn.ModuleList(branches))
        self.outlet_activation = HalfSnake(num_channels)
        self.outlet = nn.Conv1d(num_channels, 1, LAST_KERNEL)
        self._stages = self._chain()

    def forward(self, values: Tensor) -> Tensor:
        """Decode values (B, T, num_dims) from the start to speech (B, T * samples)."""
        return self.step(values, self.init_state(values.size(0)))[0]

    def init_state(self, batch_size: int) -> tuple:
        """Return the state before the first frame."""
        return self._stages.init_state(batch_size)

    def step(self, values: Tensor, state: tuple) -> tuple[Tensor, Any]:
        """Decode the next frames (B, N, num_dims), N any number from 1."""
        speech, state = self._stages.step(values.transpose(1, 2), state)
        return speech[:, 0].float().clamp(-1.0, 1.0), state

    def _chain(self) -> Chain:
        stages: list[Stage] = [CausalConv(self.inlet)]
        for activation, sampler, branches in zip(
            self.activations, self.samplers, self.blocks
        ):
            block = Mean([Chain([_residual(u) for u in units]) for units in branches])
            stages += [Pointwise(activation), CausalTransposedConv(sampler), block]
        return Chain(
            [*stages, Pointwise(self.outlet_activation), CausalConv(self.outlet)]
        )


def _residual_unit(num_channels: int, kernel_size: int, dilation: int) -> nn.ModuleList:
    return nn.ModuleList(
        [
            HalfSnake(num_channels),
            nn.Conv1d(num_channels, num_channels, kernel_size, dilation=dilation),
            HalfSnake(num_channels),
            nn.Conv1d(num_channels, num_channels, kernel_size),
        ]
    )


def _residual(unit: nn.ModuleList) -> Sum:
    first_activation, first, second_activation, second = unit
    stages = [Pointwise(first_activation), CausalConv(first)]
    stages += [Pointwise(second_activation), CausalConv(second)]
    return Sum(Pointwise(nn.Identity()), Chain(stages))
