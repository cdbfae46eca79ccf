"""Sets of rows: no text and no group of a held-out set is in training.

Labels of a row are the texts of its user and its group. Rows that share a label, or are
joined by others that do, are one cluster, which is split as one: by the SHA-1 of the id
of its first row, with the shares of that row's entry. Sets by name stand, but for
training rows that share a label with a held-out row of another entry: they are left out.
Rows without a set in a cluster with named ones go to train or are left out.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from conversation_format import split_sets
from sources.rows import GROUP

TRAIN = "train"
REPEATED = "the same user texts or recording are in a held-out set"


@dataclass(frozen=True)
class Drafted:
    """A row that may still lack its set.

    Attributes:
        row: of the format, perhaps with its `GROUP`.
        held_out: shares of the sets beside train, of its entry.
        entry: names the entry of the corpus YAML.
    """

    row: dict
    held_out: Mapping[str, float]
    entry: str

    @property
    def set(self) -> str:
        """The set that it has by name, or ""."""
        return self.row.get("set") or ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The words of the user's turns, in lower case."""
        texts = (t["text"] for t in self.row["turns"] if t["role"] == "user")
        return tuple(map(_words, texts))

    @property
    def labels(self) -> list[Hashable]:
        """What rows of training and of a held-out set must not share."""
        return [self.texts, *([self.row[GROUP]] if GROUP in self.row else [])]


def _words(text: str) -> str:
    return " ".join("".join(c for c in text.lower() if c.isalnum() or c == " ").split())


def check_ids(drafts: Sequence[Drafted]) -> None:
    """Each id is there once.

    Raises:
        ValueError: names the entries that have one twice.
    """
    entries: dict[str, str] = {}
    for draft in drafts:
        id = draft.row["id"]
        first = entries.setdefault(id, draft.entry)
        if first != draft.entry:
            raise ValueError(
                f"{first} and {draft.entry} both have the id {id}; give each entry its "
                "own name."
            )
    if len(entries) < len(drafts):
        id, _ = Counter(draft.row["id"] for draft in drafts).most_common(1)[0]
        raise ValueError(
            f"{entries[id]} has the id {id} twice; give each conversation its own."
        )


def with_sets(drafts: Sequence[Drafted], refused: Counter) -> list[dict]:
    """Rows that all have a set, and no group any more.

    Args:
        drafts: in the order of the corpus, each id once.
        refused: counts those that are left out.
    """
    left_out = _held_out_elsewhere(drafts)
    sets = _sets_of_unnamed([d for d in drafts if d.row["id"] not in left_out])
    complete = []
    for draft in drafts:
        id = draft.row["id"]
        name = draft.set or sets.get(id)
        if name is None or id in left_out:
            refused[REPEATED] += 1
        else:
            row = {key: value for key, value in draft.row.items() if key != GROUP}
            complete.append({**row, "set": name})
    return complete


def _held_out_elsewhere(drafts: Sequence[Drafted]) -> set[str]:
    """Ids of rows that are in train by name, but held out by name in another entry."""
    holders: dict[Hashable, set[str]] = {}
    for draft in drafts:
        if draft.set not in ("", TRAIN):
            for label in draft.labels:
                holders.setdefault(label, set()).add(draft.entry)
    return {
        draft.row["id"]
        for draft in drafts
        if draft.set == TRAIN
        and any(holders.get(label, set()) - {draft.entry} for label in draft.labels)
    }


def _sets_of_unnamed(drafts: Sequence[Drafted]) -> dict[str, str]:
    """Ids of the rows without a set that can have one -> their set."""
    known = {draft.texts for draft in drafts if draft.set == TRAIN}
    sets: dict[str, str] = {}
    unnamed: dict[str, list[Drafted]] = {}  # clusters by the id of their first row
    for cluster in clusters(drafts):
        names = {draft.set for draft in cluster} - {""}
        if not names:
            unnamed[cluster[0].row["id"]] = cluster
        for draft in cluster if names else []:
            if names == {TRAIN} or draft.texts in known:
                sets[draft.row["id"]] = TRAIN
    for first, name in _split(cluster[0] for cluster in unnamed.values()).items():
        sets |= dict.fromkeys((draft.row["id"] for draft in unnamed[first]), name)
    return sets


def clusters(drafts: Sequence[Drafted]) -> list[list[Drafted]]:
    """Rows that share labels, directly or through others, in the order of the rows."""
    parents = list(range(len(drafts)))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    owners: dict[Hashable, int] = {}
    for number, draft in enumerate(drafts):
        for label in draft.labels:
            one, two = sorted((root(owners.setdefault(label, number)), root(number)))
            parents[two] = one
    found: dict[int, list[Drafted]] = {}
    for number, draft in enumerate(drafts):
        found.setdefault(root(number), []).append(draft)
    return list(found.values())


def _split(firsts: Iterable[Drafted]) -> dict[str, str]:
    """Sets by the ids, within each dataset and its shares."""
    ids: dict[tuple, list[str]] = {}
    for draft in firsts:
        dataset = (draft.row["source"], *draft.held_out.items())
        ids.setdefault(dataset, []).append(draft.row["id"])
    return {
        id: name
        for dataset, listed in ids.items()
        for id, name in split_sets(listed, dict(dataset[1:])).items()
    }
