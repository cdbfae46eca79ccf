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


NANOCODEC = ["--codec", "nanocodec", "--discriminator", "period_stft"]
NANOCODEC += ["--model_conf", "aux_weights={}"]


@pytest.mark.parametrize(
    "name, shape, options",
    [
        ("train_codec_nano.yaml", "nanocodec", []),
        ("personalise_codec.yaml", "istft", []),
        ("personalise_codec.yaml", "nanocodec", NANOCODEC),
    ],
)
def test_both_players_take_a_turn(root, name, shape, options):
    args = parse(root, name, *options, "--model_conf", "adversarial_start=0")
    assert args.codec == shape
    args.codec_conf = args.codec_conf | TINY_CODECS[shape]
    if args.discriminator == "period_stft":
        args.discriminator_conf = args.discriminator_conf | TINY_DISCRIMINATOR
    model = CodecTask.build_model(args)
    speech = 0.1 * torch.randn(1, 3 * 1764)
    for turn, is_generator in enumerate((True, False)):
        result = model(audio=speech, forward_generator=is_generator)
        result["loss"].backward()
        assert result["optim_idx"] == turn
        assert torch.isfinite(result["loss"])


def test_the_nanocodec_of_the_comment_has_no_losses_of_its_own(root):
    args = parse(root, "personalise_codec.yaml", *NANOCODEC)
    assert args.model_conf["aux_weights"] == {}
    assert args.model_conf["adversarial_start"] == 500


def test_a_voice_is_learnt_with_the_small_codecs_losses_more_slowly(root):
    training = parse(root, "train_codec_istft.yaml")
    personal = parse(root, "personalise_codec.yaml")
    for name in ("codec", "codec_conf", "discriminator"):
        assert getattr(personal, name) == getattr(training, name)
    weights = personal.model_conf["aux_weights"]
    assert weights == training.model_conf["aux_weights"]
    assert personal.optim_conf["lr"] < training.optim_conf["lr"]


@pytest.mark.parametrize("name", ["train_codec_istft.yaml", "personalise_codec.yaml"])
def test_the_learning_rate_ends_with_the_last_update(root, name):
    args = parse(root, name)
    num_updates = args.max_epoch * args.num_iters_per_epoch
    assert args.scheduler_conf["total_steps"] == num_updates
    assert args.scheduler_conf["max_lr"] == args.optim_conf["lr"]
