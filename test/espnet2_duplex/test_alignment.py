"""Text and speech channels: worked-out examples, and kernels against their twins."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espnet2_duplex.alignment import (
    align_speech,
    align_speech_reference,
    align_text,
    align_text_reference,
    apply_delays,
)
from espnet2_duplex.vocabulary import SpeechIds, TextIds

BOS, EOS, PAD = 1, 2, 0
TEXT_IDS = TextIds(BOS, EOS, PAD)
SPEECH_IDS = SpeechIds(codebook_size=10)  # BOS 10, EOS 11
LETTERS = {PAD: ".", BOS: "B", EOS: "E"}

both = pytest.mark.parametrize("align", [align_text, align_text_reference])
both_speech = pytest.mark.parametrize("align", [align_speech, align_speech_reference])


def align_words(align, turns, num_frames):
    """Text channel as a string, of turns (start frame, end frame, word)."""
    word = "".join(text for _, _, text in turns)
    text, num_dropped = align(
        np.array([start for start, _, _ in turns], dtype=np.int64),
        np.array([end for _, end, _ in turns], dtype=np.int64),
        np.array([ord(letter) for letter in word], dtype=np.int64),
        np.cumsum([0, *(len(text) for _, _, text in turns)]),
        num_frames,
        BOS,
        EOS,
        PAD,
    )
    assert text.dtype == np.int64 and text.shape == (num_frames,)
    assert type(num_dropped) is int
    return "".join(LETTERS.get(token) or chr(token) for token in text), num_dropped


# Text


@both
@pytest.mark.parametrize(
    "turns, channel, num_dropped",
    [
        ([], "........", 0),
        ([(1, 6, "hi")], ".Bhi..E.", 0),
        ([(0, 4, "hey")], "BheyE...", 0),  # the text fills its turn
        ([(0, 4, "hello")], "BhelE...", 2),  # it never runs past its EOS
        ([(3, 8, "hi")], "...Bhi.E", 0),  # ends with the conversation
        ([(3, 8, "hello")], "...BhelE", 2),
        ([(0, 4, "hi"), (4, 7, "yo")], "BhiEByoE", 0),  # one ends where one starts
        ([(0, 4, "hi"), (5, 7, "yo")], "Bhi.EByE", 1),
        ([(2, 2, "hi")], "..BE....", 2),  # no frames: EOS one later
        ([(2, 2, ""), (4, 6, "")], "..BEB.E.", 0),
        ([(2, 3, "hi")], "..BE....", 2),
        ([(6, 6, "")], "......BE", 0),
        ([(0, 3, ""), (3, 3, "x")], "B.EBE...", 1),
    ],
)
def test_text_channel(align, turns, channel, num_dropped):
    assert align_words(align, turns, 8) == (channel, num_dropped)


def test_picture_of_the_module_is_true():
    channel, _ = align_words(align_text, [(3, 8, "hi!"), (8, 12, "")], 12)
    assert channel == "...Bhi!EB..E"


@both
@pytest.mark.parametrize(
    "turns, message",
    [
        ([(0, 2, ""), (-1, 4, "")], "turn 1: it starts at frame -1"),
        ([(0, 2, ""), (5, 4, "")], "turn 1: it starts at frame 5 and ends at frame 4"),
        ([(0, 9, "")], "turn 0: it ends at frame 9 of 8"),
        ([(9, 9, "")], "turn 0: it ends at frame 9 of 8"),
        ([(0, 4, ""), (3, 6, "")], "turn 1: it starts at frame 3, .*overlap"),
        ([(4, 6, ""), (0, 2, "")], "turn 1: it starts at frame 0, .*sorted"),
        ([(8, 8, "")], "turn 0: from frame 8 to 8 there is no room"),
        ([(7, 7, "")], "turn 0: from frame 7 to 7 there is no room"),
        ([(7, 8, "")], "turn 0: from frame 7 to 8 there is no room"),
        ([(0, 2, ""), (2, 2, ""), (3, 5, "")], "turn 1: from frame 2 to 2"),
        ([(2, 3, ""), (3, 5, "")], "turn 0: from frame 2 to 3"),
    ],
)
def test_turn_that_does_not_fit_is_named(align, turns, message):
    with pytest.raises(ValueError, match=f"^agent {message}"):
        align_words(align, turns, 8)


@both
@pytest.mark.parametrize(
    "offsets, turn",
    [([1, 2, 3], 0), ([0, 4, 3], 1), ([0, 2, 2], 1), ([0, 2, 4], 1), ([0, -1, 3], 0)],
)
def test_turn_of_bad_offsets_is_named(align, offsets, turn):
    with pytest.raises(ValueError, match=f"^agent turn {turn}: its token offsets"):
        align([0, 4], [4, 8], [7, 7, 7], offsets, 8, BOS, EOS, PAD)


@both
def test_arrays_must_fit_each_other(align):
    with pytest.raises(ValueError, match="2 start frames, 1 end frames and 2 token"):
        align([0, 4], [4], [], [0, 0], 8, BOS, EOS, PAD)
    with pytest.raises(ValueError, match="offsets must begin with 0"):
        align([], [], [7], [0], 8, BOS, EOS, PAD)


@both
@pytest.mark.parametrize("starts", [[0.5], [[0]], ["0"]])
def test_frames_must_be_integers(align, starts):
    with pytest.raises(ValueError, match="expected integers with 1 axes"):
        align(starts, [4], [], [0, 0], 8, BOS, EOS, PAD)


@both
def test_conversation_of_negative_length_is_refused(align):
    with pytest.raises(ValueError):
        align([], [], [], [0], -1, BOS, EOS, PAD)


def test_inputs_stay_as_they_are():
    arrays = [np.array([0]), np.array([3]), np.array([7, 8]), np.array([0, 2])]
    for array in arrays:
        array.setflags(write=False)
    text, _ = align_text(*arrays, 5, BOS, EOS, PAD)
    assert text.tolist() == [BOS, 7, 8, EOS, PAD]


@st.composite
def conversations(draw):
    """Arguments of align_text; so short that turns meet each other and the end."""
    starts, ends, words, now = [], [], [], 0
    for _ in range(draw(st.integers(0, 5))):
        starts.append(now + draw(st.integers(0, 3)))
        ends.append(starts[-1] + draw(st.integers(0, 8)))
        words.append(draw(st.lists(st.integers(3, 9), max_size=9)))
        now = ends[-1]
    offsets = np.cumsum([0, *map(len, words)])
    tokens = np.array([token for word in words for token in word], dtype=np.int64)
    num_frames = now + draw(st.integers(0, 3))
    return (
        np.array(starts, np.int64),
        np.array(ends, np.int64),
        tokens,
        offsets,
        num_frames,
    )


@st.composite
def damaged_conversations(draw):
    """The same with one number changed: most are invalid, each in its way."""
    *arrays, num_frames = draw(conversations())
    array = draw(st.sampled_from(arrays))
    change = draw(st.integers(-4, 4))
    if len(array):
        array[draw(st.integers(0, len(array) - 1))] += change
    else:
        num_frames = max(num_frames + change, 0)
    return *arrays, num_frames


def outcome(align, arguments):
    """What a function returns, or its message."""
    try:
        text, num_dropped = align(*arguments, BOS, EOS, PAD)
    except ValueError as error:
        return str(error)
    return text.tolist(), num_dropped


@settings(max_examples=1000, deadline=None)
@given(st.one_of(conversations(), damaged_conversations()))
def test_kernel_equals_reference(arguments):
    assert outcome(align_text, arguments) == outcome(align_text_reference, arguments)


@settings(max_examples=1000, deadline=None)
@given(conversations())
def test_text_channel_keeps_its_promises(arguments):
    starts, _, tokens, _, _ = arguments
    result = outcome(align_text, arguments)
    if isinstance(result, str):
        assert "no room for BOS and EOS" in result  # else this is a valid conversation
        return
    text, num_dropped = result
    specials = [token for token in text if token in (BOS, EOS)]
    assert specials == [BOS, EOS] * len(starts)
    assert [frame for frame, token in enumerate(text) if token == BOS] == list(starts)
    num_spoken = sum(token not in (BOS, EOS, PAD) for token in text)
    assert num_spoken + num_dropped == len(tokens)
    within_turn = False
    for token in text:
        within_turn = token == BOS or (within_turn and token != EOS)
        assert within_turn or token in (EOS, PAD)


# Speech


def speech_example():
    text = np.array([PAD, BOS, 5, EOS, PAD])
    codes = np.array([[1, 2], [3, 4], [5, 6], [7, 8], [9, 0]], dtype=np.int32)
    return codes, text, TEXT_IDS, SPEECH_IDS, np.array([8, 9])


@both_speech
def test_speech_channels(align):
    speech = align(*speech_example())
    assert speech.dtype == np.int64
    assert speech.tolist() == [[8, 9], [10, 10], [5, 6], [11, 11], [8, 9]]


@both_speech
@pytest.mark.parametrize("code", [-1, 10])
def test_code_out_of_range_is_named(align, code):
    codes, *others = speech_example()
    codes[4, 1] = code
    with pytest.raises(ValueError, match=f"code {code} .*frame 4, codebook 1.*0 to 9"):
        align(codes, *others)


@both_speech
def test_silence_out_of_range_is_refused(align):
    with pytest.raises(ValueError, match=r"silence are \[8, 10\]"):
        align(*speech_example()[:-1], [8, 10])


@both_speech
@pytest.mark.parametrize(
    "text, message",
    [
        ([BOS, BOS, EOS, PAD, PAD], "BOS at frame 1"),
        ([PAD, PAD, EOS, PAD, PAD], "EOS at frame 2"),
        ([PAD, BOS, PAD, PAD, PAD], "no EOS .* 4"),
    ],
)
def test_text_without_alternating_specials_is_refused(align, text, message):
    codes, _, *others = speech_example()
    with pytest.raises(ValueError, match=message):
        align(codes, np.array(text), *others)


@both_speech
def test_frames_of_codes_and_text_must_agree(align):
    codes, text, *others = speech_example()
    with pytest.raises(ValueError, match="4 frames and 2 codebooks for .* 5 frames"):
        align(codes[:-1], text, *others)
    with pytest.raises(ValueError, match="silence of 3 codebooks"):
        align(codes, text, *others[:-1], [1, 2, 3])


@st.composite
def speech_arguments(draw):
    """Arguments of align_speech; often with text or codes that do not fit."""
    num_frames, num_codebooks = draw(st.integers(0, 12)), draw(st.integers(1, 3))
    tokens = st.sampled_from([PAD, PAD, BOS, EOS, 5])
    text = draw(st.lists(tokens, min_size=num_frames, max_size=num_frames))
    highest_code = draw(st.sampled_from([9, 9, 9, 10]))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = generator.integers(0, highest_code + 1, (num_frames, num_codebooks))
    silence = generator.integers(0, 10, num_codebooks)
    return codes, np.array(text, np.int64), TEXT_IDS, SPEECH_IDS, silence


def speech_outcome(align, arguments):
    try:
        return align(*arguments).tolist()
    except ValueError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(speech_arguments())
def test_speech_kernel_equals_reference(arguments):
    assert speech_outcome(align_speech, arguments) == speech_outcome(
        align_speech_reference, arguments
    )


@settings(max_examples=300, deadline=None)
@given(conversations())
def test_speech_has_specials_where_text_has_them(arguments):
    result = outcome(align_text, arguments)
    if isinstance(result, str):
        return
    text = np.array(result[0], dtype=np.int64)
    codes = np.full((len(text), 2), 3)
    speech = align_speech(codes, text, TEXT_IDS, SPEECH_IDS, np.array([8, 8]))
    for codebook in range(2):
        np.testing.assert_array_equal(speech[:, codebook] == 10, text == BOS)
        np.testing.assert_array_equal(speech[:, codebook] == 11, text == EOS)


# Delays


def test_delays_shift_channels():
    channels = np.array([[1, 4], [2, 5], [3, 6]])
    delayed = apply_delays(channels, (0, 1), (90, 91))
    assert delayed.tolist() == [[1, 91], [2, 4], [3, 5]]


def test_delay_beyond_the_end_leaves_only_fill():
    assert apply_delays([[1, 4]], (0, 3), (90, 91)).tolist() == [[1, 91]]


def test_each_channel_needs_a_delay_and_a_fill_id():
    for delays in ((0,), (0, 1, 1)):
        with pytest.raises(ValueError, match="for 2 channels; expected one of each"):
            apply_delays([[1, 4]], delays, (90, 91))
    with pytest.raises(ValueError, match="1 fill ids"):
        apply_delays([[1, 4]], (0, 1), (90,))
    with pytest.raises(ValueError, match=r"the delays are \[0, -1\]"):
        apply_delays([[1, 4]], (0, -1), (90, 91))


@given(st.integers(0, 9), st.lists(st.integers(0, 4), min_size=1, max_size=4))
def test_each_frame_is_found_again_after_its_delay(num_frames, delays):
    num_channels = len(delays)
    channels = np.arange(num_frames * num_channels).reshape(num_frames, num_channels)
    fill_ids = [-1 - channel for channel in range(num_channels)]
    delayed = apply_delays(channels, delays, fill_ids)
    for channel, delay in enumerate(delays):
        for frame in range(num_frames):
            begun = frame >= delay
            expected = channels[frame - delay, channel] if begun else -1 - channel
            assert delayed[frame, channel] == expected
