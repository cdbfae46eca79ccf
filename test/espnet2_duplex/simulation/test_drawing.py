"""Layouts are drawn from one seed and keep the paper's promises."""

from collections import Counter
from dataclasses import replace

import pytest

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.events import events_from_json, events_to_json
from espnet2_duplex.simulation.drawing import Drawer
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Settings, changed
from espnet2_duplex.simulation.user_sounds import Pools, Sound
from espnet2_duplex.simulation.utterances import is_too_long
from espnet2_duplex.timing import FrameClock, microseconds

LENGTHS = (0.93, 0.94, 1.5, 4.0)  # seconds, of answers
EVERYTHING = {
    "num_conversations": 150,
    "num_exchanges": {1: 0.3, 2: 0.4, 3: 0.3},
    "user_pauses": {"share": 0.5},
    "backchannels": {"share": 0.7, "min_turn_seconds": 2.0, "margin_seconds": 0.3},
    "noises": {"per_minute": 12},
}


@pytest.fixture(scope="module")
def pools(speak):
    uh_huh, cough = speak("user", "uh-huh", 0.4), speak("user", "cough", 0.5)
    sound = Sound(uh_huh.wav, uh_huh.seconds, "uh-huh.")
    backchannels = {"ann": [sound], "bob": [sound]}
    return Pools(backchannels, [Sound(cough.wav, cough.seconds)])


def draw(scripts, pools=Pools(), seed=0, **changes):
    settings = changed(Settings(), changes, "test")
    return list(Drawer("train", scripts, settings, pools, seed))


@pytest.fixture(scope="module")
def layouts(scripts, pools):
    return draw(scripts, pools, **EVERYTHING)


def barge_ins(conversation):
    """(user turn, agent turn) of each user turn that begins inside an agent turn."""
    return [
        (user, agent)
        for user in conversation.user_turns
        for agent in conversation.agent_turns
        if agent.start <= user.start < agent.end
    ]


def test_the_same_seed_draws_the_same_and_another_seed_something_else(
    scripts, pools, layouts
):
    assert draw(scripts, pools, **EVERYTHING) == layouts
    other = draw(scripts, pools, seed=1, **EVERYTHING)
    assert all(one != two for one, two in zip(layouts, other))


def test_a_conversation_does_not_depend_on_how_many_there_are(scripts, pools, layouts):
    fewer = {**EVERYTHING, "num_conversations": 10}
    assert draw(scripts, pools, **fewer) == layouts[:10]


def test_every_script_is_used_equally_often(scripts, layouts):
    starts = Counter(
        (layout.speaker, layout.source, layout.conversation.turns[0].text)
        for layout in layouts
    )
    assert len(starts) == len(scripts) == 14
    assert set(starts.values()) == {10, 11}


def test_without_a_number_each_script_is_one_conversation_with_its_id(scripts):
    drawn = draw(scripts, num_exchanges={1: 1})
    assert sorted(layout.conversation.id for layout in drawn) == sorted(
        script.id for script in scripts
    )


def test_gaps_and_cuts_are_exact_and_agent_turns_begin_on_frames(layouts):
    clock, found = FrameClock(), 0
    for layout in layouts:
        conversation = layout.conversation
        for user, agent in zip(conversation.user_turns, conversation.agent_turns):
            assert abs(microseconds(agent.start - user.end - GAP_SECONDS)) <= 1
            frame = clock.seconds(clock.nearest_frame(agent.start))
            assert abs(microseconds(agent.start - frame)) <= 1
        for user, agent in barge_ins(conversation):
            found += 1
            heard = [p for p in layout.pieces if p.wav and p.role == "agent"]
            (piece,) = [p for p in heard if abs(p.start - agent.start) < 1e-5]
            assert piece.seconds == pytest.approx(agent.end - agent.start, abs=2e-6)
            assert abs(microseconds(agent.end - user.start - CUT_SECONDS)) <= 1
    assert found > 30


