"""Import of streaming encoders of NeMo and transformers, tiny and random."""

import re

import pytest
import torch
import yaml
from espnet2.torch_utils.load_pretrained_model import load_pretrained_model
from nemo_archive import WIDTH, nemo_config, nemo_state, write_nemo
from torch import nn

from espnet2_duplex.bin.perception_import import main
from espnet2_duplex.perception.fastconformer import FastConformerEncoder
from espnet2_duplex.perception.features import NemoLogMel


def import_model(*options, output):
    """The encoder that training would start from."""
    main([*map(str, options), "--output", str(output)])
    config = yaml.safe_load((output / "encoder.yaml").read_text())
    assert config.keys() == {"encoder", "encoder_conf"}
    assert config["encoder"] == "fastconformer"
    model = nn.Module()
    model.encoder = FastConformerEncoder(**config["encoder_conf"])
    file = output / "encoder.pth"
    load_pretrained_model(f"{file}::encoder", model, False)
    return model.encoder.eval()


def import_nemo(folder, config, state, *options):
    path = write_nemo(folder / "model.nemo", config, state)
    return import_model("--nemo", path, *options, output=folder / "out")


def test_every_tensor_of_an_archive_finds_its_place(tmp_path):
    state = nemo_state()
    encoder = import_nemo(tmp_path, nemo_config(), state)
    layer = encoder.conformer.layers[1]
    subsampling = encoder.conformer.subsampling
    places = {
        "pre_encode.conv.0.weight": subsampling.conv_in.weight,
        "pre_encode.conv.2.bias": subsampling.layers[0].depthwise_conv.bias,
        "pre_encode.conv.6.weight": subsampling.layers[1].pointwise_conv.weight,
        "pre_encode.out.weight": subsampling.linear.weight,
        "layers.1.feed_forward2.linear1.weight": layer.feed_forward2.linear1.weight,
        "layers.1.self_attn.linear_k.bias": layer.self_attn.k_proj.bias,
        "layers.1.self_attn.linear_out.weight": layer.self_attn.o_proj.weight,
        "layers.1.self_attn.linear_pos.weight": layer.self_attn.relative_k_proj.weight,
        "layers.1.self_attn.pos_bias_v": layer.self_attn.bias_v,
        "layers.1.conv.depthwise_conv.weight": layer.conv.depthwise_conv.weight,
        "layers.1.conv.batch_norm.bias": layer.conv.norm.bias,
        "layers.1.norm_out.weight": layer.norm_out.weight,
    }
    for name, found in places.items():
        assert torch.equal(found, state[f"encoder.{name}"]), name
    num_tensors = sum(name.startswith("encoder.") for name in state)
    assert len(encoder.state_dict()) == num_tensors
    assert encoder.latency_frames == 1
    assert isinstance(layer.conv.norm, nn.LayerNorm)


def test_a_batch_norm_becomes_a_scale_and_a_shift(tmp_path):
    config = nemo_config(conv_norm_type="batch_norm")
    state = nemo_state(nn.BatchNorm1d)
    encoder = import_nemo(tmp_path, config, state)
    norm = nn.BatchNorm1d(WIDTH)
    stem = "encoder.layers.0.conv.batch_norm."
    own = {n.removeprefix(stem): w for n, w in state.items() if n.startswith(stem)}
    norm.load_state_dict(own)
    x = torch.randn(7, WIDTH)
    found = encoder.conformer.layers[0].conv.norm(x)
    torch.testing.assert_close(found, norm.eval()(x))


def test_layers_without_biases_are_imported(tmp_path):
    config = nemo_config(use_bias=False, xscaling=False)
    encoder = import_nemo(tmp_path, config, nemo_state(bias=False))
    assert encoder.conformer.layers[0].conv.pointwise_conv1.bias is None
    assert encoder.conformer.layers[0].feed_forward1.linear1.bias is None
    assert encoder.conformer.input_scale == 1.0


@pytest.mark.parametrize(
    "options, expected", [([], 1), (["--num_lookahead_tokens", "6"], 6)]
)
def test_a_model_of_several_latencies_is_imported_with_one(tmp_path, options, expected):
    sizes = [[70, 13], [70, 6], [70, 1], [70, 0]]
    config = nemo_config(att_context_size=sizes)
    encoder = import_nemo(tmp_path, config, nemo_state(), *options)
    assert encoder.latency_frames == expected


def test_the_configuration_is_printed_as_written(tmp_path, capsys):
    import_nemo(tmp_path, nemo_config(), nemo_state())
    assert capsys.readouterr().out == (tmp_path / "out/encoder.yaml").read_text()


def test_transformers_format_gives_the_same_outputs(tmp_path):
    sizes = dict(output_size=16, num_layers=2, num_heads=2, subsampling_channels=4)
    original = FastConformerEncoder(**sizes, num_mel_bins=40, bias=False).eval()
    original.conformer.save_pretrained(tmp_path / "model")
    processor = '{"supported_num_lookahead_tokens": [13, 6, 1, 0]}'
    (tmp_path / "model/processor_config.json").write_text(processor)
    encoder = import_model(
        "--transformers", tmp_path / "model", output=tmp_path / "out"
    )
    speech, num_samples = torch.randn(1, 5 * 1280), torch.tensor([5 * 1280])
    with torch.inference_mode():
        expected = original(speech, num_samples)[0]
        found = encoder(speech, num_samples)[0]
    assert expected.std() > 0.1
    assert torch.equal(found, expected)


