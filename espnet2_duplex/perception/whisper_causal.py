"""Whisper's encoder made causal (reference: Whisper, arXiv 2212.04356).

    speech (B, S) -> log-mel, 100 Hz -> two causal convolutions, 50 Hz -> layers with
    block-causal attention in blocks of 4 (80 ms) -> stack 4, Linear, GELU, 12.5 Hz

Positions wrap, so that a conversation may last for ever, and attention reaches a fixed
number of blocks back, so that the state has a fixed size.
"""

from dataclasses import dataclass

import torch
from torch.nn import functional

from espnet2_duplex import row_draws
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.features import WhisperLogMel
from espnet2_duplex.perception.whisper_layers import BLOCK, WhisperLayer, sinusoids

POSITION_PERIOD = 1500  # Whisper's 30 s at 50 Hz


@dataclass
class WhisperCausalState:
    """State of a batch of streams; ``step`` writes into its tensors."""

    samples: torch.Tensor  # (B, history) the log-mel's
    mel: torch.Tensor  # (B, num_bins, 2) left context of the first convolution
    conv: torch.Tensor  # (B, width, 1) left context of the second convolution
    keys: torch.Tensor  # (L, B, heads, window, width / heads) ring
    values: torch.Tensor  # as keys
    num_frames: int  # frames heard


class WhisperCausalEncoder(AbsStreamingEncoder):
    """Causal Whisper encoder; the default shape is that of tiny.en.

    Args:
        output_size: D.
        num_layers: transformer layers.
        width: channels within the encoder.
        num_heads: attention heads.
        num_mel_bins: 80 for all Whispers but large-v3.
        window_frames: frames of 80 ms that attention reaches back, itself included.
    """

    def __init__(
        self,
        output_size: int = 192,
        num_layers: int = 4,
        width: int = 384,
        num_heads: int = 6,
        num_mel_bins: int = 80,
        window_frames: int = 64,
    ):
        super().__init__()
        if width % num_heads or width % 2:
            raise ValueError(
                f"encoder width {width} is not an even multiple of {num_heads} heads; "
                "choose a width that the heads divide."
            )
        self.output_size = output_size
        self.width = width
        self.num_heads = num_heads
        self.window_frames = window_frames
        self.features = WhisperLogMel(num_bins=num_mel_bins)
        self.conv1 = torch.nn.Conv1d(num_mel_bins, width, 3)
        self.conv2 = torch.nn.Conv1d(width, width, 3, stride=2)
        self.layers = torch.nn.ModuleList(
            [WhisperLayer(width, num_heads) for _ in range(num_layers)]
        )
        self.norm = torch.nn.LayerNorm(width)
        self.proj = torch.nn.Linear(BLOCK * width, output_size)
        table = sinusoids(POSITION_PERIOD, width, wrap=True)
        self.register_buffer("positions", table, persistent=False)

    def init_from_whisper(self, weights: dict[str, torch.Tensor]) -> None:
        """Take over the weights of ``load_whisper_encoder``; ``proj`` stays as it is.

        Raises:
            ValueError: when the shapes are not those of this encoder.
        """
        own = {n: w for n, w in self.state_dict().items() if n[:5] != "proj."}
        wrong = [
            n for n, w in own.items() if getattr(weights.get(n), "shape", 0) != w.shape
        ]
        if wrong or len(own) != len(weights):
            width, num_mel_bins, _ = weights["conv1.weight"].shape
            num_layers = sum(name.endswith("qkv.weight") for name in weights)
            raise ValueError(
                f"the Whisper weights have {num_layers} layers of width {width} over "
                f"{num_mel_bins} mel bins, the encoder {len(self.layers)} of "
                f"{self.width} over {self.features.num_bins}; set encoder_conf to match."
            )
        self.load_state_dict(weights, strict=False)

    def forward(self, speech, num_samples):
        """See AbsStreamingEncoder. In training, each row starts at a random position."""
        speech, num_frames = self.whole_frames(speech, num_samples)
        return self.embed(self.hidden(speech)), num_frames

    def hidden(self, speech: torch.Tensor) -> torch.Tensor:
        """Outputs of the last layer at 50 Hz.

        Args:
            speech: (B, T * samples_per_frame).

        Returns:
            (B, 4 T, width), normalised by the last layer norm.
        """
        mel = functional.pad(self.features(speech).transpose(1, 2), (2, 0))
        x = functional.gelu(self.conv1(mel))
        x = functional.gelu(self.conv2(functional.pad(x, (1, 0)))).transpose(1, 2)
        positions = torch.arange(x.shape[1], device=x.device)
        if self.training:
            first = row_draws.integers(
                POSITION_PERIOD, (len(x), 1), x.device, "position in the encoder"
            )
            positions = positions + first
        x = x + self.positions[positions % POSITION_PERIOD]
        for layer in self.layers:
            x = layer(x, self.window_frames)
        return self.norm(x)

    def embed(self, hidden: torch.Tensor) -> torch.Tensor:
        """Embeddings (B, T, D) of the last layer's outputs (B, 4 T, width)."""
        stacked = hidden.unflatten(1, (-1, BLOCK)).flatten(2)
        return functional.gelu(self.proj(stacked))

    def init_state(self, batch_size: int) -> WhisperCausalState:
        """See AbsStreamingEncoder."""
        zeros = self.conv1.weight.new_zeros
        num_keys = BLOCK * self.window_frames
        size = (batch_size, self.num_heads, num_keys, self.width // self.num_heads)
        return WhisperCausalState(
            samples=self.features.init_state(batch_size),
            # the log-mel of silence is not zero, but forward pads with zeros
            mel=zeros(batch_size, self.conv1.in_channels, 2),
            conv=zeros(batch_size, self.width, 1),
            keys=zeros(len(self.layers), *size),
            values=zeros(len(self.layers), *size),
            num_frames=0,
        )

    def step(self, speech, state):
        """See AbsStreamingEncoder."""
        self.check_step(speech)
        mel, state.samples = self.features.step(speech, state.samples)
        mel = torch.cat([state.mel, mel.transpose(1, 2)], dim=2)
        x = functional.gelu(self.conv1(mel))
        x = torch.cat([state.conv, x], dim=2)
        state.mel, state.conv = mel[:, :, -2:], x[:, :, -1:]
        x = functional.gelu(self.conv2(x)).transpose(1, 2)  # (B, 4, width)
        first = BLOCK * state.num_frames % POSITION_PERIOD
        x = x + self.positions[first : first + BLOCK]
        for layer, keys, values in zip(self.layers, state.keys, state.values):
            x = layer.step(x, keys, values, state.num_frames)
        state.num_frames += 1
        return self.embed(self.norm(x)), state
