"""Another LLM, adapters, frozen weights, learning rates: by configuration alone."""

import pytest
import torch
import yaml
from conftest import TINY_CODEC, TINY_ENCODER, save_llm_tokenizer
from tiny_llms import LLMS

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask


def train(args, folder, max_epoch=1):
    options = {"output_dir": folder, "max_epoch": max_epoch, "resume": "true"}
    for name, value in options.items():
        args = [*args, f"--{name}", str(value)]
    duplex_s2s_train.main(args)
    return torch.load(folder / "checkpoint.pth", weights_only=True)


def error_of(args, folder, capsys):
    assert run_cli(duplex_s2s_train.main, [*args, "--output_dir", str(folder)]) == 1
    return capsys.readouterr().err.strip().splitlines()[-1]


def yaml_and_the_rest(args, options, path):
    """Write `options` as YAML; the same command line but for what stands there."""
    path.write_text(yaml.safe_dump(options))
    words = iter(args)
    pairs = [pair for pair in zip(words, words) if pair[0][2:] not in options]
    return [word for pair in pairs for word in pair] + ["--config", str(path)]


@pytest.mark.parametrize("family", ["qwen3", "gpt2"])
def test_another_family_needs_only_the_yaml(
    tiny_training_args, tiny_data, root, tmp_path, family
):
    size = save_llm_tokenizer(tmp_path / "llm", eos_token="<|end|>")  # no BOS, no PAD
    shipped = root / "egs2/duplex_s2s/conf/train_smollm2.yaml"
    options = yaml.safe_load(shipped.read_text())
    # Two lines of SmolLM2's become these; no weights, and an encoder of test size.
    options |= {"llm_conf": {**LLMS[family], "vocab_size": 64}, "llm_init": False}
    options["backbone_conf"] = {"window_frames": 20}
    del options["llm"]
    options["encoder_conf"] = TINY_ENCODER
    options |= {"num_iters_per_epoch": 2, "max_epoch": 1, "num_workers": 0}
    shapes = [f"talk{n} {25 + 2 * n}\n" for n in range(6)]
    (tmp_path / "text_shape").write_text("".join(shapes))
    args = yaml_and_the_rest(tiny_training_args, options, tmp_path / "train.yaml")
    args = [
        a.replace(str(tiny_data / "utt2spk"), str(tmp_path / "text_shape"))
        for a in args
    ]
    args += ["--bpemodel", str(tmp_path / "llm")]
    train(args, tmp_path / "exp")
    model, saved = DuplexS2STask.build_model_from_file(
        model_file=tmp_path / "exp/latest.pth"
    )
    assert model.duplex_lm.backbone.llm.config.model_type == family
    assert model.duplex_lm.backbone.num_tokens == size + 2
    assert len({model.text_ids.bos, model.text_ids.eos, model.text_ids.pad}) == 3
    assert (saved.batch_type, saved.scheduler) == ("numel", "warmuplr")


def test_frozen_parts_are_saved_once_and_training_resumes(tiny_training_args, tmp_path):
    args = [*tiny_training_args, "--freeze_param", "encoder"]
    args += ["--freeze_pattern", "layers.0", "--keep_nbest_models", "2"]
    train(args, tmp_path / "straight", max_epoch=3)
    train(args, tmp_path / "halves", max_epoch=1)
    train(args, tmp_path / "halves", max_epoch=3)
    folder = tmp_path / "halves"
    frozen = torch.load(folder / "frozen.pth", weights_only=True)
    last = torch.load(folder / "3epoch.pth", weights_only=True)
    assert any("llm.model.layers.0" in name for name in frozen)
    assert any(name.startswith("encoder.") for name in frozen)
    assert not set(frozen) & set(last)
    for name in ("latest", "valid.loss.ave"):
        one, other = (
            DuplexS2STask.build_model_from_file(model_file=path / f"{name}.pth")[0]
            for path in (folder, tmp_path / "straight")
        )
        for (key, value), expected in zip(
            one.state_dict().items(), other.state_dict().values()
        ):
            torch.testing.assert_close(value, expected, rtol=0, atol=0, msg=key)


def test_adapters_are_trained_and_the_llm_is_not(tiny_training_args, tmp_path):
    args = [*tiny_training_args, "--lora_conf", "{r: 2, target_modules: [q_proj]}"]
    trained = train(args, tmp_path)["model"]
    adapters = [name for name in trained if "lora_" in name]
    assert len(adapters) == 4  # A and B in two layers
    assert not any("mlp" in name for name in trained)
    llm = "duplex_lm.backbone.llm.model"
    assert f"{llm}.embed_tokens.weight" in trained
    model, _ = DuplexS2STask.build_model_from_file(model_file=tmp_path / "latest.pth")
    assert model.state_dict()[adapters[1]].equal(trained[adapters[1]])


