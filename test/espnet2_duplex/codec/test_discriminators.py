import pytest
import torch

from espnet2_duplex.codec import gan_model
from espnet2_duplex.codec.discriminators import (
    PeriodStftDiscriminator,
    StftDiscriminator,
)
from espnet2_duplex.codec.gan_model import GanCodec
from espnet2_duplex.codec.loading import build_codec

TINY_STFT = {"filters": 2, "n_ffts": [256], "hop_lengths": [64]}
TINY_PERIOD_STFT = {
    "periods": [2, 3],
    "period_channels": 2,
    "max_period_channels": 4,
    "filters": 2,
    "n_ffts": [128, 256],
}
TINY_NANO = {"encoder_channels": 2, "decoder_channels": 32, "kernel_sizes": [3]}


@pytest.mark.parametrize(
    "shape, conf, num_scales",
    [(StftDiscriminator, TINY_STFT, 1), (PeriodStftDiscriminator, TINY_PERIOD_STFT, 4)],
)
def test_each_scale_gives_features_and_then_logits(shape, conf, num_scales):
    outputs = shape(**conf)(torch.randn(2, 1, 3000))
    assert len(outputs) == num_scales
    for scale in outputs:
        assert len(scale) > 2
        assert scale[-1].shape[0] == 2


def test_nvidias_discriminators_listen_to_five_periods_and_five_windows():
    with torch.device("meta"):
        discriminator = PeriodStftDiscriminator()
    assert [d.period for d in discriminator.by_period] == [2, 3, 5, 7, 11]
    assert len(discriminator.stft.discriminators) == 5


def test_bfloat16_autocast_gives_finite_gradients_to_both_players(monkeypatch):
    # Also where it is slow.
    monkeypatch.setattr(gan_model, "fast_bfloat16", lambda device_type: True)
    codec = GanCodec(
        build_codec("nanocodec", TINY_NANO),
        PeriodStftDiscriminator(**TINY_PERIOD_STFT),
        adversarial_start=0,
        bfloat16=True,
    )
    speech = 0.1 * torch.randn(1, 2 * 1764)
    for player, is_generator in ((codec.generator, True), (codec.discriminator, False)):
        codec.zero_grad(set_to_none=True)
        loss = codec(speech, forward_generator=is_generator)["loss"]
        loss.backward()
        gradients = [p.grad for p in player.parameters()]
        assert all(g is not None and torch.isfinite(g).all() for g in gradients)
        assert any(g.abs().sum() > 0 for g in gradients)
