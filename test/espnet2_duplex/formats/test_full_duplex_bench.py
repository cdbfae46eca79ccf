import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from espnet2_duplex.conversation import Turn
from espnet2_duplex.data_folder import read_table, write_table
from espnet2_duplex.events import Event
from espnet2_duplex.formats.bench_writer import BenchOptions, BenchWriter
from espnet2_duplex.formats.full_duplex_bench import read_bench
from espnet2_duplex.formats.kaldi import read_kaldi
from espnet2_duplex.formats.listening import Listener, ListeningOptions
from espnet2_duplex.formats.registry import convert
from espnet2_duplex.scoring.full_duplex_bench.words import user_end


def words(*spans):
    return [{"text": text, "timestamp": [start, end]} for text, start, end in spans]


def edit_events(folder, key, events):
    table = read_table(folder / "events")
    write_table(folder / "events", {**table, key: json.dumps(events)})


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


def dialogue(*speakers):
    return [{"speaker": n, "item": words(*spans)} for n, spans in enumerate(speakers)]


def test_of_two_speakers_the_user_is_the_one_whose_turn_ends(sample, listener):
    """As in evaluation/example_data/smooth_turn_taking_example of the benchmark."""
    other = [("I", 2.01, 2.42), ("did", 2.42, 3.93)]
    user = [("Is", 0.0, 0.54), ("this", 0.54, 2.01)]
    put(sample, "transcription.json", dialogue(other, user))
    assert "2 speakers and no turn_taking.json" in refusal(sample, listener)
    put(sample, "turn_taking.json", words(("[TURN-TAKING]", 2.0100000000000016, 2.4)))
    assert told(read(sample, listener)) == [(0.0, 2.0100000000000016, "Is this")]
    assert user_end(sample) == 2.01
    put(sample, "transcription.json", dialogue(other))
    put(sample, "turn_taking.json", words(("[TURN-TAKING]", 3.93, 4.0)))
    assert told(read(sample, listener)) == [(2.01, 3.93, "I did")]


def test_speakers_without_words_are_refused(sample, listener):
    put(sample, "transcription.json", [*dialogue([("I", 1, 2)]), {"speaker": 1}])
    assert "expected an object with speaker and item" in refusal(sample, listener)


def test_a_last_word_without_an_end_ends_where_it_begins(sample, listener):
    put(sample, "transcription.json", words(("Tea", 0.5, 0.9), ("please", 1.0, None)))
    assert told(read(sample, listener)) == [(0.5, 1.0, "Tea please")]


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


@pytest.mark.parametrize(
    "subset, key, kinds",
    [
        ("talking_to_other", "current_turn_text", ["noise"]),
        ("talking_to_other", "text", ["noise"]),
        ("background_speech", "current_turn_text", ["noise"]),
        ("user_backchannel", "current_turn_text", ["backchannel"]),
        ("user_interruption", "current_turn_text", []),
        ("user_interruption", "text", []),
    ],
)
def test_the_subset_says_what_an_overlap_is(sample, listener, subset, key, kinds):
    metadata = {"context_text": "Tides?", key: "hm", "timestamps": [3.0, 4.0]}
    put(sample, "metadata.json", metadata)
    folder = sample.parent.with_name(subset)
    sample.parent.rename(folder)
    recording = read(folder / "1", listener)
    assert [event.kind for event in recording.events] == kinds
    assert len(told(recording)) == 2 - len(kinds)


@pytest.mark.parametrize("heard, kind", [("", "noise"), ("uh-huh", "backchannel")])
def test_coughs_and_backchannels_of_the_user_are_events(
    sample, make_tones, heard, kind
):
    sound = make_tones(5, 16000, (2.0, 2.8))
    soundfile.write(sample / "input.wav", sound, 16000)
    soundfile.write(sample / "output.wav", np.zeros(80000), 16000)
    turn = {"role": "agent", "start": 0.5, "end": 4.8, "text": "A long story"}
    put(sample, "output.json", {"turns": [turn]})
    options = ListeningOptions(vad="energy", asr_model="fixed")
    ears = Listener(options, lambda model: lambda clips: [heard for _ in clips])
    recording = read(sample, ears)
    assert [event.kind for event in recording.events] == [kind]
    assert told(recording) == []


def test_a_click_of_the_agent_is_no_turn(sample, make_tones):
    soundfile.write(sample / "output.wav", make_tones(5, 16000, (2.0, 2.8)), 16000)
    put(sample, "transcription.json", words(("Tea?", 0.5, 1.2)))
    options = ListeningOptions(vad="energy", asr_model="fixed")
    ears = Listener(options, lambda model: lambda clips: ["" for _ in clips])
    assert told(read(sample, ears), "agent") == []


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


