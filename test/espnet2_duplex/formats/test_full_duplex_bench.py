import json

import numpy as np
import pytest
import soundfile

from espnet2_duplex.events import Event
from espnet2_duplex.formats.full_duplex_bench import (
    BenchOptions,
    BenchWriter,
    read_bench,
)
from espnet2_duplex.formats.kaldi import read_kaldi
from espnet2_duplex.formats.registry import convert


def words(*spans):
    return [{"text": text, "timestamp": [start, end]} for text, start, end in spans]


@pytest.fixture
def sample(tmp_path, make_tones):
    """The folder of one sample; the user speaks at 0.5 s and at 3 s."""
    folder = tmp_path / "fdb" / "1"
    folder.mkdir(parents=True)
    sound = make_tones(5, 16000, (0.5, 1.5), (3.0, 4.0))
    soundfile.write(folder / "input.wav", sound, 16000)
    return folder


def put(folder, name, content):
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def read(folder, listener):
    (recording,) = read_bench(folder.parent, listener)
    return recording


def told(recording, role="user"):
    turns = recording.conversation.turns
    return [(t.start, t.end, t.text) for t in turns if t.role == role]


def test_without_annotations_the_user_is_heard_and_the_agent_silent(sample, listener):
    recording = read(sample, listener)
    assert told(recording) == [(0.5, 1.5, "12 tenths"), (3.0, 4.0, "12 tenths")]
    assert told(recording, "agent") == [] and not recording.agent.read().any()
    assert (recording.id, recording.source) == ("1", "full-duplex-bench")


def test_transcription_gives_turns_and_pauses_do_not_split_them(sample, listener):
    spans = ("I", 0.5, 0.8), ("need", 0.9, 1.5), ("a", 3.0, 3.1), ("book", 3.2, 4.0)
    put(sample, "transcription.json", words(*spans))
    assert told(read(sample, listener)) == [(0.5, 1.5, "I need"), (3.0, 4.0, "a book")]
    put(sample, "pause.json", words(("[PAUSE]", 1.5, 3.0)))
    recording = read(sample, listener)
    assert told(recording) == [(0.5, 4.0, "I need a book")]
    assert recording.events == (Event("pause", 1.5, 3.0),)


def test_turn_taking_says_where_the_users_turn_ends(sample, listener):
    put(sample, "transcription.json", words(("Tea?", 0.5, 1.2)))
    put(sample, "turn_taking.json", words(("[TURN-TAKING]", 1.6, 0.0)))
    assert told(read(sample, listener)) == [(0.5, 1.6, "Tea?")]


def test_interruption_has_context_and_interrupting_turn(sample, listener):
    row = {"context": "Cats?", "interrupt": "Dogs?", "timestamp": [3.0, 4.0]}
    put(sample, "interrupt.json", [row])
    assert told(read(sample, listener)) == [(0.5, 1.5, "Cats?"), (3.0, 4.0, "Dogs?")]


@pytest.mark.parametrize(
    "key, turns, events",
    [
        ("current_turn_text", [(0.5, 1.5, "Tides?"), (3.0, 4.0, "hm")], ()),
        (
            "backchannel_text",
            [(0.5, 1.5, "Tides?")],
            (Event("backchannel", 3.0, 4.0, "hm"),),
        ),
        ("other", [(0.5, 1.5, "Tides?")], (Event("noise", 3.0, 4.0),)),
    ],
)
def test_overlaps_of_version_1_5(sample, listener, key, turns, events):
    metadata = {"context_text": "Tides?", key: "hm", "timestamps": [3.0, 4.0]}
    put(sample, "metadata.json", metadata)
    recording = read(sample, listener)
    assert told(recording) == turns and recording.events == events


def test_agent_is_what_the_system_wrote(sample, listener):
    soundfile.write(sample / "output.wav", np.full(80000, 0.5), 16000)
    chunks = words(("Sure", 1.6, 2.0), ("thing", 2.1, 2.5))
    put(sample, "output.json", {"text": "Sure thing", "chunks": chunks})
    recording = read(sample, listener)
    assert told(recording, "agent") == [(1.6, 2.5, "Sure thing")]
    assert (recording.agent.read() == 0.5).all()
    turn = {"role": "agent", "start": 1.7, "end": 2.4, "text": "Ours"}
    put(sample, "output.json", {"turns": [turn], "latency": 0.08})
    assert told(read(sample, listener), "agent") == [(1.7, 2.4, "Ours")]


def test_output_without_transcript_is_heard(sample, listener, make_tones):
    soundfile.write(sample / "output.wav", make_tones(5, 16000, (1.6, 2.6)), 16000)
    assert told(read(sample, listener), "agent") == [(1.6, 2.6, "12 tenths")]


def test_folders_of_several_tasks_have_the_task_in_their_ids(sample, listener):
    deep = sample.parent.parent
    (recording,) = read_bench(deep, listener)
    assert recording.id == "fdb_1"


def test_export_has_the_files_of_all_tasks(data, tmp_path):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb"))
    folder = tmp_path / "fdb" / "a"
    content = {p.stem: json.loads(p.read_text()) for p in folder.glob("*.json")}
    assert content["interrupt"] == [
        {"context": "What is  tea?", "interrupt": "stop", "timestamp": [1.5, 2.1]}
    ]
    assert content["turn_taking"] == words(("[TURN-TAKING]", 0.9, 1.0))
    assert content["pause"] == words(("[PAUSE]", 0.4, 0.6))
    assert content["transcription"] == words(
        ("What", 0.1, 0.42), ("is", 0.42, 0.58), ("tea?", 0.58, 0.9), ("stop", 1.5, 2.1)
    )
    assert soundfile.info(folder / "input.wav").samplerate == 16000
    assert not (folder / "output.wav").exists()


def test_decoded_export_keeps_the_users_turns_beside_the_systems(
    data, tmp_path, listener
):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb", BenchOptions()))
    folder = tmp_path / "fdb" / "a"
    soundfile.write(folder / "output.wav", np.zeros(38400), 16000)
    put(folder, "output.json", {"turns": [], "latency": 0.08})
    recording = next(read_bench(tmp_path / "fdb", listener))
    assert [turn.role for turn in recording.conversation.turns] == ["user", "user"]


def refusal(folder, listener):
    with pytest.raises(ValueError) as caught:
        read(folder, listener)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("pause.json", {}, "pause.json holds a JSON dict"),
        ("pause.json", [1], "pause.json has entries that are no objects"),
        ("pause.json", words(("", 1.0, 1.0)), "a span of no length begins at 1.0 s"),
        ("turn_taking.json", [{}], "turn_taking.json has the timestamp None"),
        ("interrupt.json", [{"timestamp": [3]}], "has the times [3]"),
        ("transcription.json", [["a", 0, 1]], "its words are no objects"),
        ("metadata.json", {"timestamps": "x"}, "has the times 'x'"),
        ("transcription.json", words(("a", 4, 9)), "ends at 9 s, after the end"),
    ],
)
def test_faulty_annotations_are_refused(sample, listener, name, content, message):
    put(sample, name, content)
    found = refusal(sample, listener)
    assert message in found and str(sample) in found


def test_root_without_samples_is_refused(tmp_path, listener):
    with pytest.raises(ValueError, match="has no folder with input.wav"):
        list(read_bench(tmp_path, listener))


def test_output_of_another_length_is_refused(sample, listener):
    soundfile.write(sample / "output.wav", np.zeros(16000), 16000)
    put(sample, "output.json", {"turns": []})
    assert "user's wav lasts 5.04 s and the agent's 1.04 s" in refusal(sample, listener)
