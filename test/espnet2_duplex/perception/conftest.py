"""Tiny speech, a tiny Whisper and the command line of an encoder's training."""

import numpy as np
import pytest
import soundfile
import torch
import yaml
from tiny_encoders import ENCODERS

from espnet2_duplex.bin.perception_train import main


@pytest.fixture
def corpus(tmp_path):
    """Three clips of noise, two of them with a text that letters spell."""
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
    """Folder of a Whisper of one layer, in transformers' format."""
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


@pytest.fixture
def training(corpus):
    """The command line, with a configuration file; returns its words."""

    def words(output_dir, encoder="fastconformer", whisper=None, **train_conf):
        config = {
            "encoder": encoder,
            "encoder_conf": ENCODERS[encoder],
            "rows_conf": {"batch_seconds": 4.0, "row_seconds": [1.5, 2.0]},
            "train_conf": {"num_steps": 5, "checkpoint_interval": 2, **train_conf},
        }
        if whisper:
            config["distill_conf"] = {"num_distill_steps": 2}
        path = corpus / f"{encoder}.yaml"
        path.write_text(yaml.safe_dump(config))
        options = {
            "config": path,
            "wav_scp": corpus / "wav.scp",
            "text": corpus / "text",
            "valid_wav_scp": corpus / "wav.scp",
            "valid_text": corpus / "text",
            "output_dir": output_dir,
        }
        if whisper:
            options["whisper"] = whisper
        return [w for key, value in options.items() for w in (f"--{key}", str(value))]

    return words


@pytest.fixture
def train(training):
    """Run that command line, with further words behind it."""

    def run(output_dir, *more, **options):
        main([*training(output_dir, **options), *more])

    return run
