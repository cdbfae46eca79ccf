#!/usr/bin/env python3
"""Conversations of four turns, written by a language model (Sec. 4.3 of the paper).

`--kind topic`: about a topic of conf/topics.txt. `--kind ultrachat`: in the context of a
chat of UltraChat (`--context`), or, where that is not at hand, of a summary of a
Wikipedia article. The output is a file of conversations (`conversation_format.py`).

    python local/generate_dialogues.py --kind topic --num 100 --out topic.jsonl
    python local/generate_dialogues.py --kind ultrachat --num 100 --out ultrachat.jsonl \\
        --context ultrachat.jsonl --llm http://host:8000/v1 --llm_model llama-3.1-70b

Subject and seeds of conversation n do not depend on `--num` or the jobs. A larger `--num`
keeps what is there and writes the rest; a last chunk that was not full is written anew,
from an endpoint's kept answers, or by a local model, whose batches differ in rounding.
Several jobs (`--job`, `--num_jobs`) write chunks of `--chunk_size`; a last call with `--merge`
makes the output and says what the filters rejected. A run that was killed goes on where
it was.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from llm.command import LOCAL, add_arguments, sampling_of, style_of, write_all
from llm.contexts import read_contexts, read_topics, topic_of
from llm.filters import DIALOGUE, MAX_WORDS, Draft, first_objection
from llm.prompts import PromptFile, load_prompts
from llm.runner import Item
from llm.writing import STYLES, Script

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.chat.backend import Backend

LABELS = ("User", "Agent")
ROLES = ("user", "agent")
NUM_TURNS = 4  # Sec. 4.3


def dialogue_item(
    args: argparse.Namespace,
    prompts: PromptFile,
    backend: Backend,
    index: int,
    value: dict[str, str],
) -> Item:
    """The item of conversation `index`.

    Args:
        value: what it is about, under its placeholder's name ("topic" or "context"),
            and its "origin".
    """
    id = f"{args.kind}_{index:06d}"
    subject = value.get("topic") or value["context"]
    examples = [line for e in prompts.examples(LABELS) for line in e.lines]

    def objection(text: str, earlier: list[str]) -> str | None:
        return first_objection(Draft(text, earlier, subject, examples), DIALOGUE)

    script = Script(
        id=f"{args.seed}/{id}",
        prompts=prompts,
        labels=LABELS,
        num_lines=NUM_TURNS,
        values={**value, "max_words": str(MAX_WORDS)},
        max_words=MAX_WORDS,
        objection=objection,
        sampling=sampling_of(args),
    )

    def row(lines: list[str]) -> dict:
        turns = [{"role": ROLES[n % 2], "text": text} for n, text in enumerate(lines)]
        return {
            "id": id,
            "source": args.kind,
            "licence": (args.licence or backend.licence) + value.get("licence", ""),
            "origin": f"{backend.name}, {value['origin']}",
            "turns": turns,
        }

    return Item(id, partial(STYLES[style_of(args)], script), row)


def subjects(args: argparse.Namespace) -> list[dict[str, str]]:
    """What each conversation is about: values of the prompt's placeholders."""
    if args.kind == "topic":
        topics = read_topics(args.topics)
        chosen = [topic_of(topics, n, args.seed) for n in range(args.num)]
        return [{"topic": t, "origin": f"topic: {t}"} for t in chosen]
    rows = read_contexts(args.context, args.downloads, args.num, args.seed)
    return [rows[n % len(rows)] for n in range(args.num)]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", choices=("topic", "ultrachat"), required=True)
    parser.add_argument("--num", type=int, required=True, help="conversations")
    default = LOCAL.parent / "conf" / "topics.txt"
    parser.add_argument("--topics", type=Path, default=default)
    parser.add_argument("--context", type=Path, help="chats: JSON or JSON lines")
    add_arguments(parser)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    path = args.prompts or LOCAL / "prompts" / f"{args.kind}.txt"

    def make_items(backend: Backend) -> list[Item]:
        prompts = load_prompts(path)
        return [
            dialogue_item(args, prompts, backend, index, value)
            for index, value in enumerate(subjects(args))
        ]

    inputs = [path, args.topics if args.kind == "topic" else args.context]
    write_all(args, inputs, args.num, make_items)


if __name__ == "__main__":
    sys.exit(run_cli(main))
