import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import corpus_settings
import make_rooms
import make_sounds
import numpy as np
import pytest
import simulated_rooms
import soundfile
from bank_settings import RoomBank

from espnet2_duplex.simulation.user_channel.bank import Bank

RATE = 16000
DRY = RoomBank(rt60_seconds=(0.15, 0.3))


def read_rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def folder_bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    """A bank of four small, dry rooms."""
    folder = tmp_path_factory.mktemp("rooms")
    make_rooms.make_rooms(folder, replace(DRY, num_rooms=4), RATE, seed=0)
    return folder


def test_the_bank_can_be_loaded(rooms):
    bank = Bank.load(rooms)
    assert len(bank.rooms) == 4
    for room in bank.rooms:
        for response in (room.talker, room.loudspeaker):
            assert response[0] == 1
            assert np.abs(response[1:]).max() < 1
            assert 0.02 < len(response) / RATE < 0.6


def test_the_table_says_what_was_drawn(rooms):
    for row in read_rows(rooms / "rooms.jsonl"):
        assert 0.15 <= row["rt60_seconds"] <= 0.3
        assert 0.29 < row["talker_metres"] < 2.01
        assert 0.09 < row["loudspeaker_metres"] < 1.01


def test_same_seed_same_bytes(rooms, tmp_path):
    two = replace(DRY, num_rooms=2)
    make_rooms.make_rooms(tmp_path / "again", two, RATE, seed=0)
    again = folder_bytes(tmp_path / "again")
    first = folder_bytes(rooms)
    wavs = [name for name in again if name.endswith(".wav")]
    assert len(wavs) == 4
    assert all(again[name] == first[name] for name in wavs)  # also with fewer rooms
    make_rooms.make_rooms(tmp_path / "other", two, RATE, seed=1)
    assert folder_bytes(tmp_path / "other")[wavs[0]] != first[wavs[0]]


def test_the_peak_is_the_direct_sound_and_one_sample():
    rng = np.random.default_rng(7)
    plan = simulated_rooms.draw_plan(rng, RATE, RoomBank())
    samples = plan.distance("talker") / simulated_rooms.SPEED_OF_SOUND * RATE
    assert samples == pytest.approx(round(samples), abs=1e-6)


def test_the_room_fades_by_60_db_in_its_time():
    plan = simulated_rooms.RoomPlan(
        size=np.array([5.0, 4.0, 3.0]),
        rt60=0.4,
        microphone=np.array([2.1, 1.7, 1.2]),
        talker=np.array([3.4, 2.6, 1.6]),
        loudspeaker=np.array([2.3, 1.7, 1.2]),
    )
    rng = np.random.default_rng(0)
    response = simulated_rooms.simulate(plan, RATE, rng)["talker"]
    left = np.cumsum(response[::-1].astype(np.float64) ** 2)[::-1]
    left_db = 10 * np.log10(left / left[0])
    fall = np.argmax(left_db < -25) - np.argmax(left_db < -5)  # 20 dB
    assert 3 * fall / RATE == pytest.approx(0.4, rel=0.25)


def test_measured_responses_are_taken(tmp_path, make_wav):
    wavs = tmp_path / "rirs"
    stereo = make_wav(wavs / "hall" / "one.wav", 0.2, 8000, channels=2)
    samples, _ = soundfile.read(stereo)
    samples[400] = 0.9  # the direct sound, after 50 ms
    soundfile.write(stereo, samples, 8000)
    make_rooms.main([str(tmp_path / "bank"), "--measured", str(wavs)])
    (row,) = read_rows(tmp_path / "bank" / "rooms.jsonl")
    assert row["id"] == "hall/one"
    (room,) = Bank.load(tmp_path / "bank").rooms
    assert room.talker[0] == 1
    assert len(room.talker) == pytest.approx(0.15 * RATE, abs=20)


def test_a_measured_response_that_is_silent_is_named(tmp_path):
    wav = tmp_path / "silent.wav"
    soundfile.write(wav, np.zeros(1000), RATE)
    (tmp_path / "wav.scp").write_text(f"a {wav}\n")
    with pytest.raises(ValueError, match="silent.wav is no impulse response"):
        make_rooms.main(
            [str(tmp_path / "bank"), "--measured", str(tmp_path / "wav.scp")]
        )


