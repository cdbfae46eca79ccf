"""What is drawn for a set of conversations, and how often: the `simulation` of a YAML.

Every default is the paper's, or, where the paper is silent, stands there with a reason.
What the paper has not (pauses within turns, backchannels, noises, all of the user's
channel) is off by default.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any, get_type_hints

from espnet2_duplex.simulation.timeline import CUT_SECONDS, GAP_SECONDS
from espnet2_duplex.simulation.user_channel.settings import UserChannel

Range = tuple[float, float]  # drawn uniformly between the two


@dataclass(frozen=True)
class TurnTaking:
    """Silences around turns, in seconds.

    Attributes:
        lead_seconds: before the first turn. Not in the paper; a model must learn to
            wait, too.
        gap_seconds: between a user turn and its answer (Sec. 4.1).
        pause_seconds: between an answer and the next user turn. Not in the paper.
        tail_seconds: after the last turn. Not in the paper; without it the last EOS
            would fall off the end.
        on_frames: whether agent turns begin on frames, as they must at inference (user
            turns move by up to half a frame, the gap stays exact).
        max_turn_seconds: conversations with a longer turn are left out (Sec. 4.2).
        impatient: whether the silence between each user turn and the next is halved
            (Sec. 5.2).
    """

    lead_seconds: Range = (0.3, 1.5)
    gap_seconds: float = GAP_SECONDS
    pause_seconds: Range = (0.5, 2.0)
    tail_seconds: Range = (0.6, 1.6)
    on_frames: bool = True
    max_turn_seconds: float = 25.0
    impatient: bool = False


@dataclass(frozen=True)
class BargeIn:
    """The user interrupts the agent (Sec. 4.2).

    Attributes:
        share: of the user turns that follow an answer. The paper has no figure.
        cut_seconds: what the agent still says after the user's onset.
        heard_seconds: of the answer are heard before the onset in any case.
        unheard_seconds: a later onset would interrupt nothing.
    """

    share: float = 0.5
    cut_seconds: float = CUT_SECONDS
    heard_seconds: float = 0.3
    unheard_seconds: float = 0.2


@dataclass(frozen=True)
class UserPauses:
    """Silences within user turns, in which the agent must not jump in.

    Attributes:
        share: of the user turns get one where they are quietest; 0 in the paper.
        seconds: its length: below and above the gap, so that silence alone tells
            nothing.
        joint_seconds: between the parts of one turn, such as the recording and the
            question of ASR-QA (Sec. 4.1, where the paper has no figure).
    """

    share: float = 0.0
    seconds: Range = (0.3, 1.2)
    joint_seconds: Range = (0.2, 0.6)


@dataclass(frozen=True)
class Backchannels:
    """The user's "uh-huh" over the agent, who goes on; not in the paper.

    Attributes:
        share: of the agent turns that last long enough.
        min_turn_seconds: of such a turn.
        margin_seconds: between a backchannel and any turn's start or end.
        gain_range_db: against the user's turns.
    """

    share: float = 0.0
    min_turn_seconds: float = 3.0
    margin_seconds: float = 0.6
    gain_range_db: Range = (-9.0, -1.0)


@dataclass(frozen=True)
class Noises:
    """Coughs, knocks and the like from the user's side; not in the paper.

    Attributes:
        per_minute: how many, on average, over the time in which the user is silent.
        margin_seconds: between a noise and the user's speech.
        gain_range_db: against the sound as it is in its file.
    """

    per_minute: float = 0.0
    margin_seconds: float = 0.2
    gain_range_db: Range = (-12.0, 0.0)


@dataclass(frozen=True)
class Settings:
    """All that is drawn for one set.

    Attributes:
        scripts: set of the conversations in conversations.jsonl that it is made from;
            empty for the set's own name.
        num_conversations: how many; None for each script once. More than there are
            scripts is fine: each time everything is drawn anew.
        num_exchanges: how many single exchanges of one source and one voice are joined
            into one conversation, with shares (Sec. 4.2 joins two; it has no share).
        audio_format: "wav" or "flac".
    """

    scripts: str = ""
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
        shares = self.num_exchanges
        if abs(sum(shares.values()) - 1) > 1e-6 or any(n < 1 for n in shares):
            raise ValueError(
                f"num_exchanges is {dict(shares)}; give shares of 1, 2, ... exchanges "
                "that sum to 1"
            )
        if self.audio_format not in ("wav", "flac"):
            raise ValueError(
                f"audio_format is {self.audio_format!r}; write wav or flac"
            )


def changed(settings: Any, changes: Mapping, where: str) -> Any:
    """A frozen dataclass with some fields changed, as a YAML gives them.

    Args:
        settings: an instance; sections are dataclasses within it.
        changes: field -> value; of a section, a mapping of its own fields.
        where: what to call it in an error.

    Raises:
        ValueError: an unknown field, or a value of another kind or out of bounds.
    """
    if not isinstance(changes, Mapping):
        raise ValueError(f"{where} is {changes!r}; expected names with values.")
    names = [item.name for item in fields(settings)]
    odd = sorted(map(str, set(changes) - set(names)))
    if odd:
        raise ValueError(
            f"{where} has the unknown name {odd[0]}; known are {', '.join(names)}."
        )
    kinds = get_type_hints(type(settings))
    values = {}
    for name, value in changes.items():
        old, place = getattr(settings, name), f"{where}.{name}"
        if is_dataclass(old):
            values[name] = changed(old, value, place)
        else:
            values[name] = _checked(value, kinds[name], place)
    try:
        return replace(settings, **values)
    except ValueError as problem:
        raise ValueError(f"{where}: {problem}.") from problem


def _checked(value: Any, kind: Any, where: str) -> Any:
    """A value of a YAML as the dataclass wants it."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == Range:
        pair = isinstance(value, (list, tuple)) and len(value) == 2
        if not pair or not value[0] <= value[1]:
            raise ValueError(f"{where} is {value!r}; write a range, [low, high].")
        return tuple(map(float, value))
    if kind is float:
        if not number:
            raise ValueError(f"{where} is {value!r}; write a number.")
        if where.endswith("share") and not 0 <= value <= 1:
            raise ValueError(f"{where} is {value!r}; a share is from 0 to 1.")
        return float(value)
    if kind is bool and not isinstance(value, bool):
        raise ValueError(f"{where} is {value!r}; write true or false.")
    if kind is str and not isinstance(value, str):
        raise ValueError(f"{where} is {value!r}; write a text.")
    return value


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


def read_sets(simulation: Mapping, where: str) -> SetSettings:
    """Settings of every set: those under `sets`, on top of `defaults`.

    Args:
        simulation: the `simulation` section of a corpus YAML.
        where: the file, for errors.

    Raises:
        ValueError: an unknown section or field, or a wrong value.
    """
    odd = sorted(set(simulation) - {"defaults", "sets"})
    if odd:
        raise ValueError(
            f"{where}: simulation has {odd[0]!r}; expected defaults and sets."
        )
    base = changed(Settings(), simulation.get("defaults") or {}, f"{where}: defaults")
    named = {
        name: changed(base, changes or {}, f"{where}: sets.{name}")
        for name, changes in (simulation.get("sets") or {}).items()
    }
    return SetSettings(base, named)
