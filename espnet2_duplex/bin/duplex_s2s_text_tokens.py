#!/usr/bin/env python3
"""Prepare the text tokens: train SentencePiece, or save an LLM's own tokenizer."""

import argparse
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Iterable

from espnet2.legacy.utils.cli_utils import get_commandline_args

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import turns_from_json
from espnet2_duplex.llm_source import read_llm_tokenizer
from espnet2_duplex.timing import FrameClock
from espnet2_duplex.tokenizer import TextTokenizer, load_tokenizer

BOS, EOS, PAD = "<s>", "</s>", "<pad>"


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--token_type", choices=["bpe", "hugging_face"], default="bpe")
    parser.add_argument(
        "--turns", nargs="+", default=[], help="turns files whose agent texts to learn"
    )
    parser.add_argument(
        "--vocab_size",
        type=int,
        default=500,
        help="Upper limit: small corpora give fewer pieces",
    )
    parser.add_argument("--llm", help="Hub name, folder or GGUF file")
    parser.add_argument("--output", required=True, help="Folder to write to")
    return parser


def agent_texts(turns_files: Iterable[str]) -> list[str]:
    """Texts of all agent turns, in the order of the files.

    Raises:
        ValueError: If there is none.
    """
    texts = []
    for path in turns_files:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            conversation_id, _, turns = line.partition(" ")
            for turn in turns_from_json(turns, conversation_id):
                if turn.role == "agent" and turn.text.strip():
                    texts.append(turn.text)
    if not texts:
        raise ValueError(
            f"no agent turn with text in {list(turns_files)}; check the turns files"
        )
    return texts


def count_dropped(turns_files: Iterable[str], tokenizer: TextTokenizer) -> tuple:
    """How many text tokens find no frame in their turn, and how many there are."""
    clock = FrameClock()
    num_dropped = num_tokens = 0
    for path in turns_files:
        for line in Path(path).read_text(encoding="utf-8").splitlines():
            conversation_id, _, turns = line.partition(" ")
            for turn in turns_from_json(turns, conversation_id):
                if turn.role == "agent":
                    room = clock.nearest_frame(turn.end) - clock.nearest_frame(
                        turn.start
                    )
                    length = len(tokenizer.encode(turn.text))
                    num_tokens += length
                    num_dropped += max(0, length - (room - 1))  # <BOS> takes a frame
    return num_dropped, num_tokens


def train_sentencepiece(texts: list[str], vocab_size: int, path: Path) -> None:
    """Train a BPE model and write it to `path` at once."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sorted(set(texts))),
        model_writer=model,
        model_type="bpe",
        vocab_size=vocab_size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=3,
        bos_piece=BOS,
        eos_piece=EOS,
        pad_piece=PAD,
        num_threads=1,
        minloglevel=1,
    )
    with replacing(path) as temporary:
        temporary.write_bytes(model.getvalue())


def save_llm_tokenizer(llm: str, folder: Path) -> None:
    """Save the tokenizer of an LLM, so that training and packing need no hub."""
    tokenizer = read_llm_tokenizer(llm)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        tokenizer.save_pretrained(temporary)
        for file in sorted(Path(temporary).iterdir()):
            os.replace(file, folder / file.name)


def main(cmd=None):
    """Write `<output>/bpe.model`, or `<output>/tokenizer.json` and its companions."""
    print(get_commandline_args(), file=sys.stderr)
    args = get_parser().parse_args(cmd)
    output = Path(args.output)
    if args.token_type == "bpe":
        texts = agent_texts(args.turns)
        train_sentencepiece(texts, args.vocab_size, output / "bpe.model")
        tokenizer = load_tokenizer("bpe", output / "bpe.model")
    elif args.llm is None:
        raise ValueError(
            "hugging_face tokens need --llm, the LLM's hub name, folder or GGUF file"
        )
    else:
        save_llm_tokenizer(args.llm, output)
        tokenizer = load_tokenizer("hugging_face", output)
    num_dropped, num_tokens = count_dropped(args.turns, tokenizer)
    print(
        f"{tokenizer.size} text tokens; {num_dropped} of the {num_tokens} tokens of the "
        "agent's turns do not fit their turn and are dropped from its end"
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
