import torch

from espnet2_duplex.codec.spectrum_discriminator import SpectrumDiscriminator


def test_every_scale_gives_its_features_and_last_the_logits():
    discriminator = SpectrumDiscriminator([256, 512], num_channels=4, num_layers=3)
    scales = discriminator(0.1 * torch.randn(2, 1, 2048))
    assert [len(scale) for scale in scales] == [4, 4]
    # 2048 samples are 32 hops of 64; 129 bins halve to 65, 33, 17.
    assert [tuple(x.shape) for x in scales[0]] == [
        (2, 4, 32, 65),
        (2, 4, 32, 33),
        (2, 4, 32, 17),
        (2, 1, 32, 17),
    ]


def test_gradients_reach_the_speech():
    discriminator = SpectrumDiscriminator([256], num_channels=2, num_layers=2)
    speech = (0.1 * torch.randn(1, 1, 1000)).requires_grad_()
    discriminator(speech)[0][-1].square().mean().backward()
    assert torch.isfinite(speech.grad).all()
    assert speech.grad.abs().sum() > 0
