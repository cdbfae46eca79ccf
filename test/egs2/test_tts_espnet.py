"""ESPnet's own TTS with an untrained VITS of a few thousand parameters."""

import argparse

import numpy as np
import pytest
import torch
import yaml
from espnet2.tasks.tts import TTSTask
from tts.espnet_engine import EspnetEngine, model_arguments

TOKENS = ["<blank>", "<unk>", *"abcdefghijklmnopqrstuvwxyz .?", "<sos/eos>"]
GENERATOR = {
    "hidden_channels": 8,
    "spks": 3,
    "langs": 2,
    "spk_embed_dim": None,
    "global_channels": 4,
    "segment_size": 8,
    "text_encoder_ffn_expand": 1,
    "text_encoder_blocks": 1,
    "text_encoder_positionwise_layer_type": "conv1d",
    "text_encoder_positionwise_conv_kernel_size": 1,
    "use_macaron_style_in_text_encoder": False,
    "use_conformer_conv_in_text_encoder": False,
    "decoder_channels": 8,
    "decoder_upsample_scales": [16, 16],
    "decoder_upsample_kernel_sizes": [32, 32],
    "decoder_resblock_kernel_sizes": [3],
    "decoder_resblock_dilations": [[1]],
    "posterior_encoder_layers": 1,
    "flow_flows": 1,
    "flow_layers": 1,
    "stochastic_duration_predictor_flows": 1,
    "stochastic_duration_predictor_dds_conv_layers": 1,
}


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vits")
    config = TTSTask.get_default_config() | {
        "token_list": TOKENS,
        "token_type": "char",
        "tts": "vits",
        "tts_conf": {"sampling_rate": 22050, "generator_params": GENERATOR},
        "feats_extract": "linear_spectrogram",
        "feats_extract_conf": {},
        "normalize": None,
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    torch.manual_seed(0)
    model = TTSTask.build_model(argparse.Namespace(**config))
    torch.save(model.state_dict(), folder / "model.pth")
    return folder


def test_an_espnet_model_speaks_with_the_speaker_of_a_voice(model_folder, tmp_path):
    voices = {"anna": 0, "ben": 2}
    engine = EspnetEngine(tmp_path, str(model_folder), voices=voices, language=1)
    assert tuple(engine.voices()) == ("anna", "ben")
    engine.prepare(["anna"])
    assert engine.sample_rate == 22050
    one, same = (engine.speak("hello there.", "anna", 1.0, 5) for _ in range(2))
    assert one.dtype == np.float32 and one.ndim == 1 and len(one) % 256 == 0
    assert np.array_equal(one, same)
    assert not np.array_equal(one, engine.speak("hello there.", "ben", 1.0, 5))
    slow = engine.speak("hello there.", "anna", 0.5, 5)
    assert 1.5 * len(one) < len(slow) < 2.5 * len(one)


def test_a_voice_without_a_speaker_id_is_an_error(model_folder, tmp_path):
    engine = EspnetEngine(tmp_path, str(model_folder), voices=["anna"], language=1)
    with pytest.raises(ValueError, match="wants a speaker id; .* anna: 0"):
        engine.prepare(["anna"])


def test_a_model_is_a_folder_with_config_and_weights_or_a_tag(tmp_path):
    assert model_arguments("someone/vits") == {"model_tag": "someone/vits"}
    with pytest.raises(ValueError, match="0 .pth files and no config.yaml"):
        model_arguments(str(tmp_path))
