"""Log-mel features that can be streamed: Whisper's and NeMo's kind."""

import math

import numpy as np
import torch

WHISPER_FLOOR = -6.5  # log10 power; replaces "clip maximum - 8", unknown in a stream
NEMO_GUARD = 2.0**-24  # added before the logarithm


def mel_filters(num_bins: int, num_fft_samples: int, sample_rate: int) -> np.ndarray:
    """Slaney's triangular mel filters, each of unit area.

    Args:
        num_bins: mel bins between 0 Hz and half the sample rate.
        num_fft_samples: length of the Fourier transform.
        sample_rate: Hz.

    Returns:
        (num_fft_samples // 2 + 1, num_bins) float32.
    """
    hertz_per_mel, break_mel, log_step = 200 / 3, 15.0, math.log(6.4) / 27
    top_mel = break_mel + math.log(sample_rate / 2 / 1000) / log_step
    mels = np.linspace(0.0, top_mel, num_bins + 2)
    above = 1000 * np.exp(log_step * (mels - break_mel))
    edges = np.where(mels < break_mel, hertz_per_mel * mels, above)  # Hz
    bins = np.linspace(0, sample_rate / 2, num_fft_samples // 2 + 1)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rising, falling))
    return (weights * 2 / (edges[2:] - edges[:-2])).astype(np.float32)


class StreamingLogMel(torch.nn.Module):
    """Log-mel frames; frame ``i`` covers the samples up to ``hop * (i + 1)``.

    ``forward`` and ``step`` take whole hops and give one frame for each. Subclasses say
    how the power is compressed.
    """

    def __init__(
        self,
        num_bins: int = 80,
        num_fft_samples: int = 400,
        window: torch.Tensor | None = None,
        hop_samples: int = 160,
        sample_rate: int = 16000,
    ):
        super().__init__()
        if window is None:
            window = torch.hann_window(num_fft_samples)
        self.num_bins = num_bins
        self.num_fft_samples = num_fft_samples
        self.hop_samples = hop_samples
        self.history_samples = len(window) - hop_samples
        self.register_buffer("window", window, persistent=False)
        filters = torch.from_numpy(mel_filters(num_bins, num_fft_samples, sample_rate))
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, speech: torch.Tensor) -> torch.Tensor:
        """Features (B, S / hop, num_bins) of speech (B, S)."""
        return self.step(speech, self.init_state(speech.shape[0]))[0]

    def init_state(self, batch_size: int) -> torch.Tensor:
        """The samples before the first one: silence, (B, history)."""
        return self.window.new_zeros(batch_size, self.history_samples)

    def step(
        self, speech: torch.Tensor, state: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features (B, N, num_bins) of the next N hops (B, N * hop), and the state."""
        if speech.shape[1] % self.hop_samples:
            raise ValueError(
                f"log-mel features take a multiple of {self.hop_samples} samples, found "
                f"{speech.shape[1]}; pad the signal with zeros."
            )
        speech = torch.cat([state, speech.to(state.dtype)], dim=1)
        return self.compress(self.mel(speech)), speech[:, -self.history_samples :]

    def mel(self, speech: torch.Tensor) -> torch.Tensor:
        """Mel power (B, N, num_bins) of all whole windows in speech (B, S)."""
        frames = speech.unfold(1, len(self.window), self.hop_samples)
        spectrum = torch.fft.rfft(frames * self.window, n=self.num_fft_samples)
        power = spectrum.real.square() + spectrum.imag.square()
        return power @ self.filters

    def compress(self, mel: torch.Tensor) -> torch.Tensor:
        """Logarithm of the mel power, same shape."""
        raise NotImplementedError


class WhisperLogMel(StreamingLogMel):
    """Whisper's log-mel with a fixed floor instead of one below the clip's maximum."""

    def compress(self, mel: torch.Tensor) -> torch.Tensor:
        return whisper_scale(mel.clamp(min=10.0**WHISPER_FLOOR).log10())


def whisper_scale(log_mel: torch.Tensor) -> torch.Tensor:
    """Whisper's affine map of log10 power to about -1..1.5."""
    return (log_mel + 4.0) / 4.0


class NemoLogMel(StreamingLogMel):
    """NeMo's log-mel without normalisation: preemphasis, 25 ms window, 512-point FFT."""

    preemphasis = 0.97

    def __init__(self, num_bins: int = 80):
        window = torch.hann_window(400, periodic=False)
        super().__init__(num_bins, num_fft_samples=512, window=window)
        self.history_samples += 1  # preemphasis needs one more

    def mel(self, speech: torch.Tensor) -> torch.Tensor:
        return super().mel(speech[:, 1:] - self.preemphasis * speech[:, :-1])

    def compress(self, mel: torch.Tensor) -> torch.Tensor:
        return (mel + NEMO_GUARD).log()
