import errno
import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from espnet2_duplex.atomic import replacing


def test_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "new/file.txt"
    with replacing(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    assert [p.name for p in path.parent.iterdir()] == ["file.txt"]


def test_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError("disk full")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_names_the_file(tmp_path, code):
    path = tmp_path / "file.txt"
    with pytest.raises(OSError) as caught:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise OSError(code, os.strerror(code))
    assert caught.value.filename == str(path)
    assert caught.value.errno == code


def test_a_temporary_file_that_cannot_be_made_goes_by_the_name_of_the_file(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(OSError) as caught:
        with replacing(path) as temporary:
            raise OSError(errno.ENOSPC, "No space left on device", str(temporary))
    assert caught.value.filename == str(path)


@pytest.mark.parametrize(
    "problem",
    [
        OSError("of a library"),
        ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", "other.txt"),
        OSError(errno.ENOSPC, "No space left on device", "other.txt"),
    ],
)
def test_other_errors_stay_as_they_are(tmp_path, problem):
    text, name = str(problem), problem.filename
    with pytest.raises(OSError) as caught:
        with replacing(tmp_path / "file.txt"):
            raise problem
    assert caught.value is problem
    assert (str(problem), problem.filename) == (text, name)


def test_threads_that_write_the_same_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "file.txt"
    num_threads = 8
    all_have_written = Barrier(num_threads)

    def write(number):
        with replacing(path) as temporary:
            temporary.write_text(str(number) * 9)
            all_have_written.wait(5)
            return temporary

    with ThreadPoolExecutor(num_threads) as pool:
        temporaries = list(pool.map(write, range(num_threads)))
    assert len(set(temporaries)) == num_threads
    assert path.read_text() in {str(number) * 9 for number in range(num_threads)}
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_machines_with_the_same_process_number_write_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("os.getpid", lambda: 1)
    with replacing(tmp_path / "a") as one, replacing(tmp_path / "a") as other:
        assert one != other
        one.touch()
        other.touch()
