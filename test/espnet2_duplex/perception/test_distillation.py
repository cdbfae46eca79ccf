"""The teacher beside CTC."""

from dataclasses import replace

import pytest
import torch
from tiny_encoders import WHISPER_CAUSAL

from espnet2_duplex.perception.ctc_history import read_history
from espnet2_duplex.perception.distillation import (
    Distillation,
    DistilledModel,
    DistillSettings,
)
from espnet2_duplex.perception.speech_rows import RowBatch, RowSettings, SpeechRows
from espnet2_duplex.perception.utterances import read_manifest
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.perception.whisper_teacher import WhisperTeacher
from espnet2_duplex.perception.whisper_weights import load_whisper_encoder


@pytest.fixture
def teacher(whisper):
    return WhisperTeacher(load_whisper_encoder(str(whisper)))


@pytest.fixture
def batch():
    speech = 0.1 * torch.randn(1, 1280 * 20)
    return RowBatch(speech, speech, ["yes"], torch.tensor([1280]))


def distillation(teacher, **settings):
    model = DistilledModel(WhisperCausalEncoder(**WHISPER_CAUSAL))
    return Distillation(model, teacher, DistillSettings(**settings))


def test_ctc_moves_the_layers_only_when_it_may(teacher, batch):
    objective = distillation(teacher, num_distill_steps=3)
    encoder = objective.model.encoder
    for step in (2, 3):
        objective.model.zero_grad()
        objective.losses(batch, step)["CTC"][1].backward()
        assert (encoder.layers[0].qkv.weight.grad is not None) == (step == 3)
        assert encoder.proj.weight.grad.norm() > 0


def test_teacher_pulls_with_its_weight_until_it_leaves(teacher, batch):
    schedule = dict(num_distill_steps=1, num_teacher_steps=2, distill_weight=0.25)
    objective = distillation(teacher, **schedule)
    weights = [
        {name: weight for name, (weight, _) in objective.losses(batch, step).items()}
        for step in range(3)
    ]
    assert weights == [
        {"CTC": 1.0, "distillation": 1.0},
        {"CTC": 1.0, "distillation": 0.25},
        {"CTC": 1.0},
    ]


def test_rows_without_text_are_pulled_only(teacher, batch):
    untold = replace(batch, texts=[None])
    losses = distillation(teacher).losses(untold, 0)
    assert losses["distillation"][1] > 0 and losses["CTC"][1] == 0


def test_teacher_hears_the_undisturbed_row(teacher, batch):
    objective = distillation(teacher)
    objective.model.eval()  # no random positions
    disturbed = replace(batch, speech=0 * batch.speech)
    hidden = objective.model.encoder.hidden(0 * batch.speech)
    wanted = objective.model.distance(hidden, teacher(batch.undisturbed))
    assert objective.losses(disturbed, 0)["distillation"][1] == wanted


def test_features_are_standardised_by_the_teachers_statistics(teacher, corpus):
    rows = SpeechRows(
        read_manifest(corpus / "wav.scp"),
        RowSettings(batch_seconds=4.0, row_seconds=(1.5, 2.0)),
        seed=0,
    )
    objective = distillation(teacher)
    objective.begin(rows)
    frames = torch.cat(
        [teacher(rows.batch(n).undisturbed).flatten(0, 1) for n in range(4)]
    )
    torch.testing.assert_close(objective.model.mean, frames.mean(0))
    torch.testing.assert_close(objective.model.std, frames.std(0))


def test_teacher_that_leaves_before_ctc_may_move_the_encoder_is_refused():
    with pytest.raises(ValueError, match="num_teacher_steps is 1, below num_distill"):
        DistillSettings(num_distill_steps=2, num_teacher_steps=1)


def test_both_losses_fall(corpus, whisper, train):
    schedule = dict(num_steps=60, num_warmup_steps=2, checkpoint_interval=20)
    train(corpus / "exp", encoder="whisper_causal", whisper=whisper, **schedule)
    first, *_, last = read_history(corpus / "exp/history.jsonl")
    assert last.losses["distillation"] < first.losses["distillation"]
    assert last.losses["CTC"] < first.losses["CTC"]
