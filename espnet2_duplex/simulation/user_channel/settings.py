"""How the user's stream is disturbed, how much and how often.

Each effect has a `share`: the probability that a conversation has it, 0 by default, as
the paper has none. Every range is drawn from uniformly, once for each conversation.
"""

from dataclasses import dataclass, fields

from espnet2_duplex.simulation.yaml_fields import Range

TELEPHONE_LAWS = ("mu", "a", "both")


def _check_ranges(settings: object, **bounds: Range) -> None:
    """Each share is a probability and each named range lies within its bounds."""
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.name.endswith("share") and not 0 <= value <= 1:
            raise ValueError(f"{item.name} is {value!r}; a share is from 0 to 1")
    for name, (lowest, highest) in bounds.items():
        low, high = getattr(settings, name)
        if not lowest <= low <= high <= highest:
            raise ValueError(
                f"{name} is [{low:g}, {high:g}]; expected [low, high] between "
                f"{lowest:g} and {highest:g}"
            )


@dataclass(frozen=True)
class Room:
    """The user speaks in a room of the bank, some way off the microphone.

    Attributes:
        share: of the conversations.

    Raises:
        ValueError: a share or a range is out of its bounds; so do all classes here.
    """

    share: float = 0.0

    def __post_init__(self) -> None:
        _check_ranges(self)


@dataclass(frozen=True)
class Echo:
    """The microphone picks up the agent's voice from the user's loudspeaker.

    Attributes:
        share: of the conversations.
        delay_range_seconds: from the agent's stream to its echo in the user's: both
            ways through network and device.
        gain_range_db: energy of the echo against that of the agent's stream, the echo
            return; a headset or a good echo canceller is at -50, a laptop without one
            at -10.
        distortion_share: of the echoes that come from an overdriven loudspeaker.
        drive_range: of ``tanh(drive * x)``, where 1 is the agent's peak.
    """

    share: float = 0.0
    delay_range_seconds: Range = (0.05, 0.5)
    gain_range_db: Range = (-45.0, -10.0)
    distortion_share: float = 0.3
    drive_range: Range = (1.0, 4.0)

    def __post_init__(self) -> None:
        _check_ranges(
            self,
            delay_range_seconds=(0, 5),
            gain_range_db=(-120, 20),
            drive_range=(0.01, 100),
        )


@dataclass(frozen=True)
class Noise:
    """Noise all along the conversation.

    Attributes:
        share: of the conversations.
        snr_range_db: energy of the user's speech per sample in which it speaks, against
            that of the noise per sample.
        colour_range: pole of the noise's filter, from 0 (white) towards 1 (brown).
        recordings_share: of the noises that are a recording of the bank instead.
    """

    share: float = 0.0
    snr_range_db: Range = (5.0, 40.0)
    colour_range: Range = (0.0, 0.95)
    recordings_share: float = 0.0

    def __post_init__(self) -> None:
        _check_ranges(self, snr_range_db=(-40, 120), colour_range=(0, 0.999))


@dataclass(frozen=True)
class Level:
    """The microphone's gain and the user's distance.

    Attributes:
        share: of the conversations.
        gain_range_db: of all that the microphone hears; less where it would clip.
        wander_range_db: how far the level strays from there and back, up or down.
        wander_seconds: between two turning points.
    """

    share: float = 0.0
    gain_range_db: Range = (-18.0, 6.0)
    wander_range_db: Range = (0.0, 3.0)
    wander_seconds: float = 4.0

    def __post_init__(self) -> None:
        _check_ranges(self, gain_range_db=(-80, 40), wander_range_db=(0, 40))
        if not self.wander_seconds >= 0.1:
            raise ValueError(
                f"wander_seconds is {self.wander_seconds}; expected at least 0.1"
            )


@dataclass(frozen=True)
class Telephone:
    """300-3400 Hz at 8 kHz, coded as G.711 says.

    Attributes:
        share: of the conversations.
        law: "mu" (America, Japan), "a" (elsewhere) or "both", each as often.
    """

    share: float = 0.0
    law: str = "both"

    def __post_init__(self) -> None:
        _check_ranges(self)
        if self.law not in TELEPHONE_LAWS:
            raise ValueError(
                f"law is {self.law!r}; expected one of {', '.join(TELEPHONE_LAWS)}"
            )


@dataclass(frozen=True)
class PacketLoss:
    """Packets of 20 ms are lost in bursts (Gilbert's model).

    Attributes:
        share: of the conversations.
        loss_rate_range: lost packets of all.
        burst_packets_range: mean length of a run of lost packets.
        concealment_share: of these conversations in which the last packet that came is
            repeated and faded out; in the others a lost packet is silence.
    """

    share: float = 0.0
    loss_rate_range: Range = (0.01, 0.1)
    burst_packets_range: Range = (1.0, 4.0)
    concealment_share: float = 0.5

    def __post_init__(self) -> None:
        _check_ranges(self, loss_rate_range=(0, 0.5), burst_packets_range=(1, 100))


@dataclass(frozen=True)
class UserChannel:
    """All effects, in the order in which they act; by default nothing changes."""

    room: Room = Room()
    echo: Echo = Echo()
    noise: Noise = Noise()
    level: Level = Level()
    telephone: Telephone = Telephone()
    packet_loss: PacketLoss = PacketLoss()
