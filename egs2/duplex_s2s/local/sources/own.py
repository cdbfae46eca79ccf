"""Conversations that are in the format already: one's own, or a language model's."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from conversation_format import read_unsplit
from conversation_rows import TextConversation
from sources.files import Paths, numbered_files
from sources.rows import Job, Options


@dataclass(frozen=True, kw_only=True)
class OwnOptions(Options):
    """Options of `conversations`.

    Attributes:
        name: in the place of the file's own names of datasets; "" keeps them.
        path: of a file in the format of `conversation_format.py`. A list or a pattern
            such as calls/*.jsonl names several; ids of the second one begin with "1_".
    """

    name: str = ""
    path: Paths


def conversations(options: OwnOptions, job: Job) -> Iterator[dict]:
    """The rows as they are; wavs are named from `job.out`.

    Raises:
        ValueError: one sentence for each faulty line.
    """
    for prefix, path in numbered_files(options.path, job):
        for conversation in read_unsplit(path, job.user_rate, job.agent_rate):
            row = row_of(conversation, options.name, job.out)
            yield {**row, "id": f"{prefix}{conversation.id}"}


def row_of(conversation: TextConversation, name: str, out: Path) -> dict:
    """A row of a file in the folder `out`."""
    row = {"id": conversation.id, "source": name or conversation.source}
    for key in ("set", "licence", "origin", "voice", "speaker"):
        if getattr(conversation, key):
            row[key] = getattr(conversation, key)
    row["turns"] = []
    for turn in conversation.turns:
        fields = {"role": turn.role, "text": turn.text}
        if turn.wav is not None:
            # Real folders: ".." after a link is not the link's own parent.
            wav = turn.wav.parent.resolve() / turn.wav.name
            fields["wav"] = os.path.relpath(wav, out.resolve())
        for key in ("start", "end"):
            if getattr(turn, key) is not None:
                fields[key] = getattr(turn, key)
        row["turns"].append(fields)
    return row
