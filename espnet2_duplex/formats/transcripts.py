"""Transcripts of calls that were listened to, kept to be corrected by hand.

Beside the labels they hold how the call was heard and a digest of what was written, so
that a run that listens otherwise listens again, and no correction is lost by that.
"""

import hashlib
import json
import os
from pathlib import Path

from espnet2_duplex.formats.files import read_json, write_json

HEARD, WRITTEN = "heard", "written"


def kept_path(folder: Path, call: Path, root: Path) -> Path:
    """Where the transcript of a call is kept.

    Args:
        folder: of transcripts.
        call: sound file.
        root: folder that the calls come from; the transcript has the path of the call
            below it, or all of its path if it lies elsewhere.
    """
    call, root = Path(os.path.abspath(call)), Path(os.path.abspath(root))
    base = root if call.is_relative_to(root) else Path(call.anchor)
    return folder / call.relative_to(base).with_suffix(".json")


def keep(path: Path, labels: dict, heard: dict) -> None:
    """Write a transcript.

    Args:
        path: see :func:`kept_path`.
        labels: those of :meth:`DuplexRecording.labels`.
        heard: channels and options, in JSON's types.
    """
    write_json(path, {HEARD: heard, WRITTEN: _digest(labels), **labels})


def read_kept(path: Path, heard: dict) -> dict | None:
    """The labels, or None if the call must be listened to.

    One without our keys is of somebody else and taken as it is.

    Args:
        path: see :func:`kept_path`.
        heard: as for :func:`keep`.

    Raises:
        ValueError: it was heard otherwise and corrected after that.
    """
    if not path.is_file():
        return None
    labels = dict(read_json(path, dict))
    then, written = labels.pop(HEARD, heard), labels.pop(WRITTEN, None)
    if then == heard:
        return labels
    if _digest(labels) == written:
        return None
    then = then if isinstance(then, dict) else {}
    name = next(name for name in heard if then.get(name) != heard[name])
    raise ValueError(
        f"{path} was corrected by hand and comes from listening with {name} "
        f"{then.get(name)!r}, which is {heard[name]!r} now; listen as before or remove "
        "the file."
    )


def _digest(labels: dict) -> str:
    text = json.dumps(labels, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
