"""The interface of every streaming speech encoder."""

from abc import ABC, abstractmethod
from fractions import Fraction
from typing import Any

import torch


class AbsStreamingEncoder(torch.nn.Module, ABC):
    """Turns the user's speech into one embedding per 80 ms frame, causally.

    Output ``t`` has heard exactly user frames ``0..t``. An encoder that looks ahead by
    ``latency_frames`` frames shifts its outputs by as many (the first ones are zero),
    so that everything behind it is strictly causal. ``step`` gives the same outputs as
    ``forward``, one frame at a time, from a state of fixed size.
    """

    sample_rate: int = 16000  # Hz
    frame_rate: Fraction = Fraction(25, 2)  # Hz
    latency_frames: int = 0  # look-ahead
    output_size: int

    @property
    def samples_per_frame(self) -> int:
        """Samples of one frame: 1280 at 16 kHz."""
        return int(self.sample_rate / self.frame_rate)

    @abstractmethod
    def forward(
        self, speech: torch.Tensor, num_samples: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Encode whole utterances.

        Args:
            speech: (B, S) at ``sample_rate``; what lies past ``num_samples`` is ignored.
            num_samples: (B,) int64.

        Returns:
            embeds (B, T, D) with T = ceil(S / samples_per_frame), and num_frames (B,).
        """

    @abstractmethod
    def init_state(self, batch_size: int) -> Any:
        """State before the first frame."""

    @abstractmethod
    def step(self, speech: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """Encode the next frame; the given state is used up.

        Args:
            speech: (B, samples_per_frame).
            state: what ``init_state`` or the last ``step`` returned.

        Returns:
            embeds (B, 1, D) and the next state.

        Raises:
            ValueError: when the number of samples is not that of one frame.
        """

    def whole_frames(
        self, speech: torch.Tensor, num_samples: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Silence past each utterance's end, up to a whole number of frames.

        Args:
            speech: (B, S).
            num_samples: (B,) int64.

        Returns:
            speech (B, T * samples_per_frame) and num_frames (B,), each rounded up.
        """
        hop = self.samples_per_frame
        positions = torch.arange(speech.shape[1], device=speech.device)
        num_samples = num_samples.to(speech.device)
        speech = speech.masked_fill(positions >= num_samples[:, None], 0.0)
        speech = torch.nn.functional.pad(speech, (0, -speech.shape[1] % hop))
        return speech, torch.div(num_samples + hop - 1, hop, rounding_mode="floor")

    def check_step(self, speech: torch.Tensor) -> None:
        """Raise ValueError unless ``speech`` is (B, samples_per_frame)."""
        expected = self.samples_per_frame
        if speech.dim() != 2 or speech.shape[1] != expected:
            raise ValueError(
                f"a step takes speech of shape (batch, {expected}), found "
                f"{tuple(speech.shape)}; cut the signal into frames of {expected} "
                "samples and pad the last one with zeros."
            )
