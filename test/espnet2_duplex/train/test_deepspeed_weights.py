import argparse
import logging

import pytest
import torch
import yaml

from espnet2_duplex.tasks.training import recall_trained_with
from espnet2_duplex.train.deepspeed_weights import (
    tell_of_frozen_weights,
    write_linked_epochs,
)
from espnet2_duplex.train.frozen_weights import frozen_weights_apart, mark_frozen


@pytest.fixture
def model():
    model = torch.nn.ModuleDict(
        {"encoder": torch.nn.Linear(3, 3), "head": torch.nn.Linear(3, 2)}
    )
    model["encoder"].requires_grad_(False)
    mark_frozen(model)
    return model


@pytest.fixture
def folder(tmp_path):
    """As DeepSpeedTrainer leaves it, whose second epoch of two was the best."""
    for epoch in ("1", "2"):
        (tmp_path / f"checkpoint_{epoch}" / epoch).mkdir(parents=True)
    (tmp_path / "valid.loss.ave_1best.pth").symlink_to("2epoch.pth")
    (tmp_path / "valid.loss.ave.pth").symlink_to("valid.loss.ave_1best.pth")
    return tmp_path


def save_whole(model, folder):
    """ZeRO-2's file, from within the training."""
    file = folder / "checkpoint_2/2/mp_rank_00_model_states.pt"
    with frozen_weights_apart():
        torch.save({"module": model.state_dict(), "global_steps": 7}, file)


def test_the_best_epochs_weights_are_where_espnets_links_lead(model, folder):
    save_whole(model, folder)
    before = {path.name for path in folder.iterdir()}
    write_linked_epochs(folder)
    assert {path.name for path in folder.iterdir()} - before == {"2epoch.pth"}
    weights = torch.load(folder / "valid.loss.ave.pth", weights_only=True)
    expected = model.state_dict()
    assert list(weights) == list(expected)
    assert all(weights[name].equal(value) for name, value in expected.items())


def test_the_shares_of_zero3_are_left_with_the_command_that_joins_them(folder, caplog):
    write_linked_epochs(folder)
    assert not (folder / "2epoch.pth").exists()
    assert caplog.text.count("zero_to_fp32.py checkpoint_2 ") == 1
    assert f"run: cd {folder} && python checkpoint_2/zero_to_fp32.py" in caplog.text
    assert caplog.text.strip().endswith("pytorch_model.bin 2epoch.pth")


def test_a_training_without_deepspeed_keeps_its_files(tmp_path, caplog):
    (tmp_path / "2epoch.pth").write_bytes(b"weights")
    (tmp_path / "valid.loss.ave_1best.pth").symlink_to("2epoch.pth")
    write_linked_epochs(tmp_path)
    assert (tmp_path / "2epoch.pth").read_bytes() == b"weights"
    assert not caplog.text


def test_the_log_says_that_checkpoints_have_frozen_weights(model, caplog):
    with caplog.at_level(logging.INFO):
        tell_of_frozen_weights(model)
        assert "has the 2 frozen weights in it, 0.0 GB" in caplog.text
        caplog.clear()
        tell_of_frozen_weights(model.requires_grad_(True))
    assert not caplog.text


@pytest.mark.parametrize("resume, recalled", [(True, {"codec": "one"}), (False, {})])
def test_a_resumed_training_is_recalled(folder, resume, recalled):
    saved = {"trained_with": {"codec": "one"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(saved))
    args = argparse.Namespace(
        output_dir=str(folder),
        resume=resume,
        ignore_init_mismatch=False,
        init_param=[],
        trained_with={},
    )
    recall_trained_with(args)
    assert args.trained_with == recalled
