"""The streaming FastConformer."""

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.perception.fastconformer import (
    LOG_MEL_STD,
    FastConformerEncoder,
)

LOOKAHEADS = [0, 1, 2]


def tiny(num_lookahead_tokens=0, **options):
    torch.manual_seed(0)
    sizes = dict(output_size=16, num_layers=2, num_heads=2, subsampling_channels=4)
    sizes["left_context_frames"] = 12
    sizes["num_lookahead_tokens"] = num_lookahead_tokens
    return FastConformerEncoder(**{**sizes, **options}).eval()


def speech(num_frames, batch_size=2):
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(batch_size, 1280 * num_frames, generator=generator)


def encode(encoder, signal):
    with torch.no_grad():
        return encoder(signal, torch.full((len(signal),), signal.shape[1]))[0]


def state_bytes(value):
    """Bytes of all tensors within a state, transformers' caches included."""
    if isinstance(value, torch.Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, dict):
        return sum(state_bytes(v) for v in value.values())
    if isinstance(value, list):
        return sum(state_bytes(v) for v in value)
    return state_bytes(vars(value)) if hasattr(value, "__dict__") else 0


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
def test_streaming_equals_offline(lookahead):
    encoder = tiny(lookahead)
    assert_streaming_equals_offline(
        lambda x: encode(encoder, x),
        encoder.step,
        encoder.init_state,
        speech(61),
        chunk=1280,
    )


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
def test_output_hears_frames_up_to_its_own_and_the_look_ahead_shifts_it(lookahead):
    encoder, signal = tiny(lookahead), speech(24)
    changed = signal.clone()
    changed[:, 1280 * 12 :] = 0
    differs = (encode(encoder, signal) - encode(encoder, changed)).abs().amax(dim=2)
    assert differs[:, :12].max() < 1e-5
    assert differs[:, 12 + lookahead :].min() > 1e-3
    assert encoder.latency_frames == lookahead


def test_first_outputs_are_zero_under_look_ahead():
    embeds = encode(tiny(1), speech(4))
    assert embeds[:, 0].abs().max() == 0
    assert embeds[:, 1].abs().max() > 0


def test_last_samples_of_a_frame_are_heard():
    encoder, signal = tiny(), speech(3)
    changed = signal.clone()
    changed[:, 2 * 1280 - 40 : 2 * 1280] += 0.5  # the window ends in a zero
    differs = (encode(encoder, signal) != encode(encoder, changed)).any(dim=2)
    assert differs.tolist() == [[False, True, True]] * 2


def test_padding_of_the_batch_changes_nothing():
    encoder, signal = tiny(1), speech(6)
    num_samples = torch.tensor([6 * 1280, 2 * 1280 + 5])
    signal[1, num_samples[1] :] = float("nan")
    embeds, num_frames = encoder(signal, num_samples)
    assert num_frames.tolist() == [6, 3]
    alone = encode(encoder, signal[1:, : num_samples[1]])
    torch.testing.assert_close(embeds[1:, :3], alone, atol=1e-5, rtol=0)


def test_state_does_not_grow():
    encoder = tiny(1, num_layers=1)
    sizes = []
    with torch.inference_mode():
        state = encoder.init_state(1)
        for frame in range(800):
            _, state = encoder.step(torch.zeros(1, 1280), state)
            if frame + 1 in (80, 800):
                sizes.append(state_bytes(state))
    assert sizes[0] == sizes[1] > 0


def test_signal_and_gradient_survive_the_initialisation():
    encoder = tiny(num_layers=4)
    embeds, _ = encoder(speech(20), torch.tensor([25600, 25600]))
    assert 0.3 < embeds.std() < 3
    embeds.square().mean().backward()
    weight = encoder.conformer.subsampling.conv_in.weight
    assert weight.grad.isfinite().all() and weight.grad.norm() > 0
    kaiming_std = (2 / 9) ** 0.5 / LOG_MEL_STD  # a fan of 9; not N(0, 0.02)
    assert 0.5 * kaiming_std < weight.std() < 1.5 * kaiming_std


@pytest.mark.parametrize("level", [0.001, 0.01, 0.1])
def test_first_convolution_hears_differences_rather_than_the_level(level):
    encoder = tiny(subsampling_channels=64)
    log_mel = encoder.features(level * speech(20))[:, None]
    convolution = encoder.conformer.subsampling.conv_in
    with torch.no_grad():
        heard = torch.nn.functional.conv2d(
            log_mel, convolution.weight, convolution.bias
        )
        raw = torch.nn.functional.conv2d(log_mel, convolution.weight)
    assert heard.square().mean() < raw.square().mean() / 3
    assert 0.01 < heard.std() < 10


def test_default_shape_is_the_papers():
    with torch.device("meta"):
        encoder = FastConformerEncoder()
    num_parameters = sum(p.numel() for p in encoder.parameters())
    assert 100e6 < num_parameters < 120e6


def test_context_that_does_not_hold_whole_chunks_is_refused():
    with pytest.raises(ValueError, match="13 is not a multiple of the chunk"):
        tiny(1, left_context_frames=13)


def test_streaming_equals_offline_with_the_options_of_other_checkpoints():
    options = dict(bias=False, scale_input=False, conv_norm="affine")
    encoder = tiny(1, **options)
    for layer in encoder.conformer.layers:
        torch.nn.init.normal_(layer.conv.norm.weight)
        torch.nn.init.normal_(layer.conv.norm.bias)
    assert not any(".linear1.bias" in name for name, _ in encoder.named_parameters())
    assert_streaming_equals_offline(
        lambda x: encode(encoder, x),
        encoder.step,
        encoder.init_state,
        speech(30),
        chunk=1280,
    )


def gradients(encoder):
    embeds, _ = encoder.train()(speech(20), torch.tensor([25600, 25600]))
    embeds.square().mean().backward()
    return {name: p.grad for name, p in encoder.named_parameters()}


def test_checkpointing_changes_no_gradient():
    kept = gradients(tiny(1, dropout=0.0))
    computed_again = gradients(tiny(1, dropout=0.0, gradient_checkpointing=True))
    assert kept.keys() == computed_again.keys()
    for name, gradient in kept.items():
        torch.testing.assert_close(computed_again[name], gradient)


def test_unknown_norm_is_refused():
    with pytest.raises(ValueError, match="unknown conv_norm 'group_norm'; choose one"):
        tiny(conv_norm="group_norm")
