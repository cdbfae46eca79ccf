import json
import os

import numpy as np
import packaged_recordings
import pytest
import soundfile
from conversation_format import read_unsplit, write_conversations
from sources.asr_manifest import read_manifest
from sources.registry import parse_entry
from sources.rows import GROUP, Job

QUESTION = {"question": "Who has tea?", "answer": "John has tea."}


@pytest.fixture
def write(tmp_path):
    """Write JSON lines and return the path."""

    def write_lines(name, *rows):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return write_lines


@pytest.fixture
def rows(tmp_path):
    """Rows of ASR-QA from manifest.json and questions.jsonl."""

    def make(job=None, **options):
        entry = {"source": "asr_qa", "questions": "questions.jsonl", **options}
        kind, parsed = parse_entry({"manifest": "manifest.json", **entry}, "entry")
        return list(kind.rows(parsed, job or Job(tmp_path, tmp_path)))

    return make


def utterance(audio, text="john has tea", seconds=1.0, **fields):
    return {"audio_filepath": audio, "duration": seconds, "text": text, **fields}


def test_the_recording_is_the_context_of_the_question(rows, write, tmp_path, make_wav):
    wav = make_wav(tmp_path / "wav" / "john.wav", 1.0, 16000)
    write("manifest.json", utterance("wav/john.wav"))
    write("questions.jsonl", {"id": "john", **QUESTION}, {"id": "john", **QUESTION})
    first, second = rows(licence="CC-BY-4.0")
    assert first["turns"] == [
        {"role": "user", "text": "john has tea", "wav": str(wav)},
        {"role": "user", "text": "Who has tea?"},
        {"role": "agent", "text": "John has tea."},
    ]
    assert (first["id"], second["id"]) == ("asr_qa_john_0", "asr_qa_john_1")
    assert (first["source"], first["licence"]) == ("asr_qa", "CC-BY-4.0")
    assert first["origin"] == "manifest.json, john"


@pytest.mark.parametrize(
    "name, rate, channels, start, seconds",
    [
        ("a.flac", 16000, 1, 0.0, 2.0),
        ("a.wav", 44100, 2, 0.0, 2.0),
        ("a.wav", 16000, 1, 0.5, 1.0),
    ],
)
def test_other_recordings_are_written_at_16_khz(
    rows, write, tmp_path, name, rate, channels, start, seconds
):
    time = np.arange(2 * rate) / rate
    tone = 0.5 * np.sin(2 * np.pi * 440 * time) * (time >= 1.0)
    soundfile.write(tmp_path / name, np.stack([tone] * channels, axis=1), rate)
    write("manifest.json", utterance(name, seconds=seconds, offset=start))
    write("questions.jsonl", {"audio_filepath": name, "offset": start, **QUESTION})
    found = rows()
    without_group = [{k: v for k, v in row.items() if k != GROUP} for row in found]
    write_conversations(tmp_path / "conversations.jsonl", without_group)
    (conversation,) = read_unsplit(tmp_path / "conversations.jsonl")
    assert found[0]["turns"][0]["wav"].startswith("asr_wav/")
    speech, new_rate = soundfile.read(conversation.turns[0].wav)
    assert (new_rate, speech.ndim) == (16000, 1)
    assert len(speech) == round(seconds * 16000)
    onset = round((1.0 - start) * 16000)  # the tone begins 1 s into the recording
    assert np.abs(speech[: onset - 200]).max() < 0.01
    assert np.sqrt(np.mean(speech[onset + 200 : onset + 7000] ** 2)) == pytest.approx(
        0.5 / np.sqrt(2), rel=0.02
    )


