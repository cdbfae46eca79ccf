"""Scoring an encoder: tables by set and kind, ways of hearing."""

import json

import pytest
import torch
from tiny_encoders import ENCODERS

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.encoder_options import build_encoder
from espnet2_duplex.bin.perception_score import main
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.perception.ctc_model import CtcModel, Heard
from espnet2_duplex.perception.error_table import ScoredSet, rows_of, to_markdown
from espnet2_duplex.perception.utterances import Utterance


@pytest.fixture
def scored(corpus, train):
    """An encoder of one step, and the words that score it."""
    train(corpus / "exp", num_steps=1)
    (corpus / "utt2kind").write_text("a small\nb small\nc year\n")
    return ["--checkpoint", str(corpus / "exp/checkpoint.pth"), "--sets", str(corpus)]


def heard(id, said, heard):
    return Heard(Utterance(id, f"{id}.wav", said), heard)


def test_rows_add_up_by_kind_and_in_all():
    utterances = [heard("a", "the cat", "the bat"), heard("b", "yes", "yes")]
    utterances.append(heard("c", "no", ""))
    kinds = {"a": "story", "b": "answer", "c": "answer"}
    ways = {"as trained": utterances, "half precision": utterances[:2]}
    scored_set = ScoredSet("test", [h.utterance for h in utterances], kinds)
    table = to_markdown(rows_of(scored_set, ways))
    assert table.splitlines()[2:] == [
        "| test | answer | 2 | 2 | 50.0 / 40.0 | 0.0 / 0.0 |",
        "| test | story | 1 | 2 | 50.0 / 14.3 | 50.0 / 14.3 |",
        "| test | all | 3 | 4 | 50.0 / 25.0 | 33.3 / 10.0 |",
    ]


def test_results_of_a_checkpoint(scored, corpus, capsys):
    assert run_cli(main, [*scored, "--streaming", "true"]) == 0
    table = (corpus / "exp/RESULTS.md").read_text()
    assert capsys.readouterr().out == table
    assert f"| {corpus.name} | small | 2 | 3 | " in table  # the third has digits
    (row,) = json.loads((corpus / "exp/results.json").read_text())["rows"]
    ways = ["as trained", "half precision", "half precision, in steps"]
    assert list(row["errors"]) == ways
    assert row["errors"]["as trained"]["num_words"] == 3
    transcripts = read_jsonl(corpus / "exp/transcripts.jsonl")
    assert [row["said"] for row in transcripts] == ["yes", "no no"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_steps_spell_what_is_heard_as_a_whole(encoder):
    torch.manual_seed(3)
    model = CtcModel(build_encoder(encoder, ENCODERS[encoder])).eval()
    speech = 0.3 * torch.randn(1280 * 30 + 5)
    whole = model.transcribe(speech)
    assert len(whole) > 3 and model.transcribe_in_steps(speech) == whole


def test_configuration_of_the_training_serves_as_well(scored, corpus):
    (corpus / "exp/encoder.yaml").unlink()
    words = [*scored, "--encoder_config", str(corpus / "fastconformer.yaml")]
    assert run_cli(main, words) == 0


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--checkpoint", "no/checkpoint.pth"], "no/encoder.yaml does not exist"),
        (["--sets", "no"], "no/text does not exist"),
        (["--sets", "digits"], "digits/text has no text that can be spelt"),
        (
            ["--encoder_config", "a.yaml"],
            "a.yaml has no encoder_conf; give encoder.yaml",
        ),
        (["--encoder_config", "b.yaml"], "is of another model"),
    ],
)
def test_mistake_is_one_sentence(words, sentence, scored, corpus, capsys, monkeypatch):
    monkeypatch.chdir(corpus)
    (corpus / "digits").mkdir()
    (corpus / "digits/wav.scp").write_text("a a.wav\n")
    (corpus / "digits/text").write_text("a 1.\n")
    (corpus / "a.yaml").write_text("x: 1\n")
    (corpus / "b.yaml").write_text("encoder_conf: {width: 32, num_heads: 2}\n")
    assert run_cli(main, [*scored, *words]) == 1
    assert sentence in capsys.readouterr().err
