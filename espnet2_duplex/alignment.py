"""Turns to the text channel, codes to the speech channels, and delays (Sec. 3.1).

Two agent turns, of the tokens ``h i !`` and of none, the second beginning where the
first ends (B = BOS, E = EOS, ``.`` = PAD, s = silence, c = code, D = DELAY)::

    frame                0  1  2  3  4  5  6  7  8  9 10 11
    user's turn         [========]
    agent's turns                 [==============][======]
    text (T,)            .  .  .  B  h  i  !  E  B  .  .  E
    speech (T, K)        s  s  s  B  c  c  c  E  B  c  c  E
    speech, delay of 1   D  s  s  s  B  c  c  c  E  B  c  c

Rules of the text channel: BOS stands at the turn's first frame, its tokens follow one
per frame, EOS stands at the turn's end frame. Where that frame belongs to the next
turn, or lies after the last frame (here both do), EOS comes one frame earlier. Text
never runs past its EOS: tokens that find no frame are dropped and counted. A turn of no
frames gets its EOS one frame after its BOS if that frame is free.

Each compiled function has a plain twin ``*_reference`` that defines it and that the
tests hold it to. Kernels never raise: they return what they found, and the message is made here.
"""

from collections.abc import Sequence

import numba
import numpy as np

from espnet2_duplex.vocabulary import SpeechIds, TextIds

# What a kernel found; plain integers, as kernels know no enumerations.
_FINE = 0
_BAD_LENGTHS = 1
_BAD_OFFSETS = 2
_NEGATIVE_START = 3
_NEGATIVE_LENGTH = 4
_PAST_THE_END = 5
_OVERLAP = 6
_NO_ROOM = 7
_BAD_CODE = 8
_BOS_WITHIN_TURN = 9
_EOS_OUTSIDE_TURN = 10
_NO_EOS = 11

_MESSAGES = {
    _BAD_OFFSETS: (
        "agent turn {turn}: its token offsets do not fit the {num_tokens} tokens; "
        "offsets must begin with 0, never decrease, and end with the number of tokens"
    ),
    _NEGATIVE_START: "agent turn {turn}: it starts at frame {start}; frames begin at 0",
    _NEGATIVE_LENGTH: (
        "agent turn {turn}: it starts at frame {start} and ends at frame {end}; "
        "a turn must not end before it starts"
    ),
    _PAST_THE_END: (
        "agent turn {turn}: it ends at frame {end} of {num_frames}; "
        "correct the turn or lengthen the audio"
    ),
    _OVERLAP: (
        "agent turn {turn}: it starts at frame {start}, before the turn ahead of it "
        "ends; agent turns must be sorted and must not overlap"
    ),
    _NO_ROOM: (
        "agent turn {turn}: from frame {start} to {end} there is no room for BOS and "
        "EOS; lengthen the turn or remove it"
    ),
    _BAD_CODE: (
        "the code {code} stands at frame {frame}, codebook {codebook}; codes must lie "
        "in 0 to {last_code}, so check that they come from this codec"
    ),
    _BOS_WITHIN_TURN: (
        "the text has a BOS at frame {frame}, within a turn; make it with align_text"
    ),
    _EOS_OUTSIDE_TURN: (
        "the text has an EOS at frame {frame}, outside a turn; make it with align_text"
    ),
    _NO_EOS: (
        "the text has no EOS for the turn that is open at the last frame, {frame}; "
        "make it with align_text"
    ),
}


@numba.njit(cache=True)
def _check_turns(starts, ends, token_ids, offsets, num_frames):
    """Return the problem of the first turn that does not fit, and its index.

    Serves both twins: as it is (``py_func``) and compiled.
    """
    num_turns = starts.shape[0]
    if ends.shape[0] != num_turns or offsets.shape[0] != num_turns + 1:
        return _BAD_LENGTHS, 0
    if offsets[0] != 0:
        return _BAD_OFFSETS, 0
    previous_end = 0
    for turn in range(num_turns):
        if offsets[turn + 1] < offsets[turn]:
            return _BAD_OFFSETS, turn
        if starts[turn] < 0:
            return _NEGATIVE_START, turn
        if ends[turn] < starts[turn]:
            return _NEGATIVE_LENGTH, turn
        if ends[turn] > num_frames:
            return _PAST_THE_END, turn
        if starts[turn] < previous_end:
            return _OVERLAP, turn
        previous_end = ends[turn]
    if offsets[num_turns] != token_ids.shape[0]:
        return _BAD_OFFSETS, max(num_turns - 1, 0)
    return _FINE, 0