def test_the_first_channel_is_taken_at_the_rate_of_the_corpus(rows, write, tmp_path):
    left = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    soundfile.write(tmp_path / "a.wav", np.stack([left, -left], axis=1), 16000)
    write("manifest.json", utterance("a.wav"))
    write("questions.jsonl", {"audio_filepath": "a.wav", **QUESTION})
    (found,) = rows(Job(tmp_path, tmp_path, user_rate=8000))
    speech, rate = soundfile.read(tmp_path / found["turns"][0]["wav"])
    assert (rate, speech.shape) == (8000, (8000,))
    assert np.sqrt(np.mean(speech**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


def test_only_chosen_recordings_are_written(rows, write, tmp_path, make_wav):
    names = [f"{number}.wav" for number in range(4)]
    for name in names:
        make_wav(tmp_path / name, 1.0, 8000)
    write("manifest.json", *map(utterance, names))
    write("questions.jsonl", *({"audio_filepath": n, **QUESTION} for n in names))
    assert len(rows(num=2)) == 2
    assert len(list((tmp_path / "asr_wav").iterdir())) == 2


def test_a_recording_is_copied_again_only_when_it_is_newer(
    rows, write, tmp_path, make_wav
):
    wav = make_wav(tmp_path / "a.wav", 1.0, 8000)
    write("manifest.json", utterance("a.wav"))
    write("questions.jsonl", {"id": "a", **QUESTION})
    copy = tmp_path / rows()[0]["turns"][0]["wav"]
    first = copy.read_bytes()
    copy.write_bytes(b"kept")
    assert rows()[0]["turns"][0]["wav"] == f"asr_wav/{copy.name}"
    assert copy.read_bytes() == b"kept"
    later = copy.stat().st_mtime + 10
    os.utime(wav, (later, later))
    rows()
    assert copy.read_bytes() == first


def test_a_recording_that_cannot_be_used_is_told_and_refused(
    rows, write, tmp_path, make_wav, capsys
):
    make_wav(tmp_path / "a.wav", 1.0, 16000)
    (tmp_path / "b.wav").write_text("no audio")
    names = ["a.wav", "b.wav", "gone.wav"]
    write("manifest.json", *map(utterance, names))
    write("questions.jsonl", *({"audio_filepath": n, **QUESTION} for n in names))
    job = Job(tmp_path, tmp_path)
    assert [row["id"] for row in rows(job)] == ["asr_qa_a_0"]
    assert dict(job.refused) == {"a recording that cannot be used": 2}
    told = capsys.readouterr().out
    assert "left out: asr_qa_b_0: " in told and "b.wav cannot be read as audio" in told
    assert "gone.wav does not exist" in told


def test_recording_and_question_are_one_turn_of_limited_length(
    rows, write, tmp_path, make_wav
):
    make_wav(tmp_path / "a.wav", 2.0, 16000)
    write("manifest.json", utterance("a.wav", seconds=2.0))
    write("questions.jsonl", {"id": "a", **QUESTION})
    limit = 2.0 + 1.17 * 0.36 * 3  # three words
    job = Job(tmp_path, tmp_path)
    assert len(rows(job, max_turn_seconds=limit + 0.01)) == 1
    assert rows(job, max_turn_seconds=limit - 0.01) == []
    assert dict(job.refused) == {"a text of the user that is too long": 1}


def test_the_length_of_a_whole_file_is_limited_too(
    rows, kaldi_folder, write, tmp_path, make_wav
):
    wav = make_wav(tmp_path / "a.wav", 3.0, 16000)
    kaldi_folder(wav_scp=f"a {wav}\n", text="a john has tea\n")
    write("questions.jsonl", {"id": "a", **QUESTION})
    job = Job(tmp_path, tmp_path)
    assert rows(job, manifest="kaldi", max_turn_seconds=2.5) == []
    assert dict(job.refused) == {"a recording that is too long": 1}


def test_several_manifests_are_one(rows, write, tmp_path, make_wav):
    for name in ("a", "b"):
        make_wav(tmp_path / f"{name}.wav", 1.0, 16000)
        write(f"{name}.json", utterance(f"{name}.wav"))
        write(f"{name}.questions", {"id": name, **QUESTION})
    found = rows(manifest=["a.json", "b.json"], questions="*.questions")
    assert [(row["id"], row["origin"]) for row in found] == [
        ("asr_qa_a_0", "a.json, a"),
        ("asr_qa_b_0", "b.json, b"),
    ]


def test_questions_about_a_file_that_is_there_twice_need_an_id(rows, write):
    twice = [utterance("a.wav", id=id) for id in ("one", "two")]
    write("manifest.json", *twice)
    write("questions.jsonl", {"audio_filepath": "a.wav", **QUESTION})
    with pytest.raises(ValueError, match="line 1: 2 utterances of the manifest are"):
        rows()


def test_what_is_too_long_or_silent_is_refused(rows, write, tmp_path):
    write(
        "manifest.json",
        utterance("a.wav", seconds=26.0),
        utterance("b.wav", text=" "),
    )
    write("questions.jsonl", {"id": "a", **QUESTION}, {"id": "b", **QUESTION})
    job = Job(tmp_path, tmp_path)
    assert rows(job) == []
    assert dict(job.refused) == {
        "a recording that is too long": 1,
        "a recording without a transcript": 1,
    }


@pytest.mark.parametrize(
    "manifest, question, message",
    [
        (utterance("a.wav"), {"id": "b"}, "line 1: the manifest has no utterance 'b'"),
        (utterance("a.wav"), {"id": "a"}, r"a\.wav does not exist; correct"),
        (utterance("c.wav", 7), {"id": "c"}, "line 1: text is 7; expected a text"),
        (utterance("c.wav", seconds="1"), {"id": "c"}, "duration is '1'; expected sec"),
        (utterance("c.wav", seconds=9.0), {"id": "c"}, "c.wav lasts 1.00 s, but the"),
        (
            utterance("c.wav", seconds=0.0),
            {"id": "c"},
            "duration is 0.0; expected more",
        ),
        (
            utterance("c.wav", seconds=None, offset=2.0),
            {"audio_filepath": "c.wav", "offset": 2.0},
            "c.wav lasts 1.00 s, but the manifest has an utterance from 2.00 s until its",
        ),
    ],
)
def test_faults_are_named_in_one_sentence(
    rows, write, tmp_path, make_wav, manifest, question, message
):
    make_wav(tmp_path / "c.wav", 1.0, 16000)
    write("manifest.json", manifest)
    write("questions.jsonl", question | QUESTION)
    with pytest.raises(ValueError, match=message) as caught:
        rows()
    assert "\n" not in str(caught.value)


def test_two_utterances_of_one_name_are_an_error(rows, write):
    write("manifest.json", utterance("a/x.wav"), utterance("b/x.wav"))
    write("questions.jsonl", {"id": "x", **QUESTION})
    with pytest.raises(ValueError, match="two utterances are called x; give each"):
        rows()


def test_ids_are_checked_before_anything_is_asked(write):
    path = write("manifest.json", utterance("a/x.wav"), utterance("b/x.wav"))
    with pytest.raises(ValueError, match="two utterances are called x; give each"):
        list(read_manifest(path))


def test_ids_of_two_manifests_must_differ(write):
    paths = [write(name, utterance("x.wav")) for name in ("a.json", "b.json")]
    with pytest.raises(ValueError, match="a.json and .*b.json: two utterances are"):
        list(read_manifest(*paths))


def test_an_id_may_be_0(rows, write, tmp_path, make_wav):
    make_wav(tmp_path / "a.wav", 1.0, 16000)
    write("manifest.json", utterance("a.wav", id=0))
    write("questions.jsonl", {"id": 0, **QUESTION})
    assert [row["id"] for row in rows()] == ["asr_qa_0_0"]


@pytest.fixture
def kaldi_folder(tmp_path):
    """Write the tables of a Kaldi data folder and return it."""

    def write_tables(**tables):
        folder = tmp_path / "kaldi"
        folder.mkdir()
        for name, text in tables.items():
            (folder / name.replace("_", ".")).write_text(text)
        return folder

    return write_tables


def test_a_kaldi_folder_is_a_manifest(kaldi_folder):
    folder = kaldi_folder(wav_scp="u1 /d/one.wav\n", text="u1 john has tea\n")
    (found,) = read_manifest(folder)
    assert (found.id, str(found.path), found.text) == (
        "u1",
        "/d/one.wav",
        "john has tea",
    )
    assert (found.offset, found.seconds) == (0.0, None)


def test_a_segment_may_go_to_the_end(kaldi_folder):
    tables = {"wav_scp": "r /d/r.wav\n", "text": "u1 john has tea\n"}
    (found,) = read_manifest(kaldi_folder(**tables, segments="u1 r 1.5 -1\n"))
    assert (found.offset, found.seconds) == (1.5, None)


def test_segments_tell_where_an_utterance_lies(kaldi_folder):
    folder = kaldi_folder(
        wav_scp="r /d/r.wav\n", text="u1 john has tea\n", segments="u1 r 1.5 3.75\n"
    )
    (found,) = read_manifest(folder)
    assert (found.offset, found.seconds) == (1.5, 2.25)


@pytest.mark.parametrize(
    "tables, message",
    [
        ({"wav_scp": "u1 sph2pipe a |\n", "text": "u1 hi\n"}, "u1 is a command"),
        ({"wav_scp": "u2 a.wav\n", "text": "u1 hi\n"}, "utterance u1 of text has no"),
        ({"wav_scp": "u1 a.wav\n"}, "text does not exist"),
        (
            {"wav_scp": "r a.wav\n", "text": "u1 hi\n", "segments": "u1 r 1\n"},
            "u1 has 'r 1'; expected a recording",
        ),
        (
            {"wav_scp": "r a.wav\n", "text": "u1 hi\n", "segments": "u1 r 1.5 0.5\n"},
            "u1 has 'r 1.5 0.5'; expected an end after the start",
        ),
        (
            {"wav_scp": "r a.wav\n", "text": "u1 hi\n", "segments": "u1 r 1 nan\n"},
            "u1 has 'r 1 nan'; expected an end after the start",
        ),
        (
            {"wav_scp": "u1 a.wav\n", "text": "u1 hi\nu1 ho\n"},
            "text, line 2 has the key u1 again",
        ),
        (
            {"wav_scp": "u1 a.wav\nu2 b.wav\n", "text": "u1 hi\nu2\n"},
            "text, line 2 reads 'u2'; expected a key and a value",
        ),
    ],
)
def test_a_faulty_kaldi_folder_is_an_error(kaldi_folder, tables, message):
    with pytest.raises(ValueError, match=message):
        list(read_manifest(kaldi_folder(**tables)))


def test_packaged_recordings_become_a_manifest(tmp_path, make_wav, capsys):
    folder = tmp_path / packaged_recordings.FOLDER
    make_wav(folder / "sense_1.wav", 1.25, 16000)
    (folder / "transcription").write_text("<s> he was young </s> (sense_1)\n")
    args = ["--downloads", str(tmp_path), "--out", str(tmp_path)]
    packaged_recordings.main(args)
    (found,) = read_manifest(tmp_path / "asr_manifest.jsonl")
    assert (found.id, found.text, found.seconds) == ("sense_1", "he was young", 1.25)
    assert found.path == folder / "sense_1.wav"
    assert "1 utterances, 1.2 s" in capsys.readouterr().out


def test_recordings_that_are_not_there_name_their_asset(tmp_path):
    with pytest.raises(ValueError, match="assets.py --only pocketsphinx-testdata"):
        packaged_recordings.utterances(tmp_path)
