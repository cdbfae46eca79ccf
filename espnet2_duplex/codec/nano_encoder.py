"""NanoCodec's encoder: a waveform to latents, by strided convolutions."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

END_KERNEL = 7  # of the first and of the last convolution
SPEECH_LEVEL_DBFS = -25.0  # that untrained latents have unit power at


class ResidualUnit(nn.Sequential):
    """Activation, dilated convolution, activation, convolution; and a residual."""

    def __init__(
        self, num_channels: int, kernel_size: int, dilation: int, padding_mode: str
    ):
        layers = []
        for step in (dilation, 1):
            conv = nn.Conv1d(
                num_channels,
                num_channels,
                kernel_size,
                dilation=step,
                padding=step * (kernel_size - 1) // 2,
                padding_mode=padding_mode,
            )
            layers += [nn.LeakyReLU(), conv]
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C, T)."""
        return x + super().forward(x)


class NanoEncoder(nn.Module):
    """Speech (B, S) -> latents (B, T, num_dims), looking both ways.

    HiFi-GAN's generator (Kong et al., arXiv 2010.05646) the other way round: before
    every strided convolution stand residual units of all kernel sizes side by side,
    each with all dilations in turn, and their outputs are averaged. Widths double
    from stage to stage.

    Args:
        num_dims: Size of the latents.
        num_channels: Width at the waveform's rate.
        strides: One stage for each; their product is the samples of a frame.
        kernel_sizes: Of the residual units, odd.
        dilations: Of the residual units.
        padding_mode: What stands outside the signal, as in `torch.nn.Conv1d`.
    """

    def __init__(
        self,
        num_dims: int,
        num_channels: int,
        strides: Sequence[int],
        kernel_sizes: Sequence[int],
        dilations: Sequence[int],
        padding_mode: str,
    ):
        super().__init__()
        self.inlet = _end(1, num_channels, padding_mode)
        self.blocks = nn.ModuleList()
        self.samplers = nn.ModuleList()
        for stride in strides:
            branches = [
                nn.Sequential(
                    *[ResidualUnit(num_channels, k, d, padding_mode) for d in dilations]
                )
                for k in kernel_sizes
            ]
            self.blocks.append(nn.ModuleList(branches))
            sampler = nn.Conv1d(
                num_channels,
                2 * num_channels,
                2 * stride,
                stride,
                # Rounded up: T * stride samples then give T frames, odd stride or even.
                padding=(stride + 1) // 2,
                padding_mode=padding_mode,
            )
            self.samplers.append(sampler)
            num_channels *= 2
        self.activation = nn.LeakyReLU()
        self.outlet = _end(num_channels, num_dims, padding_mode)
        self._init_weights()

    def forward(self, speech: Tensor) -> Tensor:
        """Encode speech (B, S), S a whole number of frames."""
        x = self.inlet(speech[:, None])
        for branches, sampler in zip(self.blocks, self.samplers):
            x = torch.stack([branch(x) for branch in branches]).mean(0)
            x = sampler(self.activation(x))
        return self.outlet(self.activation(x)).transpose(1, 2)

    @torch.no_grad()
    def _init_weights(self) -> None:
        """Start with latents that depend on the speech and reach all FSQ levels.

        With torch's own start the power falls from stage to stage, the biases win, and
        every frame gets the same code. He et al. (arXiv 1502.01852) keep the power
        through convolution and leaky ReLU, whatever the width; the residual units
        start as identities, as in Fixup (Zhang et al., arXiv 1901.09321).
        """
        slope = self.activation.negative_slope
        for module in self.modules():
            if isinstance(module, nn.Conv1d):
                nn.init.kaiming_normal_(module.weight, slope)
                nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, ResidualUnit):
                nn.init.zeros_(module[-1].weight)
        nn.init.kaiming_normal_(self.inlet.weight, nonlinearity="linear")
        # Here rather than in the inlet: updates of the larger weights move the latents
        # relatively less, so that they do not saturate at once.
        self.outlet.weight.mul_(10.0 ** (-SPEECH_LEVEL_DBFS / 20.0))


def _end(num_inputs: int, num_outputs: int, padding_mode: str) -> nn.Conv1d:
    return nn.Conv1d(
        num_inputs,
        num_outputs,
        END_KERNEL,
        padding=END_KERNEL // 2,
        padding_mode=padding_mode,
    )
