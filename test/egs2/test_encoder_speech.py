"""Lists of speech for an encoder, from corpora, sentences and recordings."""

import pytest
import soundfile
from encoder_speech import main

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import write_jsonl


def conversation(id, set, wav, text="Why?", source="chat"):
    agent = {"role": "agent", "text": "So.", "wav": "never read"}
    turns = [{"role": "user", "text": text, "wav": str(wav)}, agent]
    return {"id": id, "set": set, "source": source, "turns": turns}


@pytest.fixture
def spoken(tmp_path):
    """Write the conversations of a corpus; returns its folder `local`."""

    def write(rows, name="data"):
        write_jsonl(tmp_path / name / "local/spoken.jsonl", rows)
        return tmp_path / name / "local"

    return write


@pytest.fixture
def wavs(tmp_path, make_wav):
    return [make_wav(tmp_path / f"{name}.wav", 0.5, 16000) for name in "abc"]


@pytest.fixture
def lists(tmp_path):
    """Run the script; returns a reader of the lists."""

    def run(*options):
        words = [*options, "--out", tmp_path / "out"]
        assert run_cli(main, [str(word) for word in words]) == 0
        return lambda name: read_table(tmp_path / "out" / name)

    return run


def test_user_turns_that_are_heard_in_training_only_are_listed_once(
    tmp_path, spoken, wavs, lists
):
    local = spoken(
        [
            conversation("t1", "train", wavs[0]),
            conversation("t2", "train", wavs[0]),
            conversation("t3", "train", wavs[1]),
            conversation("v1", "valid", wavs[1]),
            conversation("e1", "test", wavs[2]),
            conversation("t4", "train", tmp_path / "failed.wav"),
        ]
    )
    failed = [{"id": "failed", "reason": "silence"}]
    write_jsonl(local / "clips" / "failed.user.1.jsonl", failed)
    listed = lists("--local", local)
    assert listed("text") == {"data_t1_00": "Why?"}
    assert listed("wav.scp") == {"data_t1_00": str(wavs[0])}
    assert listed("utt2kind") == {"data_t1_00": "chat"}


def test_datasets_that_are_excluded_are_not_listed(spoken, wavs, lists):
    local = spoken(
        [
            conversation("t1", "train", wavs[0]),
            conversation("t2", "train", wavs[1]),
            conversation("t3", "train", wavs[2], source="asr_qa"),
            conversation("t4", "train", wavs[1], source="asr_qa"),
        ]
    )
    listed = lists("--local", local, "--exclude_sources", "asr_qa")
    assert list(listed("text")) == ["data_t1_00"]


def test_conversations_of_one_name_in_two_corpora_are_two(spoken, wavs, lists):
    locals = [
        spoken([conversation("t1", "train", wav)], name)
        for name, wav in zip(("data", "data_all"), wavs)
    ]
    assert list(lists("--local", *locals)("text")) == ["data_all_t1_00", "data_t1_00"]


def test_planned_sentences_of_one_set_are_listed(tmp_path, wavs, lists):
    rows = [
        {"id": "s1", "set": "train", "kind": "k", "text": "Why?", "wav": str(wavs[0])},
        {"id": "s2", "set": "valid", "kind": "k", "text": "So?", "wav": str(wavs[1])},
    ]
    write_jsonl(tmp_path / "sentences.jsonl", rows)
    listed = lists("--sentences", tmp_path / "sentences.jsonl", "--set", "valid")
    assert listed("text") == {"s2": "So?"}
    assert listed("utt2kind") == {"s2": "k"}


def test_recordings_are_listed_at_16_khz(tmp_path, make_wav, lists):
    make_wav(tmp_path / "rec/a.wav", 0.5, 22050)
    rows = [{"id": "r1", "audio_filepath": "a.wav", "text": "WHY"}]
    write_jsonl(tmp_path / "rec/manifest.jsonl", rows)
    listed = lists("--manifest", tmp_path / "rec/manifest.jsonl")
    assert (listed("text"), listed("utt2kind")) == ({"r1": "WHY"}, {"r1": "recordings"})
    info = soundfile.info(listed("wav.scp")["r1"])
    assert (info.samplerate, info.frames) == (16000, 8000)


def test_copies_of_sounds_of_one_name_are_two_and_are_kept(
    tmp_path, make_wav, spoken, lists
):
    wavs = [
        make_wav(tmp_path / name / "q.wav", seconds, 22050)
        for name, seconds in (("a", 0.5), ("b", 1.0))
    ]
    local = spoken([conversation(f"t{n}", "train", wav) for n, wav in enumerate(wavs)])
    paths = lists("--local", local)("wav.scp")
    frames = {id: soundfile.info(path).frames for id, path in paths.items()}
    assert frames == {"data_t0_00": 8000, "data_t1_00": 16000}
    assert lists("--local", local)("wav.scp") == paths


@pytest.mark.parametrize(
    "rows, sentence",
    [
        ([], "no user turn is in the set train alone, no sentence in the set train"),
        ([{"text": "a"}], "entry 1 has text; write audio_filepath and text."),
        (
            [{"audio_filepath": "a.wav", "text": "a"}] * 2,
            "two utterances have the id a; give the recordings",
        ),
    ],
)
def test_list_that_cannot_be_meant_is_one_sentence(rows, sentence, tmp_path, capsys):
    write_jsonl(tmp_path / "m.jsonl", rows)
    words = ["--manifest", tmp_path / "m.jsonl", "--out", tmp_path / "out"]
    assert run_cli(main, [str(word) for word in words]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
