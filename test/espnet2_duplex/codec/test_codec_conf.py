"""The configurations of codec training can be loaded and take a step."""

import pytest
import torch

from espnet2_duplex.tasks.codec import CodecTask

TINY_CODECS = {
    "nanocodec": {"encoder_channels": 2, "decoder_channels": 32, "kernel_sizes": [3]},
    "istft": {
        "encoder_channels": [8, 8],
        "encoder_blocks": [1, 1],
        "decoder_channels": [8, 8],
        "decoder_blocks": [1, 1],
    },
}
TINY_DISCRIMINATOR = {
    "periods": [2],
    "period_channels": 2,
    "max_period_channels": 4,
    "filters": 2,
    "n_ffts": [128],
}


def parse(root, name, *options):
    config = root / "egs2" / "duplex_s2s" / "conf" / name
    return CodecTask.get_parser().parse_args(["--config", str(config), *options])


@pytest.mark.parametrize(
    "name, shape, options",
    [
        ("train_codec_nano.yaml", "nanocodec", []),
        ("personalise_codec.yaml", "nanocodec", ["--codec", "nanocodec"]),
        ("personalise_codec.yaml", "istft", ["--codec", "istft"]),
    ],
)
def test_both_players_take_a_turn(root, name, shape, options):
    args = parse(root, name, *options)
    assert args.codec == shape
    args.codec_conf = args.codec_conf | TINY_CODECS[shape]
    args.discriminator_conf = args.discriminator_conf | TINY_DISCRIMINATOR
    model = CodecTask.build_model(args)
    speech = 0.1 * torch.randn(1, 3 * 1764)
    for turn, is_generator in enumerate((True, False)):
        result = model(audio=speech, forward_generator=is_generator)
        result["loss"].backward()
        assert result["optim_idx"] == turn
        assert torch.isfinite(result["loss"])


def test_the_small_codecs_own_losses_are_weighted_as_the_comment_says(root):
    option = "aux_weights={mel: 5, pitch: 12, voicing: 1}"
    args = parse(root, "personalise_codec.yaml", "--model_conf", option)
    assert args.model_conf["aux_weights"] == {"mel": 5, "pitch": 12, "voicing": 1}
    assert args.model_conf["adversarial_start"] == 0
