import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml

from espnet2_duplex.bin import codec_export, codec_train
from espnet2_duplex.codec.loading import load_codec

ROOT = Path(__file__).resolve().parents[2]
TINY_CONFIG = {
    "codec": "istft",
    "codec_conf": {
        "encoder_channels": [8, 8],
        "encoder_blocks": [1, 1],
        "decoder_channels": [8, 8],
        "decoder_blocks": [1, 1],
    },
    "discriminator_conf": {
        "window_sizes": [256],
        "num_channels": 2,
        "num_layers": 2,
    },
    "model_conf": {"adversarial_start": 2},
    "crop_frames": 2,
    "max_silence_frames": 1,
    "iterator_type": "sequence",
    "batch_type": "unsorted",
    "batch_size": 2,
    "num_iters_per_epoch": 3,
    "num_workers": 0,
    "optim": "adamw",
    "optim2": "adamw",
    "best_model_criterion": [["valid", "mel_loss", "min"]],
    "num_att_plot": 0,
    "use_tensorboard": False,
    "use_matplotlib": False,
}


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Arguments of a training run of seconds."""
    monkeypatch.setattr(logging.getLogger(), "level", logging.WARNING)
    rng = np.random.default_rng(0)
    lines = []
    for i in range(3):
        wav = tmp_path / f"{i}.wav"
        soundfile.write(wav, 0.1 * rng.standard_normal(5000), 22050)
        lines.append(f"clip{i} {wav}\n")
    scp = tmp_path / "wav.scp"
    scp.write_text("".join(lines))
    config = tmp_path / "train.yaml"
    config.write_text(yaml.safe_dump(TINY_CONFIG))
    args = ["--config", str(config), "--output_dir", str(tmp_path / "exp")]
    for part in ("train", "valid"):
        args += [f"--{part}_data_path_and_name_and_type", f"{scp},audio,sound"]
        args += [f"--{part}_shape_file", str(scp)]
    return args


def test_training_resumes_and_exports(training, tmp_path):
    exp = tmp_path / "exp"
    codec_train.main([*training, "--max_epoch", "1"])
    checkpoint = torch.load(exp / "checkpoint.pth", weights_only=True)
    assert int(checkpoint["model"]["codec.num_updates"]) == 3

    codec_train.main([*training, "--max_epoch", "2", "--resume", "true"])
    checkpoint = torch.load(exp / "checkpoint.pth", weights_only=True)
    assert int(checkpoint["model"]["codec.num_updates"]) == 6

    best = str(exp / "valid.mel_loss.best.pth")
    export = ["--config", str(exp / "config.yaml"), "--model", best]
    for name in ("a", "b"):
        codec_export.main([*export, "--output", str(tmp_path / name)])
    codec = load_codec(tmp_path / "a" / "codec.yaml", tmp_path / "a" / "codec.pth")
    assert torch.equal(codec.silence_codes, codec.measure_silence_codes())
    exported = [(tmp_path / n / "codec.pth").read_bytes() for n in ("a", "b")]
    assert exported[0] == exported[1]
    assert not list((tmp_path / "a").glob(".*"))


def test_two_processes_train_on_a_cpu(training, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "espnet2_duplex.bin.codec_train"]
    command += [*training, "--max_epoch", "1", "--model_conf", "adversarial_start=0"]
    command += ["--ngpu", "0", "--dist_backend", "gloo", "--unused_parameters", "true"]
    subprocess.run(command, check=True, capture_output=True)
    log = torch.load(tmp_path / "exp" / "checkpoint.pth", weights_only=True)["reporter"]
    stats = log["stats"][1]["train"]
    assert stats["generator_loss"] > 0 and stats["discriminator_loss"] > 0


def test_clips_of_another_rate_are_refused(training, tmp_path):
    soundfile.write(tmp_path / "0.wav", np.zeros(5000), 24000)
    with pytest.raises(ValueError, match="0.wav .* at 24000 Hz.* expects 22050 Hz"):
        codec_train.main([*training, "--max_epoch", "1"])
    assert not (tmp_path / "exp").exists()


def test_export_takes_the_averaged_weights(training, tmp_path):
    exp = tmp_path / "exp"
    codec_train.main([*training, "--max_epoch", "1"])
    model = exp / "1epoch.pth"
    codec = codec_export.export_codec(exp / "config.yaml", model, tmp_path)
    state = torch.load(model, weights_only=True)
    average = state["codec.ema_generator.decoder.outlet.weight"]
    assert torch.equal(codec.decoder.outlet.weight, average)


def test_export_in_half_precision_measures_what_will_be_loaded(training, tmp_path):
    exp = tmp_path / "exp"
    codec_train.main([*training, "--max_epoch", "1"])
    args = (exp / "config.yaml", exp / "1epoch.pth")
    exported = codec_export.export_codec(*args, tmp_path / "half", half_precision=True)
    codec_export.export_codec(*args, tmp_path / "full")
    half, full = (tmp_path / name / "codec.pth" for name in ("half", "full"))
    assert half.stat().st_size < 0.75 * full.stat().st_size
    loaded = load_codec(tmp_path / "half" / "codec.yaml", half)
    codes = torch.arange(12).reshape(1, 3, 4)
    torch.testing.assert_close(loaded.decode(codes), exported.decode(codes))
    assert torch.equal(loaded.silence_codes, loaded.measure_silence_codes())


def test_training_starts_from_an_exported_codec(training, tmp_path):
    codec_train.main([*training, "--max_epoch", "1"])
    exp = tmp_path / "exp"
    codec_export.export_codec(exp / "config.yaml", exp / "1epoch.pth", tmp_path)
    weights = f"{tmp_path}/codec.pth"
    training[training.index(str(exp))] = str(tmp_path / "fitted")
    codec_train.main(
        [*training, "--max_epoch", "1", "--num_iters_per_epoch", "1"]
        + ["--optim_conf", "lr=0.0", "--init_param"]
        + [f"{weights}::codec.generator", f"{weights}::codec.ema_generator"]
    )
    fitted = torch.load(tmp_path / "fitted" / "1epoch.pth", weights_only=True)
    start = torch.load(weights, weights_only=True)
    for name in ("generator", "ema_generator"):
        found = fitted[f"codec.{name}.decoder.outlet.weight"]
        torch.testing.assert_close(found, start["decoder.outlet.weight"])


def test_export_refuses_other_checkpoints(tmp_path, tiny_codec_files):
    config, model = tiny_codec_files
    with pytest.raises(ValueError, match="pass a checkpoint that codec_train wrote"):
        codec_export.export_codec(config, model, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_export_warns_of_silence_that_can_be_heard(
    training, tmp_path, monkeypatch, caplog
):
    exp = tmp_path / "exp"
    codec_train.main([*training, "--max_epoch", "1"])
    monkeypatch.setattr(codec_export, "MAX_SILENCE_DBFS", -300.0)
    export = ["--config", str(exp / "config.yaml"), "--output", str(tmp_path)]
    codec_export.main([*export, "--model", str(exp / "1epoch.pth")])
    assert "dBFS" in caplog.text and "train" in caplog.text


@pytest.mark.parametrize("name", ["train_codec_istft.yaml"])
def test_the_recipes_configuration_builds(name, tmp_path):
    config = ROOT / "egs2" / "duplex_s2s" / "conf" / name
    options = ["--iterator_type", "none", "--dry_run", "true"]
    codec_train.main(["--config", str(config), "--output_dir", str(tmp_path), *options])
    conf = yaml.safe_load((tmp_path / "config.yaml").read_text())
    updates = conf["max_epoch"] * conf["num_iters_per_epoch"]
    assert conf["scheduler_conf"]["total_steps"] == updates
