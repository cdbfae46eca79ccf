"""The command that writes questions about recordings, with a scripted model."""

import json

import generate_questions
import llm.command
import pytest

LINES = [
    {
        "audio_filepath": "wav/a.wav",
        "duration": 3.0,
        "text": "we walked to the old harbour and bought fresh fish",
    },
    {"audio_filepath": "wav/b.wav", "duration": 1.0, "text": "good evening"},
    {
        "audio_filepath": "wav/c.wav",
        "duration": 2.0,
        "offset": 1.5,
        "text": "they sold their house and moved to the coast",
    },
]
ANSWERS = {
    "harbour": ["Where did they walk to?", "They walked to the old harbour."],
    "coast": ["Where did they move to?", "They moved to a large castle in town."],
}


class Model:
    name, licence = "scripted", "MIT"

    def complete(self, prompts):
        return [self.write(prompt) for prompt in prompts]

    def write(self, prompt):
        chat = prompt.messages[-1].content
        if "Somebody says" in chat:
            word = next(word for word in ANSWERS if word in chat)
            return ANSWERS[word][1]
        request = prompt.messages[-2].content
        return ANSWERS[next(word for word in ANSWERS if word in request)][0]


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES))
    return path


def test_questions_whose_answers_stand_in_the_transcript(
    manifest, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(llm.command, "open_llm", lambda *_, **__: Model())
    out = tmp_path / "questions.jsonl"
    generate_questions.main(["--manifest", str(manifest), "--out", str(out)])
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {
            "id": "a",
            "audio_filepath": "wav/a.wav",
            "question": "Where did they walk to?",
            "answer": "They walked to the old harbour.",
        }
    ]
    report = capsys.readouterr().out
    assert "left out: 1 transcripts" in report
    assert "rejected, not from the transcript: 40" in report  # 10 attempts of 4 tries
    assert "failed: c-0001500 after 10 attempts" in report


def test_a_manifest_with_nothing_to_ask_about_is_told(tmp_path):
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps(LINES[1]) + "\n")
    with pytest.raises(ValueError, match="no transcript of 6 words"):
        generate_questions.main(["--manifest", str(path), "--out", "x"])


def test_a_missing_manifest_is_told(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        generate_questions.main(["--manifest", str(tmp_path / "no"), "--out", "x"])