def test_export_has_a_folder_for_each_task(data, tmp_path):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb"))
    annotations = {
        "pause_handling": ("pause", words(("[PAUSE]", 0.4, 0.6))),
        "smooth_turn_taking": (
            "turn_taking",
            words(("[TURN-TAKING]", 0.9, 1.0)),
        ),
        "user_interruption": (
            "interrupt",
            [
                {
                    "context": "What is  tea?",
                    "interrupt": "stop",
                    "timestamp": [1.5, 2.1],
                }
            ],
        ),
    }
    spoken = [("What", 0.1, 0.42), ("is", 0.42, 0.58), ("tea?", 0.58, 0.9)]
    for task, (name, content) in annotations.items():
        folder = tmp_path / "fdb" / task / "a"
        assert {path.name for path in folder.iterdir()} == {
            "input.wav",
            "reference.wav",
            "conversation.json",
            "transcription.json",
            f"{name}.json",
        }
        assert json.loads((folder / f"{name}.json").read_text()) == content
        transcription = json.loads((folder / "transcription.json").read_text())
        assert transcription == words(*spoken, ("stop", 1.5, 2.1))
        assert soundfile.info(folder / "input.wav").samplerate == 16000


def test_tasks_have_only_the_conversations_with_such_an_event(
    make_data, tmp_path, listener
):
    answer = [Turn("user", 0.1, 0.9, "Tea?"), Turn("agent", 1.0, 1.7, "Yes.")]
    data = make_data(tmp_path / "data", {"a": answer, "b": answer[:1]})
    for key in "ab":
        edit_events(data, key, [])
    root = tmp_path / "fdb"
    convert(read_kaldi(data), BenchWriter(root))
    folders = {path.parent.relative_to(root) for path in root.rglob("input.wav")}
    assert folders == {Path("smooth_turn_taking/a"), Path("other/b")}
    assert [recording.id for recording in read_bench(root, listener)] == ["a", "b"]


def test_a_single_task_of_an_export_can_be_read(data, tmp_path, listener):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb"))
    task = tmp_path / "fdb" / "user_interruption"
    ids = [recording.id for recording in read_bench(task, listener)]
    assert ids == ["a", "b.1", "c"]


def test_exports_without_tasks_are_still_read(data, tmp_path, listener):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb"))
    old = tmp_path / "old"
    (tmp_path / "fdb" / "pause_handling").rename(old)
    before, after = list(read_kaldi(data)), list(read_bench(old, listener))
    assert [r.conversation.turns for r in after] == [
        r.conversation.turns for r in before
    ]
    assert [r.id for r in after] == ["a", "b.1", "c"]


def test_of_the_tasks_of_a_conversation_the_answered_one_is_read(
    data, tmp_path, listener
):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb"))
    folder = tmp_path / "fdb" / "user_interruption" / "a"
    soundfile.write(folder / "output.wav", np.full(38400, 0.5), 16000)
    put(folder, "output.json", {"turns": [], "latency": 0.08})
    first, *others = read_bench(tmp_path / "fdb", listener)
    assert len(others) == 2 and (first.agent.read() == 0.5).all()


def test_second_run_removes_what_it_does_not_write_but_no_answers(data, tmp_path):
    root = tmp_path / "fdb"
    convert(read_kaldi(data), BenchWriter(root))
    answer = root / "pause_handling" / "b.1" / "output.json"
    answer.write_text("{}")
    edit_events(data, "a", [])
    convert(list(read_kaldi(data))[:1], BenchWriter(root))
    left = {path.parent.relative_to(root).as_posix() for path in root.rglob("*.json")}
    assert left == {"user_interruption/a", "smooth_turn_taking/a", "pause_handling/b.1"}
    assert [path.name for path in answer.parent.iterdir()] == ["output.json"]


def test_decoded_export_keeps_the_users_turns_beside_the_systems(
    data, tmp_path, listener
):
    convert(read_kaldi(data), BenchWriter(tmp_path / "fdb", BenchOptions()))
    folder = tmp_path / "fdb" / "pause_handling" / "a"
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
        ("turn_taking.json", [{}], "turn_taking.json: an entry has the timestamp None"),
        ("interrupt.json", [{"timestamp": [3]}], "has the times [3]"),
        ("transcription.json", [["a", 0, 1]], "its words are no list of objects"),
        ("metadata.json", {"timestamps": "x"}, "has the times 'x'"),
        ("transcription.json", words(("a", 4, 9)), "ends at 9 s, after the end"),
    ],
)
def test_faulty_annotations_are_refused(sample, listener, name, content, message):
    put(sample, name, content)
    found = refusal(sample, listener)
    assert message in found and str(sample) in found


def test_export_whose_labels_lost_the_turns_is_refused(sample, listener):
    soundfile.write(sample / "output.wav", np.zeros(80000), 16000)
    put(sample, "output.json", {"turns": []})
    put(sample, "conversation.json", {})
    assert "its turns are None; expected a list" in refusal(sample, listener)


def test_root_without_samples_is_refused(tmp_path, listener):
    with pytest.raises(ValueError, match="has no folder with input.wav"):
        list(read_bench(tmp_path, listener))


def test_output_of_another_length_is_refused(sample, listener):
    soundfile.write(sample / "output.wav", np.zeros(16000), 16000)
    put(sample, "output.json", {"turns": []})
    assert "user's wav lasts 5.04 s and the agent's 1.04 s" in refusal(sample, listener)
