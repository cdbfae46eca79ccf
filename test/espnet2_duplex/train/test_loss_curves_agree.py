"""The loss curve depends neither on the number of processes nor on interruptions."""

import os
import signal
import time

import pytest
import torch
from tiny_llms import LLMS
from training_processes import curve, finish, start, train

from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

STEPS_PER_EPOCH = 5


@pytest.fixture
def training_args(tiny_training_args, tiny_data, tmp_path):
    """Batches counted in frames, of conversations of unequal lengths; random inputs."""
    shapes = tmp_path / "text_shape"
    lines = [f"talk{n} {25 + 2 * n}\n" for n in range(6)]
    shapes.write_text("".join(lines))
    args = [
        a.replace(str(tiny_data / "utt2spk"), str(shapes)) for a in tiny_training_args
    ]
    options = {
        "batch_type": "numel",
        "batch_bins": 80,  # three conversations
        "min_batch_size": 2,
        "num_iters_per_epoch": STEPS_PER_EPOCH,
        "optim_conf": "lr=0.003",
        "model_conf": "code_noise=0.3",
        "keep_nbest_models": 10,
        "resume": "true",
        "seed": 7,
    }
    for name, value in options.items():
        args += [f"--{name}", str(value)]
    return args


def with_folder(args, folder, max_epoch):
    return [*args, "--output_dir", str(folder), "--max_epoch", str(max_epoch)]


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_two_processes_give_the_curve_of_one(training_args, tmp_path, family):
    if family in LLMS:  # learned positions: conversations begin at random ones
        conf = {
            **LLMS[family],
            "resid_pdrop": 0.0,
            "embd_pdrop": 0.0,
            "attn_pdrop": 0.0,
        }
        training_args += ["--llm_conf", str(conf)]
        training_args += ["--backbone_conf", "window_frames=20"]
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    gloo = ["--ngpu", "0", "--dist_backend", "gloo"]
    pair = start(
        train, with_folder([*training_args, *gloo], tmp_path / "two", 4), two, ranks=2
    )
    train(with_folder(training_args, tmp_path / "one", 4), one)
    finish(pair)
    assert len(curve(one)) == 4 * STEPS_PER_EPOCH == 20
    assert curve(one)[-1] < 0.9 * curve(one)[0]
    assert curve(two) == pytest.approx(curve(one), rel=1e-4)
    for name, value in weights_of(tmp_path / "one").items():
        torch.testing.assert_close(
            weights_of(tmp_path / "two")[name], value, rtol=1e-3, atol=1e-3
        )


def weights_of(folder):
    model, _ = DuplexS2STask.build_model_from_file(model_file=folder / "latest.pth")
    return model.state_dict()


def test_killed_and_resumed_training_gives_the_uninterrupted_curve(
    training_args, tmp_path
):
    killed, whole = tmp_path / "killed.jsonl", tmp_path / "whole.jsonl"
    args = with_folder(training_args, tmp_path / "killed", 4)
    (process,) = start(train, args, killed)
    in_third_epoch = 2 * STEPS_PER_EPOCH + 2
    while not killed.exists() or len(curve(killed)) < in_third_epoch:
        assert process.is_alive()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    losses = curve(killed)
    done = torch.load(tmp_path / "killed/checkpoint.pth", weights_only=True)
    num_kept = max(done["reporter"]["stats"]) * STEPS_PER_EPOCH
    assert 2 * STEPS_PER_EPOCH <= num_kept < 4 * STEPS_PER_EPOCH
    train(args, resumed := tmp_path / "resumed.jsonl")
    train(with_folder(training_args, tmp_path / "whole", 4), whole)
    found = losses[:num_kept] + curve(resumed)
    assert found == pytest.approx(curve(whole), rel=1e-4)
    for name, value in weights_of(tmp_path / "whole").items():
        torch.testing.assert_close(weights_of(tmp_path / "killed")[name], value)
