import json

import numpy as np
import pytest
import soundfile
from data_set import write_set
from draw_conversations import (
    BARGE_IN_AFTER,
    CorpusConfig,
    SpokenPair,
    draw_corpus,
    place_on_frames,
)
from rendering import Room, place_clips, render, vary_user

from espnet2_duplex.conversation import CUT_SECONDS, Conversation, Turn
from espnet2_duplex.timing import FrameClock

CLOCK = FrameClock()
CONFIG = CorpusConfig(num_train=60, num_valid=8, num_test=20)


def pairs(voices, prefix="known", count=5):
    return [
        SpokenPair(
            f"{prefix}_{n}",
            voice,
            f"question {n}",
            f"answer {n}",
            f"{voice}_{n}.wav",
            f"{n}.wav",
            1.0 + 0.1 * n,
            1.5 + 0.2 * n,
        )
        for n in range(count)
        for voice in voices
    ]


def parts():
    return {
        "train": pairs(["a", "b"]),
        "valid": pairs(["a", "b"], count=3),
        "test": pairs(["x", "y"]),
        "open": pairs(["x", "y"], "open"),
    }


@pytest.fixture(scope="module")
def corpus():
    return draw_corpus(CONFIG, parts())


def barge_ins(conversation):
    """(user turn, agent turn) of each user turn that starts inside an agent turn."""
    return [
        (user, agent)
        for user in conversation.user_turns
        for agent in conversation.agent_turns
        if agent.start <= user.start < agent.end
    ]


def test_same_seed_draws_the_same_and_another_seed_other_conversations(corpus):
    assert draw_corpus(CONFIG, parts()) == corpus
    other = CorpusConfig(seed=1, num_train=60, num_valid=8, num_test=20)
    assert draw_corpus(other, parts())["train"] != corpus["train"]


def test_sets_have_their_sizes_and_ids_are_unique(corpus):
    sizes = {name: len(layouts) for name, layouts in corpus.items()}
    assert sizes == {
        "train": 60,
        "valid": 8,
        "test_qa": 20,
        "test_open": 20,
        "test_multiturn": 20,
        "test_impatient": 20,
    }
    ids = [layout.conversation.id for layouts in corpus.values() for layout in layouts]
    assert len(set(ids)) == len(ids)


def test_test_voices_never_train_and_only_training_is_noisy(corpus):
    for name, layouts in corpus.items():
        expected = {"x", "y"} if name.startswith("test") else {"a", "b"}
        assert {layout.speaker for layout in layouts} == expected
        assert {layout.is_noisy for layout in layouts} == {name == "train"}


def test_the_agent_starts_on_a_frame_about_the_gap_after_the_user(corpus):
    for layouts in corpus.values():
        for layout in layouts:
            conversation = layout.conversation
            for user, agent in zip(conversation.user_turns, conversation.agent_turns):
                frame = CLOCK.nearest_frame(agent.start)
                assert agent.start == CLOCK.seconds(frame)
                assert agent.start - user.end == pytest.approx(0.64, abs=0.0401)


def test_the_agent_always_finishes_and_the_duration_is_whole_frames(corpus):
    for layouts in corpus.values():
        for layout in layouts:
            conversation = layout.conversation
            last = max(turn.end for turn in conversation.turns)
            assert conversation.duration - last >= 0.5
            frames = CLOCK.nearest_frame(conversation.duration)
            assert conversation.duration == CLOCK.seconds(frames)


def test_an_interrupted_agent_stops_soon_after_the_onset(corpus):
    found = [
        pair for layout in corpus["train"] for pair in barge_ins(layout.conversation)
    ]
    assert len(found) > 10
    for user, agent in found:
        assert agent.end - user.start <= CUT_SECONDS + 1e-5
        assert user.start - agent.start >= BARGE_IN_AFTER - 0.04


def test_half_of_the_multiturn_conversations_have_a_barge_in(corpus):
    assert (
        sum(bool(barge_ins(layout.conversation)) for layout in corpus["test_multiturn"])
        == 10
    )


def test_nearly_every_later_turn_of_the_impatient_user_is_a_barge_in(corpus):
    layouts = corpus["test_impatient"]
    later = sum(len(layout.conversation.user_turns) - 1 for layout in layouts)
    assert sum(len(barge_ins(layout.conversation)) for layout in layouts) >= 0.9 * later


def test_the_question_set_covers_every_question_before_repeating_any(corpus):
    texts = [layout.conversation.user_turns[0].text for layout in corpus["test_qa"]]
    assert all(texts.count(text) == 4 for text in set(texts)) and len(set(texts)) == 5


def test_a_cut_keeps_its_time_when_the_answer_moves_to_its_frame():
    turns = (
        Turn("user", 0.5, 1.33, "q"),
        Turn("agent", 1.97, 3.64, "a"),  # cut 0.64 s after the next onset
        Turn("user", 3.0, 4.0, "q"),
        Turn("agent", 4.64, 6.64, "a"),
    )
    placed = place_on_frames(Conversation("c", turns, 7.6), [5.0, 2.0], CLOCK)
    times = [(turn.start, turn.end) for turn in placed.agent_turns]
    assert times == [(2.0, 3.64), (4.64, 6.64)]


