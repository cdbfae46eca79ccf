import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from espnet2_duplex.sound_files import write_wav

NUM_SAMPLES = 2205


def ramp():
    return np.linspace(-0.5, 0.5, NUM_SAMPLES).astype(np.float32)


@pytest.mark.parametrize("name, format", [("a.wav", "WAV"), ("a.flac", "FLAC")])
def test_sound_comes_back_to_a_step_of_16_bits(tmp_path, name, format):
    path = tmp_path / "folder" / name
    write_wav(path, ramp(), 22050)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.channels) == (format, "PCM_16", 1)
    speech, rate = soundfile.read(path, dtype="float32")
    assert rate == 22050 and len(speech) == NUM_SAMPLES
    assert np.abs(speech - ramp()).max() <= 1 / 2**15
    assert os.listdir(path.parent) == [name]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_same_samples_give_the_same_bytes(tmp_path, name):
    for folder in ("one", "two"):
        write_wav(tmp_path / folder / name, ramp(), 16000)
    one, two = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
    assert one == two


def test_loud_samples_are_clipped_and_do_not_wrap_round(tmp_path):
    write_wav(tmp_path / "a.wav", np.array([2.0, -2.0], np.float32), 16000)
    speech, _ = soundfile.read(tmp_path / "a.wav")
    assert speech[0] > 0.99 and speech[1] < -0.99


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'\.ogg'; name it \.wav or \.flac"):
        write_wav(tmp_path / "a.ogg", ramp(), 16000)


def test_a_full_disk_keeps_its_errno_and_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")

    def fail(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError) as caught:
        write_wav(path, ramp(), 16000)
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["a.wav"]


def test_what_was_read_from_16_bits_is_written_back_the_same(tmp_path):
    every = np.arange(-32768, 32768, dtype=np.int16)
    soundfile.write(tmp_path / "a.wav", every, 16000, subtype="PCM_16")
    speech, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    write_wav(tmp_path / "b.wav", speech, 16000)
    again, _ = soundfile.read(tmp_path / "b.wav", dtype="int16")
    assert (again == every).all()
