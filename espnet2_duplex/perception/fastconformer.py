"""Cache-aware streaming FastConformer (arXiv 2305.05084, 2312.17279).

Wraps transformers' NemotronAsrStreamingEncoder, which computes what NVIDIA's streaming
models compute. Its output ``n`` covers log-mel frames up to ``8 n``; one silent frame is
put before the first and output 0 dropped, so that ours ends with the user's frame.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch.nn import functional

from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.features import NemoLogMel

MELS_PER_FRAME = 8
CONV_NORMS = ("layer_norm", "affine")
LOG_MEL_MEAN, LOG_MEL_STD = -11.0, 3.0  # of speech with its silences, nepers of power


@dataclass
class FastConformerState:
    """State of a batch of streams; ``step`` changes it in place."""

    samples: torch.Tensor  # (B, history) the log-mel's
    mel: torch.Tensor  # (B, N, num_bins) waiting for their chunk to be full
    attention: Any  # transformers' cache, bounded by the attention context
    convolution: Any  # transformers' cache
    is_first_chunk: bool = True
    ready: list[torch.Tensor] = field(default_factory=list)  # outputs (B, 1, D) to come


class ChannelAffine(torch.nn.Module):
    """Scale and shift per channel, (..., C) -> (..., C); the identity at first."""

    def __init__(self, num_channels: int):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(num_channels))
        self.bias = torch.nn.Parameter(torch.zeros(num_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight + self.bias


class FastConformerEncoder(AbsStreamingEncoder):
    """FastConformer encoder; the default shape is the paper's (about 100 M, Sec. 5.1).

    Args:
        output_size: D, the width of the layers.
        num_layers: conformer layers.
        num_heads: attention heads.
        ffn_size: width within the feed-forward modules; None is 4 * output_size.
        conv_kernel_size: of the causal convolutions.
        subsampling_channels: of the convolutions that go from 100 to 12.5 Hz.
        num_mel_bins: log-mel bins.
        left_context_frames: frames before its chunk that a frame attends to.
        num_lookahead_tokens: frames of look-ahead, 0 or more; chunks have one more.
            1 is the paper's 80 ms of right context.
        dropout: everywhere but on positions.
        bias: whether linear layers and convolutions of the layers have one.
        scale_input: whether the layers' input is multiplied by sqrt(output_size).
        conv_norm: behind the convolutions: layer_norm, or affine, a scale and a shift
            per channel, which is what a trained batch norm comes to.
        gradient_checkpointing: whether the layers' activations are computed again in
            the backward pass instead of being kept.

    Raises:
        ValueError: look-ahead and left context do not fit, or conv_norm is unknown.
    """

    def __init__(
        self,
        output_size: int = 512,
        num_layers: int = 17,
        num_heads: int = 8,
        ffn_size: int | None = None,
        conv_kernel_size: int = 9,
        subsampling_channels: int = 256,
        num_mel_bins: int = 80,
        left_context_frames: int = 70,
        num_lookahead_tokens: int = 1,
        dropout: float = 0.1,
        bias: bool = True,
        scale_input: bool = True,
        conv_norm: str = "layer_norm",
        gradient_checkpointing: bool = False,
    ):
        super().__init__()
        if num_lookahead_tokens < 0 or left_context_frames % (num_lookahead_tokens + 1):
            raise ValueError(
                f"left_context_frames {left_context_frames} is not a multiple of the "
                f"chunk of num_lookahead_tokens + 1 = {num_lookahead_tokens + 1} frames; "
                "choose one that is."
            )
        if conv_norm not in CONV_NORMS:
            raise ValueError(
                f"unknown conv_norm {conv_norm!r}; choose one of {', '.join(CONV_NORMS)}."
            )
        from transformers import (
            NemotronAsrStreamingEncoder,
            NemotronAsrStreamingEncoderConfig,
        )

        self.output_size = output_size
        self.latency_frames = num_lookahead_tokens
        self.features = NemoLogMel(num_bins=num_mel_bins)
        config = NemotronAsrStreamingEncoderConfig(
            hidden_size=output_size,
            num_hidden_layers=num_layers,
            num_attention_heads=num_heads,
            intermediate_size=ffn_size or 4 * output_size,
            conv_kernel_size=conv_kernel_size,
            subsampling_conv_channels=subsampling_channels,
            num_mel_bins=num_mel_bins,
            sliding_window=left_context_frames + 1,
            default_num_lookahead_tokens=num_lookahead_tokens,
            dropout=dropout,
            activation_dropout=dropout,
            attention_dropout=dropout,
            layerdrop=0.0,
            attention_bias=bias,
            convolution_bias=bias,
            scale_input=scale_input,
            max_position_embeddings=1_000_000,  # positions are relative and computed
        )
        self.conformer = NemotronAsrStreamingEncoder(config)
        if conv_norm == "affine":
            for layer in self.conformer.layers:
                layer.conv.norm = ChannelAffine(output_size)
        initialise(self.conformer)
        if gradient_checkpointing:
            self.conformer.gradient_checkpointing_enable({"use_reentrant": False})

    def forward(self, speech, num_samples):
        """See AbsStreamingEncoder."""
        speech, num_frames = self.whole_frames(speech, num_samples)
        speech = functional.pad(speech, (self.features.hop_samples, 0))
        outputs = self._conform(self.features(speech))[:, 1:]
        shifted = functional.pad(outputs, (0, 0, self.latency_frames, 0))
        return shifted[:, : outputs.shape[1]], num_frames

    def init_state(self, batch_size: int) -> FastConformerState:
        """See AbsStreamingEncoder."""
        from transformers import DynamicCache
        from transformers.models.nemotron_asr_streaming import (
            modeling_nemotron_asr_streaming as modeling,
        )

        silence = self.features.window.new_zeros(batch_size, self.features.hop_samples)
        mel, samples = self.features.step(silence, self.features.init_state(batch_size))
        zeros = mel.new_zeros(batch_size, 1, self.output_size)
        return FastConformerState(
            samples=samples,
            mel=mel,
            attention=DynamicCache(config=self.conformer.config),
            convolution=modeling.NemotronAsrStreamingEncoderCausalConvPaddingCache(),
            ready=[zeros] * self.latency_frames,
        )

    def step(self, speech, state):
        """See AbsStreamingEncoder."""
        self.check_step(speech)
        mel, state.samples = self.features.step(speech, state.samples)
        state.mel = torch.cat([state.mel, mel], dim=1)
        while state.mel.shape[1] >= self._chunk_mels(state):
            state.ready.extend(self._next_chunk(state))
        return state.ready.pop(0), state

    def _chunk_mels(self, state: FastConformerState) -> int:
        """Log-mel frames of the next chunk; the first frame stands for a whole one."""
        lookahead = MELS_PER_FRAME * self.latency_frames
        return lookahead + (1 if state.is_first_chunk else MELS_PER_FRAME)

    def _next_chunk(self, state: FastConformerState) -> list[torch.Tensor]:
        """Outputs (B, 1, D) of the next chunk."""
        size = self._chunk_mels(state)
        outputs = self._conform(
            state.mel[:, :size],
            past_key_values=state.attention,
            padding_cache=state.convolution,
            use_cache=True,
        )
        num_dropped = 1 if state.is_first_chunk else 0
        state.mel, state.is_first_chunk = state.mel[:, size:], False
        return [outputs[:, n : n + 1] for n in range(num_dropped, outputs.shape[1])]

    def _conform(self, mel: torch.Tensor, **caches) -> torch.Tensor:
        """Outputs (B, T, D) of the layers for log-mel (B, N, num_bins)."""
        return self.conformer(
            mel, num_lookahead_tokens=self.latency_frames, **caches
        ).last_hidden_state


def initialise(conformer: torch.nn.Module) -> None:
    """Weights with which training from scratch can begin.

    transformers' N(0, 0.02) lets the signal vanish in the subsampling, where it then
    turns gradients into inf; here linear layers and convolutions have PyTorch's own, and
    those of the subsampling Kaiming's, which keeps the size of a signal through ReLUs.
    The first one standardises the log-mel, whose mean would otherwise drown all else.
    """
    for module in conformer.modules():
        if isinstance(module, (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d)):
            module.reset_parameters()
    for module in conformer.subsampling.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            torch.nn.init.zeros_(module.bias)
    first = conformer.subsampling.conv_in
    with torch.no_grad():
        first.weight /= LOG_MEL_STD
        first.bias -= LOG_MEL_MEAN * first.weight.sum(dim=(1, 2, 3))
