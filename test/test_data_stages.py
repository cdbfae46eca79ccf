"""Stages 1 to 3 as jobs: the same bytes whatever the jobs, and whatever kills them."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from espnet2_duplex.sound_files import write_wav

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "egs2" / "duplex_s2s"
CORPUS = """
speech:
  agent: {engine: tone, voice: deep}
  user: {engine: tone, train_voices: [low, high], test_voices: [mid]}
  backchannels: [uh huh]
  engines: {tone: {kind: tone_engine.ToneEngine, voices: [low, high, mid, deep]}}
simulation:
  defaults:
    user_pauses: {share: 0.5}
    backchannels: {share: 0.5, min_turn_seconds: 1.2, margin_seconds: 0.2}
    noises: {per_minute: 10}
    user_channel:
      room: {share: 0.5}
      echo: {share: 0.5}
      noise: {share: 1.0}
      level: {share: 1.0}
  sets:
    train: {num_conversations: 30}
    valid:
    test: {num_conversations: 4}
"""

pytestmark = [pytest.mark.recipe, pytest.mark.timeout(900)]


class DataStages:
    """The recipe's scripts with data in a folder of their own."""

    def __init__(self, folder: Path):
        self.folder = folder / "egs2" / "duplex_s2s"
        self.folder.mkdir(parents=True)
        (RECIPE / "downloads").mkdir(exist_ok=True)
        for path in (ROOT / "espnet2_duplex", ROOT / "tools", *RECIPE.iterdir()):
            if path.parent == ROOT:
                (folder / path.name).symlink_to(path)
            elif not path.name.startswith(("data", "dump", "exp")):
                (self.folder / path.name).symlink_to(path)
        (self.folder / "corpus.yaml").write_text(CORPUS)
        for n in range(2):
            decay = np.exp(-np.arange(400) / 80) * (-1.0) ** np.arange(400)
            write_wav(self.folder / f"rooms/room {n}.wav", decay / (n + 1), 16000)
            knock = np.exp(-np.arange(3200) / 400) * np.sin(np.arange(3200) / (n + 2))
            write_wav(self.folder / f"sounds/knock {n}.wav", knock, 16000)
        self.write_conversations(12)

    def write_conversations(self, count: int, words: str = "word " * 9) -> None:
        lines = []
        for n in range(count):
            name = {0: "valid", 1: "test"}.get(n % 6, "train")
            turns = [
                {"role": "user", "text": f"question {n}"},
                {"role": "agent", "text": f"answer {n} {words}"},
            ]
            lines.append(
                json.dumps({"id": f"talk_{n:02d}", "set": name, "turns": turns})
            )
        (self.folder / "talks.jsonl").write_text("\n".join(lines) + "\n")

    def start(self, *options: str) -> subprocess.Popen:
        """Begin; all processes are one group."""
        binaries = Path(sys.executable).parent
        paths = f"{binaries}:{os.environ['PATH']}"
        return subprocess.Popen(
            [
                *("bash", "local/data.sh", "--corpus", "corpus.yaml"),
                *("--conversations", "talks.jsonl"),
                *("--rooms", "rooms", "--sounds", "sounds", *options),
            ],
            cwd=self.folder,
            env=dict(os.environ, PATH=paths, PYTHONPATH=str(ROOT / "test")),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *options: str) -> str:
        process = self.start(*options)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def digests(self) -> dict[str, str]:
        """Hash of all that must not depend on jobs and kills."""
        data = self.folder / "data"
        made = [data / "train", data / "valid", data / "test", data / "codec_train"]
        made += [
            data / "local" / name
            for name in ("layouts", "clips", "rooms", "spoken.jsonl")
        ]
        files = [
            f for top in made for f in ([top] if top.is_file() else top.rglob("*"))
        ]
        return {
            str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(files)
            # Stamps hold times of files.
            if path.is_file() and not path.name.startswith(("failed.", "."))
        }


@pytest.fixture(scope="module")
def by_one_job(tmp_path_factory) -> DataStages:
    stages = DataStages(tmp_path_factory.mktemp("one"))
    stages.output = stages.run("--nj", "1")
    return stages


def test_the_report_ends_the_work(by_one_job):
    assert "|Task|Dataset|#Hours|" in by_one_job.output
    assert (by_one_job.folder / "data/report.html").is_file()
    assert len((by_one_job.folder / "data/train/turns").read_text().splitlines()) == 30


def test_killed_at_any_time_several_jobs_come_to_the_same_bytes(by_one_job, tmp_path):
    stages = DataStages(tmp_path)
    rng = random.Random(0)
    kills = 0
    while kills < 4:
        process = stages.start("--nj", "3")
        time.sleep(rng.uniform(2, 12))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
    stages.run("--nj", "3")
    assert stages.digests() == by_one_job.digests()
    left = [p for p in (stages.folder / "data/train").rglob("*") if ".tmp" in p.name]
    assert not left


def test_a_second_run_makes_nothing_again_and_new_texts_are_noticed(by_one_job):
    before = by_one_job.digests()
    output = by_one_job.run("--nj", "1")
    assert "speaking the" not in output and "render_" not in output
    assert by_one_job.digests() == before
    by_one_job.write_conversations(12, words="word " * 5)
    by_one_job.run("--nj", "1")
    after = by_one_job.digests()
    assert after["train/turns"] != before["train/turns"]
