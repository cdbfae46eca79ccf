"""What the banks of the user's channel hold: sections `rooms` and `sounds` of a corpus.

Rooms and devices of a home or an office are not in the paper; the ranges are ours.
"""

from dataclasses import dataclass, fields
from pathlib import Path

from corpus_settings import read_sections

from espnet2_duplex.simulation.yaml_fields import Range, changed


@dataclass(frozen=True)
class RoomBank:
    """Simulated rooms. Every range is drawn from uniformly, for each room anew.

    Attributes:
        num_rooms: how many; a conversation has one of them.
        rt60_seconds: until a sound has fallen by 60 dB.
        length_metres: of the room; likewise width and height.
        width_metres: see there.
        height_metres: see there.
        talker_metres: from the microphone.
        loudspeaker_metres: from the microphone, as of a laptop or a speaker phone.
        wall_metres: least distance of everything from the walls.

    Raises:
        ValueError: there would be no room, or nothing would have room in it.
    """

    num_rooms: int = 64
    rt60_seconds: Range = (0.1, 0.8)
    length_metres: Range = (2.5, 8.0)
    width_metres: Range = (2.0, 6.0)
    height_metres: Range = (2.3, 3.5)
    talker_metres: Range = (0.3, 2.0)
    loudspeaker_metres: Range = (0.1, 1.0)
    wall_metres: float = 0.4

    def __post_init__(self) -> None:
        _check_count("num_rooms", self.num_rooms)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple) and not value[0] > 0:
                raise ValueError(f"{item.name} is {list(value)!r}; begin above 0")
        for name, (lowest, _) in zip(("length", "width", "height"), self.sizes_metres):
            if not lowest > 2 * self.wall_metres:
                raise ValueError(
                    f"{name}_metres begins at {lowest:g}, where nothing is wall_metres "
                    f"({self.wall_metres:g}) off both walls; begin above twice that"
                )

    @property
    def sizes_metres(self) -> tuple[Range, Range, Range]:
        """Length, width and height."""
        return self.length_metres, self.width_metres, self.height_metres


@dataclass(frozen=True)
class SoundBank:
    """Synthetic coughs, knocks and the like.

    Attributes:
        num_each: sounds of each kind.

    Raises:
        ValueError: there would be none.
    """

    num_each: int = 40

    def __post_init__(self) -> None:
        _check_count("num_each", self.num_each)


def _check_count(name: str, count: int) -> None:
    if count < 1:
        raise ValueError(f"{name} is {count}; expected at least 1")


def read_bank[T: (RoomBank, SoundBank)](
    defaults: T, name: str, config: Path | None, num: int | None = None
) -> T:
    """Settings of a bank.

    Args:
        defaults: where the YAML says nothing.
        name: of the section, "rooms" or "sounds".
        config: corpus YAML; None for the defaults.
        num: how many instead of the number that is set there.

    Raises:
        ValueError: the YAML or a value in it is wrong; names it.
    """
    settings = defaults
    if config is not None:
        section = read_sections(config).get(name)
        settings = changed(settings, section, f"{config}: {name}")
    if num is None:
        return settings
    count = fields(settings)[0].name
    return changed(settings, {count: num}, "the options")
