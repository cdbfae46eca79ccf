"""What holds of every conversation, whatever is said and whatever the settings are."""

from dataclasses import replace
from functools import lru_cache

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.simulation.drawing import Drawer
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Settings, changed
from espnet2_duplex.simulation.streams import render
from espnet2_duplex.simulation.user_channel.chain import Bank
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.simulation.user_sounds import Pools, Sound
from espnet2_duplex.timing import FrameClock, nearest_sample

USER_RATE, AGENT_RATE = 16000, 22050
CLOCK = FrameClock()
LENGTHS = {"user": (0.41, 0.9, 1.337), "agent": (0.5, 1.25, 3.111)}  # seconds
load = lru_cache(load_speech)
quick = hypothesis_settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
roles_of_a_script = st.sampled_from(
    [
        ("user", "agent"),
        ("user", "user", "agent"),
        ("user", "agent", "user", "agent"),
        ("agent", "user", "agent"),
        ("user", "agent", "agent", "user"),
    ]
)
shares = st.sampled_from([0.0, 0.5, 1.0])
changes_of_settings = st.fixed_dictionaries(
    {
        "num_conversations": st.just(3),
        "num_exchanges": st.sampled_from([{1: 1}, {2: 1}, {1: 0.3, 3: 0.7}]),
        "turn_taking": st.fixed_dictionaries(
            {
                "lead_seconds": st.sampled_from([[0, 0], [0.3, 1.5]]),
                "pause_seconds": st.sampled_from([[0, 0], [0.5, 2.0]]),
                "tail_seconds": st.sampled_from([[0, 0], [0.6, 1.6]]),
                "on_frames": st.booleans(),
                "impatient": st.booleans(),
            }
        ),
        "barge_in": st.fixed_dictionaries({"share": shares}),
        "user_pauses": st.fixed_dictionaries({"share": shares}),
        "backchannels": st.fixed_dictionaries(
            {"share": shares, "min_turn_seconds": st.just(1.0)}
        ),
        "noises": st.fixed_dictionaries({"per_minute": st.sampled_from([0, 10, 60])}),
    }
)


@pytest.fixture(scope="session")
def pools(speak):
    uh_huh, cough = speak("user", "uh-huh", 0.31), speak("user", "cough", 0.2)
    backchannels = {"ann": [Sound(uh_huh.wav, uh_huh.seconds, "uh-huh.")]}
    return Pools(backchannels, [Sound(cough.wav, cough.seconds)])


@st.composite
def scripts_of(draw, speak):
    """A few scripts of one voice; of some the first turns have given times."""
    scripts = []
    for number in range(draw(st.integers(1, 3))):
        turns = []
        for index, role in enumerate(draw(roles_of_a_script)):
            seconds = draw(st.sampled_from(LENGTHS[role]))
            turns.append(speak(role, f"{role} {number} {index}", seconds))
        num_timed = draw(st.sampled_from([0, 0, 1, 2, len(turns)]))
        turns[:num_timed] = timed(draw, turns[:num_timed])
        scripts.append(Script(f"s{number}", "own", "ann", tuple(turns)))
    return scripts


def timed(draw, turns):
    """Turns with given times; users may speak over the agent, agents never do."""
    found, now = [], 0.0
    for turn in turns:
        least = 0.1
        if found and found[-1].role == "agent" and turn.role == "user":
            least = max(-0.9, found[-1].start - now + 0.05)
        start = round(now + draw(st.floats(least, 1.0)), 3)
        now = round(start + turn.seconds * draw(st.sampled_from([0.8, 1.0])), 6)
        found.append(replace(turn, start=start, end=now))
    return found


def draw_layouts(data, speak, pools):
    """Settings, the turns of all scripts by their texts, and what is drawn of them."""
    settings = changed(Settings(), data.draw(changes_of_settings), "test")
    scripts = data.draw(scripts_of(speak))
    seed = data.draw(st.integers(0, 1000))
    layouts = list(Drawer("train", scripts, settings, pools, seed))
    assert list(Drawer("train", scripts, settings, pools, seed)) == layouts
    told = {turn.text: turn for script in scripts for turn in script.turns}
    return settings, told, layouts


def is_given(turn, told):
    """Whether a turn, perhaps joined of several, has a start from its script."""
    texts = [text for text, one in told.items() if one.start is not None]
    return any(turn.text.startswith(text) for text in texts)


