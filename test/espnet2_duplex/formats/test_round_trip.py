"""A data folder, converted and converted back."""

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espnet2_duplex.conversation import Turn
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.formats.kaldi import KaldiOptions
from espnet2_duplex.formats.moshi import MoshiOptions
from espnet2_duplex.formats.registry import (
    FORMATS,
    FormatOptions,
    convert,
    open_reader,
    open_writer,
)
from espnet2_duplex.formats.shar import SharOptions

TABLES = ("turns", "utt2dur", "utt2spk", "spk2utt", "events", "utt2source")
COPY = FormatOptions(kaldi=KaldiOptions(audio="copy"), shar=SharOptions(shard_size=2))
EQUAL_RATES = FormatOptions(
    kaldi=KaldiOptions(16000, 16000, "copy"), moshi=MoshiOptions(sample_rate=16000)
)


def there_and_back(name, data, folder, options):
    """The data folder that comes back."""
    middle, back = folder / name, folder / "back"
    convert(open_reader("kaldi", data, options), open_writer(name, middle, options))
    convert(open_reader(name, middle, options), open_writer("kaldi", back, options))
    return back


def assert_equal_tables(data, back):
    for name in TABLES:
        before, after = read_table(data / name), read_table(back / name)
        if name == "events":  # one JSON is spaced as the other one is
            before = {key: value.replace(" ", "") for key, value in before.items()}
            after = {key: value.replace(" ", "") for key, value in after.items()}
        assert after == before, name


def pcm(folder, role):
    return {
        key: soundfile.read(path, dtype="int16")
        for key, path in read_table(folder / f"{role}.scp").items()
    }


def assert_equal_sound(data, back, role):
    before, after = pcm(data, role), pcm(back, role)
    assert set(before) == set(after)
    for key, (samples, rate) in before.items():
        assert after[key][1] == rate
        np.testing.assert_array_equal(after[key][0], samples)


@pytest.mark.parametrize("name", ["kaldi", "shar", "fdb"])
def test_everything_comes_back_exactly(name, data, tmp_path):
    back = there_and_back(name, data, tmp_path / "made", COPY)
    assert_equal_tables(data, back)
    assert_equal_sound(data, back, "user")
    assert_equal_sound(data, back, "agent")


@pytest.mark.parametrize("name", ["moshi", "stereo"])
def test_stereo_formats_keep_everything_at_equal_rates(name, make_data, tmp_path):
    data = make_data(tmp_path / "equal", agent_rate=16000)
    back = there_and_back(name, data, tmp_path / "made", EQUAL_RATES)
    assert_equal_tables(data, back)
    assert_equal_sound(data, back, "user")
    assert_equal_sound(data, back, "agent")


@pytest.mark.parametrize("name", ["moshi", "stereo"])
def test_stereo_formats_keep_labels_and_lengths_at_unequal_rates(name, data, tmp_path):
    back = there_and_back(name, data, tmp_path / "made", COPY)
    assert_equal_tables(data, back)
    for role in ("user", "agent"):
        before, after = pcm(data, role), pcm(back, role)
        for key, (samples, rate) in before.items():
            assert after[key][1] == rate and len(after[key][0]) == len(samples)


def test_resampled_speech_is_the_same_speech(tmp_path, data):
    """Below the lower Nyquist frequency, a tone survives 22.05 -> 24 -> 22.05 kHz."""
    tone = 0.3 * np.sin(2 * np.pi * 1000 * np.arange(52920) / 22050)
    path = read_table(data / "agent.scp")["a"]
    soundfile.write(path, tone, 22050)
    back = there_and_back("moshi", data, tmp_path / "made", COPY)
    after = pcm(back, "agent")["a"][0] / 32768
    assert np.abs(after - tone)[500:-500].max() < 1e-3


@st.composite
def turn_lists(draw):
    """Turns of 2.4 s; those of a role do not overlap, those of the two may."""
    turns = []
    for role in ("user", "agent"):
        times = draw(st.sets(st.integers(0, 2_400_000), max_size=6))
        times = sorted(times)[: len(times) // 2 * 2]
        for start, end in zip(times[::2], times[1::2]):
            text = draw(st.text(st.characters(exclude_categories=["C"]), max_size=8))
            text = f"{text}é" if role == "agent" else text
            turns.append(Turn(role, start / 1e6, end / 1e6, text))
    return sorted(turns, key=lambda turn: turn.start)


@pytest.mark.parametrize("name", FORMATS)
@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(turns=turn_lists())
def test_any_turns_come_back_to_the_microsecond(
    name, turns, make_data, tmp_path_factory
):
    folder = tmp_path_factory.mktemp("drawn")
    turns = turns or [Turn("user", 0.0, 1.0, "")]
    data = make_data(folder / "data", {"a": turns}, agent_rate=16000)
    back = there_and_back(name, data, folder / "made", EQUAL_RATES)
    assert read_table(back / "turns") == read_table(data / "turns")


@pytest.mark.parametrize("name", FORMATS)
def test_streams_may_differ_in_length_within_their_last_frame(
    name, make_data, tmp_path
):
    data = make_data(tmp_path / "data", agent_rate=16000)
    path = read_table(data / "user.scp")["a"]
    samples, _ = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples[:-100], 16000)
    back = there_and_back(name, data, tmp_path / "made", EQUAL_RATES)
    after = pcm(back, "user")["a"][0]
    padding = 0 if name in ("kaldi", "fdb") else 100
    assert len(after) == 38300 + padding and not after[38300:].any()
    np.testing.assert_array_equal(after[:38300], samples[:38300])
    assert_equal_sound(data, back, "agent")
