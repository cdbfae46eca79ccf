"""Which clips a corpus needs, each once, and what refers to them."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from casting import Casting
from clips import AGENT_LEAD_SECONDS, Clip, copied_clip, file_digest
from conversation_rows import ConversationTurn, TextConversation

from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds

CODEC_SETS = ("codec_train", "codec_valid", "codec_test")


class ClipPlan:
    """Collects clips, each once, and what refers to them.

    Args:
        casting: gives the clips.
        folder: of all clips.

    Attributes:
        lists: "user", "agent", "codec": id -> clip, in the order of first use.
        where: id of a clip -> its first use, for errors.
    """

    def __init__(self, casting: Casting, folder: Path) -> None:
        self.casting = casting
        self.folder = folder
        self.lists: dict[str, dict[str, Clip]] = {"user": {}, "agent": {}, "codec": {}}
        self.where: dict[str, str] = {}
        self._voices: dict[str, None] = {}

    def add(self, name: str, clip: Clip, where: str) -> str:
        """Put a clip on a list; returns the path of its wav."""
        self.lists[name].setdefault(clip.id, clip)
        self.where.setdefault(clip.id, where)
        return str(self.folder / clip.path)

    def conversation(self, conversation: TextConversation) -> dict:
        """Row of spoken.jsonl.

        The speaker is the voice, if there is something to synthesise; else whom the
        conversation names, or its id, as nobody else is known to be the same.
        """
        users = [turn for turn in conversation.turns if turn.role == "user"]
        speaker = conversation.speaker or conversation.voice or conversation.id
        if any(turn.wav is None for turn in users):
            speaker = self.casting.user_voice(conversation)
            self._voices[speaker] = None
        turns = [
            self._turn(turn, speaker, f"{conversation.where}, turn {number}")
            for number, turn in enumerate(conversation.turns)
        ]
        names = ("id", "set", "source", "licence", "origin")
        row = {name: getattr(conversation, name) for name in names}
        return {**row, "speaker": speaker, "turns": turns}

    def _turn(self, turn: ConversationTurn, speaker: str, where: str) -> dict:
        given = {"start": turn.start, "end": turn.end}
        if turn.role == "agent":
            given = with_lead(turn.start, turn.end)
            clip = self.casting.agent_clip(turn.text)
            if turn.wav is not None:
                clip = copied_clip(turn.wav, turn.text, clip.rate)
            wav = self.add("agent", clip, where)
        elif turn.wav is not None:
            wav = str(turn.wav.absolute())
            given["digest"] = file_digest(turn.wav)  # so that a new wav is noticed
        else:
            wav = self.add("user", self.casting.user_clip(speaker, turn.text), where)
        given = {key: value for key, value in given.items() if value is not None}
        return {"role": turn.role, "text": turn.text, "wav": wav, **given}

    def backchannels(self) -> list[dict]:
        """Rows of backchannels.jsonl, for the voices of the conversations so far."""
        rows = []
        for voice in sorted(self._voices):
            for text in self.casting.settings.backchannels:
                clip = self.casting.user_clip(voice, text)
                wav = self.add("user", clip, f"backchannel of {voice}")
                rows.append({"speaker": voice, "text": text, "wav": wav})
        return rows

    def codec_sentences(self, texts: Path) -> list[dict]:
        """Rows of codec_sentences.jsonl; a text that comes again is another take.

        No rows if the folder has no such texts, as a corpus need not have.
        """
        rows: list[dict] = []
        if not any((texts / f"{name}.jsonl").is_file() for name in CODEC_SETS):
            return rows
        readings: Counter[str] = Counter()
        for name in CODEC_SETS:
            path = texts / f"{name}.jsonl"
            for row in read_jsonl(path):
                clip = self.casting.agent_clip(row["text"], readings[row["text"]])
                readings[row["text"]] += 1
                wav = self.add("codec", clip, f"{path}, {row['id']}")
                rows.append(
                    {"id": row["id"], "set": name, "text": row["text"], "wav": wav}
                )
        return rows

    def clips(self) -> Iterable[Clip]:
        """All clips of all lists; what codec and agent share comes twice."""
        for clips in self.lists.values():
            yield from clips.values()


def with_lead(start: float | None, end: float | None) -> dict[str, float | None]:
    """Times of an agent turn whose wav begins with the lead.

    Speech stays where the source says; where there is no room for the lead before it,
    all of the turn comes later by what is missing.
    """
    if start is None:
        return {"start": None, "end": None}
    missing = max(0.0, AGENT_LEAD_SECONDS - start)
    later = end if end is None else _rounded(end + missing)
    return {"start": _rounded(start - AGENT_LEAD_SECONDS + missing), "end": later}


def _rounded(seconds: float) -> float:
    return microseconds(seconds) / MICROSECONDS_PER_SECOND
