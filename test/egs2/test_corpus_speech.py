import numpy as np
import pytest
import soundfile
import voices
from hypothesis import given
from hypothesis import strategies as st
from plan_clips import Plan, agent_clip, rotation, user_clip, user_uses
from synthesise import synthesise
from voices import AGENT_RATE, TEST_VOICES, TRAIN_VOICES, Clip, trim_and_level


def tone(seconds, sample_rate=16000, amplitude=0.3):
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * 200 * time)).astype(np.float32)


def rows(prefix, count):
    return [
        {"id": f"{prefix}_{n:03d}", "question": f"Question {prefix} {n}?"}
        for n in range(count)
    ]


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.01, 0.9))
def test_silence_is_cut_off_both_ends_to_a_hundredth(before, after, amplitude):
    silences = [np.zeros(160 * count, np.float32) for count in (before, after)]
    speech = np.concatenate([silences[0], tone(0.5, 16000, amplitude), silences[1]])
    assert abs(len(trim_and_level(speech, 16000)) - 8000) <= 160


def test_clips_have_one_level_and_never_clip():
    for amplitude in (0.001, 0.2, 0.9):
        clip = trim_and_level(tone(1.0, 16000, amplitude), 16000)
        level = 10 * np.log10(np.mean(clip**2))
        assert level == pytest.approx(voices.LEVEL_DBFS, abs=0.2)
    burst = np.concatenate([tone(1.0, 16000, 0.001), np.ones(10, np.float32)])
    assert np.abs(trim_and_level(burst, 16000)).max() <= 0.951


def test_a_silent_voice_is_an_error():
    with pytest.raises(ValueError, match="silence"):
        trim_and_level(np.zeros(16000, np.float32), 16000)


def test_test_voices_are_of_both_sexes_and_never_train():
    assert not set(TRAIN_VOICES) & set(TEST_VOICES)
    assert len(TRAIN_VOICES) + len(TEST_VOICES) >= 20
    assert {voice[1] for voice in TEST_VOICES} == {"f", "m"}
    assert "af_heart" not in TRAIN_VOICES + TEST_VOICES  # the agent's own voice


def test_every_training_voice_is_used_and_parts_keep_to_their_voices():
    uses = list(user_uses(Plan(), rows("known", 40), rows("open", 40)))
    by_part = {part: {u.clip.voice for u in uses if u.part == part} for part in PARTS}
    assert by_part["train"] == set(TRAIN_VOICES)
    assert by_part["valid"] <= set(TRAIN_VOICES)
    assert by_part["test"] == by_part["open"] == set(TEST_VOICES)
    assert {u.text_id for u in uses if u.part == "test"} == {
        u.text_id for u in uses if u.part == "train"
    }
    assert len({u.clip.id for u in uses}) == len(uses)


PARTS = ("train", "valid", "test", "open")


def test_a_clips_name_changes_with_all_that_changes_its_samples():
    clip = user_clip("a", "Hello there.", "am_adam", seed=0)
    assert clip == user_clip("a", "Hello there.", "am_adam", seed=0)
    assert clip.id != user_clip("a", "Hello there?", "am_adam", seed=0).id
    assert clip.id != user_clip("a", "Hello there.", "am_echo", seed=0).id
    assert clip.speed != user_clip("a", "Hello there.", "am_adam", seed=1).speed
    assert 0.9 <= clip.speed <= 1.15


def test_more_voices_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="3 voices are wanted, there are 2"):
        rotation(["a", "b"], 1, 3)


def test_speech_has_the_same_bytes_whatever_the_number_of_jobs(tmp_path):
    clips = [agent_clip(f"t{n}", text) for n, text in enumerate(["Yes.", "No.", "Go."])]
    for name, num_jobs in (("one", 1), ("two", 2)):
        synthesise(clips, tmp_path / name, tmp_path, num_jobs)
    for clip in clips:
        one, two = (tmp_path / n / f"{clip.id}.wav" for n in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()
    speech, rate = soundfile.read(one, dtype="float32")
    lead = 1764  # one frame, whose codes the speech BOS replaces
    assert rate == AGENT_RATE
    assert not speech[:lead].any() and np.abs(speech[lead : 2 * lead]).max() > 0.01


def test_a_failed_clip_is_reported_after_the_others_are_spoken(tmp_path):
    good = agent_clip("good", "Yes.")
    lost = Clip("lost", "user", "am_nobody", 1.0, "Hello.")
    with pytest.raises(ValueError, match=r"1 of 2 clips could not.*lost 'Hello\.'"):
        synthesise([lost, good], tmp_path, tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == [f"{good.id}.wav"]


def test_a_clip_that_is_there_is_kept(tmp_path):
    clip = agent_clip("kept", "Yes.")
    (tmp_path / f"{clip.id}.wav").write_bytes(b"kept")
    synthesise([clip], tmp_path, tmp_path, 1)
    assert (tmp_path / f"{clip.id}.wav").read_bytes() == b"kept"
