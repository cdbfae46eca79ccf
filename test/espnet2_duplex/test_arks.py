"""Archives, with kaldiio and with its replacement."""

import importlib
import sys

import numpy as np
import pytest

import espnet2_duplex.arks


@pytest.fixture(params=["kaldiio", "omniio"])
def arks(request, monkeypatch):
    """The module, with kaldiio or as it is where kaldiio is not installed."""
    if request.param == "omniio":
        monkeypatch.setitem(sys.modules, "kaldiio", None)  # import raises ImportError
    module = importlib.reload(espnet2_duplex.arks)
    assert module.kaldi.__name__.split(".")[0] == request.param
    yield module
    monkeypatch.undo()
    importlib.reload(espnet2_duplex.arks)


@pytest.fixture
def arrays():
    generator = np.random.default_rng(0)
    return {
        "codes": generator.integers(0, 4037, 24).astype(np.int32),
        "negative": np.array([-1, -(2**31), 2**31 - 1], dtype=np.int32),
        "empty": np.zeros(0, dtype=np.int32),
        "matrix": generator.standard_normal((5, 3)).astype(np.float32),
        "double": generator.standard_normal((2, 2)),
        "vector": generator.standard_normal(7).astype(np.float32),
    }


def write(arks, prefix, arrays):
    with arks.ArkWriter(prefix) as writer:
        for key, array in arrays.items():
            writer.write(key, array)


def test_arrays_come_back_as_they_went(arks, arrays, tmp_path):
    write(arks, tmp_path / "new" / "codes", arrays)
    index = arks.read_scp(tmp_path / "new" / "codes.scp")
    assert list(index) == list(arrays)
    for key, spec in index.items():
        array = arks.read_ark(spec, key)
        assert array.dtype == arrays[key].dtype
        np.testing.assert_array_equal(array, arrays[key])


def test_both_libraries_write_the_same_bytes(arrays, tmp_path, monkeypatch):
    write(importlib.reload(espnet2_duplex.arks), tmp_path / "kaldiio", arrays)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "kaldiio", None)
        write(importlib.reload(espnet2_duplex.arks), tmp_path / "omniio", arrays)
    importlib.reload(espnet2_duplex.arks)
    first, second = (tmp_path / f"{name}.ark" for name in ("kaldiio", "omniio"))
    assert first.read_bytes() == second.read_bytes()


def test_index_holds_the_path_as_given(arks, arrays, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(arks, "dump/codes", arrays)
    first_line = (tmp_path / "dump" / "codes.scp").read_text().splitlines()[0]
    assert first_line == "codes dump/codes.ark:6"


def test_wider_integers_are_stored_in_32_bits(arks, tmp_path):
    write(arks, tmp_path / "a", {"k": np.array([1, 2], dtype=np.int64)})
    assert arks.read_ark(arks.read_scp(tmp_path / "a.scp")["k"]).dtype == np.int32


def test_failure_leaves_old_files_and_nothing_else(arks, arrays, tmp_path):
    write(arks, tmp_path / "a", {"k": arrays["codes"]})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(KeyboardInterrupt), arks.ArkWriter(tmp_path / "a") as writer:
        writer.write("other", arrays["codes"])
        raise KeyboardInterrupt
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_nothing_has_its_name_before_it_is_complete(arks, arrays, tmp_path):
    with arks.ArkWriter(tmp_path / "a") as writer:
        writer.write("k", arrays["codes"])
        assert not (tmp_path / "a.ark").exists()
        assert not (tmp_path / "a.scp").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.ark", "a.scp"]


@pytest.mark.parametrize("key", ["", "a b", "a\n", "twice"])
def test_key_must_be_usable(arks, arrays, tmp_path, key):
    with pytest.raises(ValueError, match="keys must differ"):
        with arks.ArkWriter(tmp_path / "a") as writer:
            writer.write("twice", arrays["codes"])
            writer.write(key, arrays["codes"])


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 2), dtype=np.int32),
        np.array([2**31]),
        np.zeros(2, dtype=np.float16),
        np.zeros((1, 2, 3), dtype=np.float32),
        np.array(["a"]),
    ],
)
def test_array_must_be_storable(arks, tmp_path, array):
    with pytest.raises(ValueError, match="^k: an archive cannot hold"):
        write(arks, tmp_path / "a", {"k": array})


@pytest.mark.parametrize("key", ["codes", "matrix", "double", "vector"])
def test_truncated_archive_is_named_wherever_it_ends(arks, arrays, tmp_path, key):
    path = tmp_path / "a.ark"
    write(arks, tmp_path / "a", {key: arrays[key]})
    spec = arks.read_scp(tmp_path / "a.scp")[key]
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(ValueError) as caught:
            arks.read_ark(spec, key)
        message = str(caught.value)
        assert message.startswith(f"{key}: the archive {path} is truncated or corrupt")
        assert "run the stage that wrote it again" in message


@pytest.mark.parametrize("content", [b"k PKLx", b"k \0BXX abcdefgh", b"k hello world"])
def test_anything_but_an_array_is_refused(arks, tmp_path, content):
    path = tmp_path / "a.ark"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="truncated or corrupt"):
        arks.read_ark(f"{path}:2")


@pytest.mark.parametrize("spec", ["", "a.ark", "a.ark:", "cat a.ark |", "a.ark:x"])
def test_spec_must_be_path_and_offset(arks, spec):
    with pytest.raises(ValueError, match="expected path:offset"):
        arks.read_ark(spec)


def test_missing_archive_is_named(arks, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.ark"):
        arks.read_ark(f"{tmp_path / 'none.ark'}:2")


@pytest.mark.parametrize("line", ["key", "", "k1 again"])
def test_index_error_names_file_and_line(arks, tmp_path, line):
    path = tmp_path / "wav.scp"
    path.write_text(f"k1 a.wav\n{line}\n")
    with pytest.raises(ValueError, match="line 2 of .*wav.scp"):
        arks.read_scp(path)


def test_index_values_may_contain_blanks(arks, tmp_path):
    path = tmp_path / "wav.scp"
    path.write_text("k1 a b.wav\n")
    assert arks.read_scp(path) == {"k1": "a b.wav"}


def test_cut_archive_is_found_by_its_last_entry(arks, tmp_path):
    for name in ("one", "two"):
        entries = {f"{name}{n}": np.arange(5, dtype=np.int32) for n in range(3)}
        write(arks, tmp_path / name, entries)
    scp = tmp_path / "both.scp"
    lines = [(tmp_path / f"{name}.scp").read_text() for name in ("two", "one")]
    scp.write_text("".join(lines))
    arks.check_archive_ends(scp)
    ark = tmp_path / "two.ark"
    ark.write_bytes(ark.read_bytes()[:-1])
    with pytest.raises(ValueError, match="two2") as error:
        arks.check_archive_ends(scp)
    assert str(ark) in str(error.value)
