from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.codec.istft import IstftCodec
from espnet2_duplex.codec.istft_decoder import IstftDecoder
from espnet2_duplex.codec.spectra import Spectrogram

TINY = {
    "encoder_channels": [8, 8],
    "encoder_blocks": [1, 1],
    "decoder_channels": [8, 8],
    "decoder_blocks": [1, 1],
}


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return IstftCodec(**TINY).eval()


def random_codes(num_frames, batch_size=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(4032, (batch_size, num_frames, 4), generator=generator)


def test_the_default_codec_has_the_rates_of_the_paper():
    codec = IstftCodec()
    assert codec.sample_rate == 22050
    assert codec.frame_rate == Fraction(25, 2)
    assert codec.samples_per_frame == 1764
    assert (codec.num_codebooks, codec.codebook_size) == (4, 4032)


@settings(deadline=None, max_examples=20)
@given(num_samples=st.integers(1, 8000))
def test_encode_rounds_up_to_whole_frames(codec, num_samples):
    codes = codec.encode(torch.zeros(2, num_samples))
    assert codes.shape == (2, -(-num_samples // 1764), 4)
    assert codes.dtype == torch.int64


def test_decode_gives_80_ms_per_frame(codec):
    assert codec.decode(random_codes(5, batch_size=2)).shape == (2, 5 * 1764)


def test_steps_equal_decode_over_60_seconds(codec):
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, random_codes(750, batch_size=2)
    )


def test_steps_equal_decode_where_the_voice_never_pauses():
    torch.manual_seed(1)
    codec = IstftCodec().eval()
    with torch.no_grad():
        codec.decoder.pitch_outlet.bias[1] = 9.0
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, random_codes(250)
    )


@settings(deadline=None, max_examples=10)
@given(num_frames=st.integers(1, 12), seed=st.integers(0, 1000))
def test_steps_equal_decode_for_any_codes(codec, num_frames, seed):
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, random_codes(num_frames, seed=seed)
    )


def test_decode_is_causal(codec):
    codes = random_codes(8)
    changed = codes.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 4032
    same = codec.decode(codes)[:, : 5 * 1764]
    torch.testing.assert_close(codec.decode(changed)[:, : 5 * 1764], same)


def test_the_state_does_not_grow(codec):
    def num_elements(state):
        tensors = [*state.slow, *state.fast, *state.excitation, state.tail]
        return sum(t.numel() for t in tensors)

    state = codec.init_state(1)
    before = num_elements(state)
    for frame in random_codes(5).split(1, dim=1):
        _, state = codec.step(frame, state)
    assert num_elements(state) == before
    assert state.tail.shape == (1, 756)


@pytest.mark.parametrize("code", [-1, 4032, 4036])
def test_codes_outside_the_codebook_are_refused(codec, code):
    codes = random_codes(3)
    codes[0, 1, 2] = code
    with pytest.raises(ValueError, match=f"Code {code} is outside 0..4031"):
        codec.decode(codes)
    with pytest.raises(ValueError, match="silence_codes"):
        codec.step(codes[:, 1:2], codec.init_state(1))


def test_another_number_of_codebooks_is_refused(codec):
    with pytest.raises(ValueError, match=r"\(B, T, 4\)"):
        codec.decode(torch.zeros(1, 3, 8, dtype=torch.int64))


def test_empty_speech_is_refused(codec):
    with pytest.raises(ValueError, match="S > 0"):
        codec.encode(torch.zeros(1, 0))


def test_a_frame_that_cannot_be_divided_is_refused():
    with pytest.raises(ValueError, match="multiple of 28"):
        IstftCodec(samples_per_frame=1260 + 4, sample_rate=15800)


def test_digital_silence_has_one_code_vector_everywhere(codec):
    codes = codec.encode(torch.zeros(1, 20 * 1764))[0]
    assert torch.equal(codes, codec.measure_silence_codes().expand(20, -1))


def test_codes_do_not_depend_on_the_place_of_the_speech(codec):
    speech = 0.1 * torch.randn(1, 6 * 1764)
    later = torch.nn.functional.pad(speech, (9 * 1764, 9 * 1764))
    assert torch.equal(codec.encode(later)[:, 9:15], codec.encode(speech))


def test_spectra_of_a_tone_give_the_tone_back():
    decoder = IstftDecoder(22050, 16, 252, 80, [8, 8], [1, 1])
    spectrogram = Spectrogram(22050, 1008, 252, 80, left=0)
    time = torch.arange(252 * 40) / 22050
    tone = 0.3 * torch.sin(2 * torch.pi * 440.0 * time)[None]
    padded = torch.nn.functional.pad(tone, (0, 756)).unfold(-1, 1008, 252)
    spectrum = torch.fft.rfft(padded * spectrogram.window)
    frames = torch.fft.irfft(spectrum, n=1008) * decoder.window
    rebuilt = decoder._overlap_add(frames)[:, : tone.size(1)]
    # The first three hops fade in.
    torch.testing.assert_close(rebuilt[:, 756:], tone[:, 756:], atol=1e-5, rtol=0)


def test_training_gradients_reach_every_weight():
    codec = IstftCodec(**TINY)
    output = codec(0.1 * torch.randn(1, 2 * 1764))
    assert output.speech.shape == (1, 2 * 1764)
    (output.speech.square().mean() + sum(output.aux_losses.values())).backward()
    assert all(p.grad is not None for p in codec.parameters())
