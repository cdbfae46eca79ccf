"""The file of one's own conversations: format and checks.

One JSON object a line:

    {"id": "call_1", "set": "train", "turns": [
        {"role": "user", "text": "What is tea?", "wav": "call_1/q.wav"},
        {"role": "agent", "text": "A drink.", "start": 2.9, "end": 4.0}]}

id     letters, digits, "_", "-" and "."; each once.
set    name of the data folder, for example train, valid or test. Conversations without
       it are ordered by the SHA-1 of their id: the first tenth (at least one) is valid,
       the next tenth (at least one) test, the rest train.
turns  in the order of their starts, at least one of each role. Of each turn:
  role   "user" or "agent".
  text   what is said.
  wav    optional, relative to the JSONL's folder: mono, 16000 Hz of a user, 22050 Hz of
         the agent. A turn without one is synthesised.
  start  optional, seconds. Without it an agent's turn follows 0.64 s after the turn
         before it and a user's turn 0.8 s; a user's start inside an agent's turn is a
         barge-in and cuts the agent 0.64 s later.
  end    optional, seconds; cuts the turn's audio there.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from voices import AGENT_RATE, USER_RATE

from espnet2_duplex.dataset_checks import load_speech

RATES = {"user": USER_RATE, "agent": AGENT_RATE}
HELD_OUT_SHARE = 10  # of conversations without a set, one in so many is valid or test
TURN_KEYS = {"role", "text", "wav", "start", "end"}
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class OwnTurn:
    """One turn of the file; times in seconds, None where the file leaves them open."""

    role: str
    text: str
    wav: Optional[Path]
    start: Optional[float]
    end: Optional[float]


@dataclass(frozen=True)
class OwnConversation:
    """One line of the file; `where` names it in errors."""

    id: str
    set: str
    turns: Tuple[OwnTurn, ...]
    where: str


def _check(condition: bool, where: str, found: str, remedy: str) -> None:
    if not condition:
        raise ValueError(f"{where}: {found}; {remedy}.")


def parse_turn(row: object, where: str, folder: Path) -> OwnTurn:
    """One turn; its wav is opened and checked.

    Raises:
        ValueError: names line and turn.
    """
    _check(isinstance(row, dict), where, f"found {row!r}", "write an object")
    odd = sorted(set(row) - TURN_KEYS)
    _check(not odd, where, f"unknown keys {odd}", f"the keys are {sorted(TURN_KEYS)}")
    role, text = row.get("role"), row.get("text")
    known = role in RATES
    _check(known, where, f"the role is {role!r}", 'write "user" or "agent"')
    spoken = isinstance(text, str) and text.strip()
    _check(bool(spoken), where, "the text is empty", "write what is said")
    for key in ("start", "end"):
        value = row.get(key)
        good = value is None or type(value) in (int, float) and 0 <= value < 1e6
        _check(good, where, f"{key} is {value!r}", "give seconds from 0 on")
    wav = row.get("wav")
    good = wav is None or isinstance(wav, str) and wav
    _check(good, where, f"wav is {wav!r}", "give a path or leave it out")
    if wav is not None:
        wav = folder / wav
        try:
            load_speech(wav, RATES[role])
        except ValueError as problem:
            raise ValueError(f"{where}: {problem}") from problem
    return OwnTurn(role, " ".join(text.split()), wav, row.get("start"), row.get("end"))


def parse_conversation(line: str, where: str, folder: Path) -> OwnConversation:
    """One line of the file.

    Raises:
        ValueError: names the line, and the turn if it is one turn's fault.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as problem:
        raise ValueError(
            f"{where} is not valid JSON ({problem.msg} at column {problem.colno}); "
            "write one JSON object a line."
        ) from problem
    _check(isinstance(row, dict), where, "found no object", "write an object")
    id, name, turns = row.get("id"), row.get("set", ""), row.get("turns")
    good = isinstance(id, str) and NAME.fullmatch(id)
    _check(bool(good), where, f"the id is {id!r}", "use letters, digits, _, - and .")
    good = isinstance(name, str) and (not name or NAME.fullmatch(name))
    _check(bool(good), where, f"the set is {name!r}", 'write for example "train"')
    good = isinstance(turns, list) and turns
    _check(bool(good), where, "it has no turns", 'give "turns" a list')
    parsed = tuple(
        parse_turn(turn, f"{where}, turn {number}", folder)
        for number, turn in enumerate(turns)
    )
    for role in RATES:
        there = any(turn.role == role for turn in parsed)
        _check(there, where, f"it has no turn of the {role}", "give it one")
    return OwnConversation(id, name, parsed, where)


def split_sets(conversations: List[OwnConversation]) -> Dict[str, str]:
    """Sets of the conversations that name none: id -> set."""
    ids = [c.id for c in conversations if not c.set]
    ids.sort(key=lambda id: hashlib.sha1(id.encode()).hexdigest())
    held_out = max(1, len(ids) // HELD_OUT_SHARE)
    sets = ["valid"] * held_out + ["test"] * held_out
    return dict(zip(ids, sets + ["train"] * len(ids)))


def read_conversations(path: Path) -> List[OwnConversation]:
    """Read and check the whole file.

    Raises:
        ValueError: names line and turn of the first fault.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; correct --conversations.")
    conversations: List[OwnConversation] = []
    lines: Dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        conversation = parse_conversation(line, where, path.parent)
        first = lines.setdefault(conversation.id, where)
        twice = f"the id {conversation.id} was used in {first}"
        _check(first == where, where, twice, "give each conversation its own id")
        conversations.append(conversation)
    chosen = split_sets(conversations)
    complete = [
        OwnConversation(c.id, c.set or chosen[c.id], c.turns, c.where)
        for c in conversations
    ]
    for name in ("train", "valid"):
        there = any(c.set == name for c in complete)
        found = f"no conversation is in the set {name}"
        _check(there, str(path), found, "add some, or leave out some sets")
    return complete
