#!/usr/bin/env python3
"""Upload a packed model with a model card to the Hugging Face hub.

The repository holds the unzipped pack, as `from_pretrained` expects it, and README.md.
With --local_dir the very same files are written to a folder and nothing is uploaded.
"""

import argparse
import os
import shutil
import string
import sys
import tempfile
import zipfile
from pathlib import Path

from espnet2.legacy.utils.cli_utils import get_commandline_args

from espnet2_duplex.bin.cli import run_cli


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--packed", type=Path, required=True, help="Zip of stage 11")
    parser.add_argument("--hf_repo", required=True, help="user/name on the hub")
    parser.add_argument(
        "--local_dir", type=Path, help="Dry run: write the repository's files here"
    )
    parser.add_argument("--template", type=Path, required=True, help="Model card")
    parser.add_argument("--train_config", type=Path, required=True)
    parser.add_argument("--results", type=Path, required=True, help="RESULTS.md")
    parser.add_argument("--language", default="en")
    parser.add_argument("--license", default="cc-by-4.0")
    return parser


def model_card(args: argparse.Namespace) -> str:
    """The template with this model's name, results and configuration.

    Raises:
        FileNotFoundError: If template, results or configuration is absent.
    """
    template = string.Template(args.template.read_text(encoding="utf-8"))
    return template.substitute(
        hf_repo=args.hf_repo,
        language=args.language,
        license=args.license,
        results=args.results.read_text(encoding="utf-8").strip(),
        config=args.train_config.read_text(encoding="utf-8").strip(),
    )


def write_repository(packed: Path, card: str, folder: Path) -> None:
    """Unzip `packed` into `folder` and add the card.

    Raises:
        ValueError: If `packed` is not an archive of stage 11.
    """
    if not zipfile.is_zipfile(packed):
        raise ValueError(f"{packed} is not a packed model; make it with stage 11")
    with zipfile.ZipFile(packed) as archive:
        if "meta.yaml" not in archive.namelist():
            raise ValueError(f"{packed} has no meta.yaml; make it with stage 11")
        archive.extractall(folder)
    (folder / "README.md").write_text(card, encoding="utf-8")


def upload(folder: Path, hf_repo: str) -> str:
    """Upload `folder` as the repository `hf_repo`, made if need be; returns its URL."""
    from huggingface_hub import HfApi

    api = HfApi()
    url = api.create_repo(hf_repo, exist_ok=True)
    api.upload_folder(
        repo_id=hf_repo, folder_path=folder, commit_message="Update model"
    )
    return str(url)


def replace_folder(new: Path, target: Path) -> None:
    """Put `new` in the place of `target` only when it is whole.

    Raises:
        ValueError: If `target` is something else than an earlier dry run.
    """
    if target.exists():
        if any(target.iterdir()) and not (target / "meta.yaml").is_file():
            raise ValueError(
                f"{target} holds other files; name an empty or a new folder"
            )
        shutil.rmtree(target)
    os.replace(new, target)


def main(cmd=None):
    """Make the repository's files; upload them or, with --local_dir, keep them here."""
    print(get_commandline_args(), file=sys.stderr)
    args = get_parser().parse_args(cmd)
    card = model_card(args)
    parent = args.local_dir.absolute().parent if args.local_dir else None
    if parent is not None:
        parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent) as temporary:
        folder = Path(temporary) / "repository"
        write_repository(args.packed, card, folder)
        if args.local_dir is None:
            print(f"Uploaded: {upload(folder, args.hf_repo)}")
        else:
            replace_folder(folder, args.local_dir)
            print(f"Dry run, nothing uploaded: {args.local_dir}")


if __name__ == "__main__":
    sys.exit(run_cli(main))