def align_text_reference(
    start_frames: np.ndarray,
    end_frames: np.ndarray,
    token_ids: np.ndarray,
    token_offsets: np.ndarray,
    num_frames: int,
    bos: int,
    eos: int,
    pad: int,
) -> tuple[np.ndarray, int]:
    """Define :func:`align_text`, in plain Python."""
    arrays = start_frames, end_frames, token_ids, token_offsets
    starts, ends, token_ids, offsets = (_int64(array, 1) for array in arrays)
    turns = starts, ends, token_ids, offsets, num_frames
    problem, turn = _check_turns.py_func(*turns)
    if problem:
        raise _turn_error(problem, turn, *turns)
    text = np.full(num_frames, pad, dtype=np.int64)  # (T,)
    num_dropped = 0
    for turn, start in enumerate(starts):
        next_start = starts[turn + 1] if turn + 1 < len(starts) else num_frames
        eos_frame = min(max(ends[turn], start + 1), next_start - 1)
        if eos_frame <= start:
            raise _turn_error(_NO_ROOM, turn, *turns)
        tokens = token_ids[offsets[turn] : offsets[turn + 1]]
        kept = tokens[: eos_frame - start - 1]
        num_dropped += len(tokens) - len(kept)
        text[start] = bos
        text[start + 1 : start + 1 + len(kept)] = kept
        text[eos_frame] = eos
    return text, num_dropped


@numba.njit(cache=True)
def _align_text_kernel(starts, ends, token_ids, offsets, text, bos, eos, pad):
    """Fill ``text`` (T,); return (problem, turn, num_dropped)."""
    num_frames = text.shape[0]
    problem, turn = _check_turns(starts, ends, token_ids, offsets, num_frames)
    if problem != _FINE:
        return problem, turn, 0
    text[:] = pad
    num_dropped = 0
    num_turns = starts.shape[0]
    for turn in range(num_turns):
        start = starts[turn]
        next_start = starts[turn + 1] if turn + 1 < num_turns else num_frames
        eos_frame = min(max(ends[turn], start + 1), next_start - 1)
        if eos_frame <= start:
            return _NO_ROOM, turn, 0
        num_tokens = offsets[turn + 1] - offsets[turn]
        num_kept = min(num_tokens, eos_frame - start - 1)
        num_dropped += num_tokens - num_kept
        text[start] = bos
        for i in range(num_kept):
            text[start + 1 + i] = token_ids[offsets[turn] + i]
        text[eos_frame] = eos
    return _FINE, 0, num_dropped


def align_text(
    start_frames: np.ndarray,
    end_frames: np.ndarray,
    token_ids: np.ndarray,
    token_offsets: np.ndarray,
    num_frames: int,
    bos: int,
    eos: int,
    pad: int,
) -> tuple[np.ndarray, int]:
    """Lay the text of the agent's turns on the frames (Sec. 3.1).

    Args:
        start_frames: (N,) integers; frame nearest to the start of each agent turn.
        end_frames: (N,) integers; frame nearest to its end, at most ``num_frames``.
        token_ids: (L,) integers; the tokens of all turns, end to end.
        token_offsets: (N + 1,) integers; the tokens of turn n are
            ``token_ids[token_offsets[n]:token_offsets[n + 1]]``.
        num_frames: T, length of the conversation.
        bos: id at the first frame of a turn.
        eos: id at its end.
        pad: id elsewhere.

    Returns:
        The text channel, int64 (T,), by the rules at the top of this module, and the
        number of tokens that were dropped because their turn is shorter than its text.

    Raises:
        ValueError: a turn is negative, ends past the conversation, overlaps or precedes
            the turn ahead of it, has no room for BOS and EOS, or token offsets that do
            not fit; the message names the turn.
    """
    starts = _int64(start_frames, 1)
    ends = _int64(end_frames, 1)
    token_ids = _int64(token_ids, 1)
    offsets = _int64(token_offsets, 1)
    text = np.empty(num_frames, np.int64)
    problem, turn, num_dropped = _align_text_kernel(
        starts, ends, token_ids, offsets, text, bos, eos, pad
    )
    if problem:
        raise _turn_error(problem, turn, starts, ends, token_ids, offsets, num_frames)
    return text, num_dropped


