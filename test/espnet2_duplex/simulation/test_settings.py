"""Settings come from a YAML, with the paper's as defaults."""

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
        ({"gap": 1}, "c.yaml: sets.train has the unknown name gap; known are scripts"),
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
        ({"audio_format": "mp3"}, "audio_format is 'mp3'; write wav or flac"),
    ],
)
def test_a_mistake_in_the_file_is_named(changes, message):
    with pytest.raises(ValueError, match=message):
        read_sets({"sets": {"train": changes}}, "c.yaml")


def test_unknown_sections_are_refused():
    with pytest.raises(ValueError, match="c.yaml: simulation has 'set'"):
        read_sets({"set": {}}, "c.yaml")


def test_without_named_sets_every_set_has_the_defaults():
    sets = read_sets({"defaults": {"num_exchanges": {1: 1}}}, "c.yaml")
    assert not sets.named and sets.of("anything").num_exchanges == {1: 1}
