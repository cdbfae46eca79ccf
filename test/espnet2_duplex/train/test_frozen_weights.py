import pytest
import torch

from espnet2_duplex.train.atomic_save import atomic_torch_save
from espnet2_duplex.train.frozen_weights import frozen_weights_apart, mark_frozen


@pytest.fixture
def model():
    model = torch.nn.ModuleDict(
        {"encoder": torch.nn.Linear(3, 3), "head": torch.nn.Linear(3, 2)}
    )
    model["encoder"].requires_grad_(False)
    mark_frozen(model)
    return model


@pytest.fixture(autouse=True)
def apart():
    with atomic_torch_save(), frozen_weights_apart():
        yield


def save_epoch(model, folder, epoch=1):
    """As ESPnet's trainer does."""
    weights = model.state_dict()
    torch.save({"model": weights, "epoch": epoch}, folder / "checkpoint.pth")
    torch.save(weights, folder / f"{epoch}epoch.pth")


def stored_names(path):
    """What the file itself holds: a copy elsewhere has no frozen.pth beside it."""
    copy = path.parent / "elsewhere" / path.name
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(path.read_bytes())
    weights = torch.load(copy, weights_only=True)
    return set(weights.get("model", weights))


def assert_same(weights, model):
    expected = model.state_dict()
    assert set(weights) == set(expected)
    for name, value in weights.items():
        assert torch.equal(value, expected[name])


def test_frozen_weights_are_in_a_file_of_their_own(model, tmp_path):
    save_epoch(model, tmp_path)
    trained = {"head.weight", "head.bias"}
    assert stored_names(tmp_path / "checkpoint.pth") == trained
    assert stored_names(tmp_path / "1epoch.pth") == trained
    assert stored_names(tmp_path / "frozen.pth") == {"encoder.weight", "encoder.bias"}


def test_whoever_loads_gets_all_weights(model, tmp_path):
    save_epoch(model, tmp_path)
    assert_same(torch.load(tmp_path / "1epoch.pth", weights_only=True), model)
    checkpoint = torch.load(tmp_path / "checkpoint.pth", weights_only=True)
    assert checkpoint["epoch"] == 1
    model.load_state_dict(checkpoint["model"], strict=True)


def test_frozen_file_is_written_once(model, tmp_path):
    save_epoch(model, tmp_path)
    before = (tmp_path / "frozen.pth").stat()
    torch.nn.init.ones_(model["head"].weight)
    save_epoch(model, tmp_path, epoch=2)
    after = (tmp_path / "frozen.pth").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)
    assert_same(torch.load(tmp_path / "2epoch.pth", weights_only=True), model)


def test_weights_of_another_training_stay_in_the_checkpoint(model, tmp_path):
    save_epoch(model, tmp_path)
    torch.nn.init.ones_(model["encoder"].weight)
    save_epoch(model, tmp_path, epoch=2)
    assert "encoder.weight" in stored_names(tmp_path / "2epoch.pth")
    assert "encoder.bias" not in stored_names(tmp_path / "2epoch.pth")
    assert_same(torch.load(tmp_path / "2epoch.pth", weights_only=True), model)


def test_weights_that_are_trained_from_some_epoch_on_are_saved(model, tmp_path):
    save_epoch(model, tmp_path)
    model["encoder"].requires_grad_(True)
    torch.nn.init.ones_(model["encoder"].weight)
    save_epoch(model, tmp_path, epoch=2)
    assert "encoder.weight" in stored_names(tmp_path / "2epoch.pth")
    assert_same(torch.load(tmp_path / "2epoch.pth", weights_only=True), model)


def test_tied_weights_are_kept_apart_under_both_names(tmp_path):
    model = torch.nn.ModuleDict(
        {"embedding": torch.nn.Embedding(3, 4), "head": torch.nn.Linear(4, 3, False)}
    )
    model["head"].weight = model["embedding"].weight
    model.requires_grad_(False)
    mark_frozen(model)
    save_epoch(model, tmp_path)
    assert stored_names(tmp_path / "1epoch.pth") == set()
    assert_same(torch.load(tmp_path / "1epoch.pth", weights_only=True), model)


def test_training_of_all_weights_has_no_frozen_file(model, tmp_path):
    model.requires_grad_(True)
    save_epoch(model, tmp_path)
    assert not (tmp_path / "frozen.pth").exists()
    assert "encoder.weight" in stored_names(tmp_path / "1epoch.pth")
