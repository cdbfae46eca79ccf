"""Rooms and recorded noises that the user's channel draws from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import read_jsonl
from espnet2_duplex.simulation.user_channel.rooms import from_direct_sound
from espnet2_duplex.simulation.user_channel.settings import UserChannel
from espnet2_duplex.sound_files import read_header, read_mono

ROOMS_FILE = "rooms.jsonl"


@dataclass(frozen=True, eq=False)
class RoomResponses:
    """Impulse responses to the microphone in one room, from the direct sound on.

    Attributes:
        talker: (R,) float32, of the user; its first sample is 1.
        loudspeaker: (S,) float32, of the device's loudspeaker.
    """

    talker: np.ndarray
    loudspeaker: np.ndarray


@dataclass(frozen=True, eq=False)
class Bank:
    """What effects need; an empty one is enough where these are off.

    Attributes:
        sample_rate: of everything in it, in Hz.
        rooms: impulse responses.
        noises: paths of mono recordings; they are read when they are drawn.
    """

    sample_rate: int = 16000
    rooms: tuple[RoomResponses, ...] = ()
    noises: tuple[str, ...] = ()

    @staticmethod
    def load(
        folder: Path | None = None,
        noises: Path | None = None,
        sample_rate: int = 16000,
    ) -> "Bank":
        """Read a bank.

        Args:
            folder: of rooms, as `make_rooms.py` writes it; None for none.
            noises: a wav.scp of recordings of noise without speech; None for none.
            sample_rate: that all must have, in Hz.
        Raises:
            ValueError: a file is missing, unreadable or of another rate.
        """
        rooms = ()
        if folder is not None:
            rows = read_jsonl(Path(folder) / ROOMS_FILE)
            rooms = tuple(_load_room(row, Path(folder), sample_rate) for row in rows)
        recordings = ()
        if noises is not None:
            recordings = tuple(read_table(noises).values())
        for path in recordings:
            _check_recording(path, sample_rate)
        return Bank(sample_rate, rooms, recordings)

    def check(self, settings: UserChannel, user_rate: int) -> None:
        """The bank has what the settings need.

        Raises:
            ValueError: if not; says what is missing and how to get it.
        """
        for name in ("room", "echo"):
            if getattr(settings, name).share > 0 and not self.rooms:
                raise ValueError(
                    f"The share of {name} is above 0, but the bank has no rooms; make "
                    "some with local/make_rooms.py, or set the share to 0."
                )
        noise = settings.noise
        if noise.share > 0 and noise.recordings_share > 0 and not self.noises:
            raise ValueError(
                "recordings_share of noise is above 0, but the bank has no recordings; "
                "name a wav.scp of noises, or set the share to 0."
            )
        if (self.rooms or self.noises) and self.sample_rate != user_rate:
            raise ValueError(
                f"The bank has {self.sample_rate} Hz and the user's stream {user_rate} "
                "Hz; make a bank of that rate."
            )


def _load_room(row: Mapping[str, str], folder: Path, sample_rate: int) -> RoomResponses:
    responses = []
    for place in ("talker", "loudspeaker"):
        if place not in row:
            raise ValueError(
                f"{folder / ROOMS_FILE}: a room has no {place}; make the rooms again "
                "with local/make_rooms.py."
            )
        path = folder / row[place]
        _check_recording(path, sample_rate)
        response = read_mono(path, sample_rate)
        responses.append(from_direct_sound(response, str(path)))
    return RoomResponses(*responses)


def _check_recording(path: str | Path, sample_rate: int) -> None:
    """It is a mono sound file of this rate; only its header is read."""
    header = read_header(path)
    found = (header.sample_rate, header.num_channels)
    if found != (sample_rate, 1) or header.num_samples == 0:
        raise ValueError(
            f"{path} has {header.sample_rate} Hz, {header.num_channels} channels and "
            f"{header.num_samples} samples; expected sound at {sample_rate} Hz, mono."
        )
