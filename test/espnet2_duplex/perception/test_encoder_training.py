"""Training an encoder by its command line: any encoder, resume, export, errors."""

import pytest
import torch
import yaml
from tiny_encoders import ENCODERS

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.encoder_options import build_encoder
from espnet2_duplex.bin.perception_plot import main as plot
from espnet2_duplex.bin.perception_train import main
from espnet2_duplex.perception.ctc_history import read_history
from espnet2_duplex.perception.ctc_model import CtcModel
from espnet2_duplex.perception.ctc_objective import CtcObjective
from espnet2_duplex.perception.ctc_training import (
    Trainer,
    TrainSettings,
    parameter_groups,
)
from espnet2_duplex.perception.speech_rows import RowBatch, SpeechRows


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return request.param


def weights_of(folder):
    return torch.load(folder / "encoder.pth", weights_only=True)


def assert_same_weights(one, other):
    assert one.keys() == other.keys()
    assert all(torch.equal(weight, other[name]) for name, weight in one.items())


def interrupt_at(step, monkeypatch):
    """Ctrl-C when a step of the training asks for its rows."""
    rows_of = SpeechRows.__getitem__

    def interrupted(self, index):
        if index == step:
            raise KeyboardInterrupt
        return rows_of(self, index)

    monkeypatch.setattr(SpeechRows, "__getitem__", interrupted)


