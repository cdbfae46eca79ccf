"""Turn a training checkpoint of a codec into the two files that inference loads.

Usage (end of stage 4 of the recipe):

    python -m espnet2_duplex.bin.codec_export --config exp/codec/config.yaml \
        --model exp/codec/latest.pth --output exp/codec --half_precision

writes exp/codec/codec.yaml and exp/codec/codec.pth: the averaged weights, and the
codes of digital silence measured with them. The last checkpoint, not the one with the
lowest distance of spectra: a discriminator makes speech better and that distance worse.
"""

import argparse
import logging
import sys
from pathlib import Path

import torch
from torch import Tensor

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.loading import build_codec, read_codec_config, save_codec

# Silence of the agent must not be heard.
MAX_SILENCE_DBFS = -60.0
# Where ESPnet's GAN codec model keeps the average of the generator's weights.
_WEIGHTS_PREFIX = "codec.ema_generator."


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Export a trained codec for inference.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--config", required=True, help="config.yaml of the training")
    parser.add_argument("--model", required=True, help="checkpoint (.pth)")
    parser.add_argument("--output", required=True, help="folder for codec.{yaml,pth}")
    parser.add_argument(
        "--half_precision", action="store_true", help="half the size; heard by nobody"
    )
    return parser


def export_codec(
    config_file: str, model_file: str, output_dir: str, half_precision: bool = False
) -> AbsCodec:
    """Write codec.yaml and codec.pth.

    Args:
        config_file: YAML of the training, with `codec` and `codec_conf`.
        model_file: State dict of ESPnet's GAN codec model.
        output_dir: Folder for the two files.
        half_precision: Whether to round the weights to 16 bits on disk.

    Returns:
        The exported codec, as `load_codec` will load it.

    Raises:
        ValueError: If the checkpoint is not one of that codec.
    """
    name, conf = read_codec_config(config_file)
    codec = build_codec(name, conf)
    try:
        codec.load_state_dict(_averaged_weights(model_file))
    except RuntimeError as error:
        raise ValueError(
            f"{model_file} does not hold the codec that {config_file} describes; "
            "pass the config.yaml of the same training."
        ) from error
    codec.eval().requires_grad_(False)
    if half_precision:
        for weight in codec.parameters():
            weight.copy_(weight.half())
    # Of the weights as they will be loaded.
    codec.silence_codes.copy_(codec.measure_silence_codes())
    save_codec(codec, name, conf, output_dir, half_precision)
    return codec


def _averaged_weights(model_file: str) -> dict[str, Tensor]:
    state = torch.load(model_file, map_location="cpu", weights_only=True)
    # A checkpoint.pth of the trainer wraps the model's state.
    state = state.get("model", state)
    prefix = _WEIGHTS_PREFIX
    weights = {k[len(prefix) :]: v for k, v in state.items() if k.startswith(prefix)}
    if not weights:
        raise ValueError(
            f"{model_file} has no entries {prefix}*; pass a checkpoint that "
            "codec_train wrote."
        )
    return weights


def main(cmd=None):
    """Export; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    codec = export_codec(args.config, args.model, args.output, args.half_precision)
    report(codec, args.output)


def report(codec: AbsCodec, output_dir: str) -> None:
    """Log what was written, and whether its silence can be heard."""
    level = codec.silence_level_dbfs()
    logging.info(
        "%s/codec.pth: %.1f MB, %d codebooks of %d codes at %g frames per second, "
        "silence codes %s at %.1f dBFS",
        output_dir,
        (Path(output_dir) / "codec.pth").stat().st_size / 1e6,
        codec.num_codebooks,
        codec.codebook_size,
        float(codec.frame_rate),
        codec.silence_codes.tolist(),
        level,
    )
    if level > MAX_SILENCE_DBFS:
        logging.warning(
            "Silence decodes to %.1f dBFS, but should lie below %.0f dBFS; train "
            "longer or with a larger max_silence_frames.",
            level,
            MAX_SILENCE_DBFS,
        )


if __name__ == "__main__":
    sys.exit(run_cli(main))
