"""The small codec's encoder: log-mel spectra to latents, looking both ways."""

from collections.abc import Sequence

from torch import Tensor, nn

from espnet2_duplex.codec.convnext import ConvNextBlock
from espnet2_duplex.codec.spectra import Spectrogram, normalize_log_mel

MELS_PER_FRAME = 4  # log-mel frames in one frame of codes


class MelEncoder(nn.Module):
    """Speech (B, S) -> latents (B, T, num_dims) at the codec's frame rate."""

    def __init__(
        self,
        sample_rate: int,
        hop_size: int,
        num_mels: int,
        channels: Sequence[int],
        num_blocks: Sequence[int],
        num_dims: int,
    ):
        super().__init__()
        wide, deep = channels
        # Windows of three hops, centred on their hop, so that frames line up.
        self.spectrogram = Spectrogram(
            sample_rate, 3 * hop_size, hop_size, num_mels, left=hop_size
        )
        self.inlet = nn.Conv1d(num_mels, wide, kernel_size=3, padding=1)
        fast = [ConvNextBlock(wide, 7, causal=False) for _ in range(num_blocks[0])]
        self.fast = nn.Sequential(*fast)
        self.stack = nn.Linear(MELS_PER_FRAME * wide, deep)
        slow = [ConvNextBlock(deep, 5, causal=False) for _ in range(num_blocks[1])]
        self.slow = nn.Sequential(*slow)
        self.norm = nn.LayerNorm(deep)
        self.outlet = nn.Linear(deep, num_dims)

    def forward(self, speech: Tensor) -> Tensor:
        """Encode speech (B, S), S a whole number of frames."""
        log_mel = self.spectrogram.log_mel(self.spectrogram(speech))
        x = self.inlet(normalize_log_mel(log_mel).transpose(1, 2)).transpose(1, 2)
        x = self.fast(x)
        x = self.stack(x.unflatten(1, (-1, MELS_PER_FRAME)).flatten(2))
        return self.outlet(self.norm(self.slow(x)))
