"""A discriminator cheap enough for a CPU: convolutions over log spectra."""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from espnet2_duplex.codec.spectra import Magnitudes

_SLOPE = 0.1  # of leaky ReLUs
_MAGNITUDE_FLOOR = 1e-4  # -80 dB per bin; the rest cannot be heard


class SpectrumDiscriminator(nn.Module):
    """Judge speech by its log-magnitude spectra at several resolutions.

    The multi-resolution discriminator of UnivNet (Jang et al., arXiv 2106.07889) on
    logarithms, and with every layer halving the number of bins: a third of the
    arithmetic of discriminators that begin at full resolution.

    Args:
        window_sizes: Windows in samples, one resolution each; hops are a quarter.
        num_channels: Channels of every layer.
        num_layers: Layers before the one that makes the logits.
    """

    def __init__(
        self,
        window_sizes: Sequence[int] = (512, 1024, 2048),
        num_channels: int = 16,
        num_layers: int = 4,
    ):
        super().__init__()
        scales = [_Scale(size, num_channels, num_layers) for size in window_sizes]
        self.scales = nn.ModuleList(scales)

    def forward(self, speech: Tensor) -> list[list[Tensor]]:
        """Map speech (B, 1, S) to feature maps and, last, logits of every scale."""
        return [scale(speech[:, 0]) for scale in self.scales]


class _Scale(nn.Module):
    def __init__(self, window_size: int, num_channels: int, num_layers: int):
        super().__init__()
        self.magnitudes = Magnitudes(window_size, window_size // 4, left=0)
        layers = []
        for index in range(num_layers):
            in_channels = num_channels if index else 1
            conv = nn.Conv2d(in_channels, num_channels, (3, 9), (1, 2), padding=(1, 4))
            layers.append(weight_norm(conv))
        self.layers = nn.ModuleList(layers)
        self.outlet = weight_norm(nn.Conv2d(num_channels, 1, (3, 3), padding=1))

    def forward(self, speech: Tensor) -> list[Tensor]:
        magnitude = self.magnitudes(speech).clamp_min(_MAGNITUDE_FLOOR)
        x = 0.3 * magnitude.log()[:, None] + 2.0  # about unit scale
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
            features.append(x)
        return [*features, self.outlet(x)]
