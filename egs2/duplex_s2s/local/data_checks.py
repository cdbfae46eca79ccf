"""Checks of the conversations of a data folder, as quick as their wavs can be read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.conversation import Conversation, Turn, turns_from_json
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.dataset_checks import check_equal_duration, check_speech
from espnet2_duplex.events import events_from_json
from espnet2_duplex.sound_files import read_header
from espnet2_duplex.timing import FrameClock, microseconds, nearest_sample

NEEDED = ("user.scp", "agent.scp", "turns", "utt2dur", "utt2spk")
OPTIONAL = ("events", "utt2source")  # imported folders have none
CLOCK = FrameClock()


@dataclass(frozen=True)
class Checked:
    """What was found of some conversations.

    Attributes:
        conversations: that are good.
        faults: one sentence each.
    """

    conversations: tuple[Conversation, ...]
    faults: tuple[str, ...]


def read_tables(folder: Path) -> dict[str, dict[str, str]]:
    """The files of a data folder, name -> id -> value; all have the same ids.

    Raises:
        ValueError: one is missing or faulty, or has other ids.
    """
    names = [*NEEDED, *(name for name in OPTIONAL if (folder / name).is_file())]
    tables = {name: read_table(folder / name) for name in names}
    for name, table in tables.items():
        odd = sorted(set(table).symmetric_difference(tables["user.scp"]))
        if odd:
            where = folder / (name if odd[0] not in table else "user.scp")
            raise ValueError(
                f"{where} lacks the conversation {odd[0]}; give every file of "
                f"{folder} the same ids."
            )
    return tables


def check_conversation(
    id: str,
    told: Mapping[str, str],
    rates: Sequence[int],
    check_agent: Callable[[Conversation, np.ndarray, int], None] | None = None,
) -> tuple[Conversation | None, list[str]]:
    """A conversation, None if it is faulty, and its faults.

    Args:
        id: of the conversation.
        told: name of a table -> what it says of the conversation.
        rates: expected of user and agent, in Hz.
        check_agent: a further check, of the agent's samples (N,) at a rate in Hz.
    """
    faults: list[str] = []
    conversation = None
    try:
        user, agent = (
            read_wav(Path(told[f"{role}.scp"]), rate)
            for role, rate in zip(("user", "agent"), rates)
        )
        nums = [CLOCK.num_frames(len(s), rate) for s, rate in zip((user, agent), rates)]
        check_equal_duration(id, *nums, CLOCK)
        turns = turns_from_json(told["turns"], id)
        conversation = Conversation(id, turns, CLOCK.seconds(nums[0]))
        if check_agent is not None:
            check_agent(conversation, agent, rates[1])
    except ValueError as problem:
        faults.append(str(problem))
    if conversation is None:
        return None, faults
    for check in (_check_duration, _check_events):
        try:
            check(conversation, told)
        except ValueError as problem:
            faults.append(str(problem))
    return None if faults else conversation, faults


def read_wav(path: Path, expected_rate: int) -> np.ndarray:
    """Samples (N,) of a good sound file; int16 where it has these, else float32.

    Raises:
        ValueError: the file is missing, unreadable or wrong.
    """
    read_header(path)  # names a file that is missing or no sound
    try:
        with soundfile.SoundFile(path) as file:
            # Converting to float takes most of the time of reading.
            dtype = "int16" if file.subtype == "PCM_16" else "float32"
            samples, sample_rate = file.read(dtype=dtype), file.samplerate
    except soundfile.LibsndfileError as problem:
        raise ValueError(
            f"{path} cannot be read to its end ({problem.error_string.rstrip('.')}); "
            "write it again."
        ) from problem
    check_speech(str(path), samples, sample_rate, expected_rate)
    return samples


def check_silence(conversation: Conversation, agent: np.ndarray, rate: int) -> None:
    """The agent's stream (N,) at `rate` Hz is exactly zero outside its turns.

    Raises:
        ValueError: it is not.
    """
    end = 0
    for turn in [*conversation.agent_turns, None]:
        start = len(agent) if turn is None else nearest_sample(turn.start, rate)
        between = agent[end:start]
        if between.any():
            first = (end + int(np.flatnonzero(between)[0])) / rate
            raise ValueError(
                f"conversation {conversation.id}: the agent's wav has sound at "
                f"{first:.3f} s, outside its turns; correct the turns or silence it."
            )
        end = start if turn is None else _end_sample(turn, rate)


def _end_sample(turn: Turn, rate: int) -> int:
    """First sample after a turn; one more is rounding of its times."""
    return nearest_sample(turn.end, rate) + 1


def _check_duration(conversation: Conversation, told: Mapping[str, str]) -> None:
    """utt2dur says the length of the wavs, to a frame."""
    try:
        seconds = float(told["utt2dur"])
        off = abs(microseconds(seconds - conversation.duration))
    except ValueError:
        off = None
    if off is None or off >= microseconds(CLOCK.seconds(1)):
        raise ValueError(
            f"conversation {conversation.id}: utt2dur says {told['utt2dur']} and its "
            f"wavs last {conversation.duration:.2f} s; write their seconds there."
        )


def _check_events(conversation: Conversation, told: Mapping[str, str]) -> None:
    """Events are readable and none ends after the conversation."""
    if "events" not in told:
        return
    for event in events_from_json(told["events"], conversation.id):
        if microseconds(event.end) > microseconds(conversation.duration):
            raise ValueError(
                f"conversation {conversation.id}: the {event.kind} from "
                f"{event.start:.6g} s ends at {event.end:.6g} s, after the end of the "
                f"conversation at {conversation.duration:.6g} s; correct the events."
            )
