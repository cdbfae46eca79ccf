import numpy as np
import pytest

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.formats.listening import Listener, ListeningOptions, sort_out
from espnet2_duplex.formats.sounds import LoadedSound


@pytest.fixture
def sound(make_tones):
    """Sound of tones, at 8 kHz as calls have it."""

    def make(*spans, level=0.3):
        samples = make_tones(8, 8000, *spans, level=level)
        return LoadedSound(None, 8000, len(samples), lambda: samples)

    return make


def spans(turns, role):
    return [(t.start, t.end) for t in turns if t.role == role]


def test_both_speakers_are_heard_and_overlaps_kept(sound, listener):
    user, agent = sound((1.0, 2.0), (3.0, 5.0)), sound((2.2, 3.6))
    turns, events = listener.conversation(user, agent)
    np.testing.assert_allclose(
        spans(turns, "user"), [(1.0, 2.0), (3.0, 5.0)], atol=0.021
    )
    np.testing.assert_allclose(spans(turns, "agent"), [(2.2, 3.6)], atol=0.021)
    assert [turn.start for turn in turns] == sorted(turn.start for turn in turns)
    assert events == () and all("tenths" in turn.text for turn in turns)


def test_crosstalk_is_left_out_up_to_its_level(sound):
    loud, leak = sound((1.0, 2.0)), sound((1.0, 2.0), level=0.02)  # 23.5 dB below
    for limit, number in ((20.0, 0), (30.0, 1)):
        ears = Listener(ListeningOptions(vad="energy", crosstalk_db=limit))
        assert len(ears.user(leak, [], loud)[0]) == number
        assert len(ears.agent(loud, leak)) == 1


def test_merge_gap_decides_where_a_turn_ends(sound):
    speech = sound((1.0, 2.0), (2.3, 3.0))
    for gap, number in ((0.2, 2), (0.5, 1)):
        ears = Listener(ListeningOptions(vad="energy", merge_gap_seconds=gap))
        assert len(ears.user(speech, [])[0]) == number


def test_bursts_without_words_are_noise_of_the_user_and_nothing_of_the_agent(sound):
    ears = Listener(
        ListeningOptions(vad="energy", asr_model="mute"),
        lambda model: lambda clips: ["" for _ in clips],
    )
    turns, events = ears.conversation(sound((1.0, 1.5)), sound((3.0, 3.5)))
    assert turns == [] and [event.kind for event in events] == ["noise"]


def test_short_words_inside_an_agents_turn_that_goes_on_are_backchannels():
    agent = Turn("agent", 1.0, 6.0, "A long story.")
    inside = Turn("user", 2.0, 2.5, "uh-huh")
    stopping = Turn("user", 4.8, 5.2, "stop it")  # the agent stops 1.2 s after it began
    sentence = Turn("user", 2.6, 3.5, "what is that")
    kept, events = sort_out([inside, sentence, stopping], [agent])
    assert kept == [sentence, stopping]
    assert events == (Event("backchannel", 2.0, 2.5, "uh-huh"),)


def test_a_missing_recogniser_is_told():
    ears = Listener(ListeningOptions(vad="energy", asr_model="no/such/folder"))
    tone = np.full(16000, 0.3, np.float32)
    with pytest.raises(ValueError, match="no speech recogniser at 'no/such/folder'"):
        ears.agent(LoadedSound(None, 16000, 16000, lambda: tone))