def test_a_whole_recogniser_of_transformers_gives_its_encoder(tmp_path):
    from transformers import NemotronAsrStreamingConfig, NemotronAsrStreamingForRNNT

    encoder = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    encoder |= {"intermediate_size": 64, "subsampling_conv_channels": 4}
    config = NemotronAsrStreamingConfig(
        encoder_config=encoder | {"default_num_lookahead_tokens": 0},
        vocab_size=5,
        blank_token_id=4,
        decoder_hidden_size=8,
        num_decoder_layers=1,
    )
    model = NemotronAsrStreamingForRNNT(config)
    model.save_pretrained(tmp_path / "model")
    found = import_model("--transformers", tmp_path / "model", output=tmp_path / "out")
    assert found.latency_frames == 0
    expected = model.encoder.state_dict()
    for name, tensor in found.conformer.state_dict().items():
        assert torch.equal(tensor, expected[name]), name


def change(section, **options):
    def apply(config, state):
        config[section].update(options)

    return apply


def without(section, key):
    return lambda config, state: config[section].pop(key)


def remove(name):
    return lambda config, state: state.pop(f"encoder.{name}")


def put(name, shape):
    return lambda config, state: state.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    "apply, message",
    [
        (
            change("encoder", att_context_style="regular", att_context_size=[-1, -1]),
            "encoder.att_context_style is 'regular', but 'chunked_limited' is expected",
        ),
        (
            change("encoder", att_context_size=[-1, -1]),
            "att_context_size is [-1, -1], but [left, right] in frames, both limited",
        ),
        (
            without("encoder", "causal_downsampling"),
            "causal_downsampling is False, NeMo's default, but True is expected",
        ),
        (
            change("encoder", conv_context_size=None),
            "encoder.conv_context_size is None, but 'causal' is expected",
        ),
        (
            change("encoder", conv_norm_type="group_norm"),
            "'group_norm', but 'layer_norm' or 'batch_norm' is expected",
        ),
        (change("encoder", feat_out=20), "feat_out is 20, an extra layer"),
        (change("encoder", d_model="${width}"), "d_model is '${width}', but a whole"),
        (
            change("encoder", _target_="nemo.SqueezeformerEncoder"),
            "encoder is nemo.SqueezeformerEncoder, but ConformerEncoder is expected",
        ),
        (
            change("preprocessor", normalize="per_feature"),
            "preprocessor.normalize is 'per_feature', but 'NA'",
        ),
        (lambda c, s: c.pop("encoder"), "configuration has no section encoder"),
        (change("encoder", n_layers=3), "lacks the tensor of conformer.layers.2."),
        (remove("pre_encode.out.bias"), "tensor of conformer.subsampling.linear.bias"),
        (
            put("encoder.pre_encode.out.bias", 9),
            "linear.bias has the shape (9,), but its configuration asks for (16,)",
        ),
        (put("encoder.out_proj.bias", 9), "conformer.out_proj.bias has no place"),
        (lambda c, s: s.clear(), "The model has no tensors encoder.*"),
        (put("preprocessor.featurizer.window", 400), "featurizer.window differs from"),
    ],
)
def test_other_models_are_refused_in_one_sentence(tmp_path, apply, message):
    config, state = nemo_config(), nemo_state()
    apply(config, state)
    with pytest.raises(ValueError, match=re.escape(message)):
        import_nemo(tmp_path, config, state)
    assert not (tmp_path / "out").exists()


def test_a_look_ahead_that_was_not_trained_is_refused(tmp_path):
    options = ("--num_lookahead_tokens", "3")
    with pytest.raises(ValueError, match="look-ahead of 3 .* trained with 1; choose"):
        import_nemo(tmp_path, nemo_config(), nemo_state(), *options)


def test_features_of_the_same_kind_are_accepted(tmp_path):
    state, features = nemo_state(), NemoLogMel(80)
    state["preprocessor.featurizer.window"] = features.window
    state["preprocessor.featurizer.fb"] = features.filters.T[None]
    import_nemo(tmp_path, nemo_config(), state)


@pytest.mark.parametrize(
    "config, message",
    [
        ('{"model_type": "whisper"}', "is of the type whisper, but nemotron_asr"),
        ("{}", "is neither a folder with a config.json that transformers knows"),
        (
            '{"model_type": "nemotron_asr_streaming_encoder", "subsampling_factor": 4}',
            "has subsampling_factor 4, but 8 is expected",
        ),
    ],
)
def test_other_models_of_transformers_are_refused(tmp_path, config, message):
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=message):
        main(["--transformers", str(tmp_path), "--output", str(tmp_path / "out")])


def test_weights_that_are_missing_are_named(tmp_path):
    from safetensors.torch import load_file, save_file

    sizes = dict(output_size=16, num_layers=1, num_heads=2, subsampling_channels=4)
    FastConformerEncoder(**sizes).conformer.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["subsampling.linear.weight"]
    metadata = {"format": "pt"}
    save_file(weights, tmp_path / "model.safetensors", metadata)
    with pytest.raises(ValueError, match="lacks the weights of subsampling.linear"):
        main(["--transformers", str(tmp_path), "--output", str(tmp_path / "out")])
