"""What is drawn for a set of conversations, and how often: the `simulation` of a YAML.

Every default is the paper's, or, where the paper is silent, stands there with a reason.
What the paper has not (pauses within turns, backchannels, noises, all of the user's
channel) is off by default.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from espnet2_duplex.simulation.section_settings import (
    Backchannels,
    BargeIn,
    Noises,
    TurnTaking,
    UserPauses,
)
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.simulation.yaml_fields import changed, section

SET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")  # names a folder


@dataclass(frozen=True)
class Settings:
    """All that is drawn for one set.

    Attributes:
        like: another set of the file whose conversations these are, with the same draws
            and the same ids: turns, texts and silences differ only where the settings
            do. All settings are that set's before a change. An Impatient set is its
            base set with the silences halved and nothing else (Sec. 5.2).
        scripts: set of the conversations in conversations.jsonl that it is made from;
            empty for the set's own name.
        sources: datasets of these conversations that it is made from; empty for all.
        num_conversations: how many; None for each script once. More than there are
            scripts is fine: each time everything is drawn anew.
        num_exchanges: how many single exchanges of one source and one voice are joined
            into one conversation, with shares (Sec. 4.2 joins two; it has no share).
        audio_format: "wav" or "flac".

    Raises:
        ValueError: a value is none of these.
    """

    like: str = ""
    scripts: str = ""
    sources: tuple[str, ...] = ()
    num_conversations: int | None = None
    num_exchanges: Mapping[int, float] = field(default_factory=lambda: {1: 0.5, 2: 0.5})
    audio_format: str = "wav"
    turn_taking: TurnTaking = TurnTaking()
    barge_in: BargeIn = BargeIn()
    user_pauses: UserPauses = UserPauses()
    backchannels: Backchannels = Backchannels()
    noises: Noises = Noises()
    user_channel: UserChannel = UserChannel()

    def __post_init__(self) -> None:
        count = self.num_conversations
        if count is not None and count < 1:
            raise ValueError(
                f"num_conversations is {count!r}; write a whole number from 1 on, or "
                "leave it out for each script once"
            )
        if not _are_shares(self.num_exchanges):
            raise ValueError(
                f"num_exchanges is {self.num_exchanges!r}; give shares of 1, 2, ... "
                "exchanges that sum to 1, such as {1: 0.5, 2: 0.5}"
            )
        if self.audio_format not in ("wav", "flac"):
            raise ValueError(
                f"audio_format is {self.audio_format!r}; write wav or flac"
            )


def _are_shares(shares: Mapping[int, float]) -> bool:
    """Whether it is number of exchanges -> share, and the shares sum to 1."""
    return (
        all(count >= 1 for count in shares)
        and all(share >= 0 for share in shares.values())
        and abs(sum(shares.values()) - 1) <= 1e-6
    )


@dataclass(frozen=True)
class SetSettings:
    """Settings of the sets of a corpus.

    Attributes:
        defaults: of every set.
        named: of the sets that the YAML names; if it names none, every set of
            conversations.jsonl is made with the defaults.
    """

    defaults: Settings
    named: Mapping[str, Settings]

    def of(self, name: str) -> Settings:
        """Settings of one set."""
        return self.named.get(name, self.defaults)


def read_sets(simulation: object, where: str) -> SetSettings:
    """Settings of every set: those under `sets`, on top of `defaults`.

    Args:
        simulation: the `simulation` section of a corpus YAML.
        where: the file, for errors.

    Raises:
        ValueError: an unknown section or field, or a wrong value.
    """
    simulation = section(simulation, f"{where}: simulation")
    odd = sorted(set(simulation) - {"defaults", "sets"})
    if odd:
        raise ValueError(
            f"{where}: simulation has {odd[0]!r}; expected defaults and sets."
        )
    base = changed(Settings(), simulation.get("defaults"), f"{where}: defaults")
    sets = section(simulation.get("sets"), f"{where}: sets")
    for name in sets:
        if not SET_NAME.fullmatch(name):
            raise ValueError(
                f"{where}: sets has the name {name!r}; it names a folder, so use "
                "letters, digits, _, - and . in it."
            )
    named = {name: _read_set(name, sets, base, f"{where}: sets") for name in sets}
    return SetSettings(base, named)


def _read_set(name: str, sets: Mapping, defaults: Settings, where: str) -> Settings:
    """Settings of one set, on top of the defaults or of the set that it is like."""
    changes = section(sets[name], f"{where}.{name}")
    model = changes.get("like", "")
    if model == "":
        return changed(defaults, changes, f"{where}.{name}")
    models = [key for key in sets if "like" not in section(sets[key], f"{where}.{key}")]
    if model not in models:
        raise ValueError(
            f"{where}.{name}.like is {model!r}; write the name of a set of this file "
            f"that is itself like no other: {', '.join(models) or 'there is none'}."
        )
    for key in ("scripts", "sources", "num_exchanges"):
        if key in changes:
            raise ValueError(
                f"{where}.{name} has {key} and is like {model}, whose conversations "
                "it has; leave out one of them."
            )
    base = changed(defaults, sets[model], f"{where}.{model}")
    return changed(
        replace(base, scripts=base.scripts or model), changes, f"{where}.{name}"
    )