def align_speech_reference(
    codes: np.ndarray,
    text: np.ndarray,
    text_ids: TextIds,
    speech_ids: SpeechIds,
    silence_codes: np.ndarray,
) -> np.ndarray:
    """Define :func:`align_speech`, in plain Python."""
    codes, text, silence_codes = _speech_arguments(
        codes, text, silence_codes, speech_ids
    )
    bad = np.argwhere((codes < 0) | (codes >= speech_ids.codebook_size))
    if len(bad):
        raise _speech_error(_BAD_CODE, *bad[0], codes, speech_ids)
    speech = np.empty_like(codes)  # (T, K)
    within_turn = False
    for frame, token in enumerate(text):
        if token == text_ids.bos:
            if within_turn:
                raise _speech_error(_BOS_WITHIN_TURN, frame, 0, codes, speech_ids)
            speech[frame] = speech_ids.bos
            within_turn = True
        elif token == text_ids.eos:
            if not within_turn:
                raise _speech_error(_EOS_OUTSIDE_TURN, frame, 0, codes, speech_ids)
            speech[frame] = speech_ids.eos
            within_turn = False
        else:
            speech[frame] = codes[frame] if within_turn else silence_codes
    if within_turn:
        raise _speech_error(_NO_EOS, len(text) - 1, 0, codes, speech_ids)
    return speech


@numba.njit(cache=True)
def _align_speech_kernel(codes, text, specials, speech):
    """Fill ``speech`` (T, K), which holds silence; return (problem, frame, codebook).

    ``specials`` are the text's BOS and EOS and the speech's BOS and EOS; the speech's
    BOS is the first id after the codes.
    """
    text_bos, text_eos, speech_bos, speech_eos = specials
    num_frames, num_codebooks = codes.shape
    for frame in range(num_frames):
        for codebook in range(num_codebooks):
            if not 0 <= codes[frame, codebook] < speech_bos:
                return _BAD_CODE, frame, codebook
    within_turn = False
    for frame in range(num_frames):
        if text[frame] == text_bos:
            if within_turn:
                return _BOS_WITHIN_TURN, frame, 0
            speech[frame] = speech_bos
            within_turn = True
        elif text[frame] == text_eos:
            if not within_turn:
                return _EOS_OUTSIDE_TURN, frame, 0
            speech[frame] = speech_eos
            within_turn = False
        elif within_turn:
            speech[frame] = codes[frame]
    if within_turn:
        return _NO_EOS, num_frames - 1, 0
    return _FINE, 0, 0


def align_speech(
    codes: np.ndarray,
    text: np.ndarray,
    text_ids: TextIds,
    speech_ids: SpeechIds,
    silence_codes: np.ndarray,
) -> np.ndarray:
    """Lay the agent's codes on the frames, under the turns of the text (Sec. 3.1).

    Frames between the text's BOS and EOS keep their codes; BOS and EOS stand in all
    channels where they stand in the text; all other frames hold the codec's codes of
    digital silence, not whatever the codec made of the recording's noise.

    Args:
        codes: (T, K) integers; what the codec made of the agent's audio.
        text: (T,) integers, from :func:`align_text`.
        text_ids: special ids of ``text``.
        speech_ids: special ids of the speech channels.
        silence_codes: (K,) integers; the codec's codes of digital silence.

    Returns:
        The speech channels, int64 (T, K).

    Raises:
        ValueError: shapes that do not fit each other, a code out of range, or a text in
            which BOS and EOS do not alternate.
    """
    codes, text, silence_codes = _speech_arguments(
        codes, text, silence_codes, speech_ids
    )
    specials = text_ids.bos, text_ids.eos, speech_ids.bos, speech_ids.eos
    speech = np.empty_like(codes)
    speech[:] = silence_codes
    problem, frame, codebook = _align_speech_kernel(codes, text, specials, speech)
    if problem:
        raise _speech_error(problem, frame, codebook, codes, speech_ids)
    return speech


