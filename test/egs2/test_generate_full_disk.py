"""A full disk while texts are made: told with the file's name, and nothing is lost."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import generate_dialogues
import make_texts
import pytest
from chat_server import Server, completion

LOCAL = Path(generate_dialogues.__file__).parent
LINES = [
    "I like {topic}. What should I know?",
    "First of all, {topic} takes some time to learn well.",
    "That sounds good. Where do I begin?",
    "Begin at home, where it is quiet and warm.",
]
FEW_BYTES = 1800  # more than a kept answer, less than a chunk's records


def answer(request):
    topic = request["messages"][-1]["content"].removeprefix("Topic: ")
    said = zip(("User", "Agent") * 2, LINES)
    return completion(
        "\n".join(f"{who}: {line}".format(topic=topic) for who, line in said)
    )


def run_on_a_full_disk(script, *args, num_bytes=FEW_BYTES):
    """Run a script that cannot write files of more than `num_bytes`.

    To a process such a limit is what a full disk is. Returns the last line of stderr.
    """
    limit = (num_bytes, num_bytes)
    failed = subprocess.run(
        [sys.executable, str(LOCAL / script), *args],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert failed.returncode == 1, failed.stderr
    return failed.stderr.strip().splitlines()[-1]


def assert_told(line, path):
    assert line.startswith(f"error: {path} cannot be written")
    assert "free space and run the same command again" in line


@pytest.fixture
def server():
    with Server(answer) as server:
        yield server


def test_dialogues_go_on_where_the_disk_was_full(server, tmp_path):
    out = tmp_path / "topic.jsonl"
    (tmp_path / "topics.txt").write_text("baking bread\nthe moon\ntrain travel\n")
    args = ["--kind", "topic", "--num", "10", "--topics", str(tmp_path / "topics.txt")]
    args += ["--out", str(out), "--downloads", str(tmp_path), "--chunk_size", "5"]
    args += ["--llm", server.url, "--llm_model", "llama"]
    # The kept answers fit, the records of a chunk do not.
    told = run_on_a_full_disk("generate_dialogues.py", *args)
    parts = tmp_path / "topic.parts"
    assert_told(told, parts / "chunk00000000.jsonl")
    assert [path.name for path in parts.iterdir()] == ["settings.json"]
    assert not out.exists()
    num_paid = len(server.requests)
    generate_dialogues.main(args)
    assert len(server.requests) == 10 and num_paid == 5
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == [
        f"topic_{n:06d}" for n in range(10)
    ]


def test_answers_that_cannot_be_kept_are_told(server, tmp_path):
    args = ["--kind", "topic", "--num", "2", "--out", str(tmp_path / "topic.jsonl")]
    args += ["--downloads", str(tmp_path), "--llm", server.url, "--llm_model", "llama"]
    told = run_on_a_full_disk("generate_dialogues.py", *args, num_bytes=700)
    assert f"answers of llama cannot be kept in {tmp_path / 'llm_cache'}" in told
    assert list((tmp_path / "llm_cache").iterdir()) == []


def test_conversations_stay_as_they_were_when_the_disk_is_full(tmp_path):
    out = tmp_path / "out" / "conversations.jsonl"
    out.parent.mkdir()
    out.write_text("what was there\n")
    turns = [{"role": "user", "text": "Is it late?"}, {"role": "agent", "text": "Yes."}]
    rows = [{"id": f"talk_{n}", "set": "train", "turns": turns} for n in range(30)]
    talks = tmp_path / "talks.jsonl"
    talks.write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = tmp_path / "corpus.yaml"
    texts = [{"source": "conversations", "path": str(talks)}]
    config.write_text(json.dumps({"texts": texts}))
    args = ["--config", str(config), "--downloads", str(tmp_path)]
    args += ["--out", str(out.parent)]
    assert_told(run_on_a_full_disk("make_texts.py", *args), out)
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.read_text() == "what was there\n"
    make_texts.main(args)
    assert len(out.read_text().splitlines()) == 30