def test_outside_the_turns_the_stream_is_exactly_zero_and_a_cut_fades():
    turn = Turn("agent", 0.08, 0.18, "a")
    stream = place_clips([turn], [np.ones(4000, np.float32)], 0.4, 10000)
    assert len(stream) == 4000
    assert not stream[:800].any() and not stream[1800:].any()
    assert (stream[800:1700] == 1).all()
    assert stream[1799] == 0 and (np.diff(stream[1700:1800]) < 0).all()


def test_a_clip_that_fits_is_placed_whole():
    turn = Turn("agent", 0.1, 0.2, "a")
    stream = place_clips([turn], [np.ones(1000, np.float32)], 0.3, 10000)
    assert stream.sum() == 1000


def test_noise_has_the_drawn_level():
    room = Room((0.0, 0.0), (20.0, 20.0), (0.0, 0.0), clean_share=0.0)
    speech = np.zeros(16000, np.float32)
    speech[:8000] = 0.1
    noisy = vary_user(speech, room, np.random.default_rng(0))
    ratio = np.mean(speech[:8000] ** 2) / np.mean((noisy - speech) ** 2)
    assert 10 * np.log10(ratio) == pytest.approx(20.0, abs=0.1)


def test_clean_training_conversations_keep_digital_silence():
    room = Room(clean_share=1.0)
    speech = np.zeros(16000, np.float32)
    speech[:8000] = 0.1
    assert not vary_user(speech, room, np.random.default_rng(0))[8000:].any()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Twenty conversations written by one and by two processes."""
    root = tmp_path_factory.mktemp("corpus")
    spoken = []
    for n, pair in enumerate(pairs(["a", "b"])):
        wavs = []
        for role, rate, seconds in (
            ("user", 16000, pair.question_seconds),
            ("agent", 22050, pair.answer_seconds),
        ):
            noise = np.random.default_rng(n).uniform(-0.3, 0.3, round(seconds * rate))
            wavs.append(str(root / f"{role}_{n}.wav"))
            soundfile.write(wavs[-1], noise, rate, subtype="PCM_16")
        fields = {**pair.__dict__, "question_wav": wavs[0], "answer_wav": wavs[1]}
        spoken.append(SpokenPair(**fields))
    config = CorpusConfig(num_train=20, num_valid=0, num_test=0)
    every = dict.fromkeys(("train", "valid", "test", "open"), spoken)
    layouts = draw_corpus(config, every)["train"]
    for num_jobs in (1, 2):
        write_set(root / str(num_jobs) / "train", layouts, 0, num_jobs)
    return root, layouts


def test_rendering_gives_the_same_bytes_whatever_the_number_of_jobs(rendered):
    root, _ = rendered
    one, two = (sorted((root / n / "train" / "wav").iterdir()) for n in "12")
    assert [path.name for path in one] == [path.name for path in two]
    for first, second in zip(one, two):
        assert first.read_bytes() == second.read_bytes()
    turns = [(root / n / "train" / "turns").read_text() for n in "12"]
    assert turns[0] == turns[1]


def test_both_streams_last_equally_long_and_keys_are_sorted(rendered):
    root, layouts = rendered
    for layout in layouts:
        user, agent = render(layout, Room(), 0)
        assert len(user) % 1280 == 0 and len(user) // 1280 == len(agent) // 1764
        assert len(agent) % 1764 == 0
    for name in ("user.scp", "agent.scp", "turns", "utt2dur", "utt2spk"):
        lines = (root / "1" / "train" / name).read_text().splitlines()
        keys = [line.split()[0] for line in lines]
        assert keys == sorted(keys) and len(keys) == 20


def test_every_agent_sample_outside_its_turns_is_exactly_zero(rendered):
    _, layouts = rendered
    for layout in layouts:
        _, agent = render(layout, Room(), 0)
        for turn in layout.conversation.agent_turns:
            start, end = round(turn.start * 22050), round(turn.end * 22050)
            agent[max(0, start - 1) : end + 1] = 0
        assert not agent.any()


def test_a_failed_set_leaves_the_old_one_and_no_rest(tmp_path):
    layouts = draw_corpus(CorpusConfig(num_train=2, num_test=0), parts())["train"]
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "turns").write_text("old")
    with pytest.raises(Exception, match="wav"):
        write_set(tmp_path / "train", layouts, 0, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["train"]
    assert (tmp_path / "train" / "turns").read_text() == "old"


def test_turns_file_is_json_of_the_four_fields(rendered):
    root, layouts = rendered
    line = (root / "1" / "train" / "turns").read_text().splitlines()[0]
    turns = json.loads(line.split(maxsplit=1)[1])
    assert set(turns[0]) == {"role", "start", "end", "text"}
