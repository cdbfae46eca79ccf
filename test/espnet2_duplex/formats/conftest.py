"""Corpora of a few seconds."""

import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_speakers, write_table
from espnet2_duplex.formats.listening import Listener, ListeningOptions

TURNS = [
    Turn("user", 0.1, 0.9, "What is  tea?"),
    Turn("agent", 1.0, 1.700001, "Ein Getränk, a drink."),
    Turn("user", 1.5, 2.1, "stop"),
    Turn("agent", 2.2, 2.4, "Yes."),
]
EVENTS = [
    {"kind": "pause", "start": 0.4, "end": 0.6, "text": ""},
    {"kind": "backchannel", "start": 1.2, "end": 1.3, "text": "uh-huh"},
]


def noise(num_samples, seed):
    """16-bit samples, the extremes among them."""
    samples = np.random.default_rng(seed).integers(-3000, 3000, num_samples, np.int16)
    samples[:2] = -32768, 32767
    return samples


def tones(num_seconds, rate, *spans, level=0.3):
    """Silence with a tone in each span of seconds, float32 (N,)."""
    time = np.arange(round(num_seconds * rate)) / rate
    on = np.zeros(len(time), bool)
    for start, end in spans:
        on |= (time >= start) & (time < end)
    return (level * on * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def write_folder(folder, turns, *, user_rate=16000, agent_rate=22050, seconds=2.4):
    """A data folder from id -> turns, with wavs of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {name: {} for name in ("user.scp", "agent.scp", "turns", "utt2dur")}
    for seed, (key, spoken) in enumerate(turns.items()):
        for role, rate in (("user", user_rate), ("agent", agent_rate)):
            path = folder / f"{key}.{role}.wav"
            soundfile.write(path, noise(round(seconds * rate), seed), rate)
            tables[f"{role}.scp"][key] = str(path)
        tables["turns"][key] = turns_to_json(spoken)
        tables["utt2dur"][key] = f"{seconds:.2f}"
    for name, table in tables.items():
        write_table(folder / name, table)
    write_speakers(folder, {key: f"speaker_{key}" for key in turns})
    events = {key: json.dumps(EVENTS) for key in turns}
    write_table(folder / "events", events)
    write_table(folder / "utt2source", {key: "tea/talk" for key in turns})
    return folder


@pytest.fixture(scope="session")
def make_data():
    """Writes a data folder: (folder, id -> turns, user_rate=, agent_rate=, seconds=)."""
    three = dict.fromkeys(("a", "b.1", "c"), TURNS)
    return lambda folder, turns=three, **how: write_folder(folder, turns, **how)


@pytest.fixture
def data(make_data, tmp_path):
    """A data folder of three conversations at 16 and 22.05 kHz."""
    return make_data(tmp_path / "data")


@pytest.fixture(scope="session")
def make_tones():
    """Samples with tones: (num_seconds, rate, *spans, level=)."""
    return tones


@pytest.fixture
def listener():
    """Hears tones; says how long each clip is, in tenths of a second."""
    return Listener(
        ListeningOptions(vad="energy", asr_model="counter"),
        lambda model: lambda clips: [f"{len(clip) // 1600} tenths" for clip in clips],
    )


@pytest.fixture
def deaf_listener():
    """Hears tones without knowing words."""
    return Listener(ListeningOptions(vad="energy"))