def test_every_drawn_barge_in_cuts_its_answer(speak):
    turns = [speak("user", "why", 0.9), *(speak("agent", "so", s) for s in LENGTHS)]
    exchanges = [turn for answer in turns[1:] for turn in (turns[0], answer)]
    script = Script("s", "own", "me", (*exchanges, turns[0]))
    found = Counter()
    for layout in draw([script], num_conversations=300, barge_in={"share": 1}):
        for user, agent in barge_ins(layout.conversation):
            assert abs(microseconds(agent.end - user.start - CUT_SECONDS)) <= 1
            assert user.start - agent.start >= 0.3 - 1e-6
            found[layout.conversation.agent_turns.index(agent)] += 1
    # 0.3 s to be heard and 0.64 s to be cut do not fit into 0.93 s.
    assert found == {1: 300, 2: 300, 3: 300}


def test_an_impatient_user_may_begin_where_nothing_is_left_to_cut(speak):
    question, answer = speak("user", "why", 0.9), speak("agent", "so", 0.9)
    script = Script("s", "own", "me", (question, answer, question))
    changes = {"turn_taking": {"impatient": True, "pause_seconds": [0.5, 0.5]}}
    (layout,) = draw([script], **changes)
    agent, again = layout.conversation.turns[1:]
    # The user is silent for 0.64 + 0.9 + 0.5 s, and begins after half of it.
    assert again.start - agent.start == pytest.approx(1.02 - 0.64, abs=2e-6)
    assert agent.end - agent.start == pytest.approx(0.9, abs=2e-6)


def test_only_single_exchanges_of_one_voice_and_source_are_joined(layouts):
    for layout in layouts:
        texts = [turn.text for turn in layout.conversation.turns]
        if layout.source == "qa":
            assert len(texts) in (2, 4, 6) and len(set(texts)) == len(texts)
            assert all(text.startswith(("question", "answer")) for text in texts)
        elif layout.source == "chitchat":
            assert len(texts) == 6
        else:
            assert texts[0] == "context what"
    counts = Counter(
        len(layout.conversation.turns) for layout in layouts if layout.source == "qa"
    )
    assert counts[2] > 15 and counts[4] > 25 and counts[6] > 15


def test_the_silence_inside_a_user_turn_is_told_as_a_pause(layouts):
    pauses = [
        (layout, event)
        for layout in layouts
        for event in layout.events
        if event.kind == "pause"
    ]
    assert len(pauses) > 60
    for layout, event in pauses:
        assert 0.2 <= event.end - event.start <= 1.2 + 1e-6
        (turn,) = [
            turn
            for turn in layout.conversation.user_turns
            if turn.start < event.start and event.end < turn.end
        ]
        pieces = [p for p in layout.pieces if p.role == "user"]
        for piece in pieces:
            end = piece.start + piece.seconds
            assert end <= event.start + 1e-5 or piece.start >= event.end - 1e-5


def test_backchannels_do_not_stop_the_agent_and_noises_do_not_count_as_turns(layouts):
    kinds = Counter(event.kind for layout in layouts for event in layout.events)
    assert kinds["backchannel"] > 20 and kinds["noise"] > 60
    for layout in layouts:
        for event in layout.events:
            if event.kind != "backchannel":
                continue
            (agent,) = [
                turn
                for turn in layout.conversation.agent_turns
                if turn.start <= event.start < turn.end
            ]
            assert event.end + 0.3 <= agent.end + 1e-5
        texts = {turn.text for turn in layout.conversation.turns}
        assert "uh-huh." not in texts
        beside = [piece.start for piece in layout.pieces if not piece.in_turn]
        assert beside == [e.start for e in layout.events if e.kind != "pause"]


def test_the_paper_has_nothing_but_turns(scripts):
    for layout in draw(scripts, num_conversations=40, user_pauses={"share": 0}):
        assert layout.source == "asr_qa" or not layout.events


