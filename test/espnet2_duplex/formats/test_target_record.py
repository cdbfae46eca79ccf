import os

import numpy as np
import pytest
import soundfile

from espnet2_duplex.formats.sounds import FileSound, Silence, open_channels
from espnet2_duplex.formats.target_record import TargetRecord, origin_of


@pytest.fixture
def made(tmp_path):
    """A file with a text below the target, noted with an origin."""

    def make(name, text, origin, record):
        path = tmp_path / "target" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        record.add(path, origin)
        return path

    return make


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def test_origin_survives_the_run_that_wrote_it(made, target):
    path = made("a", "text", [1, ["b"]], TargetRecord(target))
    assert TargetRecord(target).origin(path) == [1, ["b"]]
    assert TargetRecord(target).origin(target / "unknown") is None


def test_a_file_that_changed_has_no_origin(made, target):
    path = made("a", "text", 1, TargetRecord(target))
    written = path.stat().st_mtime_ns
    path.write_text("tex")
    os.utime(path, ns=(written, written))
    assert TargetRecord(target).origin(path) is None  # another size
    path.write_text("tent")
    os.utime(path, ns=(written + 1000, written + 1000))
    assert TargetRecord(target).origin(path) is None  # another time
    path.unlink()
    assert TargetRecord(target).origin(path) is None


def test_a_line_cut_off_by_a_kill_costs_only_its_file(made, target):
    record = TargetRecord(target)
    first, last = made("a", "1", "x", record), made("b", "2", "y", record)
    lines = (target / ".sources").read_text()
    (target / ".sources").write_text(lines[:-5])
    record = TargetRecord(target)
    assert record.origin(first) == "x" and record.origin(last) is None
    made("c", "3", "z", record)
    assert TargetRecord(target).origin(target / "c") == "z"


def test_what_only_the_run_before_wrote_is_removed_at_the_end(made, target):
    record = TargetRecord(target)
    stale, kept = made("old/a", "1", "x", record), made("b", "2", "y", record)
    record.finish()
    record = TargetRecord(target)
    record.add(kept, "y")
    assert stale.is_file()
    record.finish()
    assert not stale.parent.exists() and kept.is_file()


def test_what_somebody_changed_or_added_is_not_removed(made, target):
    record = TargetRecord(target)
    changed, stale = made("old/a", "1", None, record), made("new/b", "2", None, record)
    record.finish()
    changed.write_text("corrected")
    (stale.parent / "note").write_text("mine")
    TargetRecord(target).finish()
    assert changed.is_file() and (stale.parent / "note").is_file()
    assert not stale.exists()


def test_the_record_of_the_same_run_has_the_same_bytes(made, target):
    for _ in range(2):
        record = TargetRecord(target)
        for name in ("b", "a"):
            path = target / name
            record.add(path, name) if path.is_file() else made(name, "1", name, record)
        record.finish()
        content = (target / ".sources").read_bytes()
    assert [line[:4] for line in content.splitlines()] == [b'["a"', b'["b"']


def test_origin_tells_channels_stretches_rates_and_files_apart(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros((800, 2)), 8000)
    left, right = open_channels(path, 2)
    sounds = [
        left,
        right,
        FileSound(path, 8000, 400, 0, 0),
        FileSound(path, 8000, 400, 0, 400),
        Silence(8000, 800),
        Silence(16000, 800),
    ]
    origins = [str(origin_of([sound], 8000)) for sound in sounds]
    origins += [str(origin_of([left], 16000)), str(origin_of([left, right], 8000))]
    assert len(set(origins)) == len(origins)
    os.utime(path, ns=(0, 10**9))  # older than before, and still another file
    assert str(origin_of([left], 8000)) not in origins
