import errno
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from espnet2_duplex.sound_files import (
    SoundHeader,
    read_header,
    read_mono,
    read_samples,
    write_wav,
)

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


def test_24_bits_keep_what_16_lose(tmp_path):
    faint = np.array([1.0, 1e-5, -1e-6], np.float32) / 2
    write_wav(tmp_path / "a.wav", faint, 16000, "PCM_24")
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_24"
    speech, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.abs(speech - faint).max() <= 1 / 2**23


def test_a_header_tells_rate_channels_and_length(tmp_path):
    write_wav(tmp_path / "a.flac", np.zeros((8000, 2), np.float32), 16000)
    header = read_header(tmp_path / "a.flac")
    assert header == SoundHeader(16000, 2, 8000, "FLAC") and header.seconds == 0.5


def test_mono_is_the_first_channel_and_keeps_samples_of_its_own_rate(tmp_path):
    write_wav(tmp_path / "a.wav", np.stack([ramp(), -ramp()], axis=1), 22050)
    both, rate = read_samples(tmp_path / "a.wav", first=100, num_samples=50)
    assert both.shape == (50, 2) and rate == 22050
    assert np.array_equal(read_mono(tmp_path / "a.wav", 22050, 100, 50), both[:, 0])
    assert len(read_mono(tmp_path / "a.wav", 11025)) == 1103


def test_a_stretch_beyond_the_end_gives_what_there_is(tmp_path):
    write_wav(tmp_path / "a.wav", ramp(), 22050)
    assert len(read_samples(tmp_path / "a.wav", NUM_SAMPLES - 5, 50)[0]) == 5


@pytest.mark.parametrize("read", [read_header, read_samples])
def test_files_that_cannot_be_read_are_named(tmp_path, read):
    with pytest.raises(ValueError, match=r"a\.wav does not exist; correct the path"):
        read(tmp_path / "a.wav")
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(ValueError, match=r"a\.wav cannot be read as audio \(.*\); w"):
        read(tmp_path / "a.wav")


@pytest.mark.parametrize("samples", [np.zeros(0), np.array([0.5, np.nan])])
def test_mono_sound_that_is_empty_or_not_finite_is_refused(tmp_path, samples):
    soundfile.write(tmp_path / "a.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match="has no samples, or some that are not finite"):
        read_mono(tmp_path / "a.wav", 16000)
