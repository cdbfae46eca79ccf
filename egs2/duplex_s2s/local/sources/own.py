"""Conversations that are in the format already: one's own, or a language model's."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conversation_format import read_unsplit
from conversation_rows import TextConversation
from sources.rows import Job, Options


@dataclass(frozen=True, kw_only=True)
class OwnOptions(Options):
    """Options of `conversations`.

    Attributes:
        name: in the place of the file's own names of datasets; "" keeps them.
        path: of a file in the format of `conversation_format.py`.
    """

    name: str = ""
    path: str


def conversations(options: OwnOptions, job: Job) -> Iterator[dict]:
    """The rows as they are; wavs are named from `job.out`.

    Raises:
        ValueError: one sentence for each faulty line.
    """
    path = job.find(options.path)
    for conversation in read_unsplit(path, job.user_rate, job.agent_rate):
        yield row_of(conversation, options.name, job.out)


def row_of(conversation: TextConversation, name: str, out: Path) -> dict:
    """A row of a file in the folder `out`."""
    row = {"id": conversation.id, "source": name or conversation.source}
    for key in ("set", "licence", "origin", "voice"):
        if getattr(conversation, key):
            row[key] = getattr(conversation, key)
    row["turns"] = []
    for turn in conversation.turns:
        fields = {"role": turn.role, "text": turn.text}
        if turn.wav is not None:
            fields["wav"] = os.path.relpath(turn.wav, out)
        for key in ("start", "end"):
            if getattr(turn, key) is not None:
                fields[key] = getattr(turn, key)
        row["turns"].append(fields)
    return row
