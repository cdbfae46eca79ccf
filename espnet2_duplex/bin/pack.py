#!/usr/bin/env python3
"""Pack a trained model into one archive that runs anywhere, and unpack it there.

Run it in the recipe folder: files are stored under their path relative to it, and
`from_pretrained` rewrites those paths when it unpacks.
"""

import argparse
import hashlib
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Union

import yaml
from espnet2.bin.pack import PackedContents
from espnet2.legacy.utils.cli_utils import get_commandline_args
from espnet2.main_funcs.pack_funcs import pack, unpack
from espnet2.utils.pretrained import download_pretrained
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from requests import RequestException

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.packed_weights import inference_files

TOKENIZER_SUFFIXES = (".json", ".model", ".txt", ".jinja")


class DuplexS2SPackedContents(PackedContents):
    """Arguments of `DuplexSpeech2Speech` that are files."""

    files = ["model_file"]
    yaml_files = ["train_config"]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--outpath", required=True, help="Archive to write, .zip")
    for key in DuplexS2SPackedContents.files + DuplexS2SPackedContents.yaml_files:
        parser.add_argument(f"--{key}", required=True)
    parser.add_argument(
        "--option", action="append", default=[], help="Further files, for example plots"
    )
    return parser


def needed_files(config: dict) -> list[str]:
    """Files beside the checkpoint that inference reads, as `config` names them.

    A tokenizer that is named by its hub name is not among them.
    """
    files = [config["codec_config"], config["codec_model"]]
    tokenizer = Path(config["bpemodel"])
    if config["token_type"] == "bpe":
        files.append(str(tokenizer))
    elif tokenizer.name == "tokenizer.json":
        found = sorted(tokenizer.parent.iterdir())
        files += [str(file) for file in found if file.suffix in TOKENIZER_SUFFIXES]
    return files


def read_config(train_config: Union[Path, str]) -> dict:
    return yaml.safe_load(Path(train_config).read_text(encoding="utf-8"))


def check_files(train_config: Union[Path, str], model_file: Union[Path, str]) -> None:
    """Every file that a model needs must be there before torch is asked.

    Raises:
        ValueError: Naming the file that is missing.
    """
    for path in (train_config, model_file):
        if path is None or not Path(path).is_file():
            raise ValueError(
                f"{path} does not exist; give the config.yaml and the checkpoint of a "
                "finished training, or a packed model"
            )
    for path in needed_files(read_config(train_config)):
        if not Path(path).is_file():
            raise ValueError(
                f"{train_config} names {path}, which does not exist; run in the recipe "
                "folder, or pack the model again with stage 11"
            )


def fetch_packed(model_tag: str) -> dict[str, str]:
    """Unpack an archive or download a model; gives the constructor's arguments.

    Raises:
        ValueError: If the archive is damaged or nothing is known by that name.
    """
    if Path(model_tag).is_file():
        return unpack_archive(Path(model_tag))
    try:
        return download_pretrained(model_tag)
    except (
        HfHubHTTPError,
        HFValidationError,
        RequestException,
        OSError,
        RuntimeError,
    ) as error:
        raise ValueError(
            f"{model_tag!r} is neither a packed model on this machine nor one that the "
            "Hugging Face hub would give; check the path or the name"
        ) from error


def unpack_archive(archive: Path) -> dict[str, str]:
    """Unpack into a cache folder named after the content, once.

    ESPnet's own cache goes by the archive's path and would serve an old model after a
    new one is packed under the same name.
    """
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()[:16]
    default = Path.home() / ".cache"
    cache = Path(os.environ.get("XDG_CACHE_HOME", default)) / "espnet2_duplex" / digest
    # ESPnet takes a folder that was left half unpacked for a whole one.
    complete = cache / ".complete"
    if not complete.exists():
        shutil.rmtree(cache, ignore_errors=True)
    try:
        files = unpack(archive, cache, use_cache=True)
    except (zipfile.BadZipFile, KeyError, RuntimeError, ValueError) as error:
        raise ValueError(
            f"{archive} is not a packed model ({error}); pack it again with stage 11"
        ) from error
    complete.touch()
    return files


def main(cmd=None):
    """Pack, and put the archive in place only when it is whole."""
    print(get_commandline_args(), file=sys.stderr)
    args = get_parser().parse_args(cmd)
    config = read_config(args.train_config)
    if (
        config["token_type"] == "hugging_face"
        and not Path(config["bpemodel"]).is_file()
    ):
        raise ValueError(
            f"the tokenizer {config['bpemodel']} cannot be packed; save it with stage 6 "
            "and train with its tokenizer.json as --bpemodel"
        )
    outpath = Path(args.outpath)
    temporary = outpath.with_name("partial." + outpath.name)
    with inference_files(args.train_config, args.model_file) as (train_config, weights):
        pack(
            files={"model_file": str(weights)},
            yaml_files={"train_config": str(train_config)},
            option=needed_files(config) + args.option,
            outpath=temporary,
        )
    os.replace(temporary, outpath)
    print(f"Packed: {outpath}")


if __name__ == "__main__":
    sys.exit(run_cli(main))
