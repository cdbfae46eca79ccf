"""Whisper's own bidirectional encoder, as the teacher of the causal one."""

import torch
from torch.nn import functional

from espnet2_duplex.perception.features import StreamingLogMel, whisper_scale
from espnet2_duplex.perception.whisper_layers import WhisperLayer, sinusoids

MAX_POSITIONS = 1500  # 30 s


class WhisperTeacher(torch.nn.Module):
    """Whisper's encoder as published, except that inputs are not padded to 30 s.

    Args:
        weights: what ``load_whisper_encoder`` returns.
        num_heads: attention heads; Whisper has width / 64.
    """

    def __init__(self, weights: dict[str, torch.Tensor], num_heads: int | None = None):
        super().__init__()
        width, num_mel_bins, _ = weights["conv1.weight"].shape
        num_layers = sum(name.endswith("qkv.weight") for name in weights)
        self.features = StreamingLogMel(num_bins=num_mel_bins)
        self.conv1 = torch.nn.Conv1d(num_mel_bins, width, 3, padding=1)
        self.conv2 = torch.nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.layers = torch.nn.ModuleList(
            [WhisperLayer(width, num_heads or width // 64) for _ in range(num_layers)]
        )
        self.norm = torch.nn.LayerNorm(width)
        table = sinusoids(MAX_POSITIONS, width, wrap=False)
        self.register_buffer("positions", table, persistent=False)
        self.load_state_dict(weights)
        self.requires_grad_(False).eval()

    def forward(self, speech: torch.Tensor) -> torch.Tensor:
        """Frames (B, S / 320, width) of speech (B, S), S a multiple of 320."""
        mel = self.log_mel(speech)
        x = functional.gelu(self.conv1(mel.transpose(1, 2)))
        x = functional.gelu(self.conv2(x)).transpose(1, 2)
        x = x + self.positions[: x.shape[1]]
        for layer in self.layers:
            x = layer(x, None)
        return self.norm(x)

    def log_mel(self, speech: torch.Tensor) -> torch.Tensor:
        """Whisper's features (B, S / 160, num_bins): centred, floor 8 below the top."""
        hop, window = self.features.hop_samples, self.features.num_fft_samples
        padded = functional.pad(speech, (window // 2, window // 2), mode="reflect")
        power = self.features.mel(padded)[:, : speech.shape[1] // hop]
        log_mel = power.clamp(min=1e-10).log10()
        top = log_mel.amax(dim=(1, 2), keepdim=True)
        return whisper_scale(torch.maximum(log_mel, top - 8.0))
