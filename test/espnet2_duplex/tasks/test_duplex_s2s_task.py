import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask


def test_parser_and_help():
    DuplexS2STask.get_parser()
    with pytest.raises(SystemExit):
        DuplexS2STask.main(cmd=["--help"])


def test_printed_configuration_can_be_read_back(tmp_path):
    config = tmp_path / "config.yaml"
    with config.open("w") as file:
        DuplexS2STask.print_config(file)
    args = DuplexS2STask.get_parser().parse_args(["--config", str(config)])
    assert args.delays == [0, 1, 1, 1, 1]
    assert args.model_conf["extract_feats_in_collect_stats"] is False


def test_missing_options_are_named(capsys):
    with pytest.raises(SystemExit):
        DuplexS2STask.main(cmd=[])
    assert "--output_dir" in capsys.readouterr().err


def test_inference_needs_the_user_only():
    assert DuplexS2STask.required_data_names(inference=True) == ("user_speech",)
    assert "turns" in DuplexS2STask.required_data_names()


def test_collect_stats_does_not_build_the_llm(
    tiny_training_args, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        DuplexS2STask, "build_model", lambda args: pytest.fail("the model was built")
    )
    args = ["--collect_stats", "true", "--output_dir", str(tmp_path)]
    duplex_s2s_train.main(tiny_training_args + args)
    shapes = (tmp_path / "train/text_shape").read_text().splitlines()
    assert shapes[:2] == ["talk0 25", "talk1 27"]
    assert (tmp_path / "train/codes_shape").read_text().startswith("talk0 25,4")


def train(args, folder, max_epoch):
    duplex_s2s_train.main(
        [*args, "--output_dir", str(folder), "--max_epoch", str(max_epoch)]
    )


def test_training_learns_averages_and_resumes(tiny_training_args, tmp_path):
    args = tiny_training_args + ["--optim_conf", "lr=0.01", "--resume", "true"]
    train(args, tmp_path, max_epoch=2)
    train(args, tmp_path, max_epoch=4)
    log = torch.load(tmp_path / "checkpoint.pth", weights_only=True)["reporter"]
    assert sorted(log["stats"]) == [1, 2, 3, 4]
    losses = [log["stats"][epoch]["valid"]["loss"] for epoch in (1, 4)]
    assert losses[1] < losses[0]
    assert (tmp_path / "valid.loss.ave.pth").exists()


@pytest.mark.parametrize("num_workers", ["0", "1"])
def test_broken_turns_end_training_with_one_sentence(
    tiny_training_args, tiny_data, tmp_path, capsys, num_workers
):
    broken = tmp_path / "turns"
    lines = (tiny_data / "turns").read_text()
    broken.write_text(lines.replace('"agent"', '"host"', 1))
    args = [
        a.replace(str(tiny_data / "turns"), str(broken)) for a in tiny_training_args
    ]
    args += ["--output_dir", str(tmp_path / "exp"), "--num_workers", num_workers]
    assert run_cli(duplex_s2s_train.main, args) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: conversation talk0") and "'host'" in last


def test_truncated_ark_ends_training_with_one_sentence(
    tiny_training_args, tiny_data, tmp_path, capsys
):
    ark, scp = tmp_path / "codes.ark", tmp_path / "codes.scp"
    ark.write_bytes((tiny_data / "agent_codes.ark").read_bytes()[:-10])
    lines = (tiny_data / "agent_codes.scp").read_text()
    scp.write_text(lines.replace(str(tiny_data / "agent_codes.ark"), str(ark)))
    old = str(tiny_data / "agent_codes.scp")
    args = [a.replace(old, str(scp)) for a in tiny_training_args]
    args += ["--output_dir", str(tmp_path / "exp")]
    assert run_cli(duplex_s2s_train.main, args) == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error:") and "talk5" in last and str(ark) in last
    assert not (tmp_path / "exp/config.yaml").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--delays", "0", "2", "2", "2", "2"], "delays are"),
        (["--llm", "no/such"], "'no/such' is neither a folder"),
    ],
)
def test_models_that_cannot_be_built_are_explained(
    tiny_training_args, tmp_path, capsys, options, message
):
    args = [*tiny_training_args, *options, "--output_dir", str(tmp_path)]
    assert run_cli(duplex_s2s_train.main, args) == 1
    assert message in capsys.readouterr().err.strip().splitlines()[-1]


