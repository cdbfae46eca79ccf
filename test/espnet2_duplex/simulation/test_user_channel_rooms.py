import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.simulation.user_channel.bank import Bank, RoomResponses
from espnet2_duplex.simulation.user_channel.rooms import from_direct_sound, in_room
from espnet2_duplex.simulation.user_channel.settings import (
    Echo,
    Noise,
    Room,
    UserChannel,
)


def test_direct_sound_comes_at_once_and_with_gain_one():
    response = np.float32([0, 0, 0.001, -0.2, 0.1, 0, 0.05])
    assert from_direct_sound(response, "r").tolist() == pytest.approx(
        [1, -0.5, 0, -0.25]
    )


def test_inaudible_tail_is_cut():
    response = np.zeros(100, np.float32)
    response[[0, 50, 80]] = [1, 0.1, 0.0009]  # -61 dB at 80
    assert len(from_direct_sound(response, "r")) == 51


@pytest.mark.parametrize("response", [[], [0.0, 0.0], [1.0, float("nan")]])
def test_what_is_no_response_is_refused(response):
    with pytest.raises(ValueError, match="x.wav is no impulse response"):
        from_direct_sound(np.float32(response), "x.wav")


def test_a_room_moves_no_onset_and_adds_its_reflections():
    user = np.zeros(1000, np.float32)
    user[100] = 0.5
    response = np.zeros(301, np.float32)
    response[[0, 300]] = [1, 0.25]
    heard = in_room(user, response)
    expected = np.zeros(1000)
    expected[[100, 400]] = [0.5, 0.125]
    np.testing.assert_allclose(heard, expected, atol=1e-6)


@pytest.fixture
def bank_folder(tmp_path):
    """One room, whose talker is heard after 3 samples, and two noises."""
    for name, samples in (
        ("talker", [0, 0, 0, 0.5, 0.25]),
        ("loudspeaker", [0.2, 0.1]),
        ("noise", [0.1] * 9),
    ):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, np.float32(samples), 16000, subtype="FLOAT")
    row = {"id": "r", "talker": "talker.wav", "loudspeaker": "loudspeaker.wav"}
    (tmp_path / "rooms.jsonl").write_text(json.dumps(row) + "\n")
    noise = tmp_path / "noise.wav"
    (tmp_path / "noise.scp").write_text(f"a {noise}\nb {noise}\n")
    return tmp_path


def test_bank_is_read(bank_folder):
    bank = Bank.load(bank_folder, bank_folder / "noise.scp")
    (room,) = bank.rooms
    assert room.talker.tolist() == [1, 0.5]
    assert room.loudspeaker.tolist() == pytest.approx([1, 0.5])
    assert len(bank.noises) == 2
    assert Bank.load().rooms == ()


def test_files_of_a_wrong_rate_are_refused(bank_folder):
    with pytest.raises(ValueError, match="talker.wav has 16000 Hz, 1 channels"):
        Bank.load(bank_folder, sample_rate=8000)
    with pytest.raises(ValueError, match="noise.wav has 16000 Hz"):
        Bank.load(noises=bank_folder / "noise.scp", sample_rate=8000)


def test_a_bank_that_lacks_a_file_is_refused(bank_folder):
    (bank_folder / "loudspeaker.wav").unlink()
    with pytest.raises(ValueError, match="loudspeaker.wav does not exist"):
        Bank.load(bank_folder)
    (bank_folder / "rooms.jsonl").write_text('{"talker": "talker.wav"}\n')
    with pytest.raises(ValueError, match="a room has no loudspeaker"):
        Bank.load(bank_folder)
    (bank_folder / "talker.wav").write_text("no sound")
    with pytest.raises(ValueError, match="talker.wav cannot be read as audio"):
        Bank.load(bank_folder)


@pytest.mark.parametrize(
    "settings, message",
    [
        (UserChannel(room=Room(share=0.1)), "The share of room is above 0"),
        (UserChannel(echo=Echo(share=0.1)), "The share of echo is above 0"),
        (
            UserChannel(noise=Noise(share=0.1, recordings_share=0.5)),
            "recordings_share of noise is above 0",
        ),
    ],
)
def test_what_the_bank_lacks_is_said_before_anything_is_drawn(settings, message):
    with pytest.raises(ValueError, match=message):
        Bank().check(settings, 16000)


def test_an_empty_bank_is_enough_for_the_other_effects():
    Bank().check(UserChannel(noise=Noise(share=1)), 8000)
    Bank().check(UserChannel(noise=Noise(share=0, recordings_share=1)), 8000)


def test_bank_and_stream_must_have_one_rate():
    response = np.ones(1, np.float32)
    bank = Bank(16000, (RoomResponses(response, response),))
    with pytest.raises(
        ValueError, match="bank has 16000 Hz and the user's stream 8000"
    ):
        bank.check(UserChannel(), 8000)
