"""Stages 1 to 3 as jobs: the same bytes whatever the jobs, and whatever kills them."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from chat_server import Server, completion

from espnet2_duplex.sound_files import write_wav

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "egs2" / "duplex_s2s"
CORPUS = """
generate:
  topic: {kind: topic, num: 24}
texts:
  - {source: conversations, path: generated/topic.jsonl, held_out: {test: 0.2}}
  - {source: questions, of: chatterbot, num: 6, held_out: {}}
  - {source: conversations, path: talks.jsonl}
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
    test: {num_conversations: 4}
"""

pytestmark = [pytest.mark.recipe, pytest.mark.timeout(900)]


class DataStages:
    """The recipe's scripts with data in a folder of their own.

    Args:
        folder: for all of it.
        llm: URL of the endpoint that writes the dialogues.
    """

    def __init__(self, folder: Path, llm: str):
        self.llm = llm
        self.folder = folder / "egs2" / "duplex_s2s"
        self.local = self.folder / "data" / "local"
        self.log = folder / "log"
        (self.folder / "downloads").mkdir(parents=True)
        links = [*RECIPE.iterdir(), *(RECIPE / "downloads").iterdir()]
        for path in links:
            if not path.name.startswith(("data", "dump", "exp", "downloads", "llm_c")):
                (self.folder / path.relative_to(RECIPE)).symlink_to(path)
        for name in ("espnet2_duplex", "tools"):
            (folder / name).symlink_to(ROOT / name)
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
        """Begin; all processes are one group, and write to `log`."""
        binaries = Path(sys.executable).parent
        paths = f"{binaries}:{os.environ['PATH']}"
        with self.log.open("w") as log:
            return subprocess.Popen(
                [
                    *("bash", "local/data.sh", "--corpus", "corpus.yaml"),
                    *("--rooms", "rooms", "--sounds", "sounds"),
                    *("--text_llm", self.llm),
                    *("--text_llm_args", "--llm_model scripted --chunk_size 2"),
                    *options,
                ],
                cwd=self.folder,
                env=dict(os.environ, PATH=paths, PYTHONPATH=str(ROOT / "test")),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *options: str) -> str:
        """The whole, to its end; returns what it said."""
        process = self.start(*options)
        status = process.wait()
        assert status == 0, self.log.read_text()
        return self.log.read_text()

    def digests(self) -> dict[str, str]:
        """Hash of all that must not depend on jobs and kills."""
        data = self.folder / "data"
        made = [data / "train", data / "test"]
        made += [
            self.local / name
            for name in (
                *("generated/topic.jsonl", "conversations.jsonl", "spoken.jsonl"),
                *("layouts", "clips", "rooms"),
            )
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


def written(request: dict) -> tuple:
    """What the endpoint answers: of each seed its own text, and now and then none."""
    time.sleep(0.15)
    seed = request["seed"]
    topic = request["messages"][-1]["content"].removeprefix("Topic: ")
    if seed % 7 == 0:
        return 400, "the content filter objects", {}
    if seed % 7 == 1:
        return completion("I would rather not.")
    place = ("at home", "at school", "in a park")[seed % 3]
    return completion(
        f"User: I like {topic}. What should I know?\n"
        f"Agent: First of all, {topic} takes some time to learn well.\n"
        "User: That sounds good. Where do I begin?\n"
        f"Agent: Begin {place}, where it is quiet and warm."
    )


@pytest.fixture(scope="module")
def endpoint():
    with Server(written) as server:
        yield server


@pytest.fixture(scope="module")
def by_one_job(tmp_path_factory, endpoint) -> DataStages:
    assets = [sys.executable, "local/assets.py", "--downloads", "downloads"]
    subprocess.run(assets, cwd=RECIPE, check=True)
    stages = DataStages(tmp_path_factory.mktemp("one"), endpoint.url)
    stages.output = stages.run("--nj", "1")
    return stages


def test_the_report_ends_the_work(by_one_job):
    assert "|Task|Dataset|#Hours|" in by_one_job.output
    assert (by_one_job.folder / "data/report.html").is_file()
    assert len((by_one_job.folder / "data/train/turns").read_text().splitlines()) == 30


def test_what_the_endpoint_refuses_is_written_at_another_attempt(by_one_job):
    assert "accepted: 24 of 24 texts" in by_one_job.output
    assert "rejected, refused by the model: " in by_one_job.output


@dataclass(frozen=True)
class Moment:
    """When to kill.

    Attributes:
        said: what the log has by then.
        there: pattern of files below `data/local` of which one is there by then.
        unfinished: pattern of what is there only when the work has come to its end.
        options: of the run; stages before are finished.
        kill: all processes, or the shell alone, whose jobs live on beside the next run.
    """

    said: str
    there: str
    unfinished: str
    options: tuple[str, ...] = ()
    kill: Callable[[int, int], None] = os.killpg

    def has_come(self, stages: DataStages) -> bool:
        is_there = any(stages.local.glob(self.there))
        return is_there and self.said in stages.log.read_text()


PARTS, TOPICS = "generated/topic.parts", "generated/topic.jsonl"
MOMENTS = {
    "LLM jobs": Moment("writing topic", f"{PARTS}/chunk*", TOPICS),
    # The third chunk of a job; by now the first run has left one or two of each.
    "LLM jobs, the shell": Moment(
        "writing topic", f"{PARTS}/chunk0000001[68]*", TOPICS, kill=os.kill
    ),
    "texts": Moment("texts 0:", TOPICS, "conversations.jsonl"),
    "planning": Moment("", "conversations.jsonl", "spoken.jsonl"),
    "speaking": Moment("speaking the user", "clips/user/*/*.wav", "clips/agent/*/*"),
    "rendering": Moment(
        "render_train", "rendering/train/wav/*/*", "sets/train", ("--stage", "2")
    ),
    "collecting": Moment(
        "checking train", "rendering/train/wav", "sets/train", ("--stage", "3")
    ),
}


def test_killed_in_each_stage_several_jobs_come_to_the_same_bytes(
    by_one_job, endpoint, tmp_path
):
    stages = DataStages(tmp_path, endpoint.url)
    for name, moment in MOMENTS.items():
        process = stages.start("--nj", "4", *moment.options)
        while not moment.has_come(stages):
            assert process.poll() is None, f"{name}: {stages.log.read_text()}"
            time.sleep(0.002)
        moment.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, name
        assert not any(stages.local.glob(moment.unfinished)), name
    stages.run("--nj", "4")
    assert stages.digests() == by_one_job.digests()
    left = [p for p in (stages.folder / "data/train").rglob("*") if ".tmp" in p.name]
    assert not left


def test_a_second_run_makes_nothing_again_and_new_texts_are_noticed(by_one_job):
    before = by_one_job.digests()
    output = by_one_job.run("--nj", "1")
    assert "speaking the" not in output and "render_" not in output
    assert by_one_job.digests() == before
    by_one_job.run("--nj", "1", "--conversations", "talks.jsonl")
    after = by_one_job.digests()
    assert after["train/turns"] != before["train/turns"]
