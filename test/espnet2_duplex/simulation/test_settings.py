"""Settings come from a YAML, with the paper's as defaults."""

from dataclasses import replace

import pytest
import yaml

from espnet2_duplex.simulation.settings import Settings, read_sets


def test_defaults_hold_what_the_paper_has_and_nothing_more():
    settings = Settings()
    assert settings.turn_taking.gap_seconds == 0.64
    assert settings.barge_in.cut_seconds == 0.64
    assert settings.turn_taking.max_turn_seconds == 25
    assert set(settings.num_exchanges) == {1, 2}
    for part in ("user_pauses", "backchannels"):
        assert getattr(settings, part).share == 0
    assert settings.noises.per_minute == 0


def test_a_set_changes_the_defaults_of_its_file():
    simulation = yaml.safe_load("""
        defaults: {num_exchanges: {1: 1}, turn_taking: {lead_seconds: [1, 2]}}
        sets:
          train:
          test: {scripts: heldout, turn_taking: {impatient: true}}
        """)
    sets = read_sets(simulation, "corpus.yaml").named
    assert sets["train"].turn_taking.lead_seconds == (1.0, 2.0)
    assert sets["test"].turn_taking.lead_seconds == (1.0, 2.0)
    assert (
        sets["test"].turn_taking.impatient and not sets["train"].turn_taking.impatient
    )
    assert sets["test"].scripts == "heldout" and sets["test"].num_exchanges == {1: 1}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"gap": 1}, "c.yaml: sets.train has the unknown name gap; known are like, s"),
        ({"barge_in": {"rate": 1}}, "sets.train.barge_in has the unknown name rate"),
        ({"barge_in": {"share": 1.5}}, "barge_in.share is 1.5; a share is from 0 to 1"),
        ({"barge_in": {"share": "often"}}, "barge_in.share is 'often'; write a number"),
        ({"barge_in": 3}, "sets.train.barge_in is 3; expected names with values"),
        (
            {"turn_taking": {"lead_seconds": [2, 1]}},
            r"lead_seconds is \[2, 1\]; write a range",
        ),
        (
            {"turn_taking": {"impatient": "no"}},
            "impatient is 'no'; write true or false",
        ),
        ({"num_exchanges": {1: 0.4}}, "num_exchanges is {1: 0.4}; give shares"),
        (
            {"num_exchanges": 2},
            r"exchanges is 2; write {a whole number: a number, ...}",
        ),
        (
            {"num_exchanges": {"a": 1}},
            "a name in .*num_exchanges is 'a'; write a whole",
        ),
        ({"num_exchanges": {1: "x"}}, "num_exchanges.1 is 'x'; write a number"),
        ({"num_exchanges": {1: -1, 2: 2}}, "num_exchanges is {1: -1.0, 2: 2.0}; give"),
        ({"num_exchanges": {0: 1}}, "num_exchanges is {0: 1.0}; give shares"),
        ({"num_exchanges": {True: 1}}, "num_exchanges is True; write a whole number"),
        ({"num_exchanges": {}}, "num_exchanges is {}; give shares"),
        (
            {"num_conversations": "many"},
            "train.num_conversations is 'many'; write a whole",
        ),
        ({"num_conversations": 2.5}, "num_conversations is 2.5; write a whole number"),
        ({"num_conversations": -3}, "num_conversations is -3; expected 0 or more"),
        (
            {"barge_in": {"heard_seconds": 0}},
            "barge_in: heard_seconds is 0.0; write seconds above 0",
        ),
        ({"num_conversations": 0}, "num_conversations is 0; write a whole number"),
        ({"num_conversations": True}, "num_conversations is True; write a whole"),
        (
            {"turn_taking": {"lead_seconds": [1, "a"]}},
            r"train.turn_taking.lead_seconds is \[1, 'a'\]; write a range",
        ),
        (
            {"turn_taking": {"lead_seconds": [-2, -1]}},
            r"lead_seconds is \[-2, -1\]; expected 0 or more",
        ),
        (
            {"turn_taking": {"lead_seconds": [1, float("inf")]}},
            r"lead_seconds is \[1, inf\]; write a range",
        ),
        ({"turn_taking": {"lead_seconds": 1}}, "lead_seconds is 1; write a range"),
        (
            {"turn_taking": {"gap_seconds": -1}},
            "train.turn_taking.gap_seconds is -1; expected 0 or more",
        ),
        ({"turn_taking": {"gap_seconds": float("nan")}}, "is nan; write a number"),
        ({"barge_in": {"cut_seconds": -1}}, "cut_seconds is -1; expected 0 or more"),
        ({"noises": {"per_minute": -4}}, "per_minute is -4; expected 0 or more"),
        ({"noises": {3: 4, "a": 1}}, "train.noises has the name 3; names are texts"),
        ({"sources": "topic"}, "train.sources is 'topic'; write a list of texts"),
        ({"sources": [1]}, r"sets.train.sources\[0\] is 1; write a text"),
        ({"barge_in": {"sources": 1}}, "barge_in.sources is 1; write a list of texts"),
        ({"scripts": 1}, "sets.train.scripts is 1; write a text"),
        ([1], r"c.yaml: sets.train is \[1\]; expected names with values"),
        ({"audio_format": "mp3"}, "audio_format is 'mp3'; write wav or flac"),
    ],
)
def test_a_mistake_in_the_file_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        read_sets({"sets": {"train": changes}}, "c.yaml")


