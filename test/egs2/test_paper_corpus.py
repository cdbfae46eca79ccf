"""conf/data_paper.yaml on a few texts in the published forms: only what the paper has."""

import json
from pathlib import Path

import draw_conversations
import make_texts
import numpy as np
import plan_clips
import pytest
import synthesise
import yaml

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.jsonl import write_jsonl, write_text
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.sound_files import write_wav

PAPER = Path(make_texts.__file__).parents[1] / "conf" / "data_paper.yaml"
TONES = {
    "agent": {"engine": "tone", "voice": "deep"},
    "user": {"engine": "tone", "train_voices": ["low"], "test_voices": ["mid"]},
    "engines": {
        "tone": {"kind": "tone_engine.ToneEngine", "voices": ["low", "mid", "deep"]}
    },
}
ANSWER = "This is an answer of quite some words that is long enough to be cut short."
HALF = {"valid": 0.1, "test": 0.5}
NUM_TEXTS = 20


def chat(name: str, n: int) -> list[tuple[str, str]]:
    """Four turns."""
    return [
        ("user", f"{name} asks number {n} now."),
        ("agent", ANSWER),
        ("user", f"{name} asks {n} once more."),
        ("agent", ANSWER),
    ]


def write_published(folder: Path) -> None:
    """The files that the YAML names, each in its published form."""
    numbers = range(NUM_TEXTS)
    passages = [
        [{"is_selected": 1, "passage_text": f"Passage {n} is."}] for n in numbers
    ]
    marco = {
        "query": [f"what is passage {n}" for n in numbers],
        "query_id": list(numbers),
        "answers": [[ANSWER]] * NUM_TEXTS,
        "passages": passages,
        "wellFormedAnswers": ["[]"] * NUM_TEXTS,
    }
    columns = {
        name: {str(n): value for n, value in enumerate(values)}
        for name, values in marco.items()
    }
    write_text(folder / "texts/marco_train_v2.1.json", json.dumps(columns))
    alpaca = [
        {"instruction": f"Say tip {n}.", "input": "", "output": ANSWER} for n in numbers
    ]
    write_text(folder / "texts/alpaca_data.json", json.dumps(alpaca))
    manifest, questions, sft = [], [], []
    for n in numbers:
        wav = folder / f"wavs/u{n}.wav"
        write_wav(wav, np.full(16000, 0.01 + n / 1000, np.float32), 16000)
        manifest.append(
            {"audio_filepath": str(wav), "duration": 1.0, "text": f"read {n}"}
        )
        questions.append({"id": f"u{n}", "question": "What is read?", "answer": ANSWER})
        messages = [
            {"role": {"agent": "assistant"}.get(role, role), "content": text}
            for role, text in chat("Sue", n)
        ]
        sft.append({"messages": messages})
    write_jsonl(folder / "texts/asr_manifest.jsonl", manifest)
    write_jsonl(folder / "texts/asr_questions.jsonl", questions)
    write_jsonl(folder / "texts/sft.jsonl", sft)
    for name in ("topic", "ultrachat"):
        rows = [
            {
                "id": f"{name}_{n}",
                "source": name,
                "turns": [{"role": r, "text": text} for r, text in chat(name, n)],
            }
            for n in numbers
        ]
        write_jsonl(folder / f"out/generated/{name}.jsonl", rows)


@pytest.fixture(scope="module")
def layouts(tmp_path_factory) -> dict[str, list[Layout]]:
    """Set -> what stages 1 to 3 draw for it."""
    folder = tmp_path_factory.mktemp("paper")
    corpus = yaml.safe_load(PAPER.read_text("utf-8")) | {"speech": TONES}
    for entry in corpus["texts"]:
        entry["held_out"] = HALF
    config, local = folder / "paper.yaml", folder / "out"
    write_text(config, yaml.safe_dump(corpus))
    write_published(folder)
    shared = ["--config", str(config), "--downloads", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        make_texts.main([*shared, "--out", str(local)])
        texts = str(local / "conversations.jsonl")
        plan_clips.main([*shared, "--local", str(local), "--conversations", texts])
        for role in ("user", "agent"):
            clips = ["--clips", str(local / f"clips/{role}.jsonl")]
            synthesise.main([*shared, *clips, "--out", str(local / "clips")])
        draw_conversations.main(["--config", str(config), "--local", str(local)])
    return {
        path.stem: [Layout.from_json(line) for line in path.read_text().splitlines()]
        for path in (local / "layouts").glob("*.jsonl")
    }


def barge_ins(layout: Layout) -> list[float]:
    """Seconds that the agent still speaks after each onset of the user."""
    return [
        agent.end - user.start
        for agent in layout.conversation.agent_turns
        for user in layout.conversation.user_turns
        if agent.start < user.start < agent.end
    ]


def test_every_set_of_the_paper_has_conversations_of_its_datasets(layouts):
    sources = {name: {one.source for one in drawn} for name, drawn in layouts.items()}
    assert sources.pop("valid") <= sources["train"]
    assert sources == {
        "train": {"msmarco", "alpaca", "asr_qa", "sft", "ultrachat", "topic"},
        "test_asr_qa": {"asr_qa"},
        "test_alpaca": {"alpaca"},
        "test_ultrachat": {"ultrachat"},
        "test_sft": {"sft"},
        "test_topic": {"topic"},
        "test_impatient": {"asr_qa"},
    }


def test_only_the_datasets_of_table_1_have_barge_ins_and_each_cuts_the_agent(layouts):
    cuts: dict[str, list[float]] = {}
    for layout in layouts["train"]:
        cuts.setdefault(layout.source, []).extend(barge_ins(layout))
    assert {source for source, found in cuts.items() if found} == {
        *("sft", "ultrachat", "topic")
    }
    found = [seconds for of_source in cuts.values() for seconds in of_source]
    assert found == pytest.approx([CUT_SECONDS] * len(found), abs=2e-6)


def test_gaps_are_the_papers_and_nothing_happens_that_the_paper_lacks(layouts):
    for layout in layouts["train"]:
        turns = sorted(layout.conversation.turns, key=lambda turn: turn.start)
        gaps = [b.start - a.end for a, b in zip(turns, turns[1:]) if b.role == "agent"]
        assert gaps == pytest.approx([GAP_SECONDS] * len(gaps), abs=2e-6)
        # The pause between a recording and the question about it.
        assert {event.kind for event in layout.events} <= {"pause"}
        assert not layout.events or layout.source in ("asr_qa", "msmarco")


def test_single_questions_are_joined_and_the_impatient_set_is_asr_qa_again(layouts):
    base, impatient = layouts["test_asr_qa"], layouts["test_impatient"]
    texts = [
        [[turn.text for turn in one.conversation.turns] for one in drawn]
        for drawn in (base, impatient)
    ]
    assert texts[0] == texts[1] and len(base) >= 5
    assert any(len(one.conversation.user_turns) == 2 for one in layouts["train"])
    assert not any(map(barge_ins, base))
