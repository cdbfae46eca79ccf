import math

import pytest
import torch

from espnet2_duplex.codec.spectra import LOG_FLOOR, Spectrogram
from espnet2_duplex.codec.spectral_loss import MultiResolutionSpectralLoss


def tone(amplitude, num_samples=4410, frequency=1000.0):
    time = torch.arange(num_samples) / 22050
    return amplitude * torch.sin(2 * torch.pi * frequency * time)[None]


def test_a_tone_of_amplitude_one_has_magnitude_one():
    spectrogram = Spectrogram(22050, 1323, 441, 80, left=441)
    magnitudes = spectrogram(tone(1.0))
    assert magnitudes.shape == (1, 10, 662)
    assert magnitudes[0, 5].max() == pytest.approx(1.0, abs=0.01)


def test_silence_lies_at_the_floor():
    spectrogram = Spectrogram(22050, 1024, 256, 80, left=384)
    log_mel = spectrogram.log_mel(spectrogram(torch.zeros(1, 2048)))
    torch.testing.assert_close(log_mel, torch.full((1, 8, 80), math.log(LOG_FLOOR)))


def test_the_loss_of_equal_waveforms_is_zero():
    loss = MultiResolutionSpectralLoss(22050)
    mel_loss, magnitude_loss = loss(tone(0.2), tone(0.2))
    assert mel_loss == 0.0 and magnitude_loss == 0.0


def test_twice_the_amplitude_is_at_most_log_two_away():
    loss = MultiResolutionSpectralLoss(22050)
    noise = 0.1 * torch.randn(1, 4410)
    mel_loss, magnitude_loss = loss(2 * noise, noise)
    assert float(mel_loss) == pytest.approx(math.log(2.0), abs=1e-3)
    assert float(magnitude_loss) == pytest.approx(math.log(2.0), abs=2e-2)


def test_gradients_of_silence_are_finite():
    prediction = torch.zeros(1, 4410, requires_grad=True)
    mel_loss, magnitude_loss = MultiResolutionSpectralLoss(22050)(prediction, tone(0.1))
    (mel_loss + magnitude_loss).backward()
    assert torch.isfinite(prediction.grad).all()
