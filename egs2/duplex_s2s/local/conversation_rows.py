"""One conversation of the format in `conversation_format.py`, checked but for wavs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROLES = ("user", "agent")
TURN_KEYS = {"role", "text", "wav", "start", "end"}
NAME_KEYS = ("set", "source", "voice", "speaker")
KEYS = {"id", "licence", "origin", "turns", *NAME_KEYS}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
SURROGATE = re.compile("[\ud800-\udfff]")
DEFAULT_SOURCE = "own"


@dataclass(frozen=True)
class ConversationTurn:
    """One turn of the file; times in seconds, None where the file leaves them open."""

    role: str
    text: str
    wav: Path | None
    start: float | None
    end: float | None


@dataclass(frozen=True)
class TextConversation:
    """One line of the file; "" where it leaves a name open; `where` is for errors."""

    id: str
    set: str
    source: str
    licence: str
    origin: str
    voice: str
    speaker: str
    turns: tuple[ConversationTurn, ...]
    where: str


def check(condition: object, where: str, found: str, remedy: str) -> None:
    """A sentence of what was found and what to do about it, unless `condition`."""
    if not condition:
        raise ValueError(f"{where}: {found}; {remedy}.")


def _check_keys(row: object, keys: set[str], where: str) -> None:
    check(isinstance(row, dict), where, f"found {row!r}", "write an object")
    odd = sorted(set(row) - keys)
    check(not odd, where, f"unknown keys {odd}", f"the keys are {sorted(keys)}")


def _check_text(text: object, where: str) -> None:
    spoken = isinstance(text, str) and text.strip()
    check(spoken, where, "the text is empty", "write what is said")
    half = SURROGATE.search(text)
    found = "the text holds half of a surrogate pair"
    check(not half, where, found, "write the character itself")


def _check_times(row: Mapping, where: str) -> None:
    for key in ("start", "end"):
        value = row.get(key)
        good = value is None or type(value) in (int, float) and 0 <= value < 1e6
        check(good, where, f"{key} is {value!r}", "give seconds from 0 on")
    start, end = row.get("start"), row.get("end")
    good = end is None or start is not None
    remedy = "give it a start, too, or leave out the end"
    check(good, where, f"it ends at {end} s, but has no start", remedy)
    found = f"it ends at {end} s and starts at {start} s"
    good = start is None or end is None or start < end
    check(good, where, found, "let it end after its start")


def _check_speaker(
    row: Mapping, turns: tuple[ConversationTurn, ...], where: str
) -> None:
    """A speaker is heard in wavs; whoever is synthesised is a voice."""
    own = [turn.wav is not None for turn in turns if turn.role == "user"]
    found = f"it has the speaker {row.get('speaker')!r}, but a user turn without a wav"
    remedy = "give each user turn a wav, or name a voice in place of the speaker"
    check(row.get("speaker") is None or all(own), where, found, remedy)


def parse_turn(row: object, where: str, folder: Path) -> ConversationTurn:
    """One turn; its wav is not touched.

    Raises:
        ValueError: names line and turn.
    """
    _check_keys(row, TURN_KEYS, where)
    role = row.get("role")
    check(role in ROLES, where, f"the role is {role!r}", 'write "user" or "agent"')
    _check_text(row.get("text"), where)
    _check_times(row, where)
    wav = row.get("wav")
    good = wav is None or isinstance(wav, str) and wav.strip()
    check(good, where, f"wav is {wav!r}", "give a path or leave it out")
    return ConversationTurn(
        role,
        " ".join(row["text"].split()),
        None if wav is None else folder / wav,
        row.get("start"),
        row.get("end"),
    )


def parse_conversation(row: object, where: str, folder: Path) -> TextConversation:
    """One line of the file, checked but for its wavs.

    Args:
        row: the line's JSON.
        where: names the line in errors.
        folder: wavs are relative to it.

    Raises:
        ValueError: names the line, and the turn if it is one turn's fault.
    """
    _check_keys(row, KEYS, where)
    id, turns = row.get("id"), row.get("turns")
    good = isinstance(id, str) and NAME.fullmatch(id)
    check(good, where, f"the id is {id!r}", "use letters, digits, _, - and .")
    for key in NAME_KEYS:
        name = row.get(key)
        good = name is None or isinstance(name, str) and NAME.fullmatch(name)
        remedy = "use letters, digits, _, - and . or leave it out"
        check(good, where, f"the {key} is {name!r}", remedy)
    for key in ("licence", "origin"):
        if row.get(key) is not None:
            _check_text(row[key], f"{where}, {key}")
    good = isinstance(turns, list) and turns
    check(good, where, "it has no turns", 'give "turns" a list')
    parsed = tuple(
        parse_turn(turn, f"{where}, turn {number}", folder)
        for number, turn in enumerate(turns)
    )
    there = any(turn.role == "agent" for turn in parsed)
    check(there, where, "it has no turn of the agent", "give it one")
    _check_speaker(row, parsed, where)
    starts = [turn.start for turn in parsed if turn.start is not None]
    found = f"the turns start at {starts} s"
    check(starts == sorted(starts), where, found, "put them in order")
    names = {key: row.get(key) or "" for key in KEYS - {"id", "turns"}}
    names["source"] = names["source"] or DEFAULT_SOURCE
    return TextConversation(id=id, turns=parsed, where=where, **names)