def test_two_processes_train_on_a_cpu(tiny_training_args, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", "-m", "espnet2_duplex.bin.duplex_s2s_train"]
    command += [*tiny_training_args, "--ngpu", "0", "--dist_backend", "gloo"]
    command += ["--output_dir", str(tmp_path), "--max_epoch", "1"]
    subprocess.run(command, check=True, capture_output=True)
    log = torch.load(tmp_path / "checkpoint.pth", weights_only=True)["reporter"]
    assert log["stats"][1]["train"]["total_count"] == 3  # 6 conversations, 2 a batch


def test_saved_configuration_builds_without_the_llms_weights(
    tiny_training_args, tmp_path
):
    llm = tmp_path / "llm"
    model = DuplexS2STask.build_model(
        DuplexS2STask.get_parser().parse_args(tiny_training_args)
    )
    model.duplex_lm.backbone.llm.save_pretrained(llm)
    other = ["--llm_conf", "hidden_size=48", "--llm", str(llm)]
    train(tiny_training_args + other, tmp_path / "exp", max_epoch=1)
    for file in llm.iterdir():
        file.unlink()
    saved = yaml.safe_load(Path(tmp_path / "exp/config.yaml").read_text())
    assert saved["llm_conf"]["hidden_size"] == 32  # that of --llm
    built, _ = DuplexS2STask.build_model_from_file(
        tmp_path / "exp/config.yaml", tmp_path / "exp/latest.pth"
    )
    state = torch.load(tmp_path / "exp/latest.pth", weights_only=True)
    for name, value in built.state_dict().items():
        torch.testing.assert_close(value, state[name])


# Two layers in place of all, and no weights: the hub is not asked.
SMOLLM2 = (
    "{model_type: llama, hidden_size: 576, intermediate_size: 1536, "
    "num_hidden_layers: 2, num_attention_heads: 9, num_key_value_heads: 3, "
    "vocab_size: 100}"
)
TINYLLAMA = (
    "{model_type: llama, hidden_size: 2048, intermediate_size: 5632, "
    "num_hidden_layers: 1, num_attention_heads: 32, num_key_value_heads: 4, "
    "vocab_size: 100}"
)
REDUCED = {
    "train_mini.yaml": [],
    "train_mini_encoder.yaml": [],
    "train_smollm2.yaml": [SMOLLM2],
    "train_smollm2_cpu.yaml": [SMOLLM2.replace("layers: 2", "layers: 9")],  # 8 kept
    "train_nemo.yaml": [TINYLLAMA],
    "train_paper.yaml": [TINYLLAMA],
}


@pytest.mark.parametrize("config", REDUCED)
def test_shipped_configurations_dry_run(
    root, tiny_bpemodel, tiny_codec_files, tmp_path, config
):
    codec_config, codec_model = tiny_codec_files
    args = [
        *("--config", str(root / "egs2/duplex_s2s/conf" / config)),
        *("--iterator_type", "none"),
        *("--dry_run", "true"),
        *("--output_dir", str(tmp_path)),
        *("--token_type", "bpe"),
        *("--bpemodel", str(tiny_bpemodel)),
        *("--codec_config", str(codec_config)),
        *("--codec_model", str(codec_model)),
    ]
    for llm_conf in REDUCED[config]:
        args += ["--llm_init", "false", "--llm_conf", llm_conf]
        args += ["--encoder_conf", "num_layers=1"]
    duplex_s2s_train.main(args)
    saved = yaml.safe_load((tmp_path / "config.yaml").read_text())
    weights = saved["model_conf"]["loss_weights"]
    assert (weights["text"], weights["speech"]) == (3.0, 1.0)


def test_paper_and_nemo_differ_where_they_say(root):
    conf = root / "egs2/duplex_s2s/conf"
    paper, nemo = (
        yaml.safe_load((conf / f"train_{name}.yaml").read_text())
        for name in ("paper", "nemo")
    )
    assert {key for key in paper if paper[key] != nemo[key]} == {
        *("llm", "optim_conf", "scheduler", "scheduler_conf"),
        *("batch_bins", "num_iters_per_epoch", "max_epoch", "keep_nbest_models"),
    }
    assert (paper["scheduler"], paper["scheduler_conf"]) == (
        "warmuplr",
        {"warmup_steps": 2500},
    )
