"""Stage 4 with `--train_encoder true`: speech, training, error rates, all in small."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_encoders import FASTCONFORMER

from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.sound_files import write_wav

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "egs2" / "duplex_s2s"
CORPUS = """
encoder:
  num_train: {tone: 6}
  num_valid: 2
  num_test: 2
  judged: tone
  kinds: {questions: 1}
speech:
  agent: {engine: tone, voice: deep}
  user: {engine: tone, train_voices: [low, high], test_voices: [mid]}
  engines: {tone: {kind: tone_engine.ToneEngine, voices: [low, high, mid, deep]}}
"""
TRAINING = {
    "encoder": "fastconformer",
    "encoder_conf": FASTCONFORMER,
    "train_conf": {"num_steps": 3, "checkpoint_interval": 2},
    "rows_conf": {
        "batch_seconds": 4.0,
        "row_seconds": [2.0, 3.0],
        "user_channel": {"room": {"share": 1.0}},
    },
}

pytestmark = [pytest.mark.recipe, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    """Stage 4 is done in a copy of the recipe with a corpus of one conversation."""
    top = tmp_path_factory.mktemp("encoder")
    folder = top / "egs2" / "duplex_s2s"
    folder.mkdir(parents=True)
    for name in ("espnet2_duplex", "tools"):
        (top / name).symlink_to(ROOT / name)
    (RECIPE / "downloads").mkdir(exist_ok=True)
    for path in RECIPE.iterdir():
        if not path.name.startswith(("data", "dump", "exp")):
            (folder / path.name).symlink_to(path)
    (folder / "data_small.yaml").write_text(CORPUS)
    (folder / "small_encoder.yaml").write_text(yaml.safe_dump(TRAINING))
    write_wav(folder / "own.wav", [0.1, -0.1] * 8000, 16000)
    turns = [{"role": "user", "text": "Hello there.", "wav": str(folder / "own.wav")}]
    row = {"id": "t1", "set": "train", "source": "chat", "turns": turns}
    write_jsonl(folder / "data/local/spoken.jsonl", [row])
    recording = {"audio_filepath": "own.wav", "text": "HELLO THERE"}
    write_jsonl(folder / "manifest.jsonl", [recording])
    (folder / "output").write_text(run(folder))
    return folder


def run(folder, *words):
    """Stage 4; returns what was printed."""
    options = "--stage 4 --stop_stage 4 --train_encoder true --nj 2 --train_threads 1"
    options += " --encoder_corpus data_small.yaml --encoder_config small_encoder.yaml"
    options += " --encoder_recordings manifest.jsonl --score_encoder_args"
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "duplex_s2s.sh", *options.split(), "--streaming true", *words],
        cwd=folder,
        env=dict(os.environ, PATH=paths, PYTHONPATH=str(ROOT / "test")),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_stage_ends_with_an_encoder_and_its_error_rates(recipe):
    output = (recipe / "output").read_text()
    exp = recipe / "exp/encoder_small"
    table = (exp / "RESULTS.md").read_text()
    assert table in output
    assert "| set | text | utterances | words | as trained | half precision | " in table
    rows = json.loads((exp / "results.json").read_text())["rows"]
    found = [(row["set"], row["kind"], row["num_utterances"]) for row in rows]
    assert found == [
        ("valid", "questions", 2),
        ("test", "questions", 2),
        ("recordings", "recordings", 1),
    ]
    listed = (recipe / "data_small/train/text").read_text().splitlines()
    assert len(listed) == 7 and "data_t1_00 Hello there." in listed
    for name in ("encoder.pth", "encoder.yaml", "learning_curve.png"):
        assert (exp / name).is_file()


def test_second_run_trains_no_more_and_a_longer_one_goes_on(recipe):
    exp = recipe / "exp/encoder_small"
    before = (exp / "encoder.pth").stat().st_mtime_ns
    assert "Training the encoder" not in run(recipe)
    assert (exp / "encoder.pth").stat().st_mtime_ns == before
    run(recipe, "--encoder_args", "--train_conf num_steps=4")
    assert "resumed after step 3" in (exp / "train.log").read_text()
