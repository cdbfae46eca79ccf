"""The reference voice: which clips it is made of, and their mean direction."""

import numpy as np
import pytest

from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.metrics.speech.agent_voice import (
    MAX_TURNS,
    read_voice,
    reference_turns,
)
from espnet2_duplex.sound_files import write_wav

RATE = 16000


def first_two(clip):
    return clip[:2].astype(np.float64)


def write_set(folder, num_conversations):
    """In conversation n the agent says n / 100, first for too short, then for 2 s."""
    sounds, turns = {}, {}
    for number in range(num_conversations):
        name = f"conversation_{number:02d}"
        path = folder / f"{name}.wav"
        speech = np.full(4 * RATE, 0.9)
        speech[2 * RATE :] = number / 100
        write_wav(path, speech, RATE, "FLOAT")
        sounds[name] = str(path)
        turns[name] = turns_to_json(
            [
                Turn("agent", 0.0, 1.0, "Hi."),
                Turn("user", 0.5, 2.5, "And now?"),
                Turn("agent", 2.0, 4.0, "Nothing."),
            ]
        )
    write_table(folder / "agent.scp", sounds)
    write_table(folder / "turns", turns)
    return folder / "agent.scp"


def test_turns_are_long_enough_and_from_all_over_the_set(tmp_path):
    clips = reference_turns(write_set(tmp_path, 39))
    assert len(clips) == MAX_TURNS
    assert {len(clip) for clip in clips} == {2 * RATE}
    found = [round(100 * float(clip[0])) for clip in clips]
    assert found == list(range(0, 39, 2))


def test_small_set_gives_what_it_has(tmp_path):
    assert len(reference_turns(write_set(tmp_path, 3))) == 3


def test_voice_is_the_mean_direction(tmp_path):
    paths = [str(tmp_path / name) for name in ("a.wav", "b.wav")]
    write_wav(paths[0], np.array([0.5, 0.0, 0.1]), RATE, "FLOAT")
    write_wav(paths[1], np.array([0.0, 0.1, 0.1]), RATE, "FLOAT")
    assert read_voice(paths, first_two) == pytest.approx([0.5**0.5, 0.5**0.5])


def test_folder_counts_as_its_turns(tmp_path):
    voice = read_voice([str(write_set(tmp_path, 3))], lambda clip: np.ones(4))
    assert voice == pytest.approx([0.5] * 4)


def test_set_without_a_long_turn_is_named(tmp_path):
    scp = write_set(tmp_path, 1)
    write_table(tmp_path / "turns", {"conversation_00": "[]"})
    with pytest.raises(ValueError, match="agent.scp .* no turn of the agent of 1.6 s"):
        reference_turns(scp)


def test_silent_sound_is_named(tmp_path):
    path = tmp_path / "silent.wav"
    write_wav(path, np.zeros(RATE), RATE)
    with pytest.raises(ValueError, match="silent.wav is silent"):
        read_voice([str(path)], first_two)


def test_missing_sound_is_named(tmp_path):
    with pytest.raises(ValueError, match="none.wav does not exist"):
        read_voice([str(tmp_path / "none.wav")], first_two)
