#!/usr/bin/env python3
"""The file of conversations: the one format between texts and speech, and its checks.

One JSON object a line, UTF-8:

    {"id": "call_1", "set": "train", "source": "support", "turns": [
        {"role": "user", "text": "What is tea?", "wav": "call_1/q.wav"},
        {"role": "agent", "text": "A drink.", "start": 2.9, "end": 4.0}]}

id       letters, digits, "_", "-" and "."; each once.
turns    in the order of their starts, at least one of the agent. Neighbours of one role
         are one turn with a pause in it. Of each turn:
  role   "user" or "agent".
  text   what is said.
  wav    optional, relative to the file's folder: mono, 16000 Hz of a user, 22050 Hz of
         the agent, if the corpus' YAML has no other rates. A turn without one is
         synthesised.
  start  optional, seconds since the beginning of the conversation. Without it the
         simulation draws it; a user's start inside an agent's turn is a barge-in.
  end    optional, seconds, with a start only; cuts the turn's audio there.
set      optional name of the data folder, for example train, valid or test.
         Conversations without it are ordered by the SHA-1 of their id: the first tenth
         (at least one) is valid, the next tenth (at least one) test, the rest train.
source   optional name of the dataset; only conversations of one source are joined.
licence  optional, of the text.
origin   optional, where the text comes from.
voice    optional name of the user's voice; without it one is drawn.
speaker  optional name of the user, where all turns of the user have a wav.

Called with a file, this script checks it: one sentence for each faulty line, of more
than twenty the first twenty and their number.
"""

import argparse
import hashlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from conversation_rows import (
    ConversationTurn,
    TextConversation,
    check,
    parse_conversation,
)

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import parse_object, read_text, write_jsonl
from espnet2_duplex.sound_files import read_header

HELD_OUT_SHARES = {"valid": 0.1, "test": 0.1}
MAX_SHOWN_FAULTS = 20
LENGTH_TOLERANCE_SECONDS = 0.1


def check_wav(turn: ConversationTurn, expected_rate: int, where: str) -> None:
    """The header of a turn's wav: rate in Hz, mono, long enough for its times.

    Raises:
        ValueError: if it is not so, or the file is missing or unreadable.
    """
    path = turn.wav
    try:
        header = read_header(path)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}") from problem
    found = f"{path} has {header.sample_rate} Hz, but {expected_rate} Hz are expected"
    good = header.sample_rate == expected_rate
    check(good, where, found, f"resample it to {expected_rate} Hz")
    found = f"{path} has {header.num_channels} channels, but mono is expected"
    check(header.num_channels == 1, where, found, "keep one channel")
    remedy = "record it again or leave it out"
    check(header.num_samples > 0, where, f"{path} has no samples", remedy)
    if turn.start is None or turn.end is None:
        return
    seconds = turn.end - turn.start
    found = f"it lasts {seconds:.2f} s, but {path} only {header.seconds:.2f} s"
    good = seconds <= header.seconds + LENGTH_TOLERANCE_SECONDS
    check(good, where, found, "correct start and end")


def split_sets(
    ids: Iterable[str], shares: Mapping[str, float] = HELD_OUT_SHARES
) -> dict[str, str]:
    """Sets by the SHA-1 of the ids, whatever their order: id -> set.

    Args:
        ids: each once.
        shares: of the held-out sets, each of which gets at least one id; the rest is
            train.
    """
    ids = sorted(ids, key=lambda id: hashlib.sha1(id.encode()).hexdigest())
    sets: list[str] = []
    for name, share in shares.items():
        sets += [name] * (max(1, round(len(ids) * share)) if share else 0)
    return dict(zip(ids, sets + ["train"] * len(ids)))


def raise_faults(faults: list[str]) -> None:
    """One error for all faulty lines, if there are any.

    Raises:
        ValueError: the first `MAX_SHOWN_FAULTS` and how many more there are.
    """
    if not faults:
        return
    shown = faults[:MAX_SHOWN_FAULTS]
    if len(faults) > len(shown):
        shown = [*shown, f"And {len(faults) - len(shown)} more lines have faults."]
    raise ValueError("\n".join(shown))


