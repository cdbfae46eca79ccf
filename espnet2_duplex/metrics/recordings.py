"""What a system left behind: the folders of a decoded set, checked, and their references."""

import json
import math
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espnet2_duplex.conversation import Turn, check_order, turns_from_json
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.events import Event, events_from_json
from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.sound_files import SoundHeader, read_header, read_samples

# A streaming system writes whole frames, so its audio may be up to one longer.
MAX_DIFFERENCE_SECONDS = 0.08


@dataclass(frozen=True)
class Reference:
    """What the data say of one conversation.

    Attributes:
        id: of the conversation.
        user_turns: the user's turns.
        agent_turns: what the agent should say, and when it does so in the data.
        events: what is heard of the user besides its turns.
    """

    id: str
    user_turns: tuple[Turn, ...]
    agent_turns: tuple[Turn, ...]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Recording:
    """What a system did in one conversation.

    Attributes:
        speech: (S,) float32, the agent's output.wav at 16 kHz.
        written_turns: the agent's turns that the system wrote, from output.json.
        latency: seconds that it declares, None where it declares none.
    """

    speech: np.ndarray
    written_turns: tuple[Turn, ...]
    latency: float | None

    @property
    def duration(self) -> float:
        """Seconds of output.wav."""
        return len(self.speech) / SAMPLE_RATE


def read_references(data_dir: Path) -> dict[str, Reference]:
    """References by conversation, from ``<data_dir>/turns`` and perhaps ``events``.

    Raises:
        ValueError: the turns are missing or empty, a line is invalid, or there are
            events of a conversation without turns.
    """
    data_dir = Path(data_dir)
    if not (data_dir / "turns").is_file():
        raise ValueError(
            f"{data_dir / 'turns'} does not exist; make the set's data first (stage 3)"
        )
    events = {}
    if (data_dir / "events").is_file():
        events = read_table(data_dir / "events")
    turns_of = read_table(data_dir / "turns")
    unknown = [name for name in events if name not in turns_of]
    if unknown:
        raise ValueError(
            f"{data_dir / 'events'} has {len(unknown)} conversation(s) that "
            f"{data_dir / 'turns'} has not, the first is {unknown[0]}; make both from "
            "one set"
        )
    references = {}
    for name, text in turns_of.items():
        turns = turns_from_json(text, name)
        references[name] = Reference(
            name,
            tuple(turn for turn in turns if turn.role == "user"),
            tuple(turn for turn in turns if turn.role == "agent"),
            events_from_json(events.get(name, "[]"), name),
        )
    return references


def unknown_folders(decoded: Path, known: Container[str]) -> list[str]:
    """Conversations of a decoded set of which the data say nothing, sorted.

    Args:
        decoded: <decode dir>/<set>.
        known: conversations of the data.
    """
    names = (path.parent.name for path in Path(decoded).glob("*/output.wav"))
    return sorted(name for name in names if name not in known)


def read_recording(folder: Path, reference: Reference) -> Recording:
    """The conversation that a system decoded into `folder`.

    Raises:
        ValueError: a file is missing, unreadable, at another rate, with several
            channels; input and output differ in length; a user turn ends after them;
            or output.json has other content than it should, as a latency that is no
            finite number.
    """
    folder = Path(folder)
    output = _check_header(folder / "output.wav")
    user = _check_header(folder / "input.wav")
    max_difference = MAX_DIFFERENCE_SECONDS * SAMPLE_RATE
    if abs(output.num_samples - user.num_samples) > max_difference:
        raise ValueError(
            f"{folder}: output.wav lasts {output.seconds:.2f} s but input.wav "
            f"{user.seconds:.2f} s; both must cover the same time, so decode the "
            "conversation again"
        )
    turns = reference.user_turns
    if turns and turns[-1].end * SAMPLE_RATE > user.num_samples + max_difference:
        raise ValueError(
            f"{folder}: a user turn ends at {turns[-1].end} s but input.wav lasts "
            f"{user.seconds:.2f} s; was another set decoded here?"
        )
    speech = read_samples(folder / "output.wav")[0][:, 0]
    if not np.isfinite(speech).all():
        raise ValueError(
            f"{folder / 'output.wav'} has samples that are no finite numbers; look at "
            "the system that wrote it, then decode the conversation again"
        )
    return Recording(speech, *_read_description(folder / "output.json"))


def read_speech(folder: Path) -> np.ndarray:
    """(S,) float32 at 16 kHz of an output.wav that `read_recording` has checked."""
    return read_samples(Path(folder) / "output.wav")[0][:, 0]


def _check_header(path: Path) -> SoundHeader:
    _require(path)
    header = read_header(path)
    if header.sample_rate != SAMPLE_RATE or header.num_channels != 1:
        raise ValueError(
            f"{path} has {header.num_channels} channel(s) at {header.sample_rate} Hz; "
            f"expected one at {SAMPLE_RATE} Hz, so convert it first"
        )
    if not header.num_samples:
        raise ValueError(f"{path} has no samples; decode the conversation again")
    return header


def _read_description(path: Path) -> tuple[tuple[Turn, ...], float | None]:
    """The agent's turns and the declared latency of an output.json."""
    _require(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        turns = tuple(Turn.from_dict(fields) for fields in content["turns"])
        check_order(turns, path.parent.name)
        latency = content.get("latency")
        if latency is not None:
            latency = _checked_latency(latency)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise ValueError(
            f'{path} is invalid ({error}); expected {{"turns": [{{"role", "start", '
            '"end", "text"}, ...], "latency"}, so decode the conversation again'
        ) from error
    return tuple(turn for turn in turns if turn.role == "agent"), latency


def _checked_latency(latency: object) -> float:
    is_number = isinstance(latency, int | float) and not isinstance(latency, bool)
    if not is_number or not 0 <= latency < math.inf:
        raise ValueError(
            f"the latency is {latency!r}; expected finite seconds from 0 on"
        )
    return float(latency)


def _require(path: Path) -> None:
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; decode the set to its end (stage 9) before scoring it"
        )
