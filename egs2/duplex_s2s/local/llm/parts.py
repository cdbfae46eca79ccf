"""What has been written so far, chunk by chunk: a file for each, whole or absent.

Names depend on the place of a chunk only, so jobs that write the same one, such as those
of a killed run that live on beside the next one, leave the same file.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from espnet2_duplex.jsonl import read_jsonl, write_jsonl, write_text


@dataclass(frozen=True)
class Record:
    """What became of an item.

    Attributes:
        index: of the item, from 0.
        id: of its row.
        attempts: that it took.
        rejections: number of rejections by reason.
        row: of the output, None where all attempts were rejected.
        refusal: what was said of the last prompt that the model refused, if any.
    """

    index: int
    id: str
    attempts: int
    rejections: Mapping[str, int]
    row: dict | None
    refusal: str | None = None


class Parts:
    """The chunks of all jobs, in a folder beside the output.

    Args:
        out: the output.
    """

    def __init__(self, out: Path) -> None:
        self._folder = out.with_name(f"{out.stem}.parts")

    def check_settings(self, settings: Mapping) -> None:
        """Keep the settings that the texts depend on, or compare with the kept ones.

        Raises:
            ValueError: the parts are of a run with other settings.
        """
        path = self._folder / "settings.json"
        if not path.is_file():
            write_text(path, json.dumps(settings, indent=1, sort_keys=True) + "\n")
        found = json.loads(path.read_text("utf-8"))
        changed = [name for name, value in settings.items() if found.get(name) != value]
        if changed:
            raise ValueError(
                f"{self._folder} is of a run with other settings "
                f"({', '.join(changed)}); delete that folder to write all texts anew, "
                "or take those settings."
            )

    def write(self, chunk: range, records: Sequence[Record]) -> None:
        """Keep the records of a chunk, all at once."""
        write_jsonl(self._path(chunk), map(asdict, records))

    def is_written(self, chunk: range) -> bool:
        """Whether all records of a chunk are there, or those of a longer one.

        Where a larger number of texts fills up the last chunk, it is written anew: texts
        of a local model depend on the others of their batch, if only by rounding. Of an
        endpoint nothing is asked twice, its answers are kept.

        Raises:
            ValueError: the chunk's file is damaged.
        """
        path = self._path(chunk)
        return path.is_file() and len(read_jsonl(path)) >= len(chunk)

    def read(self) -> dict[int, Record]:
        """All records by index.

        Raises:
            ValueError: a file is damaged.
        """
        return {
            row["index"]: Record(**row)
            for path in sorted(self._folder.glob("chunk*.jsonl"))
            for row in read_jsonl(path)
        }

    def _path(self, chunk: range) -> Path:
        return self._folder / f"chunk{chunk.start:08d}.jsonl"