def _check_new(id: str, lines: dict[str, str], where: str) -> None:
    first = lines.setdefault(id, where)
    found = f"the id {id} was used in {first}"
    check(first == where, where, found, "give each conversation its own id")


def read_unsplit(
    path: Path, user_rate: int = 16000, agent_rate: int = 22050
) -> list[TextConversation]:
    """Like `read_conversations`, but any sets will do, and "" stays for none.

    Raises:
        ValueError: one sentence for each faulty line, the first twenty of them.
    """
    rates = {"user": user_rate, "agent": agent_rate}

    def check_wavs(conversation: TextConversation) -> None:
        for index, turn in enumerate(conversation.turns):
            if turn.wav is not None:
                where = f"{conversation.where}, turn {index}"
                check_wav(turn, rates[turn.role], where)

    return _read(Path(path), check_wavs)


def read_texts(path: Path) -> list[TextConversation]:
    """Like `read_conversations`, but wavs are not touched, and any sets will do.

    Raises:
        ValueError: one sentence for each faulty line, the first twenty of them.
    """
    return _with_default_sets(_read(Path(path), lambda conversation: None))


def _read(
    path: Path, check_more: Callable[[TextConversation], None]
) -> list[TextConversation]:
    conversations: list[TextConversation] = []
    faults: list[str] = []
    lines: dict[str, str] = {}
    # Not splitlines(): it also splits at characters that may stand inside a text.
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            parsed = parse_conversation(parse_object(line, where), where, path.parent)
            _check_new(parsed.id, lines, where)
            check_more(parsed)
        except ValueError as problem:
            faults.append(str(problem))
            continue
        conversations.append(parsed)
    raise_faults(faults)
    return conversations


def _with_default_sets(
    conversations: list[TextConversation],
) -> list[TextConversation]:
    chosen = split_sets(c.id for c in conversations if not c.set)
    return [replace(c, set=c.set or chosen[c.id]) for c in conversations]


def read_conversations(
    path: Path, user_rate: int = 16000, agent_rate: int = 22050
) -> list[TextConversation]:
    """Read and check the whole file; of wavs only the headers are read.

    Args:
        path: of the file.
        user_rate: of user wavs, in Hz.
        agent_rate: of agent wavs, in Hz.
    Returns:
        conversations in the file's order, all with a set.
    Raises:
        ValueError: one sentence for each faulty line, the first twenty of them; or the
            file is missing or not UTF-8; or nothing is in train or valid.
    """
    complete = _with_default_sets(read_unsplit(path, user_rate, agent_rate))
    for name in ("train", "valid"):
        there = any(c.set == name for c in complete)
        found = f"no conversation is in the set {name}"
        check(there, str(path), found, "add some, or leave out some sets")
    return complete


def write_conversations(path: Path, rows: Iterable[dict]) -> None:
    """Write rows of the format, or leave the old file; wavs are not touched.

    Raises:
        ValueError: one sentence for each faulty row, the first twenty of them.
    """
    rows, faults = list(rows), []
    lines: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        where = f"{path}, row {number}"
        try:
            _check_new(parse_conversation(row, where, Path()).id, lines, where)
        except ValueError as problem:
            faults.append(str(problem))
    raise_faults(faults)
    write_jsonl(path, rows)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("conversations", type=Path)
    parser.add_argument("--user_rate", type=int, default=16000, help="of wavs, in Hz")
    parser.add_argument("--agent_rate", type=int, default=22050, help="likewise")
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    path = args.conversations
    conversations = read_conversations(path, args.user_rate, args.agent_rate)
    counts = Counter(conversation.set for conversation in conversations)
    told = ", ".join(f"{number} in {name}" for name, number in sorted(counts.items()))
    print(f"{path}: {counts.total()} conversations, {told}")


if __name__ == "__main__":
    sys.exit(run_cli(main))