@pytest.mark.parametrize(
    "simulation, message",
    [
        ({"set": {}}, "c.yaml: simulation has 'set'; expected defaults and sets"),
        ({"set": {}, 1: {}}, "c.yaml: simulation has the name 1; names are texts"),
        (["a"], r"c.yaml: simulation is \['a'\]; expected names with values"),
        ({"sets": ["a"]}, r"c.yaml: sets is \['a'\]; expected names with values"),
        ({"sets": {1: {}, "a": {}}}, "c.yaml: sets has the name 1; names are texts"),
        ({"sets": {"a b": {}}}, "c.yaml: sets has the name 'a b'; it names a folder"),
        ({"defaults": 0}, "c.yaml: defaults is 0; expected names with values"),
    ],
)
def test_a_mistake_in_a_section_is_named(simulation, message):
    with pytest.raises(ValueError, match=message):
        read_sets(simulation, "c.yaml")


def test_levels_may_be_negative():
    changes = {"noises": {"gain_range_db": [-20, -3]}}
    sets = read_sets({"sets": {"train": changes}}, "c.yaml")
    assert sets.of("train").noises.gain_range_db == (-20.0, -3.0)


def test_datasets_of_a_set_and_of_its_barge_ins():
    changes = {"sources": ["sft"], "barge_in": {"share": 0.4, "sources": ["sft"]}}
    settings = read_sets({"sets": {"train": changes}}, "c.yaml").of("train")
    assert settings.sources == ("sft",)
    assert settings.barge_in.share_of("sft") == 0.4
    assert settings.barge_in.share_of("alpaca") == 0
    assert Settings().barge_in.share_of("alpaca") == 0.5


def test_without_named_sets_every_set_has_the_defaults():
    sets = read_sets({"defaults": {"num_exchanges": {1: 1}}}, "c.yaml")
    assert not sets.named and sets.of("anything").num_exchanges == {1: 1}


SETS = {
    "test": {"num_conversations": 9, "barge_in": {"share": 0.25}},
    "test_impatient": {"like": "test", "turn_taking": {"impatient": True}},
}


def test_a_set_that_is_like_another_has_its_settings_and_its_conversations():
    sets = read_sets({"sets": SETS, "defaults": {"num_exchanges": {2: 1}}}, "c.yaml")
    test, impatient = sets.of("test"), sets.of("test_impatient")
    assert impatient == replace(
        test,
        like="test",
        scripts="test",
        turn_taking=replace(test.turn_taking, impatient=True),
    )
    open_set = {**SETS, "test": {"scripts": "open"}}
    assert (
        read_sets({"sets": open_set}, "c.yaml").of("test_impatient").scripts == "open"
    )


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"like": "valid"}, "like is 'valid'; write the name of a set .* other: test."),
        ({"like": ["test"]}, r"like is \['test'\]; write the name"),
        (
            {"like": "test_impatient"},
            "like is 'test_impatient'; write the name of a set",
        ),
        (
            {"like": "test", "num_exchanges": {1: 1}},
            "has num_exchanges and is like test",
        ),
        (
            {"like": "test", "scripts": "open"},
            "has scripts and is like test, whose conv",
        ),
    ],
)
def test_what_a_set_is_like_must_be_another_set_and_say_all(changes, message):
    with pytest.raises(ValueError, match=f"c.yaml: sets.test_impatient.*{message}"):
        read_sets({"sets": {**SETS, "test_impatient": changes}}, "c.yaml")
