import pytest
from make_codec_data import main

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import write_jsonl


def run(tmp_path, *options):
    arguments = ["--out", tmp_path / "data", *options]
    return run_cli(main, [str(argument) for argument in arguments])


@pytest.fixture
def wav(tmp_path, make_wav):
    """Path of a clip; its sound is there unless it is said to have failed."""

    def path_of(name, seconds=0.5, failed=False):
        path = tmp_path / "clips" / "agent" / f"{name}.wav"
        if failed:
            rows = [{"id": name, "reason": "silence"}]
            write_jsonl(tmp_path / "clips" / "failed.agent.1.jsonl", rows)
        else:
            make_wav(path, seconds, 22050)
        return str(path)

    return path_of


def test_sentences_become_three_folders(tmp_path, wav, capsys):
    rows = [
        {"id": "t0", "set": "codec_train", "text": "So.", "wav": wav("a", 1.2)},
        {"id": "t1", "set": "codec_train", "text": "No.", "wav": wav("x", failed=True)},
        {"id": "v0", "set": "codec_valid", "text": "Yes.", "wav": wav("b")},
        {"id": "e0", "set": "codec_test", "text": "Go.", "wav": wav("c")},
    ]
    write_jsonl(tmp_path / "codec_sentences.jsonl", rows)
    assert run(tmp_path, "--sentences", tmp_path / "codec_sentences.jsonl") == 0
    folder = tmp_path / "data" / "codec_train"
    assert read_table(folder / "wav.scp") == {"t0": rows[0]["wav"]}
    assert read_table(folder / "text") == {"t0": "So."}
    assert read_table(folder / "utt2dur") == {"t0": "1.200000"}
    assert read_table(folder / "utt2spk") == {"t0": "agent"}
    assert read_table(folder / "spk2utt") == {"agent": "t0"}
    assert read_table(tmp_path / "data/codec_test/text") == {"e0": "Go."}
    told = capsys.readouterr().out.splitlines()[0]
    assert told == (
        "codec_train: 1 sentences, 1 s, 1 left out as they could not be spoken"
    )


def test_the_agents_turns_become_three_folders(tmp_path, wav, capsys):
    def row(id, set, *wavs):
        turns = [{"role": "user", "text": "Q", "wav": "q.wav"}]
        turns += [{"role": "agent", "text": w[-5], "wav": w} for w in wavs]
        return {"id": id, "set": set, "turns": turns}

    a, b = wav("a"), wav("b")
    rows = [row("c1", "train", a, b), row("c2", "train", a), row("c3", "valid", b)]
    rows += [row("c4", "test_open", a), row("c5", "other", wav("c"))]
    write_jsonl(tmp_path / "spoken.jsonl", rows)
    assert run(tmp_path, "--spoken", tmp_path / "spoken.jsonl") == 0
    texts = {
        name: read_table(tmp_path / "data" / f"codec_{name}" / "text")
        for name in ("train", "valid", "test")
    }
    assert texts == {
        "train": {"c1_01": "a", "c1_02": "b"},  # the second a is the same clip
        "valid": {"c3_01": "b"},
        "test": {"c4_01": "a"},
    }
    assert "1 of them the same as in codec_train" in capsys.readouterr().out


def test_a_clip_that_nobody_has_tried_is_an_error(tmp_path, capsys):
    lost = {"id": "t0", "set": "codec_train", "text": "So.", "wav": "lost.wav"}
    write_jsonl(tmp_path / "codec_sentences.jsonl", [lost])
    assert run(tmp_path, "--sentences", tmp_path / "codec_sentences.jsonl") == 1
    assert "lost.wav is missing; run local/data.sh --stage 2" in capsys.readouterr().err


def test_nothing_to_validate_with_is_an_error_and_no_test_set_is_none(
    tmp_path, wav, capsys
):
    sentences = tmp_path / "codec_sentences.jsonl"
    row = {"id": "t0", "set": "codec_train", "text": "So.", "wav": wav("a")}
    write_jsonl(sentences, [row])
    assert run(tmp_path, "--sentences", sentences) == 1
    assert "codec_valid would be empty" in capsys.readouterr().err
    write_jsonl(sentences, [row, {**row, "id": "v0", "set": "codec_valid"}])
    assert run(tmp_path, "--sentences", sentences) == 0
    assert not (tmp_path / "data" / "codec_test").exists()
