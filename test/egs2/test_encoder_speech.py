"""The corpus's speech as the encoder's distillation reads it."""

import numpy as np
import pytest
import soundfile
from encoder_speech import MAX_AGENT_CLIPS, agent_utterances, main

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.data_folder import read_table, write_table
from espnet2_duplex.jsonl import write_jsonl


def conversation(id, set, wav, text="Why?"):
    agent = {"role": "agent", "text": "So.", "wav": "never read"}
    turns = [{"role": "user", "text": text, "wav": str(wav)}, agent]
    return {"id": id, "set": set, "turns": turns}


def run(tmp_path, *options):
    arguments = ["--local", tmp_path, "--out", tmp_path / "out", *options]
    return run_cli(main, [str(argument) for argument in arguments])


def test_user_turns_that_are_heard_in_training_only_are_listed_once(tmp_path, make_wav):
    wavs = [make_wav(tmp_path / f"{name}.wav", 0.5, 16000) for name in "abc"]
    rows = [
        conversation("t1", "train", wavs[0]),
        conversation("t2", "train", wavs[0]),
        conversation("t3", "train", wavs[1]),
        conversation("v1", "valid", wavs[1]),
        conversation("e1", "test", wavs[2]),
        conversation("t4", "train", tmp_path / "failed.wav"),
    ]
    write_jsonl(tmp_path / "spoken.jsonl", rows)
    failed = [{"id": "failed", "reason": "silence"}]
    write_jsonl(tmp_path / "clips" / "failed.user.1.jsonl", failed)
    assert run(tmp_path) == 0
    assert read_table(tmp_path / "out" / "text") == {"t1_00": "Why?"}
    assert read_table(tmp_path / "out" / "wav.scp") == {"t1_00": str(wavs[0])}


def test_the_agents_clips_are_listed_at_16_khz(tmp_path, make_wav):
    user = make_wav(tmp_path / "a.wav", 0.5, 16000)
    agent = make_wav(tmp_path / "b.wav", 0.5, 22050)
    write_jsonl(tmp_path / "spoken.jsonl", [conversation("t1", "train", user)])
    write_table(tmp_path / "codec_train" / "wav.scp", {"s0": str(agent)})
    write_table(tmp_path / "codec_train" / "text", {"s0": "So."})
    assert run(tmp_path, "--codec_train", tmp_path / "codec_train") == 0
    assert read_table(tmp_path / "out" / "text") == {"s0": "So.", "t1_00": "Why?"}
    for path in read_table(tmp_path / "out" / "wav.scp").values():
        info = soundfile.info(path)
        assert (info.samplerate, info.frames) == (16000, 8000)


def test_copies_of_sounds_of_one_name_are_two(tmp_path, make_wav):
    wavs = [
        make_wav(tmp_path / name / "q.wav", seconds, 22050)
        for name, seconds in (("a", 0.5), ("b", 1.0))
    ]
    rows = [conversation(f"t{n}", "train", wav) for n, wav in enumerate(wavs)]
    write_jsonl(tmp_path / "spoken.jsonl", rows)
    assert run(tmp_path) == 0
    paths = read_table(tmp_path / "out" / "wav.scp")
    frames = {id: soundfile.info(path).frames for id, path in paths.items()}
    assert frames == {"t0_00": 8000, "t1_00": 16000}
    assert run(tmp_path) == 0  # copies are kept
    assert read_table(tmp_path / "out" / "wav.scp") == paths


@pytest.mark.parametrize("count", [1, 399, 400, 401, 1200])
def test_agent_clips_are_thinned_out_evenly(tmp_path, count):
    ids = [f"s{n:04d}" for n in range(count)]
    write_table(tmp_path / "wav.scp", dict.fromkeys(ids, "x.wav"))
    write_table(tmp_path / "text", dict.fromkeys(ids, "So."))
    chosen = [int(u.id[1:]) for u in agent_utterances(tmp_path)]
    assert min(count, MAX_AGENT_CLIPS) / 2 <= len(chosen) <= MAX_AGENT_CLIPS
    assert len(set(np.diff(chosen))) <= 1


def test_a_corpus_without_user_speech_to_train_on_is_an_error(tmp_path, capsys):
    write_jsonl(tmp_path / "spoken.jsonl", [])
    assert run(tmp_path) == 1
    assert "no user turn is in the set train alone" in capsys.readouterr().err
