"""Turn the agent's channel of whole conversations into codes, once, before training.

Usage (stage 5 of the recipe):

    python -m espnet2_duplex.bin.duplex_s2s_tokenize \
        --codec_config exp/codec/codec.yaml --codec_model exp/codec/codec.pth \
        --agent_scp data/train/agent.scp \
        --output_prefix dump/tokens/train/agent_codes

writes {prefix}.ark and {prefix}.scp: int32 vectors, frame-major, T * K codes each.
Both appear when all conversations are encoded. A set whose codes are newer than its
codec and its agent.scp is skipped.
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from espnet2_duplex.arks import ArkWriter, read_scp
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.conversation_folders import select_wavs
from espnet2_duplex.codec.abs_codec import AbsCodec
from espnet2_duplex.codec.fsq import CodebookUsage
from espnet2_duplex.codec.loading import load_codec
from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.timing import FrameClock


def get_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description="Encode the agent's channel to codec codes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--codec_config", required=True, help="codec.yaml")
    parser.add_argument("--codec_model", required=True, help="codec.pth")
    parser.add_argument("--agent_scp", required=True, help="id and wav path per line")
    parser.add_argument(
        "--output_prefix", required=True, help="path of the ark and scp, no suffix"
    )
    parser.add_argument("--key_file", help="only these ids (first column)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1, ...")
    return parser


def load_agent_codec(config_file: str, model_file: str, device: str) -> AbsCodec:
    """Load a codec and refuse one off the model's time grid.

    Raises:
        ValueError: If its frame rate is not 12.5 Hz.
    """
    codec = load_codec(config_file, model_file, device)
    expected = FrameClock().frame_rate
    if codec.frame_rate != expected:
        raise ValueError(
            f"The codec of {config_file} has {float(codec.frame_rate):g} frames per "
            f"second, but the model's grid has {float(expected):g}; train or choose a "
            "codec of that rate."
        )
    return codec


def is_up_to_date(output_scp: Path, keys: list[str], inputs: list[str]) -> bool:
    """Tell whether `output_scp` has just these keys and is newer than its inputs."""
    if not output_scp.exists() or not output_scp.with_suffix(".ark").exists():
        return False
    made = output_scp.stat().st_mtime
    if any(Path(path).stat().st_mtime > made for path in inputs):
        return False
    return list(read_scp(output_scp)) == keys


def tokenize(
    codec: AbsCodec, wavs: dict[str, str], output_prefix: str, device: str
) -> CodebookUsage:
    """Encode all wavs into one ark.

    Returns:
        The usage of the codebooks over the whole set.
    """
    all_codes = []
    with ArkWriter(output_prefix) as writer:
        progress = tqdm(wavs.items(), output_prefix, unit="conversation", mininterval=2)
        for key, path in progress:
            speech = load_speech(Path(path), codec.sample_rate)
            codes = codec.encode(torch.from_numpy(speech)[None].to(device))[0].cpu()
            writer.write(key, codes.flatten().numpy().astype(np.int32))
            all_codes.append(codes)
    return CodebookUsage.measure(torch.cat(all_codes), codec.codebook_size)


def main(cmd=None):
    """Encode one set; see the module's docstring."""
    args = get_parser().parse_args(cmd)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    wavs = select_wavs(args.agent_scp, args.key_file)
    output_scp = Path(f"{args.output_prefix}.scp")
    inputs = [args.codec_config, args.codec_model, args.agent_scp]
    if is_up_to_date(output_scp, list(wavs), inputs):
        logging.info("%s is up to date", output_scp)
        return
    codec = load_agent_codec(args.codec_config, args.codec_model, args.device)
    output_scp.parent.mkdir(parents=True, exist_ok=True)
    usage = tokenize(codec, wavs, args.output_prefix, args.device)
    logging.info(
        "%s: %d conversations; of %d codes used per codebook: %s; entropy in bits: %s",
        output_scp,
        len(wavs),
        codec.codebook_size,
        ", ".join(map(str, usage.num_used)),
        ", ".join(f"{bits:.1f}" for bits in usage.entropy_bits),
    )


if __name__ == "__main__":
    sys.exit(run_cli(main))
