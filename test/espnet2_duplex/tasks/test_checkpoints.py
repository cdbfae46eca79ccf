import pytest
import torch

from espnet2_duplex.tasks.checkpoints import load_weights, loading_explained

HEAD = "duplex_lm.speech_head.weight"
TABLE = "duplex_lm.backbone.llm.model.embed_tokens.weight"


@pytest.fixture
def weights(tiny_model):
    return {name: value.clone() for name, value in tiny_model.state_dict().items()}


def load(model, weights, folder):
    torch.save(weights, folder / "model.pth")
    load_weights(model, folder / "model.pth", "cpu")


def test_weights_are_loaded(tiny_model, weights, tmp_path):
    weights[HEAD] += 1.0
    load(tiny_model, weights, tmp_path)
    assert tiny_model.duplex_lm.speech_head.weight.equal(weights[HEAD])


@pytest.mark.parametrize("wrapper", ["module", "state_dict"])
def test_files_of_other_trainers_are_read(tiny_model, weights, tmp_path, wrapper):
    weights[HEAD] += 1.0
    load(tiny_model, {wrapper: weights}, tmp_path)
    assert tiny_model.duplex_lm.speech_head.weight.equal(weights[HEAD])


def test_missing_weights_are_explained(tiny_model, weights, tmp_path):
    frozen = {name: weights.pop(name) for name in list(weights) if "encoder" in name}
    with pytest.raises(ValueError, match="lacks .* such as encoder.*frozen.pth"):
        load(tiny_model, weights, tmp_path)
    torch.save(frozen, tmp_path / "frozen.pth")
    load(tiny_model, weights, tmp_path)


@pytest.mark.parametrize(
    "name, remedy",
    [(HEAD, "another codec"), (TABLE, "another tokenizer or another LLM")],
)
def test_weights_of_another_shape_are_explained(
    tiny_model, weights, tmp_path, name, remedy
):
    weights[name] = weights[name][:-1]
    with pytest.raises(ValueError, match=f"has shape .* {remedy}"):
        load(tiny_model, weights, tmp_path)


def test_a_share_of_a_zero3_checkpoint_is_explained(tiny_model, weights, tmp_path):
    share = {name: torch.empty(0) for name in weights}
    with pytest.raises(ValueError, match="share of a ZeRO-3.*join.*zero_to_fp32.py"):
        load(tiny_model, {"module": share}, tmp_path)
    with pytest.raises(ValueError, match="to start from .*zero_to_fp32.py"):
        with loading_explained():
            tiny_model.load_state_dict(share)


def test_weights_that_nobody_needs_are_left_out(tiny_model, weights, tmp_path, caplog):
    load(tiny_model, {**weights, "user_ctc.weight": torch.ones(2)}, tmp_path)
    assert "user_ctc.weight" in caplog.text
