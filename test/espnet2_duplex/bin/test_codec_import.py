"""Import of NeMo's, transformers' and ESPnet's files, tiny and random."""

import io
import json
import re
import tarfile

import pytest
import torch
import yaml
from espnet2.tasks.gan_codec import GANCodecTask
from safetensors.torch import save_file
from torch import nn
from transformers import MimiConfig, MimiModel

from espnet2_duplex.bin.codec_import import get_parser, import_codec, main
from espnet2_duplex.codec.loading import load_codec

STRIDES = [2, 3]
PREFIX = "nemo.collections.tts.modules.audio_codec_modules."
# Mimi and SoundStream of 16 samples a frame at 200 Hz.
MIMI = {
    "sampling_rate": 200,
    "upsampling_ratios": [4, 2],
    "num_filters": 4,
    "hidden_size": 16,
    "upsample_groups": 16,
    "codebook_size": 32,
    "codebook_dim": 8,
    "vector_quantization_hidden_dimension": 8,
    "num_quantizers": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "intermediate_size": 16,
    "sliding_window": 6,
}
SOUNDSTREAM = {
    "sampling_rate": 200,
    "generator_params": {
        "hidden_dim": 8,
        "encdec_n_filters": 2,
        "encdec_ratios": [4, 2, 2],
        "encdec_causal": True,
        "encdec_pad_mode": "constant",
        "quantizer_n_q": 3,
        "quantizer_bins": 16,
        "quantizer_kmeans_init": False,
        "quantizer_target_bandwidth": [0.2],
    },
    "discriminator_params": {
        "scales": 1,
        "scale_discriminator_params": {
            "channels": 4,
            "max_downsample_channels": 4,
            "max_groups": 4,
            "downsample_scales": [1],
        },
        "complexstft_discriminator_params": {
            "n_fft": 32,
            "win_length": 32,
            "hop_length": 8,
            "channels": 2,
        },
    },
    "use_mel_loss": False,
    "use_dual_decoder": False,
}


def nemo_config():
    """As model_config.yaml: defaults of NeMo's classes are left out."""
    return {
        "target": "nemo.collections.tts.models.audio_codec.AudioCodecModel",
        "sample_rate": 22050,
        "samples_per_frame": 6,
        "audio_encoder": {
            "_target_": PREFIX + "HiFiGANEncoder",
            "down_sample_rates": STRIDES,
            "encoded_dim": 4,
            "base_channels": 2,
            "activation": "lrelu",
            "pad_mode": "replicate",
        },
        "audio_decoder": {
            "_target_": PREFIX + "CausalHiFiGANDecoder",
            "up_sample_rates": STRIDES[::-1],
            "input_dim": 4,
            "base_channels": 8,
            "activation": "half_snake",
            "output_activation": "clamp",
        },
        "vector_quantizer": {
            "_target_": PREFIX + "GroupFiniteScalarQuantizer",
            "num_groups": 2,
            "num_levels_per_group": [5, 4],
        },
        "discriminator": {"_target_": PREFIX + "Discriminator", "discriminators": []},
    }


def nemo_modules(weight_norm):
    """(name, module) of everything in NeMo's AudioCodecModel of that config."""

    def residual(stem, width, activation):
        for j, kernel in enumerate((3, 7, 11)):
            for k in range(3):
                unit = f"{stem}.res_blocks.{j}.res_blocks.{k}"
                for role in ("input", "skip"):
                    conv = nn.Conv1d(width, width, kernel)
                    yield f"{unit}.{role}_conv.conv", weight_norm(conv)
                    if activation:
                        yield f"{unit}.{role}_activation", Alpha(width)

    yield "audio_encoder.pre_conv.conv", weight_norm(nn.Conv1d(1, 2, 7))
    for i, (width, stride) in enumerate(zip((2, 4), STRIDES)):
        yield from residual(f"audio_encoder.res_layers.{i}", width, False)
        down = nn.Conv1d(width, 2 * width, 2 * stride)
        name = f"audio_encoder.down_sample_conv_layers.{i}.conv"
        yield name, weight_norm(down)
    yield "audio_encoder.post_conv.conv", weight_norm(nn.Conv1d(8, 4, 7))
    yield "audio_decoder.pre_conv.conv", weight_norm(nn.Conv1d(4, 8, 7))
    for i, (width, stride) in enumerate(zip((8, 4), STRIDES[::-1])):
        half = width // 2
        yield f"audio_decoder.activations.{i}", Alpha(width)
        up = nn.ConvTranspose1d(width, half, 2 * stride, stride, groups=half)
        yield f"audio_decoder.up_sample_conv_layers.{i}.conv", weight_norm(up)
        yield from residual(f"audio_decoder.res_layers.{i}", half, True)
    yield "audio_decoder.post_activation", Alpha(2)
    yield "audio_decoder.post_conv.conv", weight_norm(nn.Conv1d(2, 1, 3))
    yield "discriminator.discriminators.0", nn.Linear(3, 3)


