"""The two streams hold what the layout says and nothing else."""

import numpy as np
import pytest

from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.simulation.drawing import Drawer
from espnet2_duplex.simulation.layout import Piece
from espnet2_duplex.simulation.settings import Settings, changed
from espnet2_duplex.simulation.streams import place_pieces, render
from espnet2_duplex.simulation.user_channel.chain import Bank
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.simulation.user_sounds import Pools


def ones(path, sample_rate):
    return np.ones(4000, np.float32)


def test_outside_its_pieces_the_stream_is_exactly_zero_and_a_cut_fades():
    stream = place_pieces([Piece("agent", "a", 0.08, 0.1)], 0.5, 10000, ones)
    assert len(stream) == 5000
    assert not stream[:800].any() and not stream[1800:].any()
    assert (stream[800:1700] == 1).all()
    assert stream[1799] == 0 and (np.diff(stream[1700:1800]) < 0).all()


def test_a_whole_clip_is_placed_as_it_is():
    stream = place_pieces([Piece("agent", "a", 0.05, 0.4)], 0.5, 10000, ones)
    assert stream.sum() == 4000 and (stream[500:4500] == 1).all()


def test_a_piece_from_inside_a_clip_fades_in_and_has_its_gain():
    piece = Piece("user", "a", 0.0, 0.3, offset=0.1, gain_db=-20.0)
    stream = place_pieces([piece], 0.5, 10000, ones)
    assert stream[0] == 0 and (np.diff(stream[:100]) > 0).all()
    assert stream[100:3000] == pytest.approx(0.1) and not stream[3000:].any()


@pytest.fixture(scope="module")
def layouts(scripts):
    changes = {"num_conversations": 80, "user_pauses": {"share": 0.5}}
    settings = changed(Settings(), changes, "test")
    return list(Drawer("train", scripts, settings, Pools(), seed=0))


def rendered(layout, channel=UserChannel(), seed=0):
    return render(layout, 16000, 22050, channel, Bank(), seed, load_speech)


def test_both_streams_have_the_same_whole_frames(layouts):
    for layout in layouts:
        user, agent = rendered(layout)
        assert len(user) % 1280 == 0 and len(agent) % 1764 == 0
        assert len(user) // 1280 == len(agent) // 1764


def test_streams_end_on_a_frame_also_where_agents_do_not_begin_on_one(scripts):
    changes = {"num_conversations": 10, "turn_taking": {"on_frames": False}}
    settings = changed(Settings(), changes, "test")
    for layout in Drawer("train", scripts, settings, Pools(), seed=0):
        user, agent = rendered(layout)
        assert len(user) % 1280 == len(agent) % 1764 == 0
        assert len(user) // 1280 == len(agent) // 1764


def test_no_sample_of_a_role_lies_outside_its_turns(layouts):
    for layout in layouts:
        conversation = layout.conversation
        for turns, stream, rate in zip(
            (conversation.user_turns, conversation.agent_turns),
            rendered(layout),
            (16000, 22050),
        ):
            for turn in turns:
                start, end = round(turn.start * rate), round(turn.end * rate)
                assert stream[start : end - 1].any()
                stream[start : end + 1] = 0
            assert not stream.any()


def test_gap_and_cut_are_exact_in_samples(layouts):
    found = exact = 0
    for layout in layouts:
        user, agent = rendered(layout)
        turns = layout.conversation.turns
        asked, answered = (
            layout.conversation.user_turns[0].end,
            np.flatnonzero(agent)[0],
        )
        assert answered * 16000 - round(asked * 16000) * 22050 == 0.64 * 16000 * 22050
        end = np.flatnonzero(user[: round((asked + 0.64) * 16000)])[-1] + 1
        assert 0 <= round(asked * 16000) - end < 1280
        for one, two in zip(turns, turns[1:]):
            if one.role == "agent" and two.start + 0.64 <= one.end + 1e-6:
                found += 1
                end = round(two.start * 22050 + 0.64 * 22050)
                # The middle of a clip is silent for 2646 samples.
                assert agent[end - 2700 : end].any()
                assert not agent[end : end + 5000].any()
                exact += agent[end - 20] != 0
    assert found >= 10 and exact >= 8


def test_the_same_seed_gives_the_same_samples(layouts):
    channel = changed(
        UserChannel(), {"noise": {"share": 1.0, "snr_range_db": [10, 20]}}, "test"
    )
    one, again, other = (rendered(layouts[0], channel, seed)[0] for seed in (0, 0, 1))
    assert (one == again).all() and (one != other).any()