def samples(seconds, rate):
    """Nearest sample, in units in which both rates are whole."""
    other = {USER_RATE: AGENT_RATE, AGENT_RATE: USER_RATE}[rate]
    return nearest_sample(seconds, rate) * other


def check_gap(user, agent, told, on_frames):
    if is_given(agent, told):
        return
    gap_seconds = agent.start - user.end
    if on_frames and is_given(user, told):
        assert abs(gap_seconds - GAP_SECONDS) <= 0.04 + 2e-6  # half a frame
    elif on_frames:
        gap = samples(agent.start, AGENT_RATE) - samples(user.end, USER_RATE)
        assert gap == GAP_SECONDS * USER_RATE * AGENT_RATE
    else:
        assert abs(gap_seconds - GAP_SECONDS) <= 2e-6


def check_cut(agent, user, told, impatient):
    """`user` is the one who speaks after the agent, perhaps before it has ended."""
    if agent.text not in told:  # joined of two, with a silence of unknown length
        return
    one = told[agent.text]
    end = own_end = agent.start + one.heard_seconds
    interrupts = user is not None and user.start < own_end - 2e-6
    if interrupts and one.end is None:
        end = user.start + CUT_SECONDS
        if impatient or is_given(user, told):  # not drawn, so perhaps too late to cut
            end = min(own_end, end)
    assert abs(agent.end - end) <= 2e-6


@quick
@given(st.data())
def test_turns_keep_their_gaps_and_cuts(speak, pools, data):
    settings, told, layouts = draw_layouts(data, speak, pools)
    timing = settings.turn_taking
    for layout in layouts:
        turns = layout.conversation.turns
        assert [t.start for t in turns] == sorted(t.start for t in turns)
        for one, two in zip(turns, [*turns[1:], None]):
            if one.role == "agent":
                check_cut(one, two, told, timing.impatient)
                frame = CLOCK.seconds(CLOCK.nearest_frame(one.start))
                assert not timing.on_frames or abs(one.start - frame) <= 2e-6
            elif two is not None:
                check_gap(one, two, told, timing.on_frames)


@quick
@given(st.data())
def test_backchannels_and_noises_keep_their_distance_from_the_user(speak, pools, data):
    settings, _, layouts = draw_layouts(data, speak, pools)
    margins = {
        "backchannel": settings.backchannels.margin_seconds,
        "noise": settings.noises.margin_seconds,
    }
    for layout in layouts:
        users = layout.conversation.user_turns
        for event in layout.events:
            if event.kind == "pause":
                assert any(
                    turn.start < event.start and event.end < turn.end for turn in users
                )
                continue
            margin = margins[event.kind] - 2e-6
            for turn in users:
                before = event.end <= turn.start - margin
                assert before or event.start >= turn.end + margin
            assert 0 <= event.start and event.end <= layout.conversation.duration


def cleared(stream, rate, intervals):
    """The stream with silence where something may be heard; one sample is rounding."""
    stream = stream.copy()
    for start, end in intervals:
        stream[nearest_sample(start, rate) : nearest_sample(end, rate) + 1] = 0
    return stream


@quick
@given(st.data())
def test_streams_hold_nothing_beside_turns_and_events(speak, pools, data):
    _, _, layouts = draw_layouts(data, speak, pools)
    for layout in layouts:
        conversation = layout.conversation
        user, agent = render(
            layout, USER_RATE, AGENT_RATE, UserChannel(), Bank(), 0, load
        )
        frames = CLOCK.nearest_frame(conversation.duration)
        assert (len(user), len(agent)) == (frames * 1280, frames * 1764)
        turns = [(turn.start, turn.end) for turn in conversation.agent_turns]
        assert not cleared(agent, AGENT_RATE, turns).any()
        for start, end in turns:
            assert agent[nearest_sample(start, AGENT_RATE)] != 0
        turns = [(turn.start, turn.end) for turn in conversation.user_turns]
        sounds = [(e.start, e.end) for e in layout.events if e.kind != "pause"]
        assert not cleared(user, USER_RATE, turns + sounds).any()
        for event in layout.events:
            first, last = (
                nearest_sample(time, USER_RATE) for time in (event.start, event.end)
            )
            assert user[first + 1 : last - 1].any() == (event.kind != "pause")
