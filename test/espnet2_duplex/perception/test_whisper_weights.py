"""Reading Whisper's weights."""

import struct

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperModel

from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher
from espnet2_duplex.perception.whisper_weights import (
    load_whisper_encoder,
    read_ctranslate2,
)

WIDTH = 8


def packed_string(text):
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def packed_file(variables):
    """A CTranslate2 file, from its description rather than from our reader."""
    data = struct.pack("<I", 6) + packed_string("WhisperSpec")
    data += struct.pack("<II", 3, len(variables))
    for name, value in variables.items():
        type_id = {"float32": 0, "int16": 2, "float16": 4}[value.dtype.name]
        data += packed_string(name) + struct.pack("<B", value.ndim)
        data += struct.pack(f"<{value.ndim}I", *value.shape)
        data += struct.pack("<BI", type_id, value.nbytes) + value.tobytes()
    return data + struct.pack("<I", 0)


def whisper_variables(num_layers=2):
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float16)

    d = WIDTH
    shapes = {"conv1/weight": (d, 80, 3), "conv1/bias": (d,)}
    shapes |= {"conv2/weight": (d, d, 3), "conv2/bias": (d,)}
    shapes |= {"layer_norm/gamma": (d,), "layer_norm/beta": (d,)}
    for layer in range(num_layers):
        for part, size in [
            ("self_attention/linear_0", (3 * d, d)),
            ("self_attention/linear_1", (d, d)),
            ("ffn/linear_0", (4 * d, d)),
            ("ffn/linear_1", (d, 4 * d)),
        ]:
            shapes[f"layer_{layer}/{part}/weight"] = size
            shapes[f"layer_{layer}/{part}/bias"] = size[:1]
        for part in ("self_attention", "ffn"):
            shapes[f"layer_{layer}/{part}/layer_norm/gamma"] = (d,)
            shapes[f"layer_{layer}/{part}/layer_norm/beta"] = (d,)
    variables = {f"encoder/{name}": draw(*shape) for name, shape in shapes.items()}
    return {**variables, "encoder/num_heads": np.array(2, dtype=np.int16)}


def encoder(**options):
    sizes = dict(output_size=4, num_layers=2, width=WIDTH, num_heads=2)
    return WhisperCausalEncoder(**{**sizes, **options})


def test_all_variables_are_read_with_names_types_and_shapes(tmp_path):
    variables = whisper_variables()
    file = tmp_path / "model.bin"
    file.write_bytes(packed_file(variables))
    read = read_ctranslate2(file)
    assert list(read) == list(variables)
    for name, value in variables.items():
        assert read[name].dtype == value.dtype
        np.testing.assert_array_equal(read[name], value)


def test_folder_with_a_model_bin_fills_the_causal_encoder(tmp_path):
    variables = whisper_variables()
    (tmp_path / "model.bin").write_bytes(packed_file(variables))
    causal = encoder()
    causal.init_from_whisper(load_whisper_encoder(str(tmp_path)))
    np.testing.assert_array_equal(
        causal.layers[1].ffn_out.weight.detach().numpy(),
        variables["encoder/layer_1/ffn/linear_1/weight"].astype(np.float32),
    )


@pytest.mark.parametrize("num_kept", [3, 40, -10])
def test_truncated_file_is_named(tmp_path, num_kept):
    file = tmp_path / "model.bin"
    file.write_bytes(packed_file(whisper_variables())[:num_kept])
    with pytest.raises(ValueError, match="model.bin ends at byte .* is truncated"):
        read_ctranslate2(file)


def test_other_binary_version_is_refused(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(struct.pack("<I", 5))
    with pytest.raises(ValueError, match="version 6 expected, found 5"):
        read_ctranslate2(file)


def test_model_without_an_encoder_is_refused(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(packed_file({"x": np.zeros(1, dtype=np.float32)}))
    with pytest.raises(ValueError, match="encoder/conv1/weight expected, found none"):
        load_whisper_encoder(str(file))


def test_other_shape_of_encoder_is_an_error_that_names_both(tmp_path):
    file = tmp_path / "model.bin"
    file.write_bytes(packed_file(whisper_variables(num_layers=1)))
    with pytest.raises(ValueError, match="1 layers of width 8 .* encoder 2 of 8"):
        encoder().init_from_whisper(load_whisper_encoder(str(file)))


@pytest.fixture(scope="module")
def whisper_folder(tmp_path_factory):
    torch.manual_seed(0)
    config = WhisperConfig(
        d_model=128,  # the teacher takes heads of 64 channels
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=512,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=8,
        vocab_size=10,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )
    folder = tmp_path_factory.mktemp("whisper")
    WhisperModel(config).save_pretrained(folder)
    return folder


def test_teacher_equals_transformers_whisper(whisper_folder):
    encoder = WhisperModel.from_pretrained(whisper_folder).encoder.eval()
    teacher = WhisperTeacher(load_whisper_encoder(str(whisper_folder)))
    speech = 0.1 * torch.randn(1, 480000)
    with torch.no_grad():
        expected = encoder(teacher.log_mel(speech).transpose(1, 2)).last_hidden_state
        torch.testing.assert_close(teacher(speech), expected, atol=1e-3, rtol=0)


def test_teachers_features_are_whispers(whisper_folder):
    teacher = WhisperTeacher(load_whisper_encoder(str(whisper_folder)))
    speech = 0.1 * torch.randn(480000)
    extracted = WhisperFeatureExtractor()(
        speech.numpy(), sampling_rate=16000, return_tensors="pt"
    ).input_features
    features = teacher.log_mel(speech[None]).transpose(1, 2)
    torch.testing.assert_close(features, extracted, atol=1e-3, rtol=0)
