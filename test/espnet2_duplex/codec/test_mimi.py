import copy
import re
from fractions import Fraction

import pytest
import torch
import yaml
from streaming_contract import assert_streaming_equals_offline
from transformers import MimiConfig, MimiModel

from espnet2_duplex.codec.mimi import MimiCodec, import_mimi

# 16 samples a frame at 200 Hz; the window is 6 hidden frames, 3 frames of codes.
TINY = {
    "sampling_rate": 200,
    "upsampling_ratios": [4, 2],
    "num_filters": 4,
    "num_residual_layers": 2,
    "hidden_size": 16,
    "upsample_groups": 16,
    "codebook_size": 32,
    "codebook_dim": 8,
    "vector_quantization_hidden_dimension": 8,
    "num_quantizers": 6,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 24,
    "sliding_window": 6,
    "layer_scale_initial_scale": 0.5,
}
NUM_CODEBOOKS = 4


def with_random_weights(module, seed=0):
    """Nothing at the values that it starts with: codebooks start as zeros."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not name.endswith("cluster_usage"):
            tensor += 0.1 * torch.randn(tensor.shape, generator=generator)
    return module.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return with_random_weights(MimiCodec(TINY, NUM_CODEBOOKS))


@pytest.fixture(scope="module")
def pretrained_folder(tmp_path_factory):
    """All six codebooks of a model, as the hub has them."""
    folder = tmp_path_factory.mktemp("mimi")
    torch.manual_seed(1)
    with_random_weights(MimiModel(MimiConfig(**TINY))).save_pretrained(folder)
    return folder


def random_codes(num_frames, batch_size=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(
        32, (batch_size, num_frames, NUM_CODEBOOKS), generator=generator
    )


def test_the_default_is_moshis_codec():
    with torch.device("meta"):
        codec = MimiCodec()
    assert codec.sample_rate == 24000
    assert codec.frame_rate == Fraction(25, 2)
    assert codec.samples_per_frame == 1920
    assert (codec.num_codebooks, codec.codebook_size) == (8, 2048)


def test_decode_equals_the_models_own(codec):
    codes = random_codes(20, batch_size=2)
    expected = codec.model.decode(codes.transpose(1, 2)).audio_values
    assert torch.equal(codec.decode(codes), expected[:, 0])


def test_steps_equal_decode_far_beyond_the_window(codec):
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, random_codes(60, batch_size=2)
    )


@pytest.mark.parametrize("chunk", [2, 5])
def test_steps_of_several_frames_equal_decode(codec, chunk):
    codes = random_codes(23)
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, codes, chunk=chunk
    )


def test_decode_is_causal(codec):
    codes = random_codes(12)
    changed = codes.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % 32
    same = codec.decode(codes)[:, : 7 * 16]
    torch.testing.assert_close(codec.decode(changed)[:, : 7 * 16], same)


def tensors_of(state):
    if isinstance(state, torch.Tensor):
        return [state]
    if isinstance(state, tuple):
        return [tensor for part in state for tensor in tensors_of(part)]
    return []


def test_the_state_does_not_grow(codec):
    state = codec.init_state(2)
    before = [tensor.shape for tensor in tensors_of(state)]
    for frame in random_codes(9, batch_size=2).split(1, dim=1):
        _, state = codec.step(frame, state)
    assert [tensor.shape for tensor in tensors_of(state)] == before
    assert state.transformer.position == 18


def test_a_day_of_decoding_does_not_wear_the_positions_out(codec):
    codes = random_codes(60)
    state = codec.init_state(1)
    one_day = 24 * 3600 * 25
    state = state._replace(transformer=state.transformer._replace(position=one_day))
    pieces = []
    for frame in codes.split(1, dim=1):
        speech, state = codec.step(frame, state)
        pieces.append(speech)
    # By then the window has forgotten that the day before was empty.
    streamed, expected = torch.cat(pieces, dim=1), codec.decode(codes)
    last = slice(40 * 16, None)
    torch.testing.assert_close(streamed[:, last], expected[:, last], atol=1e-4, rtol=0)


@pytest.mark.parametrize("num_samples", [1, 15, 16, 17, 160])
def test_encode_rounds_up_to_whole_frames(codec, num_samples):
    codes = codec.encode(torch.randn(2, num_samples))
    assert codes.shape == (2, -(-num_samples // 16), NUM_CODEBOOKS)
    assert codes.dtype == torch.int64
    assert 0 <= codes.min() and codes.max() < 32


@pytest.mark.parametrize("code", [-1, 32])
def test_codes_outside_the_codebook_are_refused(codec, code):
    codes = random_codes(3)
    codes[0, 1, 2] = code
    with pytest.raises(ValueError, match=f"Code {code} is outside 0..31"):
        codec.decode(codes)
    with pytest.raises(ValueError, match="silence_codes"):
        codec.step(codes[:, 1:2], codec.init_state(1))


def test_empty_speech_is_refused(codec):
    with pytest.raises(ValueError, match="S > 0"):
        codec.encode(torch.zeros(1, 0))


def test_new_weights_replace_the_tables_made_of_the_old_ones(codec):
    other = copy.deepcopy(codec)
    codes = random_codes(4)
    before = other.decode(codes)
    new_weights = with_random_weights(MimiCodec(TINY, NUM_CODEBOOKS), seed=5)
    other.load_state_dict(new_weights.state_dict())
    assert not torch.equal(other.decode(codes), before)
    assert torch.equal(other.decode(codes), new_weights.decode(codes))


def test_the_import_keeps_the_first_codebooks(pretrained_folder):
    conf, codec = import_mimi(str(pretrained_folder), NUM_CODEBOOKS)
    whole = MimiModel.from_pretrained(pretrained_folder).eval()
    speech = torch.randn(1, 160)
    codes = whole.encode(speech[:, None], num_quantizers=NUM_CODEBOOKS).audio_codes
    assert torch.equal(codec.encode(speech), codes.transpose(1, 2))
    assert torch.equal(codec.decode(codec.encode(speech)), whole.decode(codes)[0][:, 0])


def test_the_import_measures_silence_and_can_be_built_again(pretrained_folder):
    conf, codec = import_mimi(str(pretrained_folder), NUM_CODEBOOKS)
    assert torch.equal(codec.silence_codes, codec.measure_silence_codes())
    assert codec.silence_codes.any()
    again = MimiCodec(**yaml.safe_load(yaml.safe_dump(conf)))
    again.load_state_dict(codec.state_dict())
    codes = random_codes(5)
    assert torch.equal(again.eval().decode(codes), codec.decode(codes))


def test_a_model_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="neither a folder with a Mimi model"):
        import_mimi(str(tmp_path / "nothing"))


@pytest.mark.parametrize(
    "changes, num_codebooks, sentence",
    [
        ({}, 7, "7 codebooks were asked of a Mimi model with 6"),
        ({}, 1, "choose more than 1"),
        ({"use_causal_conv": False}, 4, "not a causal mono one"),
        ({"pad_mode": "reflect"}, 4, "not a causal mono one"),
        ({"audio_channels": 2}, 4, "not a causal mono one"),
        ({"sampling_rate": 400}, 4, "mimi has 25 frames per second (400 Hz / 16"),
    ],
)
def test_models_that_cannot_speak_here_are_refused(changes, num_codebooks, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        MimiCodec({**TINY, **changes}, num_codebooks)


def test_scaled_positions_are_refused():
    rope = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    with pytest.raises(ValueError, match="rotary positions are of type 'dynamic'"):
        MimiCodec({**TINY, "rope_parameters": rope}, NUM_CODEBOOKS)


def test_training_is_not_offered(codec):
    with pytest.raises(NotImplementedError, match="MimiCodec cannot be trained here"):
        codec(torch.zeros(1, 160))
