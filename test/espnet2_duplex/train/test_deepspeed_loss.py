import argparse
import json

import pytest
import torch
from deepspeed_engine import train_with_engine
from training_processes import curve, finish, start, train

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask
from espnet2_duplex.train.deepspeed_loss import check_deepspeed, weigh_loss


def with_options(args, **options):
    for name, value in options.items():
        args = [*args, f"--{name}", str(value)]
    return args


@pytest.fixture
def training_args(tiny_training_args):
    """Three conversations a batch: two on the first rank, one on the second."""
    return with_options(
        tiny_training_args, batch_size=3, num_iters_per_epoch=5, max_epoch=2
    )


def write_config(folder, root, stage, **changes):
    config = json.loads((root / f"conf/deepspeed_zero{stage}.json").read_text())
    config["optimizer"]["params"] |= changes
    path = folder / "deepspeed.json"
    path.write_text(json.dumps(config))
    return path, config


def test_deepspeed_trains_as_one_process_does(training_args, root, tmp_path):
    path, config = write_config(tmp_path, root / "egs2/duplex_s2s", 2, lr=0.01)
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    clip = config["gradient_clipping"]
    args = with_options(training_args, use_deepspeed="true", deepspeed_config=path)
    args = with_options(args, dist_backend="gloo", output_dir=tmp_path / "two")
    pair = start(train_with_engine, args, two, ranks=2)
    options = {"grad_clip": clip, "optim_conf": "lr=0.01"}
    train(with_options(training_args, output_dir=tmp_path / "one", **options), one)
    finish(pair)
    assert len(curve(one)) == 10 and curve(one)[-1] < 0.9 * curve(one)[0]
    assert curve(two) == pytest.approx(curve(one), rel=1e-4)
    saved = tmp_path / "two/checkpoint_2/2/mp_rank_00_model_states.pt"
    model, _ = DuplexS2STask.build_model_from_file(tmp_path / "two/config.yaml", saved)
    assert model.duplex_lm.speech_head.weight.abs().max() > 0
    best = tmp_path / "two/valid.loss.ave.pth"  # what decoding and packing take
    best_model, _ = DuplexS2STask.build_model_from_file(None, best)
    assert best_model.duplex_lm.speech_head.weight.abs().max() > 0


class Model(torch.nn.Module):
    def forward(self, loss, weight):
        return loss, {}, weight


def test_a_ranks_loss_is_the_sum_over_its_frames_in_training_only():
    model = Model()
    weigh_loss(model)
    values = torch.tensor([2.5]), torch.tensor([4])
    assert model(*values)[0].tolist() == [10.0]
    assert model.eval()(*values)[0].tolist() == [2.5]


def options(path, keep_nbest_models=1, accum_grad=1):
    return argparse.Namespace(
        deepspeed_config=path,
        keep_nbest_models=keep_nbest_models,
        accum_grad=accum_grad,
    )


@pytest.mark.parametrize("stage", [2, 3])
def test_shipped_configurations_are_accepted(root, stage):
    path = root / f"egs2/duplex_s2s/conf/deepspeed_zero{stage}.json"
    check_deepspeed(options(path, keep_nbest_models=[1]))
    config = json.loads(path.read_text())
    assert config["zero_optimization"]["stage"] == stage
    assert config["torch_autocast"] == {"enabled": True, "dtype": "bfloat16"}


@pytest.mark.parametrize(
    "content, keep, message",
    [
        (None, 1, "deepspeed_config is .*; give a file such as conf/deepspeed_zero2"),
        ("{", 1, "is not JSON"),
        ('{"bf16": {"enabled": true}}', 1, "has 'bf16', .*put .*torch_autocast"),
        ('{"fp16": {"enabled": true}}', 1, "has 'fp16'"),
        ("{}", [5], "keep_nbest_models is .*cannot be averaged; set it to 1"),
    ],
)
def test_what_would_go_wrong_is_refused(tmp_path, content, keep, message):
    path = tmp_path / "deepspeed.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=message):
        check_deepspeed(options(path, keep))


def test_an_accumulation_that_espnet_leaves_out_is_refused(root):
    path = root / "egs2/duplex_s2s/conf/deepspeed_zero2.json"
    message = "accum_grad is 2, .*set gradient_accumulation_steps in .*zero2.json"
    with pytest.raises(ValueError, match=message):
        check_deepspeed(options(path, accum_grad=2))


def test_the_command_line_ends_with_that_sentence(tiny_training_args, tmp_path, capsys):
    args = with_options(tiny_training_args, use_deepspeed="true", output_dir=tmp_path)
    assert run_cli(duplex_s2s_train.main, args) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith(
        "error: use_deepspeed is set but deepspeed_config is None"
    )
