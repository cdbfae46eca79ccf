import pytest
import torch

from espnet2_duplex.codec import gan_model
from espnet2_duplex.codec.gan_model import GanCodec
from espnet2_duplex.codec.istft import IstftCodec
from espnet2_duplex.codec.spectrum_discriminator import SpectrumDiscriminator

TINY = {
    "encoder_channels": [8, 8],
    "encoder_blocks": [1, 1],
    "decoder_channels": [8, 8],
    "decoder_blocks": [1, 1],
}


def build(**conf):
    discriminator = SpectrumDiscriminator([256], num_channels=2, num_layers=2)
    return GanCodec(IstftCodec(**TINY), discriminator, **conf)


def speech():
    return 0.1 * torch.randn(2, 3000)


def test_both_turns_give_what_the_trainer_expects():
    codec = build(adversarial_start=0)
    discriminator_turn = codec(speech(), forward_generator=False)
    generator_turn = codec(speech(), forward_generator=True)
    assert discriminator_turn["optim_idx"] == 1
    assert generator_turn["optim_idx"] == 0
    for turn in (discriminator_turn, generator_turn):
        assert torch.isfinite(turn["loss"])
        assert turn["weight"] == 2
    assert {"mel_loss", "codes_used", "code_entropy_bits", "feature_match_loss"} <= set(
        generator_turn["stats"]
    )


def test_the_discriminators_turn_moves_only_the_discriminator():
    codec = build(adversarial_start=0)
    codec(speech(), forward_generator=False)["loss"].backward()
    assert all(p.grad is None for p in codec.generator.parameters())
    assert any(p.grad is not None for p in codec.discriminator.parameters())


def test_the_discriminator_waits_for_its_start():
    codec = build(adversarial_start=2)
    has_begun = []
    for _ in range(4):
        has_begun.append("adversarial_loss" in codec(speech())["stats"])
    # The update is counted before the loss.
    assert has_begun == [False, True, True, True]


def test_before_its_start_the_discriminators_loss_is_a_differentiable_zero():
    codec = build(adversarial_start=-1)
    loss = codec(speech(), forward_generator=False)["loss"]
    loss.backward()
    assert float(loss.detach()) == 0.0


def test_the_average_follows_the_generator_and_is_what_validation_hears():
    codec = build(ema_decay=0.5)
    with torch.no_grad():
        for p in codec.generator.parameters():
            p.add_(1.0)
    before = [p.clone() for p in codec.ema_generator.parameters()]
    codec(speech())
    after = list(codec.ema_generator.parameters())
    # The first update has decay 0.1: nine tenths of the way.
    for old, new in zip(before, after):
        torch.testing.assert_close(new - old, torch.full_like(old, 0.9))
    codec.eval()
    audio = speech()[:, :1764]
    codes = codec.ema_generator.encode(audio)
    assert torch.equal(codec.encode(audio[:, None]), codes.permute(2, 0, 1))


def test_validation_leaves_the_average_alone():
    codec = build().eval()
    codec(speech())
    assert int(codec.num_updates) == 0


def test_meta_info_is_that_of_espnets_codecs():
    assert build().meta_info() == {
        "fs": 22050,
        "num_streams": 4,
        "frame_shift": 1764,
        "code_size_per_stream": [4032] * 4,
    }


def test_decode_takes_espnets_layout():
    codec = build()
    codes = torch.zeros(4, 2, 3, dtype=torch.int64)
    assert codec.decode(codes).shape == (2, 1, 3 * 1764)
    with pytest.raises(ValueError):
        codec.decode(codes + 4032)


def test_the_discriminator_sees_the_first_crops_only():
    codec = build(adversarial_start=0, adversarial_crops=1)
    seen = []
    codec.discriminator.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    audio = speech()
    codec(audio, forward_generator=False)
    codec(audio)
    assert [x.size(0) for x in seen] == [1, 1, 1, 1]
    assert torch.equal(seen[1][0, 0, :3000], audio[0])


def test_auxiliary_losses_count_by_their_weights():
    codec = build(aux_weights={"mel": 3.0, "pitch": 0.0})
    losses = {name: torch.tensor(2.0) for name in ("mel", "pitch", "voicing")}
    assert float(codec._weighted_aux_loss(losses)) == 3.0 * 2.0 + 0.0 + 1.0 * 2.0


def test_a_weight_of_no_auxiliary_loss_is_refused():
    codec = build(aux_weights={"mell": 3.0})
    with pytest.raises(ValueError, match="names mell, but the codec has mel, pitch"):
        codec(speech())


def test_bfloat16_gives_nearly_the_same_losses_and_finite_gradients(monkeypatch):
    monkeypatch.setattr(gan_model, "fast_bfloat16", {"cpu": True}.__getitem__)
    torch.manual_seed(0)
    codec = build(adversarial_start=0)
    audio = speech()
    losses = []
    for codec.bfloat16 in (False, True):
        torch.manual_seed(1)  # of the noise
        turn = codec(audio)
        losses.append({k: float(v) for k, v in turn["stats"].items()})
    turn["loss"].backward()
    gradients = [p.grad for p in codec.generator.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() for g in gradients)
    for name in ("mel_loss", "magnitude_loss", "aux_mel"):
        assert losses[1][name] == pytest.approx(losses[0][name], rel=0.02)
        assert losses[1][name] != losses[0][name]
