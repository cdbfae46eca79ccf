"""Kaldi archives: the one place that reads and writes them.

An archive (``.ark``) holds arrays one after the other, each after its key; its index
(``.scp``) has one line ``key path:offset`` for each. kaldiio does the coding; where it
is not installed (its licence allows evaluation only) ``omniio.kaldi``, which writes the
same bytes and comes with ESPnet, does it.
"""

import os
import re
import struct
from pathlib import Path

import numpy as np

try:
    import kaldiio as kaldi
except ImportError:
    from omniio import kaldi

_SPEC = re.compile(r"(?P<path>.+):(?P<offset>\d+)")
_BINARY_MARK = b"\0B"  # begins every array that we write
_HEADER_BYTES = 10  # of a vector: mark, type, and length after a byte of its size
_FLOAT_VECTORS = (b"FV", b"DV")
_INT32 = np.iinfo(np.int32)
# What the two libraries raise where bytes are missing or make no sense. EOFError and
# struct.error: short reads; RuntimeError: omniio's ReadError; the rest: bad headers.
_DECODE_ERRORS = (
    AssertionError,
    EOFError,
    MemoryError,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
)


class ArkWriter:
    """Writes ``{prefix}.ark`` and ``{prefix}.scp``, both or neither.

    They are written under temporary names and get their own when the ``with`` block
    ends without an exception; otherwise what was there before stays as it was.

    Args:
        prefix: path of the two files without the suffix; the index names the archive
            by this path as it is given (relative stays relative).

    Example::

        with ArkWriter("dump/agent_codes") as writer:
            writer.write("id1", codes.reshape(-1))
    """

    def __init__(self, prefix: str | os.PathLike) -> None:
        self._ark = f"{os.fspath(prefix)}.ark"
        self._scp = f"{os.fspath(prefix)}.scp"
        self._offsets: dict[str, int] = {}
        self._file = None

    def __enter__(self) -> "ArkWriter":
        Path(self._ark).parent.mkdir(parents=True, exist_ok=True)
        self._file = open(_temporary(self._ark), "wb")
        return self

    def write(self, key: str, array: np.ndarray) -> None:
        """Append one array.

        Args:
            key: utterance id; not empty, no white space, not yet in this archive.
            array: integers (N,) that fit 32 bits, or floats (N,) or (N, M).

        Raises:
            ValueError: the key or the array is not of that kind.
        """
        if key in self._offsets or not key or key.split() != [key]:
            raise ValueError(
                f"the key {key!r} cannot be added to {self._ark}; keys must differ, "
                "and must not be empty or contain white space"
            )
        array = _storable(key, array)
        self._offsets[key] = self._file.tell() + len(f"{key} ".encode())
        kaldi.save_ark(self._file, {key: array})

    def __exit__(self, exc_type, exc_value, traceback) -> None:
        self._file.close()
        if exc_type is not None:
            os.remove(_temporary(self._ark))
            return
        with open(_temporary(self._scp), "w", encoding="utf-8") as scp:
            for key, offset in self._offsets.items():
                scp.write(f"{key} {self._ark}:{offset}\n")
        # An old index must never point into the new archive, so it goes first: whoever
        # is interrupted here leaves an archive without an index, which is written anew.
        Path(self._scp).unlink(missing_ok=True)
        os.replace(_temporary(self._ark), self._ark)
        os.replace(_temporary(self._scp), self._scp)


def read_ark(spec: str, key: str = "") -> np.ndarray:
    """Read one array of an archive.

    Args:
        spec: ``path:offset``, as in an index.
        key: utterance id, for messages only.

    Returns:
        The array, in the type and shape in which it was written.

    Raises:
        ValueError: the text is not of that form, or the archive is truncated or
            holds no array at the offset.
        FileNotFoundError: there is no such archive.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(
            f"{_name(key)}{spec!r} is no place in an archive; expected path:offset"
        )
    path, offset = match["path"], int(match["offset"])
    with open(path, "rb") as file:
        file.seek(offset)
        header = file.read(_HEADER_BYTES)
    array = None
    # The libraries would run commands and unpickle objects; arrays alone may pass.
    if header.startswith(_BINARY_MARK):
        try:
            array = kaldi.load_mat(f"{path}:{offset}")
        except _DECODE_ERRORS:
            array = None
    if not isinstance(array, np.ndarray) or _is_short_vector(array, header):
        raise ValueError(
            f"{_name(key)}the archive {path} is truncated or corrupt at byte "
            f"{offset}; run the stage that wrote it again"
        )
    return array


def read_scp(path: str | os.PathLike) -> dict[str, str]:
    """Read an index, or any file of lines ``key value``.

    Args:
        path: the file.

    Returns:
        The value of each key, in the order of the file.

    Raises:
        ValueError: a line has no value, or a key stands twice.
    """
    values: dict[str, str] = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            fields = line.split(maxsplit=1)
            if len(fields) < 2 or fields[0] in values:
                raise ValueError(
                    f"line {number} of {path} is {line.strip()!r}; expected a key "
                    "that stands nowhere else in the file, and its value"
                )
            values[fields[0]] = fields[1].strip()
    return values


def _storable(key: str, array: np.ndarray) -> np.ndarray:
    """The array in a type that archives can hold."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.dtype.itemsize >= 4 and array.ndim in (1, 2):
        return array
    if array.dtype.kind in "iu" and array.ndim == 1:
        if not array.size or (_INT32.min <= array.min() and array.max() <= _INT32.max):
            return array.astype(np.int32)
    raise ValueError(
        f"{_name(key)}an archive cannot hold {array.dtype} of shape {array.shape} "
        "with these values; give 32-bit integers (N,), or floats (N,) or (N, M)"
    )


def _is_short_vector(array: np.ndarray, header: bytes) -> bool:
    """Whether the file ended within a vector of floats.

    kaldiio returns those that are left without a word.
    """
    if header[2:4] not in _FLOAT_VECTORS:
        return False
    (num_declared,) = struct.unpack("<i", header[6:10])
    return len(array) != num_declared


def check_archive_ends(scp: str | os.PathLike) -> None:
    """Find truncated archives: read the last entry of each, which a cut would hit.

    Args:
        scp: index with lines of ``id archive:offset``.

    Raises:
        ValueError: an entry cannot be read; the message names it.
    """
    last = {}  # archive -> (offset, key, spec)
    for key, spec in read_scp(scp).items():
        archive, _, offset = spec.rpartition(":")
        entry = (int(offset) if offset.isdigit() else 0, key, spec)
        last[archive] = max(last.get(archive, entry), entry)
    for _, key, spec in last.values():
        read_ark(spec, key)


def _temporary(path: str) -> str:
    """Name under which a file is written before it is complete."""
    return f"{path}.tmp"


def _name(key: str) -> str:
    """Beginning of a message about one utterance."""
    return f"{key}: " if key else ""
