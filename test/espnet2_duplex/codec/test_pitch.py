import pytest
import torch

from espnet2_duplex.codec.pitch import PitchTracker


@pytest.fixture(scope="module")
def tracker():
    return PitchTracker(22050, window_size=1008, hop_size=252)


def harmonics(hertz, num_samples=8000):
    """Ten harmonics, the first the weakest: what a small loudspeaker leaves."""
    time = torch.arange(num_samples) / 22050
    parts = [k * torch.sin(2 * torch.pi * k * hertz * time) for k in range(1, 11)]
    return 0.01 * torch.stack(parts).sum(0)[None]


@pytest.mark.parametrize("hertz", [80.0, 123.4, 213.3, 440.0])
def test_the_pitch_of_harmonics_is_found_to_half_a_percent(tracker, hertz):
    pitch = tracker(harmonics(hertz))
    inside = slice(0, -4)  # the last windows reach behind the end
    assert pitch.voiced[:, inside].all()
    found = pitch.log2_f0[:, inside].exp2()
    torch.testing.assert_close(found, torch.full_like(found, hertz), rtol=5e-3, atol=0)


def test_there_is_one_frame_per_hop(tracker):
    assert tracker(torch.zeros(3, 1764)).log2_f0.shape == (3, 7)


def test_noise_and_silence_are_not_voiced(tracker):
    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(1, 22050, generator=generator)
    assert tracker(noise).voiced.float().mean() < 0.05
    assert not tracker(torch.zeros(1, 5000)).voiced.any()


def test_the_level_does_not_matter_above_the_quiet(tracker):
    speech = harmonics(200.0)
    loud, soft = tracker(speech), tracker(0.05 * speech)
    torch.testing.assert_close(loud.log2_f0, soft.log2_f0, atol=1e-3, rtol=0)
    assert torch.equal(loud.voiced, soft.voiced)
    assert not tracker(1e-4 * speech).voiced.any()
