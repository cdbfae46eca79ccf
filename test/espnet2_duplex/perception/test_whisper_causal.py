"""The causal Whisper encoder."""

import pytest
import torch
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_layers import (
    BLOCK,
    block_causal_attention,
    sinusoids,
)


def tiny(**options):
    torch.manual_seed(0)
    sizes = dict(output_size=6, num_layers=2, width=16, num_heads=2, window_frames=5)
    return WhisperCausalEncoder(**{**sizes, **options}).eval()


def speech(num_frames, batch_size=2):
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(batch_size, 1280 * num_frames, generator=generator)


def encode(encoder, signal):
    return encoder(signal, torch.full((len(signal),), signal.shape[1]))[0]


def state_bytes(state):
    tensors = [v for v in vars(state).values() if isinstance(v, torch.Tensor)]
    return sum(t.untyped_storage().nbytes() for t in tensors)


def test_streaming_equals_offline_over_64_seconds_and_two_wraps_of_the_positions():
    encoder = tiny()
    assert_streaming_equals_offline(
        lambda x: encode(encoder, x),
        encoder.step,
        encoder.init_state,
        speech(800),
        chunk=1280,
    )


def test_output_hears_its_own_frame_and_nothing_later():
    encoder, signal = tiny(), speech(12)
    changed = signal.clone()
    changed[:, 1280 * 7 :] *= 100
    differs = (encode(encoder, signal) - encode(encoder, changed)).abs().amax(dim=2)
    assert differs[:, :7].max() < 1e-6
    assert differs[:, 7:].min() > 1e-3


def test_last_sample_of_a_frame_is_heard():
    encoder, signal = tiny(), speech(3)
    changed = signal.clone()
    changed[:, 2 * 1280 - 1] += 0.5
    differs = (encode(encoder, signal) != encode(encoder, changed)).any(dim=2)
    assert differs.tolist() == [[False, True, True]] * 2


def test_padding_of_the_batch_changes_nothing():
    encoder, signal = tiny(), speech(6)
    num_samples = torch.tensor([6 * 1280, 2 * 1280 + 5])
    signal[1, num_samples[1] :] = float("nan")
    embeds, num_frames = encoder(signal, num_samples)
    alone, _ = encoder(signal[1:, : num_samples[1]], num_samples[1:])
    assert num_frames.tolist() == [6, 3]
    torch.testing.assert_close(embeds[1:, :3], alone)


def test_frames_are_rounded_up():
    embeds, num_frames = tiny()(torch.zeros(1, 1281), torch.tensor([1281]))
    assert embeds.shape == (1, 2, 6)
    assert num_frames.tolist() == [2]


def test_state_after_600_seconds_is_as_large_as_after_60():
    encoder = tiny(num_layers=1, width=4)
    sizes = []
    with torch.inference_mode():
        state = encoder.init_state(1)
        for frame in range(7500):
            _, state = encoder.step(torch.zeros(1, 1280), state)
            if frame + 1 in (750, 7500):
                sizes.append(state_bytes(state))
    assert sizes[0] == sizes[1]


def test_windowed_attention_equals_its_definition():
    torch.manual_seed(0)
    queries, keys, values = torch.randn(3, 1, 2, 44, 3).unbind(0)
    blocks = torch.arange(44) // BLOCK
    distance = blocks[:, None] - blocks
    scores = queries @ keys.transpose(2, 3) / 3**0.5
    scores = scores.masked_fill((distance < 0) | (distance >= 3), float("-inf"))
    torch.testing.assert_close(
        block_causal_attention(queries, keys, values, window_blocks=3),
        scores.softmax(dim=-1) @ values,
    )


def test_wrapping_positions_continue_where_the_table_ends():
    table = sinusoids(1500, 16, wrap=True)
    step_inside, step_across = table[700] - table[699], table[0] - table[1499]
    assert step_across.norm() < 2 * step_inside.norm()
    assert sinusoids(1500, 16, wrap=False)[0].tolist() == [0.0] * 8 + [1.0] * 8


def test_training_draws_the_first_position_of_each_row():
    encoder = tiny().train()
    same_rows = speech(4, batch_size=1).expand(2, -1)
    embeds = encode(encoder, same_rows)
    assert not torch.allclose(embeds[0], embeds[1])


def test_half_precision_weights_load_into_the_encoder():
    encoder, other = tiny(), tiny()
    halves = {name: w.half() for name, w in encoder.state_dict().items()}
    other.load_state_dict(halves)
    assert other.proj.weight.dtype == torch.float32
    torch.testing.assert_close(
        encode(other, speech(3)), encode(encoder, speech(3)), atol=1e-2, rtol=0
    )


def test_step_of_another_length_is_refused():
    encoder = tiny()
    with pytest.raises(ValueError, match="1280.* found .1, 1000.; cut the signal"):
        encoder.step(torch.zeros(1, 1000), encoder.init_state(1))


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="width 16 .* 3 heads"):
        tiny(num_heads=3)


def test_shipped_weights_are_small_half_precision_and_load(root):
    file = root / "egs2/duplex_s2s/pretrained/whisper_causal/encoder.pth"
    weights = torch.load(file, weights_only=True)
    assert file.stat().st_size <= 16_000_000
    assert {w.dtype for w in weights.values()} == {torch.float16}
    WhisperCausalEncoder().load_state_dict(weights)
