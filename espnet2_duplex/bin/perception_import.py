"""Turn NVIDIA's streaming speech encoders into initial weights for training.

Usage (a .nemo archive of a cache-aware streaming FastConformer, or a model in
transformers' format, NemotronAsrStreaming, by its folder or its name on the hub):

    python -m espnet2_duplex.bin.perception_import \
        --nemo stt_en_fastconformer_hybrid_large_streaming_80ms.nemo \
        --output exp/fastconformer
    python -m espnet2_duplex.bin.perception_import \
        --transformers nvidia/nemotron-speech-streaming-en-0.6b --output exp/nemotron

writes encoder.pth, for `--init_param exp/fastconformer/encoder.pth::encoder`, and
encoder.yaml, the `encoder` and `encoder_conf` that belong to it, which it also prints.
Nothing but the encoder is taken over: decoders and tokenizers are left behind.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch
import yaml
from torch import Tensor

from espnet2_duplex.atomic import replacing
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.codec.nano_checkpoint import read_nemo
from espnet2_duplex.perception.nemo_checkpoint import weights_from_nemo
from espnet2_duplex.perception.nemo_conf import conf_from_nemo
from espnet2_duplex.perception.nemo_transformers import load_transformers


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Import a streaming speech encoder that was trained elsewhere.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--nemo", help=".nemo archive of an ASR model")
    source.add_argument("--transformers", help="folder, or name on the hub")
    parser.add_argument(
        "--num_lookahead_tokens",
        type=int,
        help="frames of look-ahead, for a model trained with several; the nearest to "
        "the paper's 1 if not given",
    )
    parser.add_argument("--output", required=True, help="folder for encoder.{pth,yaml}")
    return parser


def import_encoder(args: argparse.Namespace) -> tuple[dict, dict[str, Tensor]]:
    """Read the encoder that the command line names.

    Returns:
        Arguments of FastConformerEncoder, and its state dict.

    Raises:
        ValueError: If the model is not a streaming FastConformer.
    """
    if args.transformers is not None:
        return load_transformers(args.transformers, args.num_lookahead_tokens)
    config, state = read_nemo(args.nemo)
    conf = conf_from_nemo(config, args.num_lookahead_tokens)
    return conf, weights_from_nemo(conf, state)


def save_encoder(conf: dict, weights: dict[str, Tensor], output_dir: str | Path) -> str:
    """Write encoder.pth and encoder.yaml; returns the YAML."""
    folder = Path(output_dir)
    text = yaml.safe_dump(
        {"encoder": "fastconformer", "encoder_conf": conf}, sort_keys=False
    )
    with replacing(folder / "encoder.pth") as temporary:
        torch.save(weights, temporary)
    with replacing(folder / "encoder.yaml") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text


def main(cmd=None):
    """Import; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    conf, weights = import_encoder(args)
    print(save_encoder(conf, weights, args.output), end="")
    logging.info(
        "%s/encoder.pth: %.1f M parameters, %d frames of look-ahead",
        args.output,
        sum(weight.numel() for weight in weights.values()) / 1e6,
        conf["num_lookahead_tokens"],
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
