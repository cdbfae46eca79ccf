"""A conversion that is killed at any moment and run again gives the same bytes."""

import multiprocessing
import os
import signal

import pytest

from espnet2_duplex.formats.kaldi import KaldiOptions
from espnet2_duplex.formats.registry import (
    FORMATS,
    FormatOptions,
    convert,
    open_reader,
    open_writer,
)
from espnet2_duplex.formats.shar import SharOptions

OPTIONS = FormatOptions(
    kaldi=KaldiOptions(audio="copy"), shar=SharOptions(shard_size=2)
)
NUM_RENAMES = 60  # more than the conversion of three conversations needs


def run(name, data, target):
    convert(open_reader("kaldi", data), open_writer(name, target, OPTIONS))


def run_until_rename(name, data, target, number):
    """Kill this process at a rename, which is what makes a file appear."""
    rename, count = os.replace, 0

    def replace(source, destination):
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
        rename(source, destination)

    os.replace = replace
    run(name, data, target)


def content(target):
    """Bytes by path, but for the record of what was made from what."""
    return {
        path.relative_to(target): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file() and path.name != ".sources"
    }


@pytest.mark.parametrize("name", FORMATS)
def test_the_next_run_gives_the_same_bytes(name, data, tmp_path):
    run(name, data, tmp_path / "whole")
    whole, fork = content(tmp_path / "whole"), multiprocessing.get_context("fork")
    killed = tmp_path / "killed"
    for number in range(1, NUM_RENAMES, 3):
        child = fork.Process(target=run_until_rename, args=(name, data, killed, number))
        child.start()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
    run(name, data, killed)
    expected = {path: bytes for path, bytes in whole.items()}
    if name == "kaldi":  # the tables have the paths of the wavs
        for scp in ("user.scp", "agent.scp"):
            path = next(path for path in whole if path.name == scp)
            expected[path] = whole[path].replace(b"/whole/", b"/killed/")
    found = content(killed)
    assert set(found) == set(expected)
    for path, bytes in expected.items():
        if path.suffix not in (".gz", ".tar"):  # these have the time in them
            assert found[path] == bytes, path
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".partial")]
