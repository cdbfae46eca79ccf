import json

import numpy as np
import pytest

from espnet2_duplex.timing import FrameClock
from espnet2_duplex.train.preprocessor import DuplexPreprocessor, StreamSpec
from espnet2_duplex.vocabulary import SpeechIds

SILENCE = np.array([7, 8, 9, 10])
SPEECH_IDS = SpeechIds()


def make_preprocessor(tokenizer, **options):
    spec = StreamSpec(
        user_sample_rate=16000,
        clock=FrameClock(),
        speech_ids=SPEECH_IDS,
        silence_codes=SILENCE,
        delays=(0, 1, 1, 1, 1),
    )
    return DuplexPreprocessor(True, tokenizer, spec, **options)


@pytest.fixture
def preprocessor(tiny_tokenizer):
    return make_preprocessor(tiny_tokenizer)


def conversation(num_frames=25, turns=((0.8, 1.6, "The sun is a star."),), **changes):
    data = {
        "user_speech": np.zeros(num_frames * 1280, dtype=np.float64),
        "agent_codes": np.arange(num_frames * 4, dtype=np.int32),
        "turns": json.dumps(
            [
                {"role": "agent", "start": start, "end": end, "text": text}
                for start, end, text in turns
            ]
        ),
    }
    return {**data, **changes}


def test_channels_of_one_turn(preprocessor, tiny_tokenizer):
    ids = tiny_tokenizer.ids
    result = preprocessor("a", conversation())
    tokens = tiny_tokenizer.encode("The sun is a star.")[:9]
    expected = np.full(25, ids.pad)
    expected[10] = ids.bos  # 0.8 s
    expected[11 : 11 + len(tokens)] = tokens
    expected[20] = ids.eos  # 1.6 s
    assert result["text"].tolist() == expected.tolist()
    codes = result["codes"]
    assert codes.shape == (25, 4)
    assert (codes[0] == SPEECH_IDS.delay).all()  # one frame later than the text
    assert (codes[1:11] == SILENCE).all()
    assert (codes[11] == SPEECH_IDS.bos).all()
    assert codes[12].tolist() == [44, 45, 46, 47]  # codec frame 11
    assert (codes[21] == SPEECH_IDS.eos).all()
    assert (codes[22:] == SILENCE).all()
    assert result["user_speech"].dtype == np.float32


def test_one_missing_frame_of_codes_becomes_silence(preprocessor):
    data = conversation(turns=())
    data["agent_codes"] = data["agent_codes"][:-4]
    assert (preprocessor("a", data)["codes"][-1] == SILENCE).all()


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"user_speech": np.zeros(0)}, "talk1: user speech has no samples"),
        (
            {"user_speech": np.full(32000, np.nan)},
            "talk1: user speech has 32000 samples that are not finite",
        ),
        ({"user_speech": np.zeros((32000, 2))}, "talk1: user speech has 2 channels"),
        ({"user_speech": np.zeros(16000)}, "talk1: 25 frames of codes but 13 frames"),
        ({"agent_codes": np.arange(99)}, "talk1: .* do not divide into 4 codebooks"),
        ({"agent_codes": np.full(100, 4032)}, "talk1: .*4032"),
        ({"turns": "[{"}, "talk1.*JSON"),
        ({"turns": '[{"role": "host", "start": 0, "end": 1, "text": ""}]'}, "host"),
    ],
)
def test_bad_input_names_the_conversation(preprocessor, changes, message):
    with pytest.raises(ValueError, match=message):
        preprocessor("talk1", {**conversation(), **changes})


@pytest.mark.parametrize(
    "turns",
    [
        ((0.8, 1.6, "a"), (1.2, 1.8, "b")),  # overlap
        ((0.8, 2.9, "a"),),  # past the end at 2 s
    ],
)
def test_bad_turns_name_the_conversation(preprocessor, turns):
    with pytest.raises(ValueError, match="talk1.*turn"):
        preprocessor("talk1", conversation(turns=turns))


def test_one_delay_per_channel_is_demanded():
    with pytest.raises(ValueError, match="delays has 2 entries"):
        StreamSpec(16000, FrameClock(), SPEECH_IDS, SILENCE, (0, 1))


def with_turns(turns):
    return {**conversation(), "turns": json.dumps(turns)}


USER_TURNS = [
    {"role": "user", "start": 0.1, "end": 0.6, "text": "Water boils."},
    {"role": "agent", "start": 0.7, "end": 0.9, "text": "The sun."},
    {"role": "user", "start": 1.0, "end": 1.5, "text": "A star."},
]


def test_the_users_words_come_in_time_order_if_asked_for(tiny_tokenizer):
    preprocessor = make_preprocessor(tiny_tokenizer, user_text=True)
    result = preprocessor("a", with_turns(USER_TURNS))
    encode = tiny_tokenizer.encode
    assert result["user_text"].tolist() == encode("Water boils.") + encode("A star.")
    assert result["user_text"].dtype == np.int64


def test_a_silent_user_has_no_words(tiny_tokenizer):
    preprocessor = make_preprocessor(tiny_tokenizer, user_text=True)
    words = preprocessor("a", conversation())["user_text"]
    assert words.shape == (0,) and words.dtype == np.int64


def test_the_users_words_are_not_emitted_unasked(preprocessor):
    result = preprocessor("a", with_turns(USER_TURNS))
    assert set(result) == {"user_speech", "text", "codes"}


def test_a_conversation_of_one_frame_has_nothing_to_predict(preprocessor):
    with pytest.raises(ValueError, match="talk1: the conversation is 1 frame long"):
        preprocessor("talk1", conversation(num_frames=1, turns=()))
    result = preprocessor("talk1", conversation(num_frames=2, turns=()))
    assert result["text"].shape == (2,)
