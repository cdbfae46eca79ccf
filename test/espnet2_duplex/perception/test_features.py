"""Streaming log-mel features."""

import numpy as np
import pytest
import torch
from streaming_contract import assert_streaming_equals_offline
from transformers.audio_utils import mel_filter_bank

from espnet2_duplex.perception.features import (
    NemoLogMel,
    WhisperLogMel,
    mel_filters,
)

KINDS = [WhisperLogMel, NemoLogMel]


def speech(num_frames, batch_size=2):
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(batch_size, 1280 * num_frames, generator=generator)


@pytest.mark.parametrize(
    "num_bins, num_fft_samples", [(80, 400), (80, 512), (128, 400)]
)
def test_filters_are_slaneys(num_bins, num_fft_samples):
    expected = mel_filter_bank(
        num_fft_samples // 2 + 1, num_bins, 0, 8000, 16000, "slaney", "slaney"
    )
    np.testing.assert_allclose(
        mel_filters(num_bins, num_fft_samples, 16000), expected, atol=1e-7
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk", [160, 1280])
def test_streaming_equals_offline(kind, chunk):
    features = kind()
    assert_streaming_equals_offline(
        features, features.step, features.init_state, speech(5), chunk=chunk, atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_frame_hears_its_own_hop_and_nothing_later(kind):
    features, signal = kind(), speech(4, batch_size=1)
    changed = signal.clone()
    changed[:, 160 * 10] += 0.5
    differs = (features(signal) != features(changed)).any(dim=2)[0]
    assert not differs[:10].any()
    assert differs[10]


def test_silence_lies_on_whispers_fixed_floor():
    features = WhisperLogMel()(torch.zeros(1, 1280))
    torch.testing.assert_close(features, torch.full((1, 8, 80), (4.0 - 6.5) / 4))


def test_loud_tone_stands_in_its_mel_bin():
    tone = 0.5 * torch.sin(2 * torch.pi * 1000 * torch.arange(1280) / 16000)
    features = WhisperLogMel()(tone[None])[0, -1]
    filters = mel_filters(80, 400, 16000)
    assert features.argmax().item() == filters[25].argmax()  # 1000 Hz is bin 25


def test_part_of_a_hop_is_refused():
    with pytest.raises(ValueError, match="multiple of 160 samples, found 1281"):
        WhisperLogMel()(torch.zeros(1, 1281))
