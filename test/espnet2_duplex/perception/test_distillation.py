"""Distillation of the causal encoder: rows, CTC, training, export."""

import numpy as np
import pytest
import soundfile
import torch
import yaml

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.perception_distill import main
from espnet2_duplex.perception.ctc import (
    CtcErrors,
    ctc_loss,
    greedy_text,
    spoken_characters,
)
from espnet2_duplex.perception.distillation import Distillation
from espnet2_duplex.perception.speech_rows import (
    RowSettings,
    SpeechRows,
    Utterance,
    read_manifest,
)
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder

ENCODER = dict(output_size=8, num_layers=1, width=64, num_heads=1, window_frames=4)
ROWS = dict(batch_seconds=4.0, row_seconds=[1.5, 2.0])


@pytest.fixture
def corpus(tmp_path):
    """Three clips of noise, two of them with a text."""
    rng = np.random.default_rng(0)
    lines = []
    for name, num_samples in [("a", 8000), ("b", 12000), ("c", 9000)]:
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, 0.1 * rng.standard_normal(num_samples), 16000)
        lines.append(f"{name} {path}\n")
    (tmp_path / "wav.scp").write_text("".join(lines))
    (tmp_path / "text").write_text("a Yes.\nb No, no!\nc In 1984.\n")
    return tmp_path


@pytest.fixture
def whisper(tmp_path):
    from transformers import WhisperConfig, WhisperModel

    torch.manual_seed(0)
    config = WhisperConfig(
        d_model=64,
        encoder_layers=1,
        encoder_attention_heads=1,
        encoder_ffn_dim=256,
        decoder_layers=1,
        decoder_attention_heads=1,
        decoder_ffn_dim=4,
        vocab_size=4,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )
    WhisperModel(config).save_pretrained(tmp_path / "whisper")
    return tmp_path / "whisper"


def run(corpus, whisper, output_dir, num_steps, **options):
    """The command line, with a config file."""
    config = {
        "encoder_conf": ENCODER,
        "rows_conf": ROWS,
        "distill_conf": dict(
            num_steps=num_steps, num_distill_steps=2, checkpoint_interval=2, **options
        ),
    }
    (corpus / "distill.yaml").write_text(yaml.safe_dump(config))
    arguments = {
        "config": corpus / "distill.yaml",
        "wav_scp": corpus / "wav.scp",
        "text": corpus / "text",
        "valid_wav_scp": corpus / "wav.scp",
        "valid_text": corpus / "text",
        "whisper": whisper,
        "output_dir": output_dir,
    }
    main(
        [word for key, value in arguments.items() for word in (f"--{key}", str(value))]
    )


def test_missing_manifest_ends_with_one_sentence_and_code_1(corpus, capsys):
    paths = ["--wav_scp", "x.scp", "--whisper", "x", "--output_dir", str(corpus / "y")]
    assert run_cli(main, paths) == 1
    assert "x.scp" in capsys.readouterr().err
    assert not (corpus / "y").exists()


def test_texts_are_spelt_as_they_are_spoken():
    assert (
        spoken_characters("What's  up, well-known Doc?") == "what's up well known doc"
    )
    assert spoken_characters("In 1984.") is None
    assert spoken_characters("...") is None
    assert spoken_characters(None) is None


def test_manifest_keeps_untranscribed_utterances(corpus):
    utterances = read_manifest(corpus / "wav.scp", corpus / "text")
    assert [u.text for u in utterances] == ["yes", "no no", None]


def test_manifest_line_without_a_path_is_named(corpus):
    (corpus / "wav.scp").write_text("a x.wav\nb\n")
    with pytest.raises(ValueError, match="wav.scp, line 2: an id and a value expected"):
        read_manifest(corpus / "wav.scp")


def test_wav_at_another_rate_is_refused(corpus):
    soundfile.write(corpus / "a.wav", np.zeros(100), 8000)
    with pytest.raises(ValueError, match="a.wav: mono speech at 16000 Hz expected"):
        Utterance("a", str(corpus / "a.wav"), None).read()


def test_batch_is_a_function_of_seed_and_step(corpus):
    utterances = read_manifest(corpus / "wav.scp", corpus / "text")
    settings = RowSettings(**ROWS)
    first, again = (SpeechRows(utterances, settings, seed=1) for _ in range(2))
    again.batch(0)
    speech, texts = first.batch(5)
    torch.testing.assert_close(again.batch(5)[0], speech, atol=0, rtol=0)
    assert again.batch(5)[1] == texts
    assert speech.shape[1] % 1280 == 0
    other, _ = SpeechRows(utterances, settings, seed=2).batch(5)
    assert other.shape != speech.shape or not torch.equal(other, speech)


