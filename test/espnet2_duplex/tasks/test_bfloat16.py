"""Who decides in which format the model computes: its option, or the trainer."""

import contextlib

import pytest
import torch

from espnet2_duplex import espnet_model
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

TRAINERS = torch.autocast("cpu", torch.bfloat16)  # of --use_amp, on a GPU
NONE = contextlib.nullcontext()


@pytest.fixture
def batch():
    lengths = torch.tensor([6, 4])
    return {
        "user_speech": torch.zeros(2, 6 * 1280),
        "user_speech_lengths": lengths * 1280,
        "text": torch.zeros(2, 6, dtype=torch.int64),
        "text_lengths": lengths,
        "codes": torch.zeros(2, 6, 4, dtype=torch.int64),
        "codes_lengths": lengths,
    }


@pytest.mark.parametrize(
    "option, is_fast, trainers, computed_in",
    [
        ("false", True, TRAINERS, torch.bfloat16),  # the trainer's stays on
        ("false", True, NONE, torch.float32),
        ("true", True, NONE, torch.bfloat16),
        ("true", False, NONE, torch.float32),  # slower than float32 here
        ("true", False, TRAINERS, torch.bfloat16),
    ],
)
def test_format_of_the_models_arithmetic(
    tiny_args, batch, monkeypatch, option, is_fast, trainers, computed_in
):
    monkeypatch.setattr(espnet_model, "fast_bfloat16", {"cpu": is_fast}.__getitem__)
    args = [*tiny_args, "--model_conf", f"bfloat16={option}"]
    model = DuplexS2STask.build_model(DuplexS2STask.get_parser().parse_args(args))
    found = []
    for part in (model.encoder.proj, model.adapter.linear):
        part.register_forward_hook(lambda *call: found.append(call[-1].dtype))
    with trainers:
        loss, _, _ = model(**batch)
    assert found == [computed_in] * 2
    assert loss.dtype == torch.float32
    loss.backward()
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())
