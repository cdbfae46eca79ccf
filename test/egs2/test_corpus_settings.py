"""The YAMLs of the corpora, the recipe's own among them."""

import corpus_settings
import pytest
from corpus_settings import read_corpus, wanted_banks, wanted_texts

CONF = corpus_settings.Path(corpus_settings.__file__).parents[1] / "conf"


@pytest.mark.parametrize("path", sorted(CONF.rglob("data*.yaml")), ids=lambda p: p.stem)
def test_the_recipes_own_corpora_are_valid(path):
    corpus = read_corpus(path)
    assert corpus.sets.defaults.turn_taking.gap_seconds == 0.64
    for line in wanted_texts(path):
        assert len(line.split()) == 3


def test_the_papers_corpus_has_only_what_the_paper_has():
    corpus = read_corpus(CONF / "data_paper.yaml")
    assert wanted_banks(corpus) == []
    for settings in corpus.sets.named.values():
        assert settings.user_pauses.share == settings.backchannels.share == 0
        effects = vars(settings.user_channel).values()
        assert all(effect.share == 0 for effect in effects)
    assert corpus.sets.of("test_impatient").turn_taking.impatient


def test_the_corpus_of_all_kinds_has_everything():
    corpus = read_corpus(CONF / "data_all.yaml")
    assert wanted_banks(corpus) == ["rooms", "sounds"]
    train = corpus.sets.of("train")
    assert min(train.user_pauses.share, train.backchannels.share) > 0
    assert all(effect.share > 0 for effect in vars(train.user_channel).values())


def test_lists_for_the_shell(capsys):
    config = str(CONF / "data_all.yaml")
    for name in ("test_sets", "banks", "generate"):
        corpus_settings.main(["--config", config, "--list", name])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["test test_disturbed test_impatient", "rooms sounds"]
    assert lines[2:] == [
        "topic topic 80",
        "ultrachat ultrachat 60",
        "asr_qa questions packaged",
    ]


@pytest.mark.parametrize(
    "text, message",
    [
        ("speach: {}", r"a.yaml holds \['speach'\]; expected the sections generate"),
        ("a: [", "a.yaml is no valid YAML"),
        ("speech: {rate: 1}", "a.yaml: speech has the unknown name rate"),
        (
            "simulation: {sets: {train: {gap: 1}}}",
            "sets.train has the unknown name gap",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_corpus(path)


@pytest.mark.parametrize("entry", ["{kind: topic}", "{kind: story, num: 3}", "3"])
def test_a_text_to_generate_has_a_kind_and_a_number(tmp_path, entry):
    path = tmp_path / "a.yaml"
    path.write_text(f"generate: {{talk: {entry}}}")
    with pytest.raises(ValueError, match="a.yaml: generate.talk is .*expected kind"):
        wanted_texts(path)
