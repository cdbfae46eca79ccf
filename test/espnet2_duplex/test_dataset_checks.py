import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.dataset_checks import (
    check_equal_duration,
    check_speech,
    load_conversation,
    load_speech,
)
from espnet2_duplex.timing import FrameClock


@pytest.mark.parametrize(
    "speech, rate, message",
    [
        (np.zeros(0), 16000, "a.wav has no samples"),
        (np.array([0, np.inf, np.nan]), 16000, "2 samples that are not finite"),
        (np.zeros(8), 8000, "has 8000 Hz, but 16000 Hz are expected; resample it"),
        (np.zeros((8, 2)), 16000, "has 2 channels, but mono is expected"),
    ],
)
def test_faulty_speech_is_one_sentence(speech, rate, message):
    with pytest.raises(ValueError, match=message) as caught:
        check_speech("a.wav", speech, rate, 16000)
    assert "\n" not in str(caught.value)


def test_good_speech_passes(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.full(160, 0.5), 16000)
    speech = load_speech(tmp_path / "a.wav", 16000)
    assert speech.shape == (160,) and speech.dtype == np.float32


def test_missing_and_unreadable_files_are_named(tmp_path):
    with pytest.raises(ValueError, match="gone.wav does not exist"):
        load_speech(tmp_path / "gone.wav", 16000)
    (tmp_path / "text.wav").write_text("text")
    with pytest.raises(ValueError, match="text.wav cannot be read as audio"):
        load_speech(tmp_path / "text.wav", 16000)


def test_streams_of_different_length_are_told_in_seconds():
    check_equal_duration("c", 5, 5, FrameClock())
    with pytest.raises(ValueError, match="c: the user's wav lasts 0.40 s .* 0.48 s"):
        check_equal_duration("c", 5, 6, FrameClock())


def test_a_conversation_is_read_with_its_duration_in_whole_frames(tmp_path):
    paths = []
    for name, rate in (("user", 16000), ("agent", 22050)):
        paths.append(tmp_path / f"{name}.wav")
        soundfile.write(paths[-1], np.full(rate // 10, 0.1), rate)
    turns = json.dumps([{"role": "agent", "start": 0.0, "end": 0.1, "text": "hi"}])
    found = load_conversation("c", turns, *paths, user_rate=16000, agent_rate=22050)
    assert found.duration == 0.16 and found.agent_turns[0].text == "hi"
