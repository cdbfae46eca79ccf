import numpy as np
import pytest
import torch
from conftest import TINY_CODEC, save_llm_tokenizer

from espnet2_duplex.codec.loading import build_codec
from espnet2_duplex.session import (
    DuplexSession,
    Sampling,
    check_codec,
    check_delays,
    sample,
    turns_from_text_ids,
)
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import HuggingFaceTokenizer


def run(stepper, speech):
    """Step through (B, S) samples; returns speech, text ids and codes over time."""
    state = stepper.init_state(speech.shape[0])
    outputs = []
    for frame in speech.split(1280, dim=1):
        output, state = stepper.step(frame, state)
        outputs.append(output)
    return (
        torch.cat([o.speech for o in outputs], 1),
        torch.stack([o.text_ids for o in outputs], 1),
        torch.stack([o.codes for o in outputs], 1),
    )


def test_session_reproduces_the_training_forward(tiny_model, tiny_stepper):
    """What a session generates is the argmax of the offline model over its streams."""
    speech = 0.1 * torch.randn(1, 100 * 1280)
    waveform, text_ids, codes = run(tiny_stepper, speech)
    text_in = torch.cat([torch.tensor([[3]]), text_ids[:, :-1]], 1)
    assert tiny_model.text_ids.pad == 3
    delay = torch.full((1, 1, 4), 4035)
    codes_in = torch.cat([delay, codes[:, :-1]], 1)
    with torch.inference_mode():
        user = tiny_model.encode_user(speech, torch.tensor([speech.shape[1]]))
        logits = tiny_model.duplex_lm(user, text_in, codes_in)
    assert logits.text.argmax(-1).tolist() == text_ids.tolist()
    # no special was drawn, so that the decoded codes are the drawn ones
    assert logits.speech[..., :4032].argmax(-1).tolist() == codes.tolist()
    torch.testing.assert_close(
        tiny_stepper.codec.decode(codes), waveform, atol=1e-4, rtol=0
    )


def test_batches_do_not_mix_conversations(tiny_stepper):
    speech = 0.1 * torch.randn(3, 40 * 1280)
    together = run(tiny_stepper, speech)
    alone = [run(tiny_stepper, row[None]) for row in speech]
    for part, parts in zip(together, zip(*alone)):
        torch.testing.assert_close(part, torch.cat(parts), atol=1e-4, rtol=0)


def test_silence_is_decoded_where_a_channel_holds_a_special(tiny_stepper):
    codes = torch.tensor([[[1, 4032, 2, 3]], [[1, 5, 2, 3]]])
    silent = tiny_stepper.silence_specials(codes)
    assert silent[0, 0].tolist() == tiny_stepper.codec.silence_codes.tolist()
    assert silent[1, 0].tolist() == [1, 5, 2, 3]


def test_latency_is_one_frame(tiny_stepper):
    assert tiny_stepper.latency_seconds == pytest.approx(0.08)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"samples_per_frame": 3528}, "6.25 frames per second but the encoder 12.5"),
        ({"num_codebooks": 3}, "3 codebooks of 4032 codes but the model was trained"),
    ],
)
def test_codec_that_does_not_belong_to_the_model_is_refused(
    tiny_model, changes, message
):
    codec = build_codec("istft", {**TINY_CODEC, **changes})
    with pytest.raises(ValueError, match=message):
        check_codec(codec, tiny_model.encoder, tiny_model.duplex_lm)


@pytest.mark.parametrize("delays", [[0], [0, 0, 0], [1, 1, 1], [0, 1, 2], [0, 2, 2]])
def test_delays_that_cannot_be_streamed_are_refused(delays):
    with pytest.raises(ValueError, match="delays are"):
        check_delays(delays)


def test_session_equals_stepper_and_tells_the_text(tiny_stepper, tiny_tokenizer):
    speech = 0.1 * torch.randn(1, 30 * 1280)
    waveform, text_ids, codes = run(tiny_stepper, speech)
    session = DuplexSession(tiny_stepper, tiny_tokenizer)
    frames = [session.step(piece) for piece in speech[0].numpy().reshape(-1, 1280)]
    assert [f.text_id for f in frames] == text_ids[0].tolist()
    assert np.stack([f.codes for f in frames]).tolist() == codes[0].tolist()
    assert frames[0].speech.shape == (1764,)
    np.testing.assert_array_equal(
        np.concatenate([f.speech for f in frames]), waveform[0].numpy()
    )


