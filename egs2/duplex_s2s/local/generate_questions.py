#!/usr/bin/env python3
"""Questions about recordings and their answers, by a language model (Sec. 4.1, ASR-QA).

Reads an ASR manifest (NeMo's JSON lines, or a Kaldi data folder) and writes one line
{"id", "audio_filepath", "question", "answer"} for each transcript that the model found
a good question for.

    python local/generate_questions.py --manifest manifest.jsonl --out questions.jsonl

Jobs, `--merge` and taking up again are those of `generate_dialogues.py`.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

from llm.command import LOCAL, add_arguments, sampling_of, style_of, write_all
from llm.filters import MAX_WORDS, QUESTION, Draft, first_objection
from llm.prompts import PromptFile, load_prompts
from llm.runner import Item
from llm.writing import STYLES, Script
from sources.asr_manifest import Utterance, read_manifest

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.chat.backend import Backend

LABELS = ("Question", "Answer")
MIN_TRANSCRIPT_WORDS = 6  # there is nothing to ask about less


def question_item(
    args: argparse.Namespace, prompts: PromptFile, utterance: Utterance
) -> Item:
    """The item of one utterance."""
    transcript = utterance.text.strip()
    examples = [line for e in prompts.examples(LABELS) for line in e.lines]

    def objection(text: str, earlier: list[str]) -> str | None:
        return first_objection(Draft(text, earlier, transcript, examples), QUESTION)

    script = Script(
        id=f"{args.seed}/{utterance.id}",
        prompts=prompts,
        labels=LABELS,
        num_lines=len(LABELS),
        values={"transcript": transcript, "max_words": str(MAX_WORDS)},
        max_words=MAX_WORDS,
        objection=objection,
        sampling=sampling_of(args),
    )

    def row(lines: list[str]) -> dict:
        question, answer = lines
        place = {"id": utterance.id, "audio_filepath": utterance.audio}
        if utterance.offset:
            place["offset"] = utterance.offset
        return {**place, "question": question, "answer": answer}

    return Item(utterance.id, partial(STYLES[style_of(args)], script), row)


def long_enough(manifest: Path) -> list[Utterance]:
    """The utterances that can be asked about.

    Raises:
        ValueError: there is none, or the manifest is faulty.
    """
    if not manifest.exists():
        raise ValueError(f"{manifest} does not exist; give --manifest an ASR manifest.")
    utterances = list(read_manifest(manifest))
    chosen = [u for u in utterances if len(u.text.split()) >= MIN_TRANSCRIPT_WORDS]
    if not chosen:
        raise ValueError(
            f"{manifest} has no transcript of {MIN_TRANSCRIPT_WORDS} words or more; "
            "give longer recordings."
        )
    short = len(utterances) - len(chosen)
    if short:
        print(f"left out: {short} transcripts of under {MIN_TRANSCRIPT_WORDS} words")
    return chosen


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    add_arguments(parser)
    return parser


def main(cmd: list[str] | None = None) -> None:
    args = get_parser().parse_args(cmd)
    path = args.prompts or LOCAL / "prompts" / "questions.txt"
    utterances = long_enough(args.manifest)

    def make_items(backend: Backend) -> list[Item]:
        prompts = load_prompts(path)
        return [question_item(args, prompts, u) for u in utterances]

    manifest = args.manifest if args.manifest.is_file() else args.manifest / "text"
    write_all(args, [path, manifest], len(utterances), make_items)


if __name__ == "__main__":
    sys.exit(run_cli(main))
