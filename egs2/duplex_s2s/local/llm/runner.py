"""Many texts at once: batches, new attempts, parallel jobs, taking up again.

Texts are written in chunks of neighbouring indices that do not depend on the number of
jobs. A chunk is written together (so a model sees the same batches however the jobs are
split), then its records are kept in a file of their own (`parts.py`). What a killed run
left is passed over.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm.parts import Parts, Record
from llm.writing import Rejected, Writing
from progress import progress_bar

from espnet2_duplex.chat.asking import complete_each
from espnet2_duplex.chat.backend import Backend, Prompt, Refused
from espnet2_duplex.jsonl import write_jsonl

REFUSED = "refused by the model"


@dataclass(frozen=True)
class Item:
    """One text to write.

    Attributes:
        id: of its row.
        begin: starts attempt number n, given a counter for the rejections.
        row: the row of the output from the written lines.
    """

    id: str
    begin: Callable[[int, Counter], Writing]
    row: Callable[[list[str]], dict]


@dataclass(frozen=True)
class Job:
    """Which share of the chunks this process writes; numbers from 1."""

    number: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.count:
            raise ValueError(
                f"--job is {self.number} of --num_jobs {self.count}; jobs are numbered "
                f"from 1 to {self.count}."
            )

    def chunks(self, num_items: int, chunk_size: int) -> list[range]:
        """Indices of the items, chunk by chunk; jobs take turns."""
        starts = range(0, num_items, chunk_size)
        mine = starts[self.number - 1 :: self.count]
        return [range(n, min(n + chunk_size, num_items)) for n in mine]


class _Attempts:
    """An item's way through its attempts; holds the prompt that waits for a text."""

    def __init__(self, index: int, item: Item, max_attempts: int) -> None:
        self.index = index
        self.prompt: Prompt | None = None
        self.lines: list[str] | None = None
        self._item = item
        self._max_attempts = max_attempts
        self._attempts = 0
        self._rejections: Counter = Counter()
        self._refusal: str | None = None
        self._begin()

    def send(self, reply: str | Refused) -> None:
        """Go on with the text for `prompt`; `prompt` is None when all is over.

        Where the prompt is refused, the next attempt has another seed, and perhaps
        other lines before the one that was refused.
        """
        if isinstance(reply, Refused):
            self._rejections[REFUSED] += 1
            self._refusal = str(reply)
            self._begin()
            return
        try:
            self.prompt = self._writing.send(reply)
        except StopIteration as end:
            self.lines, self.prompt = end.value, None
        except Rejected:
            self._begin()

    def record(self) -> Record:
        row = None if self.lines is None else self._item.row(self.lines)
        rejections = dict(sorted(self._rejections.items()))
        return Record(
            self.index, self._item.id, self._attempts, rejections, row, self._refusal
        )

    def _begin(self) -> None:
        if self._attempts == self._max_attempts:
            self.prompt = None
            return
        self._writing = self._item.begin(self._attempts, self._rejections)
        self._attempts += 1
        self.prompt = next(self._writing)


def write_chunk(
    items: Mapping[int, Item],
    backend: Backend,
    max_attempts: int,
    on_end: Callable[[], object] = lambda: None,
) -> list[Record]:
    """Write items together: each round puts one prompt of every unfinished one.

    Args:
        items: index -> item.
        max_attempts: of each item.
        on_end: called when an item comes to its end.
    Raises:
        Unavailable: the model cannot be asked.
    """
    everyone = [_Attempts(n, item, max_attempts) for n, item in items.items()]
    waiting = everyone
    while waiting:
        replies = complete_each(backend, [attempts.prompt for attempts in waiting])
        for attempts, reply in zip(waiting, replies, strict=True):
            attempts.send(reply)
            if attempts.prompt is None:
                on_end()
        waiting = [attempts for attempts in waiting if attempts.prompt is not None]
    return [attempts.record() for attempts in everyone]


def run(
    items: Sequence[Item],
    backend: Backend,
    parts: Parts,
    job: Job,
    chunk_size: int,
    max_attempts: int,
) -> None:
    """Write this job's share of the items, with a progress bar.

    Raises:
        Unavailable: the model cannot be asked; finished chunks are kept.
        ValueError: a file of an earlier run is damaged.
    """
    chunks = job.chunks(len(items), chunk_size)
    missing = [chunk for chunk in chunks if not parts.is_written(chunk)]
    total = sum(map(len, chunks))
    num_done = total - sum(map(len, missing))
    with progress_bar("writing", total, num_done) as bar:
        for chunk in missing:
            share = {index: items[index] for index in chunk}
            parts.write(chunk, write_chunk(share, backend, max_attempts, bar.update))


def merge(parts: Parts, num_items: int, out: Path) -> None:
    """Write the rows of the first `num_items` texts in order; say what was rejected.

    Raises:
        ValueError: a job has not finished, or not one text passed the filters.
    """
    records = parts.read()
    in_order = [records[index] for index in range(num_items) if index in records]
    if len(in_order) < num_items:
        raise ValueError(
            f"{len(in_order)} of {num_items} texts of {out} are written; run the jobs "
            "again, what is there is kept."
        )
    print("\n".join(report_lines(in_order)), flush=True)
    rows = [record.row for record in in_order if record.row is not None]
    if not rows:
        raise ValueError(
            f"None of {num_items} texts passed the filters (see above); take a larger "
            "model or raise --max_attempts."
        )
    write_jsonl(out, rows)


def report_lines(records: Sequence[Record]) -> Iterator[str]:
    """What was accepted, what was rejected by which filter, and which items failed."""
    accepted = sum(record.row is not None for record in records)
    attempts = sum(record.attempts for record in records)
    yield (
        f"accepted: {accepted} of {len(records)} texts in {attempts} attempts "
        f"({accepted / max(attempts, 1):.0%} of the attempts)"
    )
    rejections: Counter = Counter()
    for record in records:
        rejections.update(record.rejections)
    for name, count in rejections.most_common():
        yield f"rejected, {name}: {count}"
    for record in records:
        if record.row is None:
            reasons = ", ".join(f"{k} {n}" for k, n in record.rejections.items())
            said = f"; {record.refusal}" if record.refusal else ""
            yield (
                f"failed: {record.id} after {record.attempts} attempts ({reasons}){said}"
            )