def test_impatient_users_barge_in_nearly_always(scripts):
    qa = [script for script in scripts if script.source == "qa"]
    drawn = draw(
        qa,
        num_conversations=60,
        num_exchanges={2: 1},
        turn_taking={"impatient": True, "pause_seconds": [0.4, 1.0]},
        barge_in={"share": 0},
    )
    assert sum(bool(barge_ins(layout.conversation)) for layout in drawn) >= 50


def test_an_impatient_set_is_its_base_set_with_the_silences_halved(scripts, pools):
    base = {**EVERYTHING, "barge_in": {"share": 0.3}}
    hurried = {
        "like": "train",
        "turn_taking": {"impatient": True},
        "backchannels": {"share": 0},
        "noises": {"per_minute": 0},
    }
    one = draw(scripts, pools, **base)
    settings = changed(Settings(), base, "test")
    other = Drawer("test", scripts, changed(settings, hurried, "test"), pools, 0)
    for calm, hasty in zip(one, other, strict=True):
        assert calm.conversation.id == hasty.conversation.id
        turns = calm.conversation.turns
        assert [(t.role, t.text) for t in turns] == [
            (t.role, t.text) for t in hasty.conversation.turns
        ]
        assert turns[0] == hasty.conversation.turns[0]
        user_turns = hasty.conversation.user_turns
        agent_turns = hasty.conversation.agent_turns
        users = zip(calm.conversation.user_turns, calm.conversation.user_turns[1:])
        for n, (before, after) in enumerate(users):
            answer = agent_turns[n].start - user_turns[n].end
            assert abs(microseconds(answer - GAP_SECONDS)) <= 1
            silence = after.start - before.end
            halved = max(silence / 2, GAP_SECONDS + 0.3)
            found = user_turns[n + 1].start - user_turns[n].end
            assert abs(microseconds(found - halved)) <= 3


def test_it_is_told_why_a_conversation_has_fewer_exchanges_than_drawn(speak):
    def script(id, speaker, question, start=None):
        user = replace(speak("user", question, 1.0), start=start)
        return Script(id, "qa", speaker, (user, speak("agent", "so", 1.0)))

    scripts = [
        *(script(f"ann_{n}", "ann", f"question {n}") for n in range(3)),
        *(script(f"bob_{n}", "bob", f"question {n}") for n in range(2)),
        script("cid", "cid", "question"),
        script("dan", "dan", "question", start=0.5),
    ]
    drawer = Drawer(
        "train",
        scripts,
        changed(Settings(), {"num_exchanges": {3: 1}}, "t"),
        Pools(),
        0,
    )
    counts = Counter(len(layout.conversation.user_turns) for layout in drawer)
    assert counts == {3: 3, 2: 2, 1: 2}
    lost = "of 7 conversations of several exchanges could not be had:"
    assert sorted(drawer.tally.sentences()) == [
        f"1 {lost} a conversation of qa has given times or an agent who begins",
        f"1 {lost} no other of qa in the same voice",
        f"2 {lost} too few others of qa in the same voice",
    ]


def test_other_settings_of_sounds_leave_the_silences_as_they_are(scripts, pools):
    quiet = {**EVERYTHING, "backchannels": {"share": 0}, "noises": {"per_minute": 0}}
    for one, two in zip(
        draw(scripts, pools, **EVERYTHING), draw(scripts, pools, **quiet), strict=True
    ):
        assert one.conversation == two.conversation


def test_given_times_are_kept(speak):
    turns = (
        replace(speak("user", "hello", 1.0), start=0.25),
        replace(speak("agent", "hi", 3.0), start=2.0),
        replace(speak("user", "stop", 1.0), start=3.1, end=3.6),
        speak("agent", "ok", 1.0),
    )
    (layout,) = draw([Script("call", "own", "me", turns)], barge_in={"share": 1})
    times = [(turn.start, turn.end) for turn in layout.conversation.turns]
    assert times == [(0.25, 1.25), (2.0, 3.74), (3.1, 3.6), (4.24, 5.24)]
    assert [piece.seconds for piece in layout.pieces] == [1.0, 1.74, 0.5, 1.0]


