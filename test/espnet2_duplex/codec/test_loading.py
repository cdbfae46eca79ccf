import pytest
import torch
import yaml

from espnet2_duplex.codec.loading import build_codec, load_codec


def test_a_loaded_codec_is_ready_for_inference(tiny_codec_files):
    codec = load_codec(*tiny_codec_files)
    assert not codec.training
    assert not any(p.requires_grad for p in codec.parameters())
    assert torch.equal(codec.silence_codes, codec.measure_silence_codes())


def test_an_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="'mp3'; choose one of istft"):
        build_codec("mp3", {})


def test_a_file_that_is_no_codec_config_is_refused(tmp_path, tiny_codec_files):
    config = tmp_path / "other.yaml"
    config.write_text("a: 1\n")
    with pytest.raises(ValueError, match="other.yaml has no entry `codec`"):
        load_codec(config, tiny_codec_files[1])


def test_weights_of_another_shape_are_refused(tmp_path, tiny_codec_files):
    config = tmp_path / "codec.yaml"
    conf = {"decoder_channels": [8, 8], "decoder_blocks": [1, 1]}
    config.write_text(yaml.safe_dump({"codec": "istft", "codec_conf": conf}))
    with pytest.raises(ValueError, match="export the codec again"):
        load_codec(config, tiny_codec_files[1])