def apply_delays(
    channels: np.ndarray, delays: Sequence[int], fill_ids: Sequence[int]
) -> np.ndarray:
    """Shift each channel to later frames: ``out[t, c] = channels[t - delays[c], c]``.

    The length stays T: the last ``delays[c]`` frames of channel c are lost.

    Args:
        channels: (T, C) integers; text first, then the speech channels.
        delays: (C,) frames, from 0 on; the paper has 0 for text and 1 for speech.
        fill_ids: (C,) ids for the frames before a channel begins (the DELAY ids).

    Returns:
        The delayed channels, int64 (T, C).

    Raises:
        ValueError: not one delay and one fill id for each channel, or a delay below 0.
    """
    channels, delays, fill_ids = (
        _int64(channels, 2),
        _int64(delays, 1),
        _int64(fill_ids, 1),
    )
    num_frames, num_channels = channels.shape
    if len(delays) != num_channels or len(fill_ids) != num_channels:
        raise ValueError(
            f"{len(delays)} delays and {len(fill_ids)} fill ids were given for "
            f"{num_channels} channels; expected one of each for every channel"
        )
    if (delays < 0).any():
        raise ValueError(
            f"the delays are {delays.tolist()}; expected numbers of frames from 0 on"
        )
    delayed = np.tile(fill_ids, (num_frames, 1))
    for channel, delay in enumerate(delays.clip(max=num_frames)):
        delayed[delay:, channel] = channels[: num_frames - delay, channel]
    return delayed


def _int64(values: np.ndarray | Sequence[int], num_axes: int) -> np.ndarray:
    """The integers as an int64 array of ``num_axes`` axes; no copy if they are one."""
    # The common case costs no conversion: 4 arrays a call, thousands of calls a second.
    if (
        type(values) is np.ndarray
        and values.dtype == np.int64
        and values.ndim == num_axes
    ):
        return values
    array = np.asarray(values)
    if array.size == 0 and array.ndim == num_axes:
        return array.astype(np.int64)  # an empty list has a float type
    if array.dtype.kind not in "iu" or array.ndim != num_axes:
        raise ValueError(
            f"an array of {array.dtype} with shape {array.shape} was given; "
            f"expected integers with {num_axes} axes"
        )
    return array.astype(np.int64)


def _turn_error(
    problem: int, turn: int, starts, ends, token_ids, offsets, num_frames: int
) -> ValueError:
    """What the check or the kernel found about a turn, in words."""
    if problem == _BAD_LENGTHS:
        return ValueError(
            f"there are {len(starts)} start frames, {len(ends)} end frames and "
            f"{len(offsets)} token offsets; expected N, N and N + 1 for N agent turns"
        )
    has_frames = turn < len(starts)  # there may be tokens although there is no turn
    message = _MESSAGES[problem].format(
        turn=turn,
        start=starts[turn] if has_frames else None,
        end=ends[turn] if has_frames else None,
        num_frames=num_frames,
        num_tokens=len(token_ids),
    )
    return ValueError(message)


def _speech_arguments(
    codes, text, silence_codes, speech_ids: SpeechIds
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The arrays in int64, of shapes (T, K), (T,) and (K,), the silence in range."""
    codes, text, silence = _int64(codes, 2), _int64(text, 1), _int64(silence_codes, 1)
    if codes.shape != (len(text), len(silence)):
        raise ValueError(
            f"there are codes of {codes.shape[0]} frames and {codes.shape[1]} "
            f"codebooks for a text of {len(text)} frames and silence of "
            f"{len(silence)} codebooks; make the codes again if the codec or the "
            "audio changed"
        )
    if (silence < 0).any() or (silence >= speech_ids.codebook_size).any():
        raise ValueError(
            f"the codes of silence are {silence.tolist()}; codes must lie in 0 to "
            f"{speech_ids.codebook_size - 1}, so check that they come from this codec"
        )
    return codes, text, silence


def _speech_error(
    problem: int, frame: int, codebook: int, codes: np.ndarray, speech_ids: SpeechIds
) -> ValueError:
    """What the kernel found about a frame, in words."""
    message = _MESSAGES[problem].format(
        frame=frame,
        codebook=codebook,
        code=codes[frame, codebook],
        last_code=speech_ids.codebook_size - 1,
    )
    return ValueError(message)
