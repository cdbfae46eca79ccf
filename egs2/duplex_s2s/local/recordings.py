"""Sound files of any rate, as their owner has them: a folder or a wav.scp."""

from pathlib import Path

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