def test_session_text_is_that_of_the_turn(tiny_stepper, tiny_tokenizer):
    session = DuplexSession(tiny_stepper, tiny_tokenizer)
    ids = tiny_tokenizer.ids
    tokens = tiny_tokenizer.encode("The sun is a star.")
    pieces = [session._extend_text(i) for i in [ids.pad, ids.bos, *tokens, ids.eos]]
    assert "".join(pieces) == "The sun is a star."


def test_session_text_waits_for_the_whole_character(tiny_stepper, tmp_path):
    save_llm_tokenizer(tmp_path, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer = HuggingFaceTokenizer(tmp_path)
    session = DuplexSession(tiny_stepper, tokenizer)
    tokens = tokenizer.encode("é a")  # two bytes, two tokens
    pieces = [session._extend_text(i) for i in [tokenizer.ids.bos, *tokens]]
    assert pieces[:3] == ["", "", "é"] and "".join(pieces) == "é a"


def test_session_text_outside_turns_is_dropped(tiny_stepper, tiny_tokenizer):
    session = DuplexSession(tiny_stepper, tiny_tokenizer)
    word = tiny_tokenizer.encode("sun")[0]
    assert [session._extend_text(word) for _ in range(3)] == [""] * 3
    assert session.turn_ids is None


@pytest.mark.parametrize(
    "pcm, message",
    [
        (np.zeros(1279), "1280 samples of one channel, got shape"),
        (np.zeros((1280, 1)), "got shape"),
        (np.full(1280, np.nan), "NaN"),
    ],
)
def test_wrong_frames_are_refused(tiny_stepper, tiny_tokenizer, pcm, message):
    with pytest.raises(ValueError, match=message):
        DuplexSession(tiny_stepper, tiny_tokenizer).step(pcm)


def test_state_size_after_600_s_is_that_after_60_s(tiny_stepper):
    def num_elements(value):
        if isinstance(value, torch.Tensor):
            return value.numel()
        if isinstance(value, (list, tuple)):
            return sum(num_elements(v) for v in value)
        return sum(num_elements(v) for v in getattr(value, "__dict__", {}).values())

    state = tiny_stepper.init_state()
    frame = 0.1 * torch.randn(1, 1280)
    sizes = {}
    for t in range(1, 7501):
        _, state = tiny_stepper.step(frame, state)
        if t in (750, 7500):
            sizes[t] = num_elements(state)
    assert sizes[750] == sizes[7500] > 0


def test_turns_are_read_off_the_text_channel(tiny_tokenizer):
    ids = tiny_tokenizer.ids
    words = tiny_tokenizer.encode("The sun is a star.")
    text_ids = [ids.pad] * 4 + [ids.bos, *words, ids.pad, ids.eos, ids.pad]
    turns = turns_from_text_ids(text_ids, tiny_tokenizer, FrameClock())
    assert [t.text for t in turns] == ["The sun is a star."]
    assert turns[0].start == pytest.approx(0.4)  # step 4 speaks about frame 5
    assert turns[0].end == pytest.approx(0.4 + 0.08 * (len(words) + 2))


def test_turns_without_end_are_closed(tiny_tokenizer):
    ids = tiny_tokenizer.ids
    text_ids = [ids.bos, ids.pad, ids.bos, ids.pad, ids.pad]
    turns = turns_from_text_ids(text_ids, tiny_tokenizer, FrameClock())
    spans = [(round(t.start / 0.08), round(t.end / 0.08)) for t in turns]
    assert spans == [(1, 3), (3, 5)]


def test_top_k_keeps_the_k_best():
    logits = torch.tensor([[0.0, 3.0, 2.0, -1.0]]).expand(200, -1)
    drawn = sample(logits, temperature=1.0, top_k=2)
    assert set(drawn.tolist()) == {1, 2}
    assert set(sample(logits, temperature=0.0, top_k=0).tolist()) == {1}
    assert Sampling().text_temperature == 0.0
