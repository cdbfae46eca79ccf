"""The way of the user's voice to the system, in the order of the acoustics.

::

    user's voice -> its room --+--> microphone -> telephone -> network -> clipping
                               |    (level)       (band)       (packets)  (+-0.99)
    agent's voice              |
      -> loudspeaker, room ----+
         (echo)                |
    noise ---------------------+

So the room holds the voice but not the noise, whose distance to the speech is measured
after the room; the telephone codes speech, echo and noise together, as it would.
"""

from collections.abc import Callable

import numpy as np

from espnet2_duplex.simulation.user_channel.bank import Bank, RoomResponses
from espnet2_duplex.simulation.user_channel.echo import agent_echo
from espnet2_duplex.simulation.user_channel.level import clip, vary_level
from espnet2_duplex.simulation.user_channel.noise import draw_noise, speech_power
from espnet2_duplex.simulation.user_channel.packet_loss import vary_network
from espnet2_duplex.simulation.user_channel.rooms import in_room
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.simulation.user_channel.sounding import resample
from espnet2_duplex.simulation.user_channel.telephone import draw_law, over_telephone

EFFECTS = ("room", "echo", "noise", "level", "telephone", "packet_loss")


def generators_by_name(
    generator: np.random.Generator,
) -> Callable[[str], np.random.Generator]:
    """Independent generators that depend on their names and one draw only.

    So an effect's draws stay the same whatever else is on or off.
    """
    entropy = generator.integers(2**32, size=4).tolist()
    return lambda name: np.random.default_rng([*entropy, *name.encode()])


def draw_effects(
    settings: UserChannel, generator: np.random.Generator
) -> dict[str, np.random.Generator]:
    """The effects that one conversation has, each with the generator of its draws.

    With a room or an echo comes "place": the room that both of them share.
    """
    generator_of = generators_by_name(generator)
    drawn = {}
    for name in EFFECTS:
        share = getattr(settings, name).share
        if share > 0 and (draws := generator_of(name)).random() < share:
            drawn[name] = draws
    if "room" in drawn or "echo" in drawn:
        drawn["place"] = generator_of("place")
    return drawn


def apply_user_channel(
    user: np.ndarray,
    agent: np.ndarray,
    user_rate: int,
    agent_rate: int,
    settings: UserChannel,
    bank: Bank,
    generator: np.random.Generator,
    sounds: np.ndarray | None = None,
) -> np.ndarray:
    """What the system hears of a user.

    Args:
        user: (N,) float32, the user's voice in its turns; zero where it is silent.
        agent: (M,) float32, the agent's stream, of the same duration; not changed.
        user_rate: in Hz.
        agent_rate: in Hz.
        settings: effects and their shares.
        bank: rooms and recordings of noise.
        generator: of this conversation.
        sounds: (N,) float32, coughs and backchannels from the user's place; None for
            none. They are no part of the speech that noise is measured against.
    Returns:
        (N,) float32 within +-0.99; `user`, with its sounds, if no effect was drawn.
    Raises:
        ValueError: if an effect needs what the bank lacks.
    """
    bank.check(settings, user_rate)
    drawn = draw_effects(settings, generator)
    room = _room_of(drawn, bank)
    response = room.talker if "room" in drawn else None
    voice = _at_microphone(user, response)
    heard = voice if sounds is None else voice + _at_microphone(sounds, response)
    if not drawn or len(user) == 0:
        return heard
    if "echo" in drawn:
        played = resample(agent, agent_rate, user_rate, len(user))
        draws, response = drawn["echo"], room.loudspeaker
        echo = agent_echo(played, response, user_rate, settings.echo, draws)
        heard = np.add(heard, echo, out=echo)
    if "noise" in drawn:
        power = speech_power(voice, user)
        noise = draw_noise(len(user), power, settings.noise, bank, drawn["noise"])
        heard = np.add(heard, noise, out=noise)
    return _transmit(heard, settings, user_rate, drawn)


def _room_of(drawn: dict[str, np.random.Generator], bank: Bank) -> RoomResponses | None:
    """The room of a conversation; None if it has neither room nor echo."""
    if "place" not in drawn:
        return None
    return bank.rooms[drawn["place"].integers(len(bank.rooms))]


def _at_microphone(sound: np.ndarray, response: np.ndarray | None) -> np.ndarray:
    """A sound (N,) float32 from the user's place; a response of None is no room."""
    return sound if response is None or len(sound) == 0 else in_room(sound, response)


def _transmit(
    heard: np.ndarray,
    settings: UserChannel,
    sample_rate: int,
    drawn: dict[str, np.random.Generator],
) -> np.ndarray:
    """From the microphone to the system: (N,) float32 -> (N,) float32."""
    if "level" in drawn:
        heard = vary_level(heard, settings.level, sample_rate, drawn["level"])
    if "telephone" in drawn:
        law = draw_law(settings.telephone, drawn["telephone"])
        heard = over_telephone(heard, sample_rate, law)
    if "packet_loss" in drawn:
        heard = vary_network(
            heard, settings.packet_loss, sample_rate, drawn["packet_loss"]
        )
    return clip(heard)
