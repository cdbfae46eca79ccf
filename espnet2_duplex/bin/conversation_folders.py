"""Which conversations of a set to work on, and the folders that decoding writes."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from espnet2_duplex.arks import read_scp
from espnet2_duplex.conversation import Turn
from espnet2_duplex.data_folder import read_keys


def select_wavs(scp: str, key_file: str | None) -> dict[str, str]:
    """Wav paths by id.

    Args:
        scp: Lines of `id path`.
        key_file: The ids to keep, the first word of every line as in ESPnet.

    Raises:
        ValueError: If there are none, or an id of `key_file` is not in `scp` or twice.
    """
    wavs = read_scp(scp)
    if key_file is not None:
        keys = read_keys(key_file)
        missing = [key for key in keys if key not in wavs]
        if missing:
            raise ValueError(
                f"{missing[0]} of {key_file} is not in {scp}; make both from one set"
            )
        wavs = {key: wavs[key] for key in keys}
    if not wavs:
        raise ValueError(f"{scp} is empty; run stage 3 again")
    return wavs


def not_decoded(wavs: dict[str, str], output_dir: str) -> list[tuple[str, str]]:
    """(id, path) of the conversations that have no folder yet."""
    done = {path.parent.name for path in Path(output_dir).glob("*/output.json")}
    return [(key, path) for key, path in wavs.items() if key not in done]


def write_folder(
    folder: Path,
    user: np.ndarray,
    agent: np.ndarray,
    sample_rate: int,
    turns: Sequence[Turn],
    latency_seconds: float,
) -> None:
    """Write a decoded conversation at once (DESIGN, "Decoding output").

    Args:
        folder: Gets input.wav, output.wav and output.json.
        user: (S,) float.
        agent: (S',) float at the same rate; cut or filled with silence to S.
        sample_rate: Of both, in Hz.
        turns: The agent's.
        latency_seconds: Declared by the model.
    """
    agent = np.pad(agent, (0, max(0, len(user) - len(agent))))[: len(user)]
    temporary = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    soundfile.write(temporary / "input.wav", user, sample_rate)
    soundfile.write(temporary / "output.wav", agent.clip(-1, 1), sample_rate)
    description = {
        "turns": [turn.to_dict() for turn in turns],
        "latency": latency_seconds,
    }
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (temporary / "output.json").write_text(text + "\n", encoding="utf-8")
    os.replace(temporary, folder)
