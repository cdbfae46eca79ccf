"""Real two-person dialogues: the BYU chit-chat data set.

The one who speaks first is the user, the other the agent. Messages of one person in a
row are one turn. Turns that cannot be said, are too long or crude split a dialogue; of
what lies between them, dialogues of some turns are cut, each beginning with the user
and ending with the agent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sources.dictionary import is_crude, num_unknown_words, words_of
from sources.published import load_json
from sources.rows import Job, Options, Refused, make_row
from sources.typed import spoken_turn

LICENCE = "MIT"


@dataclass(frozen=True, kw_only=True)
class ChitchatOptions(Options):
    """Options of `chitchat`.

    Attributes:
        min_turns: shortest dialogue.
        max_turns: longest dialogue; a longer one is cut into several.
        max_words: longest turn.
        max_unknown_share: of a dialogue's words that no dictionary has: typos, names.
    """

    name: str = "chitchat"
    min_turns: int = 4
    max_turns: int = 8
    max_words: int = 30
    max_unknown_share: float = 0.03

    def __post_init__(self) -> None:
        if not 2 <= self.min_turns <= self.max_turns:
            raise ValueError(
                f"min_turns is {self.min_turns} and max_turns {self.max_turns}; write "
                "2 <= min_turns <= max_turns."
            )


def chitchat(options: ChitchatOptions, job: Job) -> Iterator[dict]:
    """Rows of all dialogues, some of which give several.

    Raises:
        ValueError: the asset chitchat-dataset is not there.
    """
    path = job.downloads / "chitchat_dataset" / "dataset.json"
    if not path.is_file():
        raise ValueError(
            f"{path} is missing; run local/assets.py --only chitchat-dataset."
        )
    for key, dialogue in load_json(path).items():
        messages = [m for group in dialogue["messages"] for m in group]
        if len({message["sender"] for message in messages}) != 2:
            job.refused["not two people"] += 1
            continue
        turns = said_turns(messages, options, job)
        for number, part in enumerate(parts(turns, options)):
            if unknown_share(part) > options.max_unknown_share:
                job.refused["too many unknown words"] += 1
                continue
            origin = f"chitchat-dataset, {key}"
            yield make_row(options, f"{key}_{number}", part, LICENCE, origin)


def said_turns(
    messages: list[dict], options: ChitchatOptions, job: Job
) -> list[dict | None]:
    """Turns with their roles; None in the place of one that will not do."""
    turns: list[dict | None] = []
    groups = groupby(messages, key=lambda message: message["sender"])
    for number, (_, group) in enumerate(groups):
        try:
            text = spoken_turn([str(message["text"]) for message in group])
            if len(text.split()) > options.max_words:
                raise Refused("a turn that is too long")
            if is_crude(text):
                raise Refused("a crude turn")
        except Refused as reason:
            job.refused[f"turns: {reason}"] += 1
            turns.append(None)
        else:
            turns.append({"role": ("user", "agent")[number % 2], "text": text})
    return turns


def parts(turns: list[dict | None], options: ChitchatOptions) -> Iterator[list[dict]]:
    """Dialogues of `min_turns` to `max_turns` turns, the user first, the agent last."""
    longest = options.max_turns // 2 * 2
    for is_there, group in groupby(turns, key=lambda turn: turn is not None):
        stretch = list(group)
        if is_there and stretch[0]["role"] == "agent":
            stretch = stretch[1:]
        stretch = stretch[: len(stretch) // 2 * 2] if is_there else []
        for start in range(0, len(stretch), longest):
            part = stretch[start : start + longest]
            if len(part) >= options.min_turns:
                yield part


def unknown_share(turns: list[dict]) -> float:
    """Share of the words that no dictionary has."""
    num_words = sum(len(words_of(turn["text"])) for turn in turns)
    return sum(num_unknown_words(turn["text"]) for turn in turns) / max(num_words, 1)
