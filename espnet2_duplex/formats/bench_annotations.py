"""What Full-Duplex-Bench's JSON files say of the user, and those files from turns.

======================  ==============================================================
file                    content, and what it is to us
======================  ==============================================================
``transcription.json``  the user's words (:mod:`.bench_words`); turns, split at
                        silences, but not at those of pause.json
``pause.json``          ``[{"text": "[PAUSE]", "timestamp": [start, end]}]``: "pause"
                        events
``turn_taking.json``    ``[{"text": "[TURN-TAKING]", "timestamp": [end, next]}]``: where
                        a turn of the user ends (the latency is counted from there),
                        and where the next speaker began
``interrupt.json``      ``[{"context", "interrupt", "timestamp": [start, end]}]``: text
                        of the first turn, and the user's turn that interrupts
``metadata.json``       v1.5: ``{"context_text", "timestamps": [start, end], ...}``:
                        text of the first turn, and an overlap. The name of the subset's
                        folder says whether it is a turn of the user, a "backchannel" or,
                        of or to somebody else, a "noise" event; if it is another name,
                        ``current_turn_text`` or ``backchannel_text`` does
======================  ==============================================================
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from espnet2_duplex.conversation import Turn
from espnet2_duplex.events import Event
from espnet2_duplex.formats.bench_words import parse_instant, read_user_words
from espnet2_duplex.formats.files import naming, read_json
from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.words import spread_words, turns_of_words
from espnet2_duplex.words import parse_word

ANNOTATIONS = ("pause", "turn_taking", "interrupt")
# The subsets of v1.5 by their folders' names: what the overlap in them is to us.
OVERLAPS = {
    "user_interruption": "turn",
    "user_backchannel": "backchannel",
    "talking_to_other": "noise",
    "background_speech": "noise",
}
# Of folders with other names: the key of metadata.json that tells it.
TEXT_KEYS = {"current_turn_text": "turn", "backchannel_text": "backchannel"}


def annotated_user(
    folder: Path,
    hear: Callable[[], tuple[Sequence[Turn], Sequence[Event]]],
    gap_seconds: float,
) -> tuple[list[Turn], list[Event]]:
    """The user's turns and events, as far as the files of a folder tell.

    Args:
        folder: of one sample.
        hear: finds the user's turns and events where there are no words.
        gap_seconds: a longer silence between two words begins another turn.

    Raises:
        ValueError: a file is not as Full-Duplex-Bench writes it.
    """
    rows = {name: _rows(folder, f"{name}.json") for name in ANNOTATIONS}
    pauses = [_span(row, folder / "pause.json") for row in rows["pause"]]
    words = read_user_words(folder)
    if words is None:
        turns, events = hear()
    else:
        turns, events = turns_of_words(words, "user", gap_seconds, pauses), ()
    events = [*events, *(Event("pause", *pause) for pause in pauses)]
    for row in rows["turn_taking"]:
        turns = _end_turn(turns, parse_instant(row, folder / "turn_taking.json"))
    for row in rows["interrupt"]:
        span = _span(row, folder / "interrupt.json")
        turns = _context(turns, span, row.get("context"))
        turns.append(Turn("user", *span, row.get("interrupt", "")))
    if (folder / "metadata.json").is_file():
        turns, events = _with_overlap(folder, turns, events)
    return turns, events


def _with_overlap(
    folder: Path, turns: Sequence[Turn], events: Sequence[Event]
) -> tuple[list[Turn], list[Event]]:
    """Turns and events before the overlap of a sample of v1.5, and the overlap."""
    path = folder / "metadata.json"
    row = read_json(path, dict)
    span = _span({"timestamp": row.get("timestamps")}, path)
    turns = _context(turns, span, row.get("context_text"))
    events = [event for event in events if event.end <= span[0]]
    keys = [key for key in TEXT_KEYS if key in row]
    kind = OVERLAPS.get(folder.parent.name) or (TEXT_KEYS[keys[0]] if keys else "noise")
    text = row[keys[0]] if keys else ""
    if kind == "turn":
        turns.append(Turn("user", *span, text))
    else:
        events.append(Event(kind, *span, text if kind == "backchannel" else ""))
    return turns, events


def annotations_of(recording: DuplexRecording) -> dict[str, list]:
    """Content of the JSON files by name; a file that would be empty has no content."""
    users = recording.conversation.user_turns
    words = [word for turn in users for word in spread_words(turn)]
    return {
        "transcription.json": [
            {"text": word.text, "timestamp": [word.start, word.end]} for word in words
        ],
        "pause.json": [
            {"text": "[PAUSE]", "timestamp": [event.start, event.end]}
            for event in recording.events
            if event.kind == "pause"
        ],
        "turn_taking.json": _turn_takings(recording),
        "interrupt.json": _interruptions(recording),
    }


def _interruptions(recording: DuplexRecording) -> list[dict]:
    """User turns that begin while the agent speaks."""
    conversation, found, context = recording.conversation, [], ""
    for turn in conversation.user_turns:
        if _interrupts(turn, conversation.agent_turns):
            span = [turn.start, turn.end]
            found.append(
                {"context": context, "interrupt": turn.text, "timestamp": span}
            )
        context = turn.text
    return found


def _turn_takings(recording: DuplexRecording) -> list[dict]:
    """Other user turns that the agent answers before the next one."""
    conversation, found = recording.conversation, []
    nexts = [*(turn.start for turn in conversation.user_turns[1:]), float("inf")]
    for turn, next_start in zip(conversation.user_turns, nexts):
        answers = [
            agent.start
            for agent in conversation.agent_turns
            if turn.end <= agent.start < next_start
        ]
        if answers and not _interrupts(turn, conversation.agent_turns):
            span = [turn.end, answers[0]]
            found.append({"text": "[TURN-TAKING]", "timestamp": span})
    return found


def _interrupts(user: Turn, agents: Sequence[Turn]) -> bool:
    return any(agent.start < user.start < agent.end for agent in agents)


def _end_turn(turns: Sequence[Turn], end: float) -> list[Turn]:
    """The last turn that begins before an instant ends there."""
    before = [turn for turn in turns if turn.start < end]
    after = [turn for turn in turns if turn.start >= end]
    return [*before[:-1], *(replace(turn, end=end) for turn in before[-1:]), *after]


def _context(turns: Sequence[Turn], span: tuple, text: object) -> list[Turn]:
    """What was said before a span, as one turn with a given text."""
    before = [turn for turn in turns if turn.start < span[0]]
    if not before:
        return []
    end = min(before[-1].end, span[0])
    joined = " ".join(turn.text for turn in before).strip()
    return [Turn("user", before[0].start, end, text or joined)]


def _rows(folder: Path, name: str) -> list[dict]:
    path = folder / name
    if not path.is_file():
        return []
    rows = read_json(path, list)
    if not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{path} has entries that are no objects; write it again.")
    return rows


def _span(row: dict, path: Path) -> tuple[float, float]:
    with naming(path):
        word = parse_word("", row.get("timestamp"))
        if word.start == word.end:
            raise ValueError(f"a span of no length begins at {word.start} s")
        return word.start, word.end
