import builtins
import os

import pytest
import torch
import yaml

from espnet2_duplex.bin.packed_weights import inference_files
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

LORA = ["--lora_conf", "{r: 2, target_modules: [q_proj, down_proj]}"]


def leave_training(args, folder):
    """config.yaml and model.pth of a tiny model, and the model."""
    args = DuplexS2STask.get_parser().parse_args(args)
    torch.manual_seed(0)
    model = DuplexS2STask.build_model(args)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    (folder / "config.yaml").write_text(yaml.safe_dump(vars(args)))
    torch.save(model.state_dict(), folder / "model.pth")
    return model.eval()


def pack_files(folder):
    return inference_files(str(folder / "config.yaml"), str(folder / "model.pth"))


def hidden(model):
    with torch.inference_mode():
        return model.duplex_lm.backbone(torch.linspace(-1, 1, 6 * 32).view(1, 6, 32))


def test_whole_checkpoint_is_packed_as_it_is(tiny_args, tmp_path):
    leave_training(tiny_args, tmp_path)
    with pack_files(tmp_path) as files:
        assert files == (tmp_path / "config.yaml", tmp_path / "model.pth")
    assert (tmp_path / "model.pth").exists()


def test_adapters_are_merged_so_that_nobody_needs_peft(
    tiny_args, tmp_path, monkeypatch
):
    model = leave_training([*tiny_args, *LORA], tmp_path)
    with pack_files(tmp_path) as (config, weights):
        assert not any("lora" in name for name in torch.load(weights))
        monkeypatch.setattr(builtins, "__import__", without_peft(builtins.__import__))
        merged, args = DuplexS2STask.build_model_from_file(config, weights)
        assert args.lora_conf == {}
        torch.testing.assert_close(
            hidden(merged.eval()), hidden(model), atol=1e-4, rtol=1e-4
        )
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "model.pth"]


def without_peft(plain_import):
    def import_(name, *args, **kwargs):
        if name.split(".")[0] == "peft":
            raise ImportError(name)
        return plain_import(name, *args, **kwargs)

    return import_


def test_frozen_weights_are_packed_too(tiny_args, tmp_path):
    model = leave_training(tiny_args, tmp_path)
    weights = dict(model.state_dict())
    frozen = {name: weights.pop(name) for name in list(weights) if "encoder" in name}
    torch.save(weights, tmp_path / "model.pth")
    torch.save(frozen, tmp_path / "frozen.pth")
    with pack_files(tmp_path) as (config, whole):
        assert config == tmp_path / "config.yaml"
        stored = torch.load(whole)
        for name, value in model.state_dict().items():
            assert stored[name].equal(value)
    assert "model.whole.pth" not in os.listdir(tmp_path)


def test_nothing_is_left_when_packing_fails(tiny_args, tmp_path):
    leave_training([*tiny_args, *LORA], tmp_path)
    with pytest.raises(RuntimeError, match="disk full"), pack_files(tmp_path):
        raise RuntimeError("disk full")
    assert sorted(os.listdir(tmp_path)) == ["config.yaml", "model.pth"]
