import argparse
from fractions import Fraction

import pytest
import torch

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.train.out_of_memory import (
    StepBatch,
    out_of_memory_explained,
    remedies,
)

FRAME_RATE = Fraction(25, 2)


def error_of(args, folder, capsys):
    args = [*args, "--output_dir", str(folder), "--max_epoch", "1"]
    assert run_cli(duplex_s2s_train.main, args) == 1
    return capsys.readouterr().err.strip().splitlines()[-1]


def grow(size_of_training, size_of_validation=0):
    """A loss that takes gigabytes, of training or validation."""
    plain = ESPnetDuplexS2SModel.forward

    def forward(self, **batch):
        size = size_of_training if self.training else size_of_validation
        torch.empty(size, dtype=torch.int8)
        return plain(self, **batch)

    return forward


def test_a_batch_beyond_the_memory_is_explained(
    tiny_training_args, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(ESPnetDuplexS2SModel, "forward", grow(2**60))
    args = [*tiny_training_args, "--batch_size", "6", "--accum_grad", "2"]
    message = error_of(args, tmp_path, capsys)
    assert message.startswith("error: out of memory (")
    assert "can't allocate memory" in message
    # 25, 27, ... 35 frames of 80 ms
    assert "in a batch of 6 conversations, the longest of 2.8 s, 14% padding" in message
    assert "set backbone_conf.gradient_checkpointing to true" in message
    assert "encoder_conf" not in message  # this encoder has no such option
    assert message.endswith(
        "lower batch_size (now 6) and raise accum_grad (now 2) by as much"
    )


def test_a_validation_batch_has_an_option_of_its_own(
    tiny_training_args, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(ESPnetDuplexS2SModel, "forward", grow(1, 2**60))
    args = [*tiny_training_args, "--valid_batch_size", "2"]
    message = error_of(args, tmp_path, capsys)
    assert message.endswith("padding; lower valid_batch_size (now 2)")
    assert "accum_grad" not in message and "gradient_checkpointing" not in message


def options(**changes):
    found = {
        "backbone_conf": {"gradient_checkpointing": True},
        "encoder_conf": {},
        "model_conf": {"logits_chunk_frames": 1024},
        "batch_type": "numel",
        "batch_bins": 2500,
        "accum_grad": 1,
        "use_deepspeed": False,
        "deepspeed_config": None,
    }
    return argparse.Namespace(**{**found, **changes})


def test_what_is_done_already_is_not_advised():
    with pytest.raises(ValueError) as found:
        with out_of_memory_explained(
            options(), FRAME_RATE, ["encoder_conf", "backbone_conf"]
        ):
            train_one_epoch()
    message = str(found.value)
    assert message == (
        "out of memory (CUDA out of memory) in a batch of 2 conversations, the longest "
        "of 10.0 s, 25% padding; set encoder_conf.gradient_checkpointing to true, or set "
        "model_conf.logits_chunk_frames to 256, or lower batch_bins (now 2500) and "
        "raise accum_grad (now 1) by as much"
    )


def train_one_epoch():
    """Stands for the trainer's loop, at a batch that a GPU refuses."""
    batch = {
        "text": torch.zeros(2, 125, dtype=torch.int64),
        "text_lengths": torch.tensor([125, 62]),
    }
    step(batch)


def step(batch):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore.")


def test_a_single_conversation_cannot_be_divided():
    batch = StepBatch(1, 1000.0, 0.0, "batch")
    assert (
        str(batch)
        == "in a batch of 1 conversation, the longest of 1000.0 s, 0% padding"
    )
    advice = remedies(batch, options(model_conf={}), [])
    assert advice == "leave out conversations this long"


def test_deepspeed_accumulates_by_its_own_configuration():
    given = options(
        model_conf={}, use_deepspeed=True, deepspeed_config="conf/deepspeed_zero2.json"
    )
    assert remedies(StepBatch(2, 10.0, 0.0, "batch"), given, []) == (
        "lower batch_bins (now 2500) and raise gradient_accumulation_steps of "
        "conf/deepspeed_zero2.json by as much"
    )


def test_a_model_beyond_the_memory_is_explained():
    with pytest.raises(ValueError, match="outside of a step; model and optimizer do"):
        with out_of_memory_explained(options(), FRAME_RATE, []):
            torch.empty(2**60, dtype=torch.int8)


def test_other_errors_stay_as_they_are():
    with pytest.raises(RuntimeError, match="another fault"):
        with out_of_memory_explained(options(), FRAME_RATE, []):
            raise RuntimeError("another fault")
