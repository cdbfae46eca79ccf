"""What a system left behind: the folders of a decoded set, checked, and their references."""

import json
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
        ValueError: the turns are missing or empty, or a line is invalid.
    """
    data_dir = Path(data_dir)
    if not (data_dir / "turns").is_file():
        raise ValueError(
            f"{data_dir / 'turns'} does not exist; make the set's data first (stage 3)"
        )
    events = {}
    if (data_dir / "events").is_file():
        events = read_table(data_dir / "events")
    references = {}
    for name, text in read_table(data_dir / "turns").items():
        turns = turns_from_json(text, name)
        references[name] = Reference(
            name,
            tuple(turn for turn in turns if turn.role == "user"),
            tuple(turn for turn in turns if turn.role == "agent"),
            events_from_json(events.get(name, "[]"), name),
        )
    return references


def read_recording(folder: Path, reference: Reference) -> Recording:
    """The conversation that a system decoded into `folder`.

    Raises:
        ValueError: a file is missing, unreadable, at another rate, with several
            channels, or input and output differ in length.
    """
    folder = Path(folder)
    output = _check_header(folder / "output.wav")
    user = _check_header(folder / "input.wav")
    if abs(output.num_samples - user.num_samples) > (
        MAX_DIFFERENCE_SECONDS * SAMPLE_RATE
    ):
        raise ValueError(
            f"{folder}: output.wav lasts {output.seconds:.2f} s but input.wav "
            f"{user.seconds:.2f} s; both must cover the same time, so decode the "
            "conversation again"
        )
    turns = reference.user_turns
    if turns and turns[-1].end * SAMPLE_RATE > output.num_samples + 1:
        raise ValueError(
            f"{folder}: a user turn ends at {turns[-1].end} s but output.wav lasts "
            f"{output.seconds:.2f} s; was another set decoded here?"
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
            latency = float(latency)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f'{path} is invalid ({error}); expected {{"turns": [{{"role", "start", '
            '"end", "text"}, ...], "latency"}, so decode the conversation again'
        ) from error
    return tuple(turn for turn in turns if turn.role == "agent"), latency


def _require(path: Path) -> None:
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; decode the set to its end (stage 9) before scoring it"
        )
