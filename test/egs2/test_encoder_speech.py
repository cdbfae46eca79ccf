"""The recipe's speech as the encoder's distillation reads it."""

import json
import sys

import encoder_speech
import soundfile


def write_jsonl(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_only_training_clips_are_listed_at_16_khz(tmp_path, make_wav, monkeypatch):
    clips, out = tmp_path / "clips", tmp_path / "encoder_train"
    parts = {"q1-a": "train", "q1-b": "valid", "q1-c": "test", "q2-c": "open"}
    write_jsonl(
        clips / "uses.jsonl", [{"clip": c, "part": p} for c, p in parts.items()]
    )
    write_jsonl(clips / "user.jsonl", [{"id": c, "text": "Why?"} for c in parts])
    codec = [{"id": "codec_train_0", "text": "So."}, {"id": "codec_valid_0"}]
    write_jsonl(clips / "codec.jsonl", codec)
    make_wav(clips / "user/q1-a.wav", 0.5, 16000)
    make_wav(clips / "codec/codec_train_0.wav", 0.5, 22050)
    arguments = ["x", "--clips", str(clips), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", arguments)
    encoder_speech.main()
    assert (out / "text").read_text() == "codec_train_0 So.\nq1-a Why?\n"
    wavs = dict(line.split() for line in (out / "wav.scp").read_text().splitlines())
    assert list(wavs) == ["codec_train_0", "q1-a"]
    for path in wavs.values():
        info = soundfile.info(path)
        assert (info.samplerate, info.frames) == (16000, 8000)
