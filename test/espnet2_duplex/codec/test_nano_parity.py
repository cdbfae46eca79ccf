"""NanoCodec at full size against an independent implementation with the same weights.

`nanocodec-torch` is a port of NeMo's modules by others; it has NeMo's quantizer
too, margin and rounding included.
"""

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.codec.fsq import GroupFsq
from espnet2_duplex.codec.nano_checkpoint import build_from_nemo

models = pytest.importorskip("nanocodec_torch.models")

NUM_FRAMES = 4


@pytest.fixture(scope="module")
def reference():
    torch.manual_seed(0)
    model = models.AudioCodecModel().eval()
    for name, parameter in model.named_parameters():
        if name.endswith(".alpha"):
            parameter.data.uniform_(0.5, 2.0)
        elif "up_sample" in name:  # zeros at first
            parameter.data.normal_(0.0, 0.5)
        elif name.endswith("audio_encoder.post_conv.conv.weight"):
            parameter.data.mul_(100.0)  # so that many codes are in use
    return model


@pytest.fixture(scope="module")
def codec(reference):
    return build_from_nemo({}, nemo_state(reference))


def nemo_state(reference):
    """The reference's tensors under NeMo's names."""
    state = {}
    for name, tensor in reference.state_dict().items():
        if name.endswith(".alpha"):
            name = name.removesuffix("alpha") + "activation.snake_act.alpha"
        elif "up_sample_conv_layers" in name:
            stem, _, kind = name.rpartition(".")
            name = f"{stem}.conv.{kind}"
            tensor = tensor.transpose(1, 2) if kind == "weight" else tensor
        state[name] = tensor
    return state


@pytest.fixture(scope="module")
def speech():
    torch.manual_seed(1)
    return 0.3 * torch.randn(1, NUM_FRAMES * 1764)


@pytest.fixture(scope="module")
def codes(reference, speech):
    return reference.encode(speech)[0].transpose(1, 2)


def test_same_weights_give_the_same_codes(codec, speech, codes):
    assert codes.flatten().unique().numel() > NUM_FRAMES
    assert torch.equal(codec.encode(speech), codes.long())


def test_same_codes_give_the_same_waveform(reference, codec, codes):
    with torch.inference_mode():
        expected = reference.decode(codes.transpose(1, 2))[0][:, 0]
        found = codec.decode(codes)
    assert expected.std() > 1e-3
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_full_size_streams(codec, codes):
    assert_streaming_equals_offline(codec.decode, codec.step, codec.init_state, codes)


def test_quantizer_gives_nemos_codes_for_any_input(reference):
    latents = 3.0 * torch.randn(1, 16, 20000)
    expected = reference.vector_quantizer.encode(latents)
    values, codes = GroupFsq()(latents.transpose(1, 2))
    assert torch.equal(codes, expected.transpose(1, 2).long())
    dequantized = reference.vector_quantizer.decode(expected)
    assert torch.equal(values, dequantized.transpose(1, 2))
