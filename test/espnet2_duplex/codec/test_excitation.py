import pytest
import torch

from espnet2_duplex.codec.excitation import Excitation

RATE, WINDOW, HOP = 22050, 1008, 252


@pytest.fixture(scope="module")
def excitation():
    return Excitation(RATE, WINDOW, HOP).eval()


def log2(hertz, num_windows):
    return torch.full((1, num_windows), float(hertz)).double().log2()


def voiced(num_windows):
    return torch.ones(1, num_windows, dtype=torch.bool)


def test_every_harmonic_has_magnitude_one(excitation):
    hertz = RATE / WINDOW * 10  # harmonics lie on every tenth bin
    spectra, _, _ = excitation.step(log2(hertz, 3), voiced(3), excitation.init_state(1))
    magnitudes = spectra[0, 1].abs()
    assert magnitudes[10:500:10].sub(1.0).abs().max() < 0.01
    assert magnitudes[5:500:10].max() < 0.01


def test_the_phase_follows_the_pitch(excitation):
    num_windows = 12
    spectra, _, _ = excitation.step(
        log2(300.0, num_windows), voiced(num_windows), excitation.init_state(1)
    )
    frames = torch.fft.irfft(spectra[0], n=WINDOW) * torch.hann_window(WINDOW)
    rebuilt = torch.zeros(HOP * (num_windows + 3))
    for index, frame in enumerate(frames):
        rebuilt[index * HOP : index * HOP + WINDOW] += frame
    # Constant pitch: one pulse train through all windows, equal after a period.
    inside = rebuilt[WINDOW : HOP * num_windows]
    spectrum = torch.fft.rfft(inside * torch.hann_window(inside.numel())).abs()
    bin_hertz = RATE / inside.numel()
    peak = round(300.0 / bin_hertz)
    between = round(450.0 / bin_hertz)
    assert spectrum[peak] > 100 * spectrum[between]


def test_the_phase_begins_anew_where_speech_is_not_voiced(excitation):
    flags = torch.tensor([[True, True, False, True]])
    state = excitation.init_state(1)
    cycles, run = excitation._cycles(torch.full((1, 4), 87.5), flags, state)
    assert run.tolist() == [1]
    # 87.5 Hz is one cycle a hop; the first advance comes from half of that.
    torch.testing.assert_close(
        cycles[0], torch.tensor([0.5057, 0.5057, 0.0, 0.0]).double(), atol=0.01, rtol=0
    )


def test_noise_has_unit_power_in_every_bin(excitation):
    _, noise, _ = excitation.step(
        log2(100.0, 448), voiced(448), excitation.init_state(1)
    )
    power = noise[0].abs().square().mean(0)
    assert abs(float(power[2:-2].mean()) - 1.0) < 0.05


def test_any_division_into_steps_gives_the_same(excitation):
    generator = torch.Generator().manual_seed(1)
    pitch = 7.0 + torch.rand(2, 30, generator=generator).double()
    flags = torch.rand(2, 30, generator=generator) > 0.2
    whole = excitation.step(pitch, flags, excitation.init_state(2))
    state, harmonics, noise = excitation.init_state(2), [], []
    start = 0
    for size in (1, 7, 2, 20):
        stop = start + size
        h, n, state = excitation.step(pitch[:, start:stop], flags[:, start:stop], state)
        harmonics.append(h)
        noise.append(n)
        start = stop
    torch.testing.assert_close(torch.cat(harmonics, 1), whole[0], atol=2e-3, rtol=1e-4)
    assert torch.equal(torch.cat(noise, 1), whole[1])
    torch.testing.assert_close(state.cycles, whole[2].cycles)


def test_the_phase_begins_anew_after_three_seconds_of_one_vowel(excitation):
    num_windows = 600
    hertz = torch.full((1, num_windows), 97.31).double()
    state = excitation.init_state(1)
    cycles, run = excitation._cycles(hertz, voiced(num_windows), state)
    # Windows are counted from 1: the 263rd and the 526th begin anew.
    assert (cycles[0] == 0).nonzero().flatten().tolist() == [262, 525]
    assert run.tolist() == [600 - 526]


def test_decoding_always_begins_with_the_same_noise_and_training_does_not(excitation):
    assert int(excitation.init_state(1).position) == 0
    training = Excitation(RATE, WINDOW, HOP).train()
    torch.manual_seed(0)
    assert len(set(training.init_state(8).position.tolist())) > 1


def test_espnets_move_to_float32_leaves_the_noise_alone():
    moved = Excitation(RATE, WINDOW, HOP).to(dtype=torch.float32, device="cpu")
    assert torch.equal(moved.noise, Excitation(RATE, WINDOW, HOP).noise)
