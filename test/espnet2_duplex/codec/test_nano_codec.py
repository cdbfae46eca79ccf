import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.codec.nano_codec import NanoCodec

TINY = {"encoder_channels": 2, "decoder_channels": 64, "kernel_sizes": [3, 5]}


@pytest.fixture
def codec():
    return NanoCodec(**TINY).eval()


def random_codes(num_frames, batch_size=1):
    return torch.randint(0, 4032, (batch_size, num_frames, 4))


@pytest.fixture(scope="module")
def full_size():
    with torch.device("meta"):
        return NanoCodec()


def test_default_size_is_that_of_the_public_checkpoint(full_size):
    num_encoder = sum(p.numel() for p in full_size.encoder.parameters())
    num_decoder = sum(p.numel() for p in full_size.decoder.parameters())
    assert (num_encoder, num_decoder) == (30_263_920, 31_465_805)
    assert (full_size.sample_rate, full_size.samples_per_frame) == (22050, 1764)
    assert (full_size.num_codebooks, full_size.codebook_size) == (4, 4032)


@pytest.mark.parametrize(
    "name, shape",
    [
        ("encoder.inlet.weight", (24, 1, 7)),
        ("encoder.samplers.4.weight", (768, 384, 14)),
        ("encoder.outlet.weight", (16, 768, 7)),
        ("decoder.inlet.weight", (864, 16, 7)),
        ("decoder.samplers.0.weight", (864, 1, 14)),
        ("decoder.blocks.0.2.1.3.weight", (432, 432, 11)),
        ("decoder.outlet_activation.alpha", (1, 13, 1)),
        ("decoder.outlet.weight", (1, 27, 3)),
    ],
)
def test_default_tensors_have_nvidias_shapes(full_size, name, shape):
    assert full_size.state_dict()[name].shape == shape


def test_eight_codebooks_are_twice_the_bit_rate():
    codec = NanoCodec(num_codebooks=8, **TINY)
    assert codec.encode(torch.zeros(1, 1764)).shape == (1, 1, 8)
    assert codec.quantizer.num_dims == 32


def test_speech_is_padded_to_whole_frames(codec):
    codes = codec.encode(torch.randn(2, 3 * 1764 + 1))
    assert codes.shape == (2, 4, 4) and codes.dtype == torch.int64
    assert codec.decode(codes).shape == (2, 4 * 1764)


def test_step_equals_decode(codec):
    codes = random_codes(6, batch_size=2)
    assert_streaming_equals_offline(codec.decode, codec.step, codec.init_state, codes)


def test_decoding_does_not_look_ahead(codec):
    codes = random_codes(5)
    changed = codes.clone()
    changed[:, 3:] = random_codes(2)
    unchanged = codec.decode(codes)[:, : 3 * 1764]
    torch.testing.assert_close(
        codec.decode(changed)[:, : 3 * 1764], unchanged, atol=1e-6, rtol=0
    )


def test_state_does_not_grow(codec):
    state = codec.init_state(1)
    size_before = sizes(state)
    for _ in range(3):
        _, state = codec.step(random_codes(1), state)
    assert sizes(state) == size_before


def sizes(state):
    if isinstance(state, torch.Tensor):
        return state.shape
    return [sizes(part) for part in state]


def test_untrained_latents_reach_the_levels_and_depend_on_the_speech():
    torch.manual_seed(0)
    encoder = NanoCodec(**TINY | {"encoder_channels": 12}).encoder
    speech = 10.0 ** (-25.0 / 20.0) * torch.randn(2, 32 * 1764)
    with torch.inference_mode():
        latents = encoder(speech).flatten(0, 1)
    assert 0.3 < latents.std() < 3.0
    assert latents.std(0).mean() > 0.1


def test_an_untrained_codec_uses_many_codes():
    torch.manual_seed(0)
    codec = NanoCodec(**TINY | {"encoder_channels": 12})
    loudness = torch.linspace(-45.0, -20.0, 32).repeat_interleave(1764)
    codes = codec.encode(10.0 ** (loudness / 20.0) * torch.randn(2, 32 * 1764))
    for column in codes.flatten(0, 1).unbind(1):
        assert column.unique().numel() >= 16  # of 64 frames


def test_special_ids_are_refused(codec):
    with pytest.raises(ValueError, match="Code 4032 is outside 0..4031"):
        codec.step(torch.full((1, 1, 4), 4032), codec.init_state(1))


def test_bfloat16_autocast_gives_finite_gradients(codec):
    codec.train()
    speech = 0.1 * torch.randn(1, 2 * 1764)
    with torch.autocast("cpu", torch.bfloat16):
        output = codec(speech)
    assert output.speech.dtype == torch.float32
    (output.speech - speech).square().mean().backward()
    for name, parameter in codec.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(
    "conf, message",
    [
        ({"decoder_channels": 48}, "cannot be halved 5 times; choose a multiple of 32"),
        ({"kernel_sizes": [4]}, "Kernel size 4 is even"),
        ({"strides": [2, 3, 5]}, None),
    ],
)
def test_shapes_that_cannot_be_built_are_refused(conf, message):
    if message is None:  # 30 samples: any whole hop will do
        assert NanoCodec(**TINY | conf).samples_per_frame == 30
        return
    with pytest.raises(ValueError, match=message):
        NanoCodec(**TINY | conf)
