"""Multi-turn dialogues written for chat models (Sec. 4.2), each turn limited to 25 s.

Forms: {"messages": [{"role", "content"}]} (OpenAI), {"conversations": [{"from",
"value"}]} (ShareGPT) and {"data": ["...", "..."]} (UltraChat, the user first). Messages
of the system go. What the agent says before the user's first turn goes, and so does
what the user says after the agent's last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from sources.files import Paths, numbered_files
from sources.published import read_objects
from sources.rows import Job, Options, Refused, kept, make_row
from sources.speakable import speakable
from sources.turn_lengths import MAX_TURN_SECONDS, cut

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "agent", "chatgpt", "bing", "bard"), "agent"),
    "system": None,
}
FORMS = (("messages", "role", "content"), ("conversations", "from", "value"))


@dataclass(frozen=True, kw_only=True)
class DialogueOptions(Options):
    """Options of `dialogues`.

    Attributes:
        path: JSON list or JSON lines, perhaps gzipped. A list or a pattern such as
            sft/*.jsonl names several.
        licence: of the texts.
        max_turn_seconds: turns are cut there at the end of a sentence; a dialogue with
            a turn whose first sentence is longer is left out.
        max_turns: later turns are left out.
    """

    name: str = "sft"
    path: Paths
    licence: str = ""
    max_turn_seconds: float = MAX_TURN_SECONDS
    max_turns: int = 8


def dialogues(options: DialogueOptions, job: Job) -> Iterator[dict]:
    """One row a dialogue."""
    items = (
        (f"{prefix}{number:06d}", f"{path.name}, dialogue {number}", *item)
        for prefix, path in numbered_files(options.path, job)
        for number, item in enumerate(read_objects(path))
    )
    return kept(items, partial(dialogue_row, options), job.refused)


def dialogue_row(options: DialogueOptions, item: tuple) -> dict:
    """The row of (key, origin, where, object).

    Raises:
        Refused: a turn cannot be said or shortened, or there is no exchange.
        ValueError: the object has no known form.
    """
    key, origin, where, fields = item
    turns = exchanges(list(messages(fields, where)), options.max_turns)
    for turn in turns:
        said = speakable(turn["text"])
        turn["text"] = cut(said, turn["role"], options.max_turn_seconds)
    return make_row(options, key, turns, options.licence or "unknown", origin)


def messages(fields: dict, where: str) -> Iterator[tuple[str, str]]:
    """(role, text) of each message but the system's.

    Raises:
        Refused: somebody else speaks, or a message is no text.
        ValueError: the object has no known form.
    """
    if isinstance(fields.get("data"), list):
        pairs = [
            (("user", "assistant")[n % 2], t) for n, t in enumerate(fields["data"])
        ]
    else:
        pairs = _named_messages(fields, where)
    for role, text in pairs:
        if str(role) not in ROLES:
            raise Refused(f"a message of {role}")
        if not isinstance(text, str):
            raise Refused("a message that is no text")
        if ROLES[role]:
            yield ROLES[role], text


def _named_messages(fields: dict, where: str) -> list[tuple]:
    for name, role_key, text_key in FORMS:
        listed = fields.get(name)
        if isinstance(listed, list) and all(isinstance(m, dict) for m in listed):
            return [(m.get(role_key), m.get(text_key)) for m in listed]
    raise ValueError(
        f'{where} has the keys {sorted(fields)}; expected "messages", "conversations" '
        'or "data" with a list.'
    )


def exchanges(pairs: list[tuple[str, str]], max_turns: int) -> list[dict]:
    """Turns from the user's first to an agent's, at most `max_turns`.

    Raises:
        Refused: there is no user's turn with an answer.
    """
    roles = [role for role, _ in pairs]
    start = roles.index("user") if "user" in roles else len(roles)
    turns = [{"role": r, "text": t} for r, t in pairs[start : start + max_turns]]
    while turns and turns[-1]["role"] == "user":
        turns.pop()
    if not turns:
        raise Refused("no exchange")
    return turns
