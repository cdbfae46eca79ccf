"""Sound files of any rate, as their owner has them: a folder or a wav.scp."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

from espnet2_duplex.data_folder import read_table

SUFFIXES = (".flac", ".ogg", ".wav")


def sound_paths(source: Path) -> dict[str, Path]:
    """Name -> path, sorted by name.

    Args:
        source: a folder, searched with all below it, or a wav.scp.
    Raises:
        ValueError: if there are none.
    """
    if not source.is_dir():
        return {name: Path(path) for name, path in read_table(source).items()}
    paths = {
        str(path.relative_to(source).with_suffix("")): path
        for path in sorted(source.rglob("*"))
        if path.suffix.lower() in SUFFIXES
    }
    if not paths:
        raise ValueError(f"{source} holds no {', '.join(SUFFIXES)} file; name another.")
    return paths


def read_mono(path: Path, sample_rate: int) -> np.ndarray:
    """First channel (N,) float32, at this rate.

    Raises:
        ValueError: if the file is missing, unreadable, empty or not finite.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist; correct the path or make the file.")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as problem:
        raise ValueError(
            f"{path} cannot be read as audio ({problem.error_string.rstrip('.')}); "
            "write it again as wav."
        ) from problem
    if len(samples) == 0 or not np.isfinite(samples).all():
        raise ValueError(
            f"{path} has no samples, or some that are not finite numbers; write it "
            "again from the original."
        )
    return soxr.resample(np.ascontiguousarray(samples[:, 0]), rate, sample_rate)
