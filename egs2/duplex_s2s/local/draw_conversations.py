#!/usr/bin/env python3
"""Spoken conversations -> one list of layouts for each set (Sec. 4 and 5.2).

Reads `<local>/spoken.jsonl` (a wav for every turn), draws when everything is said as the
`simulation` section of the corpus' YAML has it, and writes
`<local>/layouts/<set>.jsonl`. Conversations that cannot be used are listed with the
reason in `<local>/left_out.jsonl`, and so are those whose given times cannot be kept; it
is an error only if these are more than 2 % of a set and more than 5, or all. What of the
settings could not be had, such as a second exchange in the same voice, is counted and
printed. Same seed, same bytes.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from clip_failures import too_many
from corpus_settings import Corpus, read_corpus
from layout_files import layouts_path, write_layouts
from progress import progress
from script_choice import Choice, check_choice, choose_scripts
from shares import seed_number
from spoken_scripts import LeftOut, Material, read_material

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.simulation.drawing import Drawer
from espnet2_duplex.simulation.layout import Layout

MAX_UNPLACED_SHARE = 0.02  # of a set's conversations; as of the clips that fail
UNPLACED = "it cannot be laid out"


class SetDrawing:
    """Draws a set and goes on where a conversation cannot be laid out.

    Args:
        drawer: of the set.

    Attributes:
        seconds: of what was drawn so far.
        left_out: conversations that could not be laid out.
    """

    def __init__(self, drawer: Drawer) -> None:
        self.drawer = drawer
        self.seconds = 0.0
        self.left_out: list[LeftOut] = []

    def __iter__(self) -> Iterator[Layout]:
        name, count = self.drawer.name, len(self.drawer)
        for number, script in progress(self.drawer.drafts(), f"drawing {name}", count):
            try:
                layout = self.drawer.draw(number, script)
            except ValueError as problem:  # what the owner of the script has given
                self.left_out.append(LeftOut(script.id, UNPLACED, str(problem)))
            else:
                self.seconds += layout.conversation.duration
                yield layout

    def report(self) -> list[str]:
        """What was drawn, and what could not be had."""
        name, num = self.drawer.name, len(self.drawer) - len(self.left_out)
        heading = f"{name}: {num} conversations, {self.seconds / 3600:.2f} h"
        return [heading, *(f"{name}: {one}" for one in self.drawer.tally.sentences())]

    def faults(self) -> list[str]:
        """Why so many conversations missing are an error; nothing if they are few."""
        num, total = len(self.left_out), len(self.drawer)
        if not too_many(num, total, MAX_UNPLACED_SHARE):
            return []
        return [
            f"set {self.drawer.name}: {num} of {total} conversations cannot be laid "
            f"out, the first because of this: {self.left_out[0].why}"
        ]


def write_left_out(path: Path, left_out: Iterable[LeftOut]) -> None:
    """List what is not used, each once for each reason, and print how many."""
    unique = list({(one.id, one.reason): one for one in left_out}.values())
    write_jsonl(path, [one.to_row() for one in unique])
    for reason, count in Counter(one.reason for one in unique).items():
        print(f"{count} conversations left out: {reason} ({path.name})", flush=True)


def draw_sets(corpus: Corpus, material: Material, local: Path) -> None:
    """Write the layouts of all sets, and the list of what they leave out.

    Raises:
        ValueError: a set has no conversation that it could use, or too many that cannot
            be laid out; of these all sets are drawn before it is told.
    """
    names = corpus.sets.named or sorted(material.scripts)
    choices = {
        name: choose_scripts(name, corpus.sets.of(name), material) for name in names
    }
    left_out = list(material.left_out)
    for choice in choices.values():
        left_out += choice.left_out
    faults: list[str] = []
    try:
        for name, choice in choices.items():
            check_choice(name, corpus.sets.of(name), choice, material)
        for name, choice in choices.items():
            drawing = draw_set(name, choice, corpus, material, local)
            left_out += drawing.left_out
            faults += drawing.faults()
    finally:
        write_left_out(local / "left_out.jsonl", left_out)
    if faults:
        raise ValueError(
            f"{'; '.join(faults)}; correct the conversations that are listed in "
            f"{local / 'left_out.jsonl'}."
        )


def draw_set(
    name: str, choice: Choice, corpus: Corpus, material: Material, local: Path
) -> SetDrawing:
    """Write the layouts of one set and print what came of it."""
    drawer = Drawer(
        name,
        choice.scripts,
        corpus.sets.of(name),
        material.pools,
        corpus.seed,
        corpus.speech.user_rate,
    )
    drawing = SetDrawing(drawer)
    write_layouts(layouts_path(local, name), drawing)
    print(*drawing.report(), sep="\n", flush=True)
    return drawing


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument(
        "--local",
        type=Path,
        default=Path("data/local"),
        help="folder of spoken.jsonl, where layouts are written, too (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=seed_number, default=0, help="of all that is drawn"
    )
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config, seed=args.seed)
    draw_sets(corpus, read_material(args.local), args.local)


if __name__ == "__main__":
    sys.exit(run_cli(main))
