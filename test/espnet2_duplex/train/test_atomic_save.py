import io

import pytest
import torch

from espnet2_duplex.train.atomic_save import atomic_torch_save


class Killed(Exception):
    pass


class CannotBePickled:
    def __reduce__(self):
        raise Killed


def test_a_save_that_is_cut_short_leaves_the_old_file(tmp_path):
    path = tmp_path / "1epoch.pth"
    torch.save({"a": torch.ones(2)}, path)
    with pytest.raises(Killed), atomic_torch_save():
        torch.save({"a": torch.zeros(2), "b": CannotBePickled()}, path)
    assert torch.equal(torch.load(path)["a"], torch.ones(2))


def test_a_checkpoint_appears_after_the_weights_of_its_epoch(tmp_path):
    with atomic_torch_save():
        torch.save({"epoch": 2}, tmp_path / "checkpoint.pth")
        assert not (tmp_path / "checkpoint.pth").exists()
        torch.save({"a": torch.ones(2)}, tmp_path / "2epoch.pth")
        assert (tmp_path / "2epoch.pth").exists()
        assert torch.load(tmp_path / "checkpoint.pth") == {"epoch": 2}


def test_a_checkpoint_without_weights_appears_at_the_end(tmp_path):
    with atomic_torch_save():
        torch.save({"epoch": 2}, tmp_path / "checkpoint.pth")
    assert torch.load(tmp_path / "checkpoint.pth") == {"epoch": 2}


def test_killed_before_its_weights_a_checkpoint_stays_the_old_one(tmp_path):
    torch.save({"epoch": 1}, tmp_path / "checkpoint.pth")
    with pytest.raises(Killed), atomic_torch_save():
        torch.save({"epoch": 2}, tmp_path / "checkpoint.pth")
        raise Killed
    assert torch.load(tmp_path / "checkpoint.pth") == {"epoch": 1}


def test_buffers_are_saved_as_before_and_torch_is_left_alone(tmp_path):
    before = torch.save
    buffer = io.BytesIO()
    with atomic_torch_save():
        torch.save({"epoch": 1}, buffer)
    assert buffer.tell() > 0
    assert torch.save is before