def test_parts_have_learning_rates_of_their_own(tiny_training_args, tmp_path):
    groups = "[{match: ^encoder, lr: 0.0}, {match: speech_head, lr: 0.01}]"
    args = [*tiny_training_args, "--optim_groups", groups, "--optim_conf", "lr=0.001"]
    checkpoint = train(args, tmp_path)
    (optimizer,) = checkpoint["optimizers"]
    assert [g["lr"] for g in optimizer["param_groups"]] == [0.001, 0.0, 0.01]
    step = checkpoint["model"]["duplex_lm.speech_head.weight"].abs().max()
    assert step > 0.01  # three steps of 0.01 from zero


def test_system_prompt_is_part_of_the_model(tiny_training_args, tmp_path):
    args = [*tiny_training_args, "--system_prompt", "The sun."]
    train(args, tmp_path)
    model, _ = DuplexS2STask.build_model_from_file(model_file=tmp_path / "latest.pth")
    num_tokens = len(model.duplex_lm.backbone.prompt_ids)
    assert num_tokens > 1
    assert model.duplex_lm.init_state(1).num_frames == num_tokens


def test_first_layers_can_be_kept(tiny_training_args, tmp_path):
    train([*tiny_training_args, "--llm_num_layers", "1"], tmp_path)
    model, args = DuplexS2STask.build_model_from_file(
        model_file=tmp_path / "latest.pth"
    )
    assert len(model.duplex_lm.backbone.llm.model.layers) == 1
    assert args.llm_conf["num_hidden_layers"] == 1


@pytest.mark.parametrize(
    "options, message",
    [
        (["--use_adapter", "true"], "made by --lora_conf"),
        (
            ["--optim_groups", "[{match: decoder, lr: 1}]"],
            "'decoder' matches no weight",
        ),
        (
            ["--optim_groups", "[{match: llm, lrr: 1}]"],
            "gives lrr for 'llm', which Adam",
        ),
        (["--freeze_param", "enc"], "freeze_param 'enc' matches no weight"),
        (["--llm_num_layers", "9"], "but the LLM has 2 layers"),
        (["--llm_conf", "model_type=bart"], "bart is more than a text decoder"),
    ],
)
def test_options_that_cannot_be_meant_are_explained(
    tiny_training_args, tmp_path, capsys, options, message
):
    assert message in error_of([*tiny_training_args, *options], tmp_path, capsys)


def test_resuming_with_another_tokenizer_is_explained(
    tiny_training_args, tmp_path, capsys
):
    from espnet2_duplex.bin.duplex_s2s_text_tokens import train_sentencepiece

    train(tiny_training_args, tmp_path / "exp")
    train_sentencepiece(["Quick zephyrs blow."], 30, tmp_path / "bpe.model")
    args = [*tiny_training_args, "--bpemodel", str(tmp_path / "bpe.model")]
    args += ["--resume", "true", "--max_epoch", "2"]
    message = error_of(args, tmp_path / "exp", capsys)
    assert "was trained with" in message and "train anew in another folder" in message


def other_codec(folder, **changes):
    """Options for a tiny codec with other codes of silence, or another shape."""
    from espnet2_duplex.codec.loading import build_codec

    codec = build_codec("istft", conf := {**TINY_CODEC, **changes})
    codec.silence_codes.copy_(codec.silence_codes + 1)
    folder.mkdir()
    (folder / "codec.yaml").write_text(
        yaml.safe_dump({"codec": "istft", "codec_conf": conf})
    )
    torch.save(codec.state_dict(), folder / "codec.pth")
    return [
        *("--codec_config", str(folder / "codec.yaml")),
        *("--codec_model", str(folder / "codec.pth")),
    ]


def error_of_going_on(how, args, changes, folder, capsys):
    """Of a training with `changes` that starts from one without them."""
    train(args, folder / "exp")
    args = [*args, *changes, "--max_epoch", "2"]
    if how == "resume":
        return error_of([*args, "--resume", "true"], folder / "exp", capsys)
    args += ["--init_param", str(folder / "exp/latest.pth")]
    return error_of(args, folder / "other", capsys)


@pytest.mark.parametrize("how", ["resume", "init_param"])
def test_going_on_with_another_codec_is_explained(
    tiny_training_args, tmp_path, capsys, how
):
    codec = other_codec(tmp_path / "codec")
    message = error_of_going_on(how, tiny_training_args, codec, tmp_path, capsys)
    assert "was trained with 4 codebooks" in message
    assert "give the codec of the training" in message


@pytest.mark.parametrize("how", ["resume", "init_param"])
def test_weights_of_another_shape_are_explained(
    tiny_training_args, tmp_path, capsys, how
):
    wider = ["--llm_conf", "hidden_size=48"]
    message = error_of_going_on(how, tiny_training_args, wider, tmp_path, capsys)
    assert "a checkpoint to start from has" in message and "of shape (" in message
    assert "train anew in another folder" in message


def test_a_part_of_a_model_with_another_codec_may_be_taken(
    tiny_training_args, tmp_path
):
    train(tiny_training_args, tmp_path / "exp")
    args = [*tiny_training_args, *other_codec(tmp_path / "codec")]
    encoder = f"{tmp_path / 'exp/latest.pth'}:encoder:encoder"
    train([*args, "--init_param", encoder], tmp_path / "other")