class Alpha(nn.Module):
    """CodecActivation's parameters: activation.snake_act.alpha."""

    def __init__(self, width):
        super().__init__()
        snake = nn.Module()
        snake.alpha = nn.Parameter(torch.rand(1, width // 2, 1) + 0.5)
        self.activation = nn.Module()
        self.activation.snake_act = snake


NORMS = {
    "old": nn.utils.weight_norm,
    "new": nn.utils.parametrizations.weight_norm,
    "removed": lambda conv: conv,
}


def nemo_model(norm="new"):
    """All tensors of the checkpoint, and the effective weight of each module."""
    state, weights = {}, {}
    for name, module in nemo_modules(NORMS[norm]):
        for key, tensor in module.state_dict().items():
            state[f"{name}.{key}"] = tensor.clone()
        if hasattr(module, "weight"):
            # Lengths are learnt: no longer those of the directions.
            for key in state:
                if key.startswith(name) and key.endswith(("weight_g", "original0")):
                    state[key] *= 1.5
            scale = 1.0 if norm == "removed" else 1.5
            weights[name] = scale * module.weight.detach()
    for group in range(2):
        stem = f"vector_quantizer.fsqs.{group}"
        levels = torch.tensor([5, 4], dtype=torch.int32)
        state[f"{stem}.num_levels"] = levels.view(1, 2, 1)
        state[f"{stem}.dim_base_index"] = torch.tensor([1, 5]).view(1, 2, 1)
    return state, weights


def write_nemo(path, config, state, mode="w:"):
    weights = io.BytesIO()
    torch.save(state, weights)
    members = {
        "./model_config.yaml": yaml.safe_dump(config).encode(),
        "./model_weights.ckpt": weights.getvalue(),
    }
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def import_with(*options, output="unused"):
    """Import without saving."""
    cmd = [*map(str, options), "--output", str(output)]
    return import_codec(get_parser().parse_args(cmd))


def main_with(*options, output):
    """Import, and load what was written."""
    main([*map(str, options), "--output", str(output)])
    return load_codec(output / "codec.yaml", output / "codec.pth")


@pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated:FutureWarning")
@pytest.mark.parametrize(
    "norm, mode", [("old", "w:"), ("new", "w:gz"), ("removed", "w:")]
)
def test_archive_becomes_a_codec_that_loads(tmp_path, norm, mode):
    state, weights = nemo_model(norm)
    path = write_nemo(tmp_path / "model.nemo", nemo_config(), state, mode)
    codec = main_with("--nemo", path, output=tmp_path / "out")
    assert (codec.num_codebooks, codec.codebook_size) == (2, 20)
    pairs = {
        "audio_encoder.pre_conv.conv": codec.encoder.inlet,
        "audio_encoder.down_sample_conv_layers.1.conv": codec.encoder.samplers[1],
        "audio_decoder.up_sample_conv_layers.0.conv": codec.decoder.samplers[0],
        "audio_decoder.post_conv.conv": codec.decoder.outlet,
        "audio_decoder.res_layers.1.res_blocks.2.res_blocks.0.skip_conv.conv": (
            codec.decoder.blocks[1][2][0][3]
        ),
    }
    for name, conv in pairs.items():
        torch.testing.assert_close(conv.weight, weights[name])
        assert torch.equal(conv.bias, state[f"{name}.bias"])
    alpha = state["audio_decoder.activations.1.activation.snake_act.alpha"]
    assert torch.equal(codec.decoder.activations[1].alpha, alpha)
    silence = codec.encode(torch.zeros(1, 60))[0]
    assert codec.silence_codes.tolist() in silence.tolist()


def test_safetensors_give_the_same_codec_as_the_archive(tmp_path):
    state, _ = nemo_model()
    nemo = write_nemo(tmp_path / "model.nemo", nemo_config(), state)
    save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(nemo_config()))
    weights, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    first = main_with("--nemo", nemo, output=tmp_path / "a")
    main_with("--safetensors", weights, "--config", config, output=tmp_path / "b")
    for name in ("codec.yaml", "codec.pth"):
        assert (tmp_path / "a" / name).read_bytes() == (
            tmp_path / "b" / name
        ).read_bytes()
    assert first.samples_per_frame == 6


def change_config(section, key, value):
    def change(config, state):
        config[section][key] = value

    return change


def remove(name):
    return lambda config, state: state.pop(name)


def put(name, shape):
    return lambda config, state: state.update({name: torch.zeros(shape)})


BIAS = "audio_decoder.pre_conv.conv.bias"
LENGTH = "audio_encoder.pre_conv.conv.parametrizations.weight.original0"


@pytest.mark.parametrize(
    "change, message",
    [
        (
            change_config("audio_decoder", "_target_", PREFIX + "HiFiGANDecoder"),
            f"audio_decoder is {PREFIX}HiFiGANDecoder, but a NanoCodec's is Causal",
        ),
        (
            change_config("audio_decoder", "activation", "lrelu"),
            "has activation lrelu, but a NanoCodec of this shape has half_snake",
        ),
        (
            change_config("audio_encoder", "down_sample_rates", "${down}"),
            "down_sample_rates ${down}, but a list of whole numbers is expected",
        ),
        (
            change_config("audio_decoder", "up_sample_rates", [2, 3]),
            "has up_sample_rates [2, 3], but a NanoCodec of this shape has [3, 2]",
        ),
        (lambda c, s: c.pop("vector_quantizer"), "model has no vector_quantizer"),
        (remove(BIAS), "lacks the tensor of decoder.inlet.bias"),
        (remove(LENGTH), "but no audio_encoder.pre_conv.conv.parametrizations"),
        (put(BIAS, 9), "decoder.inlet.bias has the shape (9,), but"),
        (put("audio_encoder.extra", 1), "tensor encoder.extra has no place"),
        (put("vector_quantizer.fsqs.0.num_levels", 2), "is (0.0, 0.0), but its"),
    ],
)
def test_archives_of_another_model_are_refused_in_one_sentence(
    tmp_path, change, message
):
    config, (state, _) = nemo_config(), nemo_model()
    change(config, state)
    path = write_nemo(tmp_path / "model.nemo", config, state)
    with pytest.raises(ValueError, match=re.escape(message)):
        main(["--nemo", str(path), "--output", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_archive_are_refused(tmp_path):
    path = tmp_path / "model.nemo"
    path.write_bytes(b"PK\x03\x04 no tar")
    with pytest.raises(ValueError, match="is not a tar archive"):
        import_with("--nemo", path)
    with tarfile.open(path, "w:"):
        pass
    with pytest.raises(ValueError, match="has no member model_config.yaml"):
        import_with("--nemo", path)
    with pytest.raises(ValueError, match="is not a safetensors file"):
        import_with("--safetensors", path)


def test_weights_that_are_no_plain_tensors_are_refused(tmp_path):
    path = write_nemo(tmp_path / "model.nemo", nemo_config(), {"x": Alpha(2)})
    with pytest.raises(ValueError, match="is not a state dict of tensors"):
        import_with("--nemo", path)


def test_mimi_becomes_a_codec_that_loads(tmp_path):
    torch.manual_seed(0)
    model = MimiModel(MimiConfig(**MIMI)).eval()
    for name, tensor in model.state_dict().items():
        if name.endswith("embed_sum"):  # zeros at first
            tensor.normal_()
    model.save_pretrained(tmp_path / "mimi")
    options = ("--mimi", tmp_path / "mimi", "--num_codebooks", 3)
    codec = main_with(*options, output=tmp_path / "out")
    assert (codec.num_codebooks, codec.codebook_size) == (3, 32)
    codes = torch.randint(32, (1, 3, 5))
    with torch.inference_mode():
        expected = model.decode(codes).audio_values[:, 0]
    assert torch.equal(codec.decode(codes.transpose(1, 2)), expected)


def test_espnets_training_becomes_a_codec_that_loads_and_streams(tmp_path):
    args = GANCodecTask.get_default_config()
    args |= {"codec": "soundstream", "codec_conf": SOUNDSTREAM, "model_conf": {}}
    config, weights = tmp_path / "config.yaml", tmp_path / "model.pth"
    config.write_text(yaml.safe_dump(args))
    model, _ = GANCodecTask.build_model_from_file(config)
    torch.save(model.state_dict(), weights)
    options = ("--espnet", weights, "--config", config)
    codec = main_with(*options, output=tmp_path / "out")
    assert (codec.num_codebooks, codec.codebook_size) == (3, 16)
    assert codec.can_stream
    codes = torch.randint(16, (3, 1, 4))
    expected = model.eval().decode(codes)[:, 0]
    torch.testing.assert_close(codec.decode(codes.permute(1, 2, 0)), expected)


def test_an_espnet_checkpoint_without_its_configuration_is_refused():
    message = "model.pth comes without its configuration; pass the config.yaml"
    with pytest.raises(ValueError, match=message):
        import_with("--espnet", "model.pth")


@pytest.mark.parametrize("source", ["nemo", "mimi"])
def test_a_configuration_too_many_is_refused(source):
    message = "^model brings its own configuration; leave --config out"
    with pytest.raises(ValueError, match=message):
        import_with(f"--{source}", "model", "--config", "b.yaml")


def test_the_help_names_all_sources(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    for option in ("--nemo", "--safetensors", "--mimi", "--espnet", "--config"):
        assert option in text
