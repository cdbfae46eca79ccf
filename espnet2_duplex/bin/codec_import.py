"""Turn a codec that was trained elsewhere into the two files that inference loads.

Usage (a .nemo archive holds configuration and weights; a safetensors file only the
weights, so --config is needed where they are not of the 0.6 kbps shape):

    python -m espnet2_duplex.bin.codec_import \
        --nemo nemo-nano-codec-22khz-0.6kbps-12.5fps.nemo --output exp/nanocodec
    python -m espnet2_duplex.bin.codec_import \
        --safetensors model.safetensors --config model_config.yaml \
        --output exp/nanocodec
    python -m espnet2_duplex.bin.codec_import --mimi kyutai/mimi --output exp/mimi
    python -m espnet2_duplex.bin.codec_import \
        --espnet exp/codec/valid.loss.best.pth --config exp/codec/config.yaml \
        --output exp/soundstream

writes codec.yaml and codec.pth into the output's folder, as codec_export does.
"""

import argparse
import logging
import sys

import yaml

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.codec_export import report
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.loading import save_codec
from espnet2_duplex.codec.nano_checkpoint import (
    build_from_nemo,
    read_nemo,
    read_safetensors,
)
from espnet2_duplex.codec.nano_config import conf_from_nemo


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Import a codec that was trained elsewhere.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--nemo", help="NanoCodec: .nemo archive")
    source.add_argument("--safetensors", help="NanoCodec: weights under NeMo's names")
    source.add_argument("--mimi", help="Mimi: name on the hub, or folder")
    source.add_argument("--espnet", help="ESPnet's gan_codec: checkpoint (.pth)")
    parser.add_argument(
        "--config",
        help="NeMo's model_config (YAML or JSON) of --safetensors, or the config.yaml "
        "of --espnet's training",
    )
    parser.add_argument(
        "--num_codebooks", type=int, help="of --mimi: how many to use (8 by default)"
    )
    parser.add_argument("--output", required=True, help="folder for codec.{yaml,pth}")
    return parser


def import_codec(args: argparse.Namespace) -> tuple[str, dict, AbsCodec]:
    """Read the codec that the command line names.

    Returns:
        Name and configuration for `build_codec`, and the codec.

    Raises:
        ValueError: If --config is missing or one too many, or the files are not
            those of such a codec.
    """
    _check_options(args)
    if args.nemo is not None:
        config, state = read_nemo(args.nemo)
        conf = conf_from_nemo(config)
        return "nanocodec", conf, build_from_nemo(conf, state)
    if args.safetensors is not None:
        state = read_safetensors(args.safetensors)
        conf = _read_conf(args.config) if args.config is not None else {}
        return "nanocodec", conf, build_from_nemo(conf, state)
    # Imported here: each needs packages that the others do without.
    if args.mimi is not None:
        from espnet2_duplex.codec.mimi import DEFAULT_NUM_CODEBOOKS, import_mimi

        num_codebooks = args.num_codebooks or DEFAULT_NUM_CODEBOOKS
        return "mimi", *import_mimi(args.mimi, num_codebooks)
    from espnet2_duplex.codec.espnet_codec import import_espnet

    return "espnet", *import_espnet(args.config, args.espnet)


def _check_options(args: argparse.Namespace) -> None:
    if args.espnet is not None and args.config is None:
        raise ValueError(
            f"{args.espnet} comes without its configuration; pass the config.yaml of "
            "its training with --config."
        )
    if args.num_codebooks is not None and args.mimi is None:
        raise ValueError("--num_codebooks is for --mimi only; leave it out.")
    complete = args.nemo or args.mimi
    if complete is not None and args.config is not None:
        raise ValueError(
            f"{complete} brings its own configuration; leave --config out."
        )


def _read_conf(config_file: str) -> dict:
    with open(config_file, encoding="utf-8") as f:
        config = yaml.safe_load(f)  # JSON is YAML
    return conf_from_nemo(config)


def main(cmd=None):
    """Import; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    name, conf, codec = import_codec(args)
    save_codec(codec, name, conf, args.output)
    report(codec, args.output)


if __name__ == "__main__":
    sys.exit(run_cli(main))