def test_measured_rooms_need_no_simulator(tmp_path, make_wav):
    make_wav(tmp_path / "rirs/one.wav", 0.1, RATE)
    code = (
        "import sys; sys.modules['pyroomacoustics'] = None; import make_rooms; "
        f"make_rooms.main([{str(tmp_path / 'bank')!r}, '--measured', "
        f"{str(tmp_path / 'rirs')!r}])"
    )
    folder = Path(make_rooms.__file__).parent
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    assert len(Bank.load(tmp_path / "bank").rooms) == 1


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Writes the YAML of a corpus."""
    sections = {*corpus_settings.SECTIONS, "rooms", "sounds"}
    monkeypatch.setattr(corpus_settings, "SECTIONS", tuple(sorted(sections)))

    def write(text):
        path = tmp_path / "corpus.yaml"
        path.write_text(text)
        return str(path)

    return write


def test_rooms_and_sounds_are_made_as_the_corpus_says(tmp_path, config):
    path = config(
        "rooms: {num_rooms: 2, rt60_seconds: [0.2, 0.21], talker_metres: [1, 1.1]}\n"
        "sounds: {num_each: 3}"
    )
    make_rooms.main([str(tmp_path / "rooms"), "--config", path])
    rows = read_rows(tmp_path / "rooms" / "rooms.jsonl")
    assert len(rows) == 2
    for row in rows:
        assert 0.2 <= row["rt60_seconds"] <= 0.21 and 1 <= row["talker_metres"] <= 1.1
    make_sounds.main([str(tmp_path / "sounds"), "--config", path])
    rows = read_rows(tmp_path / "sounds" / "sounds.jsonl")
    assert len(rows) == 3 * len(make_sounds.KINDS)
    make_sounds.main([str(tmp_path / "one"), "--config", path, "--num_each", "1"])
    assert len(read_rows(tmp_path / "one/sounds.jsonl")) == len(make_sounds.KINDS)


@pytest.mark.parametrize(
    "text, message",
    [
        ("rooms: {num_rooms: 0}", "rooms: num_rooms is 0; expected at least 1"),
        ("rooms: {rt60: 1}", "rooms has the unknown name rt60; known are num_rooms"),
        (
            "rooms: {talker_metres: [0, 1]}",
            r"talker_metres is \[0.0, 1.0\]; begin above",
        ),
        (
            "rooms: {wall_metres: 1.2}",
            "width_metres begins at 2, where nothing is wall_",
        ),
        ("rooms: {talker_metres: [20, 21]}", "no room was found in .* talker and"),
    ],
)
def test_rooms_that_cannot_be_are_refused(tmp_path, config, text, message):
    with pytest.raises(ValueError, match=message):
        make_rooms.main([str(tmp_path / "rooms"), "--config", config(text)])


def test_no_sounds_are_refused(tmp_path):
    with pytest.raises(ValueError, match="num_each is 0; expected at least 1"):
        make_sounds.main([str(tmp_path / "sounds"), "--num_each", "0"])


def test_an_empty_folder_is_refused(tmp_path):
    (tmp_path / "none").mkdir()
    for module, option in ((make_rooms, "--measured"), (make_sounds, "--own")):
        with pytest.raises(ValueError, match="none holds no .flac, .ogg, .wav file"):
            module.main([str(tmp_path / "bank"), option, str(tmp_path / "none")])


def test_sounds_of_every_kind_are_written(tmp_path):
    make_sounds.main([str(tmp_path / "a"), "--num_each", "2"])
    rows = read_rows(tmp_path / "a" / "sounds.jsonl")
    assert len(rows) == 2 * len(make_sounds.KINDS)
    for row in rows:
        info = soundfile.info(tmp_path / "a" / row["wav"])
        assert (info.samplerate, info.channels) == (RATE, 1)
        assert row["seconds"] == pytest.approx(info.duration, abs=1e-6)
    make_sounds.main([str(tmp_path / "b"), "--num_each", "1"])
    first, second = folder_bytes(tmp_path / "a"), folder_bytes(tmp_path / "b")
    assert all(first[name] == second[name] for name in second if "wav" in name)


def test_own_sounds_get_the_rate_and_the_peak_of_the_others(tmp_path, make_wav):
    make_wav(tmp_path / "own" / "cough.wav", 0.5, 44100, channels=2)
    make_sounds.main([str(tmp_path / "bank"), "--own", str(tmp_path / "own")])
    (row,) = read_rows(tmp_path / "bank" / "sounds.jsonl")
    assert row == {"wav": "own0000.wav", "seconds": 0.5, "kind": "own"}
    sound, rate = soundfile.read(tmp_path / "bank" / "own0000.wav")
    assert rate == RATE and np.abs(sound).max() == pytest.approx(0.4, abs=1e-3)
