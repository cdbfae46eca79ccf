#!/usr/bin/env python3
"""Spoken conversations -> one list of layouts for each set (Sec. 4 and 5.2).

Reads `<local>/spoken.jsonl` (a wav for every turn), draws when everything is said as the
`simulation` section of the corpus' YAML has it, and writes
`<local>/layouts/<set>.jsonl`. Conversations that cannot be used are listed with the
reason in `<local>/left_out.jsonl`. Same seed, same bytes.
"""

import argparse
import itertools
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from corpus_settings import Corpus, read_corpus
from progress import progress
from spoken_scripts import LeftOut, Material, read_material

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.simulation.drawing import Drawer
from espnet2_duplex.simulation.layout import Layout
from espnet2_duplex.simulation.script import Script
from espnet2_duplex.simulation.settings import Settings
from espnet2_duplex.simulation.utterances import is_too_long


@dataclass(frozen=True)
class Choice:
    """Scripts that one set is drawn from, and those that it cannot use."""

    scripts: tuple[Script, ...]
    left_out: tuple[LeftOut, ...]


def choose_scripts(scripts: Iterable[Script], settings: Settings) -> Choice:
    """Scripts of the wanted datasets; too long turns rule some of them out."""
    limit = settings.turn_taking.max_turn_seconds
    chosen, left_out = [], []
    for script in scripts:
        if settings.sources and script.source not in settings.sources:
            continue
        if is_too_long(script, limit):
            reason = f"a turn is longer than {limit:g} s"
            left_out.append(LeftOut(script.id, reason))
        else:
            chosen.append(script)
    return Choice(tuple(chosen), tuple(left_out))


def check_choice(
    name: str, settings: Settings, choice: Choice, material: Material
) -> None:
    """The set has conversations, of each dataset that its settings name.

    Raises:
        ValueError: it has none; tells what there is.
    """
    wanted = settings.scripts or name
    there = sorted({script.source for script in choice.scripts})
    missing = sorted(set(settings.sources) - set(there))
    if choice.scripts and not missing:
        return
    of = f" of {', '.join(missing)}" if missing else ""
    if wanted in material.scripts:
        sources = {script.source for script in material.scripts[wanted]}
        found = f"of {', '.join(sorted(sources))}"
    else:
        found = f"sets {', '.join(sorted(material.scripts)) or 'none'}"
    raise ValueError(
        f"set {name}: no conversation{of} of conversations.jsonl is left in the set "
        f"{wanted!r} (there are {found}); correct the corpus YAML or see left_out.jsonl."
    )


def write_left_out(path: Path, left_out: Iterable[LeftOut]) -> None:
    """List what is not used, each once for each reason, and print how many."""
    unique = list({(one.id, one.reason): one for one in left_out}.values())
    write_jsonl(path, [one.to_row() for one in unique])
    for reason, count in Counter(one.reason for one in unique).items():
        print(f"{count} conversations left out: {reason} ({path.name})", flush=True)


def write_layouts(path: Path, layouts: Iterable[Layout]) -> float:
    """Write one layout a line; returns their seconds."""
    seconds = 0.0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for layout in layouts:
            file.write(layout.to_json() + "\n")
            seconds += layout.conversation.duration
    return seconds


def draw_set(path: Path, drawer: Drawer) -> None:
    """Write the layouts of one set."""
    seconds = write_layouts(path, progress(drawer, f"drawing {path.stem}", len(drawer)))
    print(
        f"{path.stem}: {len(drawer)} conversations, {seconds / 3600:.2f} h", flush=True
    )


def draw_sets(corpus: Corpus, material: Material, local: Path) -> None:
    """Write the layouts of all sets, and the list of what they leave out.

    Raises:
        ValueError: a set has no conversation that it could use.
    """
    names = corpus.sets.named or sorted(material.scripts)
    settings = {name: corpus.sets.of(name) for name in names}
    choices = {
        name: choose_scripts(material.scripts.get(one.scripts or name, ()), one)
        for name, one in settings.items()
    }
    left_out = [choice.left_out for choice in choices.values()]
    write_left_out(
        local / "left_out.jsonl", itertools.chain(material.left_out, *left_out)
    )
    for name, choice in choices.items():
        check_choice(name, settings[name], choice, material)
    for name, choice in choices.items():
        drawer = Drawer(
            name,
            choice.scripts,
            settings[name],
            material.pools,
            corpus.seed,
            corpus.speech.user_rate,
        )
        draw_set(local / "layouts" / f"{name}.jsonl", drawer)


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, required=True, help="corpus YAML")
    parser.add_argument("--local", type=Path, default=Path("data/local"))
    parser.add_argument("--seed", type=int, default=0)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    corpus = read_corpus(args.config, seed=args.seed)
    draw_sets(corpus, read_material(args.local), args.local)


if __name__ == "__main__":
    sys.exit(run_cli(main))
