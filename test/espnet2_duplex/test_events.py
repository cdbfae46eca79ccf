"""The `events` of a data folder."""

import pytest

from espnet2_duplex.events import Event, events_from_json, events_to_json


def test_events_survive_json_on_one_line():
    events = (Event("pause", 0.5, 0.9), Event("backchannel", 2.0, 2.5, "uh-huh.\n"))
    text = events_to_json(events)
    assert "\n" not in text
    assert events_from_json(text, "c1") == events
    assert events_from_json("[]", "c1") == ()


@pytest.mark.parametrize(
    "text, message",
    [
        ("[{", "conversation c1: its events are no valid JSON"),
        ("{}", "conversation c1: its events are {}; expected a list"),
        ('[{"kind": "pause"}]', "conversation c1: an event reads {'kind': 'pause'}"),
        ("[3]", "conversation c1: an event reads 3; expected an object"),
        (
            '[{"kind": "laugh", "start": 0, "end": 1}]',
            r"conversation c1: an event reads .*laugh.*expected .* \(one of pause",
        ),
        ('[{"kind": "noise", "start": 2, "end": 1}]', "an event reads .*'end': 1"),
        (
            '[{"kind": "noise", "start": 1, "end": Infinity}]',
            "conversation c1: an event reads .*inf.*expected .* finite seconds",
        ),
        ('[{"kind": "noise", "start": NaN, "end": 1}]', "an event reads .*nan"),
        (
            '[{"kind": "noise", "start": "a", "end": 1}]',
            "an event reads .*'start': 'a'",
        ),
        (
            '[{"kind": "noise", "start": 0, "end": 1, "text": 3}]',
            "an event reads .*'text': 3",
        ),
    ],
)
def test_an_error_names_the_conversation(text, message):
    with pytest.raises(ValueError, match=message):
        events_from_json(text, "c1")