def test_row_has_the_texts_of_all_its_utterances_or_none(corpus):
    utterances = read_manifest(corpus / "wav.scp", corpus / "text")
    rows = SpeechRows(utterances, RowSettings(**ROWS), seed=0)
    texts = [text for step in range(20) for text in rows.batch(step)[1]]
    words = {"yes", "no"}
    assert None in texts and "no no" in texts
    assert all(set(text.split()) <= words for text in texts if text)


def test_certain_log_probs_are_read_back_and_cost_little():
    # blank 0, space 1, a 2, b 3: "ab a" with a repeat and blanks
    ids = torch.tensor([0, 2, 2, 3, 0, 1, 2, 0])
    log_probs = torch.full((8, 29), -20.0).scatter(1, ids[:, None], 0.0)
    assert greedy_text(log_probs) == "ab a"
    assert ctc_loss(log_probs[None], ["ab a"]) < 0.01
    assert ctc_loss(log_probs[None], ["bb a"]) > 3


def test_errors_are_counts_that_add():
    errors = CtcErrors.between("the cat sat", "the bat") + CtcErrors.between("a", "a")
    assert errors == CtcErrors(2, 4, 5, 12)
    assert errors.word_error_rate == 0.5
    assert CtcErrors().word_error_rate is None


def test_ctc_moves_the_layers_only_when_it_may():
    model = Distillation(WhisperCausalEncoder(**ENCODER))
    speech, wanted = 0.1 * torch.randn(1, 1280 * 20), torch.randn(1, 80, 64)
    for may_move in (False, True):
        model.zero_grad()
        _, ctc = model.losses(speech, ["yes"], wanted, ctc_moves_encoder=may_move)
        ctc.backward()
        moved = model.encoder.layers[0].qkv.weight.grad is not None
        assert moved == may_move
        assert model.encoder.proj.weight.grad.norm() > 0


def test_rows_without_text_have_no_ctc_loss():
    model = Distillation(WhisperCausalEncoder(**ENCODER))
    speech, wanted = 0.1 * torch.randn(1, 1280 * 4), torch.randn(1, 16, 64)
    distill, ctc = model.losses(speech, [None], wanted, ctc_moves_encoder=True)
    assert distill > 0 and ctc == 0


def test_resumed_run_ends_with_the_same_encoder(corpus, whisper, monkeypatch):
    run(corpus, whisper, corpus / "straight", num_steps=5)
    interrupt_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(corpus, whisper, corpus / "cut", num_steps=5)
    monkeypatch.undo()
    run(corpus, whisper, corpus / "cut", num_steps=5)
    straight, cut = (
        torch.load(corpus / name / "encoder.pth") for name in ("straight", "cut")
    )
    for name, weight in straight.items():
        assert torch.equal(weight, cut[name])
    assert not list((corpus / "cut").glob("*.tmp"))


def interrupt_after(num_batches, monkeypatch):
    """Ctrl-C when the batch of that step is asked for in training."""
    batch = SpeechRows.batch

    def interrupted(self, step):
        # statistics of the teacher take the first batches too
        interrupted.calls += 1
        if interrupted.calls > 4 + num_batches:
            raise KeyboardInterrupt
        return batch(self, step)

    interrupted.calls = 0
    monkeypatch.setattr(SpeechRows, "batch", interrupted)


def test_exported_weights_are_half_precision_and_load(corpus, whisper):
    run(corpus, whisper, corpus / "exp", num_steps=2)
    weights = torch.load(corpus / "exp/encoder.pth", weights_only=True)
    assert {w.dtype for w in weights.values()} == {torch.float16}
    WhisperCausalEncoder(**ENCODER).load_state_dict(weights)


def test_distillation_lowers_both_losses(corpus, whisper, caplog):
    caplog.set_level("INFO")
    run(corpus, whisper, corpus / "exp", num_steps=60, num_warmup_steps=2)
    reports = [r.args for r in caplog.records if "distillation" in r.msg]
    first, last = reports[0], reports[-1]
    assert last[2] < first[2] and last[3] < first[3]
    assert any("WER" in r.msg for r in caplog.records)
