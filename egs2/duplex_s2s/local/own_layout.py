"""Own conversations -> clips of their turns and their places in time."""

import hashlib
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np
import soundfile
from draw_conversations import Layout, place_on_frames, turn_wavs
from own_format import OwnConversation, OwnTurn
from plan_clips import agent_clip, user_clip
from voices import AGENT_LEAD_SECONDS, AGENT_RATE, TRAIN_VOICES, Clip

from espnet2_duplex.atomic import replacing
from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS, Conversation, Turn
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.timing import FrameClock

USER_PAUSE_SECONDS = 0.8  # before a user's turn whose start is left open
FIRST_START_SECONDS = 0.5
TAIL_SECONDS = 1.0
END_TOLERANCE_SECONDS = 0.1  # by which an end may lie behind the audio's


def own_clip(conversation: OwnConversation, number: int, seed: int) -> Clip:
    """The clip to synthesise for a turn; all user turns have the same voice."""
    turn = conversation.turns[number]
    text_id = f"{conversation.id}_{number:02d}"
    if turn.role == "agent":
        return agent_clip(text_id, turn.text)
    digest = hashlib.sha1(f"{seed}|{conversation.id}".encode()).digest()
    voice = TRAIN_VOICES[int.from_bytes(digest[:4], "big") % len(TRAIN_VOICES)]
    return user_clip(text_id, turn.text, voice, seed)


def turn_wav(conversation: OwnConversation, number: int, local: Path, seed: int) -> str:
    """Wav file of a turn as it is rendered; an own agent wav gets the lead in front.

    Raises:
        ValueError: if a synthesised clip is missing.
    """
    turn = conversation.turns[number]
    if turn.wav is None:
        clip = own_clip(conversation, number, seed)
        path = local / "clips" / "own" / f"{clip.id}.wav"
        if not path.is_file():
            raise ValueError(f"{path} is missing; run local/data.sh --stage 2.")
        return str(path)
    if turn.role == "user":
        return str(turn.wav)
    lead = np.zeros(round(AGENT_LEAD_SECONDS * AGENT_RATE), np.float32)
    speech = np.concatenate([lead, load_speech(turn.wav, AGENT_RATE)])
    path = local / "clips" / "own_agent" / f"{conversation.id}_{number:02d}.wav"
    with replacing(path) as temporary:
        soundfile.write(temporary, speech, AGENT_RATE, subtype="PCM_16", format="WAV")
    return str(path)


def turn_times(
    turn: OwnTurn, previous: Optional[Turn], seconds: float, where: str
) -> Tuple[float, float]:
    """Start and end of a turn whose audio lasts `seconds`.

    Raises:
        ValueError: if the file's end lies behind the audio's.
    """
    lead = AGENT_LEAD_SECONDS if turn.role == "agent" else 0.0
    if turn.start is not None:
        start = max(0.0, turn.start - lead)  # speech stays where the file says
    elif previous is None:
        start = FIRST_START_SECONDS
    else:
        pause = GAP_SECONDS if turn.role == "agent" else USER_PAUSE_SECONDS
        start = previous.end + pause
    end = start + seconds
    if turn.end is not None:
        if not start < turn.end <= end + END_TOLERANCE_SECONDS:
            raise ValueError(
                f"{where}: it ends at {turn.end} s, but its audio spans {start:.2f} to "
                f"{end:.2f} s; correct start or end, or leave end out."
            )
        end = min(end, turn.end)
    return start, end


def lay_out_own(
    conversation: OwnConversation, wavs: List[str], is_noisy: bool
) -> Layout:
    """Place the turns of one conversation in time.

    Raises:
        ValueError: if turns are out of order or of one role overlap.
    """
    turns: List[Turn] = []
    lengths = [soundfile.info(wav).duration for wav in wavs]
    for number, (own, seconds) in enumerate(zip(conversation.turns, lengths)):
        previous = turns[-1] if turns else None
        where = f"{conversation.where}, turn {number}"
        start, end = turn_times(own, previous, seconds, where)
        barges_in = own.role == "user" and previous and start < previous.end
        if barges_in and previous.role == "agent":
            cut = min(previous.end, start + CUT_SECONDS)
            turns[-1] = Turn("agent", previous.start, cut, previous.text)
        turns.append(Turn(own.role, round(start, 6), round(end, 6), own.text))
    duration = max(turn.end for turn in turns) + TAIL_SECONDS
    try:
        placed = place_on_frames(
            Conversation(conversation.id, tuple(turns), duration),
            _of_role(conversation, lengths, "agent"),
            FrameClock(),
        )
    except ValueError as problem:
        raise ValueError(f"{conversation.where}: {problem}.") from problem
    questions = _of_role(conversation, wavs, "user")
    ordered = turn_wavs(placed, questions, _of_role(conversation, wavs, "agent"))
    return Layout(placed, ordered, conversation.id, is_noisy)


def _of_role(conversation: OwnConversation, values: Sequence, role: str) -> List:
    """Those of the values, one per turn, that belong to turns of a role."""
    return [v for turn, v in zip(conversation.turns, values) if turn.role == role]