@pytest.mark.parametrize(
    "encoder, fixture",
    [
        ("whisper_causal", "whisper"),
        ("whisper_causal", None),
        ("fastconformer", None),
    ],
)
def test_resumed_run_ends_with_the_same_encoder(
    encoder, fixture, corpus, train, monkeypatch, request
):
    whisper = request.getfixturevalue(fixture) if fixture else None
    options = {"encoder": encoder, "whisper": whisper}
    train(corpus / "straight", **options)
    interrupt_at(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        train(corpus / "cut", **options)
    monkeypatch.undo()
    train(corpus / "cut", **options)
    assert_same_weights(weights_of(corpus / "straight"), weights_of(corpus / "cut"))
    steps = [point.step for point in read_history(corpus / "cut/history.jsonl")]
    assert steps == [2, 4, 5]
    assert not list((corpus / "cut").glob("*.tmp"))


def test_processes_that_make_rows_change_nothing(corpus, train):
    train(corpus / "alone")
    train(corpus / "helped", "--num_workers", "1")
    assert_same_weights(weights_of(corpus / "alone"), weights_of(corpus / "helped"))


def test_exported_weights_are_half_precision_and_belong_to_encoder_yaml(
    encoder, corpus, train
):
    train(corpus / "exp", encoder=encoder, num_steps=1)
    weights = weights_of(corpus / "exp")
    assert {w.dtype for w in weights.values()} == {torch.float16}
    config = yaml.safe_load((corpus / "exp/encoder.yaml").read_text())
    build_encoder(config["encoder"], config["encoder_conf"]).load_state_dict(weights)


def test_training_goes_on_from_an_encoder(encoder, corpus, train):
    train(corpus / "first", encoder=encoder, num_steps=1)
    path = corpus / "first/encoder.pth"
    still = dict(num_steps=1, new_lr=1.0, pretrained_lr=0.0)
    train(corpus / "second", "--init_param", str(path), encoder=encoder, **still)
    assert_same_weights(weights_of(corpus / "first"), weights_of(corpus / "second"))


def test_known_weights_learn_at_a_rate_of_their_own():
    model = CtcModel(build_encoder("whisper_causal", ENCODERS["whisper_causal"]))
    names = {n for n, _ in model.encoder.named_parameters() if n[:5] != "proj."}
    known, new = (group["params"] for group in parameter_groups(model, names))
    assert len(known) == len(names)
    wanted = [*model.head.parameters(), *model.encoder.proj.parameters()]
    assert list(map(id, new)) == list(map(id, wanted))


def test_learning_rate_rises_and_falls_linearly():
    settings = TrainSettings(num_steps=10, num_warmup_steps=2, final_lr_factor=0.15)
    factors = [settings.lr_factor(step) for step in (0, 1, 5, 9)]
    assert factors == pytest.approx([0.5, 0.9, 0.5, 0.15])


def test_a_step_moves_the_loss_and_every_layer_of_a_new_fastconformer(tmp_path):
    torch.manual_seed(0)
    conf = {**ENCODERS["fastconformer"], "num_layers": 6, "dropout": 0.0}
    model = CtcModel(build_encoder("fastconformer", conf)).train()
    speech = 0.1 * torch.randn(2, 1280 * 20)
    batch = RowBatch(speech, speech, ["yes", "no no"], torch.tensor([0, 1280]))
    objective = CtcObjective(model)
    trainer = Trainer(objective, TrainSettings(num_warmup_steps=1), tmp_path)
    before = trainer._step(batch, 0)["CTC"]
    for name, weight in model.named_parameters():
        assert weight.grad.isfinite().all(), name
        assert weight.grad.norm() > 0, name
    assert objective.losses(batch, 1)["CTC"][1] < 0.95 * before


def test_gradient_that_is_not_finite_stops_the_training(
    corpus, training, capsys, monkeypatch
):
    def broken(self, embeds, batch):
        return embeds.sum() * float("inf")

    monkeypatch.setattr(CtcModel, "ctc", broken)
    assert run_cli(main, training(corpus / "exp")) == 1
    assert "step 1: the gradient is not finite; lower" in capsys.readouterr().err


def test_curve_is_drawn_from_the_history(corpus, train):
    train(corpus / "exp", num_steps=4)
    history = str(corpus / "exp/history.jsonl")
    assert run_cli(plot, ["--history", history, "--output_dir", str(corpus)]) == 0
    rows = (corpus / "learning_curve.md").read_text().splitlines()
    assert rows[0] == "| steps | hours of speech | hours | CTC | WER % | CER % |"
    assert rows[2].startswith("| 2 | 0.00 | 0.00 | ") and len(rows) == 4
    assert (corpus / "learning_curve.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    "words, sentence",
    [
        (["--wav_scp", "x.scp"], "x.scp does not exist"),
        (["--whisper", "x"], "--whisper cannot teach a fastconformer; leave it out"),
        (["--distill_conf", "a=1"], "distill_conf is for a teacher; name it with --w"),
        (["--text", ""], "transcripts are all there is to learn from; give --text"),
        (
            ["--encoder_conf", "depth=2"],
            "encoder_conf has the unknown name depth; fast",
        ),
        (["--train_conf", "steps=2"], "train_conf has the unknown name steps; known"),
        (["--train_conf", "num_steps=0"], "num_steps is 0; write a whole number from"),
        (["--rows_conf", "speed=2"], "rows_conf.speed is 2; write a range"),
        (["--init_param", "no.pth"], "no.pth does not exist; name the encoder.pth"),
        (["--rooms", "no"], "no/rooms.jsonl does not exist"),
        (["--valid_text", "digits"], "digits gives none of"),
    ],
)
def test_mistake_ends_with_one_sentence_before_training(
    words, sentence, corpus, training, capsys, monkeypatch
):
    monkeypatch.chdir(corpus)
    (corpus / "digits").write_text("a 1.\n")
    assert run_cli(main, [*training(corpus / "exp"), *words]) == 1
    assert sentence in capsys.readouterr().err
    assert not (corpus / "exp").exists()


def test_folder_of_another_encoder_is_left_alone(corpus, train, training, capsys):
    train(corpus / "exp", num_steps=1)
    words = training(corpus / "exp", encoder="whisper_causal")
    assert run_cli(main, words) == 1
    assert "says that another encoder was trained here" in capsys.readouterr().err


def test_checkpoint_that_began_from_other_weights_is_refused(
    corpus, train, training, capsys
):
    train(corpus / "exp", num_steps=2)
    begun = ["--init_param", str(corpus / "exp/encoder.pth")]
    assert run_cli(main, [*training(corpus / "exp"), *begun]) == 1
    assert "the training began from other weights" in capsys.readouterr().err