def test_turns_whose_start_and_end_are_given_overlap_as_they_did(speak):
    turns = (
        replace(speak("user", "hello", 1.0), start=0.25, end=1.25),
        replace(speak("agent", "so it was", 3.0), start=2.0, end=5.0),
        replace(speak("user", "uh-huh", 0.5), start=3.1, end=3.6),
        replace(speak("agent", "and then", 2.0), start=5.2, end=7.2),
        speak("user", "why", 1.0),
    )
    script = Script("call", "own", "me", turns)
    for impatient in (False, True):
        changes = {"turn_taking": {"impatient": impatient}, "barge_in": {"share": 1}}
        (layout,) = draw([script], **changes)
        times = [(turn.start, turn.end) for turn in layout.conversation.turns]
        assert times[:4] == [(0.25, 1.25), (2.0, 5.0), (3.1, 3.6), (5.2, 7.2)]
        assert times[4][0] >= 7.7  # nobody can be cut, so nobody barges in
        assert [piece.seconds for piece in layout.pieces] == [1.0, 3.0, 0.5, 2.0, 1.0]


def test_a_turn_gets_no_pause_that_would_move_a_given_time(speak):
    hello = replace(speak("user", "hello", 2.0), start=0.5)
    open_hello = speak("user", "hello", 2.0)
    answer = replace(speak("agent", "hi", 1.0), start=3.04)
    for turns in (
        (hello, answer),
        (open_hello, answer),
        (hello, speak("agent", "hi", 1.0)),
    ):
        script = Script("call", "own", "me", turns)
        (layout,) = draw([script], user_pauses={"share": 1})
        assert layout.events == ()
        user, agent = layout.conversation.turns
        assert agent.start > user.end and 0 <= user.end - user.start - 2.0 < 0.08
    free = Script("call", "own", "me", (open_hello, speak("agent", "hi", 1.0)))
    (layout,) = draw([free], user_pauses={"share": 1})
    assert [event.kind for event in layout.events] == ["pause"]


def test_users_barge_in_only_in_the_datasets_that_are_named(scripts):
    drawn = draw(
        scripts,
        num_conversations=100,
        num_exchanges={2: 1},
        barge_in={"share": 1, "sources": ["chitchat"]},
    )
    found = Counter()
    for layout in drawn:
        found[layout.source] += len(barge_ins(layout.conversation))
    assert found["chitchat"] > 10 and found["qa"] == found["asr_qa"] == 0


def test_the_order_of_shares_in_the_file_changes_nothing(scripts):
    one = draw(scripts, num_conversations=20, num_exchanges={1: 0.4, 2: 0.6})
    assert draw(scripts, num_conversations=20, num_exchanges={2: 0.6, 1: 0.4}) == one


def test_a_script_with_a_long_turn_is_found_by_the_sum_of_its_parts(speak):
    turns = (speak("user", "a", 1.5), speak("user", "b", 1.5), speak("agent", "c", 1.0))
    assert is_too_long(Script("s", "x", "v", turns), 2.9)
    assert not is_too_long(Script("s", "x", "v", turns), 3.0)


def test_layouts_and_events_survive_json(layouts):
    for layout in layouts[:20]:
        assert Layout.from_json(layout.to_json()) == layout
        assert events_from_json(events_to_json(layout.events), "c") == layout.events


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"noises": {"per_minute": 1}}, "set train: noises are wanted"),
        ({"backchannels": {"share": 0.1}}, "set train: backchannels are wanted"),
    ],
)
def test_wanting_sounds_without_having_any_is_an_error(scripts, changes, message):
    with pytest.raises(ValueError, match=message):
        draw(scripts, **changes)
