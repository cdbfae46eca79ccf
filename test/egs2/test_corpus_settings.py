"""The YAMLs of the corpora, the recipe's own among them."""

import json

import corpus_settings
import generate_settings
import pytest
from corpus_settings import read_corpus, read_sections, wanted_banks
from generate_settings import parse_generate, shell_words

CONF = corpus_settings.Path(corpus_settings.__file__).parents[1] / "conf"


def wanted_texts(path):
    entries = parse_generate(read_sections(path).get("generate"), f"{path}: generate")
    return [shell_words(entry) for entry in entries]


@pytest.mark.parametrize("path", sorted(CONF.rglob("data*.yaml")), ids=lambda p: p.stem)
def test_the_recipes_own_corpora_are_valid(path):
    corpus = read_corpus(path)
    assert corpus.sets.defaults.turn_taking.gap_seconds == 0.64
    for line in wanted_texts(path):
        assert len(line.split()) == 4


def test_the_papers_corpus_has_only_what_the_paper_has():
    corpus = read_corpus(CONF / "data_paper.yaml")
    assert wanted_banks(corpus) == []
    for settings in corpus.sets.named.values():
        assert settings.user_pauses.share == settings.backchannels.share == 0
        effects = vars(settings.user_channel).values()
        assert all(effect.share == 0 for effect in effects)
    assert corpus.sets.of("test_impatient").turn_taking.impatient


def test_the_papers_datasets_barge_in_and_are_evaluated_as_in_the_paper():
    corpus = read_corpus(CONF / "data_paper.yaml")
    train = corpus.sets.of("train").barge_in
    shares = {name: train.share_of(name) for name in corpus.sources}
    with_barge_in = ("sft", "ultrachat", "topic")  # Table 1
    assert shares == {name: 0.5 * (name in with_barge_in) for name in corpus.sources}
    tests = {name: one for name, one in corpus.sets.named.items() if "test" in name}
    assert {name: one.sources for name, one in tests.items()} == {
        **{f"test_{name}": (name,) for name in ("asr_qa", "alpaca")},
        **{f"test_{name}": (name,) for name in with_barge_in},
        "test_impatient": ("asr_qa",),
    }
    assert {one.scripts for one in tests.values()} == {"test"}
    assert corpus.sources["ultrachat"]["multi_turn"] == "Augment"
    assert corpus.sources["topic"]["multi_turn"] == "Augment"
    assert wanted_texts(CONF / "data_paper.yaml")[1] == (
        "ultrachat ultrachat 250000 texts/ultrachat.jsonl"
    )


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
        "topic topic 20 -",
        "ultrachat ultrachat 20 -",
        "asr_qa questions packaged -",
    ]


def listed(path, capsys, *options):
    corpus_settings.main(["--config", str(path), "--list", *options])
    return capsys.readouterr().out


SETS = """
simulation:
  defaults: {num_exchanges: {1: 1}}
  sets:
    train: {}
    test: {barge_in: {share: 0.25}}
"""


def test_settings_of_a_set_change_with_what_it_depends_on(tmp_path, capsys):
    path = tmp_path / "a.yaml"
    path.write_text(SETS)
    train = listed(path, capsys, "settings", "--set", "train")
    told = json.loads(train)
    assert told["settings"]["barge_in"]["share"] == 0.5
    assert told["settings"]["num_exchanges"] == {"1": 1}
    assert (told["user_rate"], told["agent_rate"]) == (16000, 22050)
    test = listed(path, capsys, "settings", "--set", "test")
    assert json.loads(test)["settings"]["barge_in"]["share"] == 0.25
    path.write_text(SETS.replace("0.25", "0.75") + "# a comment\n")
    assert listed(path, capsys, "settings", "--set", "train") == train
    assert listed(path, capsys, "settings", "--set", "test") != test
    with pytest.raises(ValueError, match="there is no set 'tst'; expected train, test"):
        listed(path, capsys, "settings", "--set", "tst")
    with pytest.raises(ValueError, match="needs a set; name it with --set"):
        listed(path, capsys, "settings")


