"""What the conversations of all sets are drawn from: scripts, backchannels, noises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clips import is_spoken, read_failures
from progress import progress

from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.simulation.script import Script, SpokenTurn
from espnet2_duplex.simulation.user_sounds import Pools, Sound
from espnet2_duplex.sound_files import read_header


@dataclass(frozen=True)
class LeftOut:
    """A conversation that cannot be used.

    Attributes:
        id: of the conversation.
        reason: the same for all of a kind, to be counted.
        why: what happened to this one, if there is more to say.
    """

    id: str
    reason: str
    why: str = ""

    def to_row(self) -> dict[str, str]:
        """Of `left_out.jsonl`."""
        row = {"id": self.id, "reason": self.reason}
        return {**row, "why": self.why} if self.why else row


@dataclass(frozen=True)
class Material:
    """What sets are drawn from.

    Attributes:
        scripts: of each set of conversations.jsonl.
        pools: backchannels and noises.
        left_out: conversations that are not among the scripts.
    """

    scripts: Mapping[str, Sequence[Script]]
    pools: Pools
    left_out: tuple[LeftOut, ...]


def spoken_turn(row: dict) -> SpokenTurn:
    """A turn of `spoken.jsonl` with the length of its wav."""
    times = {name: row.get(name) for name in ("start", "end")}
    seconds = read_header(row["wav"]).seconds
    return SpokenTurn(row["role"], row["text"], row["wav"], seconds, **times)


def read_script(row: dict, failures: Mapping[str, str]) -> Script | LeftOut:
    """One row of `spoken.jsonl`.

    Args:
        row: with a wav for every turn.
        failures: why clips could not be spoken.

    Raises:
        ValueError: a wav is missing or unreadable, or a turn ends without having
            begun; names the conversation.
    """
    lost = [t["wav"] for t in row["turns"] if not is_spoken(t["wav"], failures)]
    if lost:
        why = failures[Path(lost[0]).stem]
        return LeftOut(row["id"], "a turn could not be spoken", why)
    try:
        turns = tuple(spoken_turn(turn) for turn in row["turns"])
    except ValueError as problem:
        raise ValueError(f"conversation {row['id']}: {problem}") from problem
    return Script(row["id"], row["source"], row["speaker"], turns)


def read_pools(local: Path, failures: dict[str, str]) -> Pools:
    """Backchannels that were spoken, and the bank of noises where there is one."""
    backchannels: dict[str, list[Sound]] = {}
    path = local / "backchannels.jsonl"
    for row in read_jsonl(path) if path.is_file() else []:
        if is_spoken(row["wav"], failures):
            sound = Sound(row["wav"], read_header(row["wav"]).seconds, row["text"])
            backchannels.setdefault(row["speaker"], []).append(sound)
    bank = local / "sounds"
    noises = []
    if bank.is_dir():
        rows = read_jsonl(bank / "sounds.jsonl")
        noises = [Sound(str(bank / row["wav"]), row["seconds"]) for row in rows]
    return Pools(backchannels, noises)


def read_material(local: Path) -> Material:
    """All that stages 1 and 2 have left in `<local>`.

    Raises:
        ValueError: as `read_script`.
    """
    failures = read_failures(local / "clips")
    scripts: dict[str, list[Script]] = {}
    left_out = []
    for row in progress(read_jsonl(local / "spoken.jsonl"), "reading"):
        script = read_script(row, failures)
        if isinstance(script, LeftOut):
            left_out.append(script)
        else:
            scripts.setdefault(row["set"], []).append(script)
    return Material(scripts, read_pools(local, failures), tuple(left_out))
