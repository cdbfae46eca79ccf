"""Score a speech encoder: error rates of its CTC head by set and kind of text.

    python -m espnet2_duplex.bin.perception_score \
        --checkpoint exp/encoder_distill/checkpoint.pth \
        --sets data_encoder/valid data_encoder/test data_encoder/recordings

A set is a folder with wav.scp, text and perhaps utt2kind (id and kind of text). Greedy
CTC, no language model, half a second of silence on either side of an utterance; with the
weights as trained, in half precision as in encoder.pth, and with --streaming true also
in steps of 80 ms. Texts that letters do not spell, as those with digits, are left out.

Writes RESULTS.md, results.json (counts and rates) and transcripts.jsonl.
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from espnet2.utils.types import str2bool

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.encoder_options import build_encoder, read_encoder_conf
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.jsonl import write_jsonl, write_text
from espnet2_duplex.perception.ctc_checkpoint import load_model
from espnet2_duplex.perception.ctc_model import Heard
from espnet2_duplex.perception.error_table import (
    ScoredSet,
    hear,
    rows_of,
    to_json,
    to_markdown,
)
from espnet2_duplex.perception.utterances import read_manifest


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", required=True, type=Path)
    parser.add_argument(
        "--encoder_config",
        type=Path,
        help="YAML with encoder and encoder_conf; encoder.yaml beside the checkpoint",
    )
    parser.add_argument("--sets", required=True, nargs="+", type=Path, help="folders")
    parser.add_argument(
        "--streaming", type=str2bool, default=False, help="also in steps of 80 ms"
    )
    parser.add_argument("--output_dir", type=Path, help="the checkpoint's")
    parser.add_argument("--num_threads", type=int, default=1)
    return parser


def main(cmd=None) -> None:
    """Score; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(args.num_threads)
    folder = args.checkpoint.parent
    sets = [read_set(path) for path in args.sets]
    name, conf = read_encoder_conf(args.encoder_config or folder / "encoder.yaml")
    model, num_steps = load_model(args.checkpoint, build_encoder(name, conf))
    rows, transcripts = [], []
    for scored in sets:
        logging.info("scoring %s: %d utterances", scored.name, len(scored.utterances))
        heard = hear(model, scored, in_steps=args.streaming)
        rows += rows_of(scored, heard)
        transcripts += transcript_rows(scored, heard)
    output_dir = args.output_dir or folder
    title = f"# RESULTS\n\n{name}, {num_steps} steps, WER / CER in % by greedy CTC\n\n"
    write_text(output_dir / "RESULTS.md", title + to_markdown(rows))
    results = {"num_steps": num_steps, "rows": [to_json(row) for row in rows]}
    write_text(output_dir / "results.json", json.dumps(results, indent=2) + "\n")
    write_jsonl(output_dir / "transcripts.jsonl", transcripts)
    print((output_dir / "RESULTS.md").read_text(encoding="utf-8"), end="")


def read_set(folder: Path) -> ScoredSet:
    """A folder with wav.scp, text and perhaps utt2kind.

    Raises:
        ValueError: a list is missing, or has no text that letters spell.
    """
    utterances = read_manifest(folder / "wav.scp", folder / "text")
    spelt = [utterance for utterance in utterances if utterance.text is not None]
    if not spelt:
        raise ValueError(
            f"{folder}/text has no text that can be spelt with letters; give transcripts "
            "without digits."
        )
    if len(spelt) < len(utterances):
        num_left_out = len(utterances) - len(spelt)
        logging.warning("%s: %d texts are left out", folder, num_left_out)
    kinds = dict.fromkeys((utterance.id for utterance in spelt), "all")
    if (folder / "utt2kind").exists():
        kinds |= read_table(folder / "utt2kind")
    return ScoredSet(folder.name, spelt, kinds)


def transcript_rows(
    scored: ScoredSet, heard: dict[str, Sequence[Heard]]
) -> list[dict[str, str]]:
    """What was said and what was heard in each way."""
    rows = []
    for ones in zip(*heard.values()):
        utterance = ones[0].utterance
        row = {
            "set": scored.name,
            "id": utterance.id,
            "kind": scored.kinds[utterance.id],
            "said": utterance.text,
        }
        rows.append(row | {way: one.text for way, one in zip(heard, ones)})
    return rows


if __name__ == "__main__":
    sys.exit(run_cli(main))