def test_drawing_does_not_depend_on_channel_and_format(tmp_path, capsys):
    path = tmp_path / "a.yaml"
    path.write_text(SETS)
    drawing = listed(path, capsys, "drawing")
    assert set(json.loads(drawing)["sets"]) == {"train", "test"}
    rendering = "{audio_format: flac, user_channel: {level: {share: 1}}}"
    path.write_text(SETS.replace("train: {}", f"train: {rendering}"))
    assert listed(path, capsys, "drawing") == drawing
    path.write_text(SETS.replace("train: {}", "train: {noises: {per_minute: 1}}"))
    assert listed(path, capsys, "drawing") != drawing
    path.write_text("simulation: {defaults: {num_exchanges: {3: 1}}}")
    assert '"num_exchanges": {"3": 1.0}' in listed(path, capsys, "drawing")


@pytest.mark.parametrize(
    "text, message",
    [
        ("speach: {}", r"a.yaml holds \['speach'\]; expected the sections generate"),
        ("{speach: {}, 1: {}}", r"a.yaml holds \['speach', 1\]; expected the sections"),
        ("a: [", "a.yaml is no valid YAML"),
        ("", "a.yaml holds None; expected the sections"),
        ("texts: {a: 1}", "a.yaml: texts is {'a': 1}; write a list of sources"),
        ("sources: [a]", r"a.yaml: sources is \['a'\]; expected names with values"),
        ("sources: {a: 1}", "a.yaml: sources.a is 1; expected names with values"),
        ("simulation: [a]", r"a.yaml: simulation is \['a'\]; expected names"),
        ("speech: 0", "a.yaml: speech is 0; expected names with values"),
        (
            "speech: {agent: {voice: hart}}",
            "a.yaml: speech: agent.voice: there is no voice 'hart' of the engine hibari",
        ),
        (
            "speech: {engines: [a]}",
            r"a.yaml: speech.engines is \['a'\]; expected names",
        ),
        ("speech: [a]", r"a.yaml: speech is \['a'\]; expected names with values"),
        (
            "speech: {user: {speed_range: [a, b]}}",
            r"a.yaml: speech.user.speed_range is \['a', 'b'\]; write a range",
        ),
        (
            "{sources: {sft: {}}, simulation: {sets: {test: {sources: [sfd]}}}}",
            "a.yaml: the sources of the set test have 'sfd'; expected .*: sft",
        ),
        (
            "{sources: {a: {}}, simulation: {defaults: {barge_in: {sources: [b]}}}}",
            "a.yaml: the sources of the set defaults have 'b'; expected .*: a",
        ),
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


@pytest.mark.parametrize(
    "generate, message",
    [
        ("{talk: {kind: topic}}", "a.yaml: generate.talk is .*expected kind"),
        ("{talk: {kind: story, num: 3}}", "a.yaml: generate.talk is .*expected kind"),
        ("{talk: {kind: [topic], num: 3}}", "generate.talk is .*expected kind"),
        ("{talk: 3}", "a.yaml: generate.talk is 3; expected kind"),
        ("{talk: {kind: topic, num: 3, context: a}}", "generate.talk is .*expected"),
        ("{talk: {kind: topic, num: 3, 1: 2, a: 1}}", "generate.talk is .*expected"),
        ("{talk: {kind: topic, num: many}}", "talk.num is 'many'; write a whole"),
        (
            "{talk: {kind: topic, num: -3}}",
            "talk.num is -3; write a whole number from 1",
        ),
        ("{talk: {kind: topic, num: 2.5}}", "talk.num is 2.5; write a whole number"),
        ("{talk: {kind: questions, manifest: 3}}", "talk.manifest has 3; write a name"),
        ("{t: {kind: ultrachat, num: 3, context: a b}}", "context has 'a b'; write a"),
        ("{a b: {kind: topic, num: 3}}", "a.yaml: generate has 'a b'; write a name"),
        ("{1: {kind: topic, num: 3}}", "a.yaml: generate has the name 1; names are"),
        ("[x]", r"a.yaml: generate is \['x'\]; expected names with values"),
    ],
)
def test_a_text_to_generate_has_a_kind_and_a_number(tmp_path, generate, message):
    path = tmp_path / "a.yaml"
    path.write_text(f"generate: {generate}")
    with pytest.raises(ValueError, match=message):
        wanted_texts(path)


def test_a_generated_text_may_have_a_context(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("generate: {t: {kind: ultrachat, num: 3, context: chats.jsonl}}")
    assert wanted_texts(path) == ["t ultrachat 3 chats.jsonl"]


def test_the_example_of_generated_texts_is_valid(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(generate_settings.__doc__.partition("\n\n")[2])
    assert wanted_texts(path) == [
        "topic topic 20 -",
        "chats ultrachat 20 chats.jsonl",
        "asr_qa questions m.json -",
    ]
