"""Tiny things that the tests share: everything real, nothing large."""

import os
import sys
from pathlib import Path

import pytest
import torch
import yaml

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parent))  # streaming_contract

ROOT = Path(__file__).resolve().parents[1]

TEXTS = [
    "The capital of Peru is Lima.",
    "A spider has eight legs.",
    "Water boils when it is hot.",
    "The sun is a star.",
]

TINY_LLM = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 8,
}
TINY_ENCODER = {"output_size": 16, "num_layers": 1, "width": 32, "num_heads": 2}
TINY_CODEC = {
    "encoder_channels": [16, 16],
    "encoder_blocks": [1, 1],
    "decoder_channels": [16, 16],
    "decoder_blocks": [1, 1],
}


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def tiny_bpemodel(tmp_path_factory) -> Path:
    """A SentencePiece model of a few sentences, as stage 6 trains it."""
    from espnet2_duplex.bin.duplex_s2s_text_tokens import train_sentencepiece

    path = tmp_path_factory.mktemp("tokens") / "bpe.model"
    train_sentencepiece(TEXTS, 60, path)
    return path


@pytest.fixture
def tiny_tokenizer(tiny_bpemodel):
    from espnet2_duplex.tokenizer import SentencePieceTokenizer

    return SentencePieceTokenizer(tiny_bpemodel)


@pytest.fixture(scope="session")
def tiny_codec_files(tmp_path_factory) -> tuple[Path, Path]:
    """codec.yaml and codec.pth of an untrained tiny codec, in the exported form."""
    from espnet2_duplex.codec.loading import build_codec

    folder = tmp_path_factory.mktemp("codec")
    torch.manual_seed(0)
    codec = build_codec("istft", TINY_CODEC)
    codec.silence_codes.copy_(codec.measure_silence_codes())
    config = {"codec": "istft", "codec_conf": TINY_CODEC}
    (folder / "codec.yaml").write_text(yaml.safe_dump(config))
    torch.save(codec.state_dict(), folder / "codec.pth")
    return folder / "codec.yaml", folder / "codec.pth"


@pytest.fixture
def tiny_codec(tiny_codec_files):
    from espnet2_duplex.codec.loading import load_codec

    return load_codec(*tiny_codec_files)


@pytest.fixture
def tiny_args(tiny_bpemodel, tiny_codec_files) -> list[str]:
    """Options of DuplexS2STask for a model of some ten thousand parameters."""
    config, model = tiny_codec_files
    options = {
        "bpemodel": tiny_bpemodel,
        "codec_config": config,
        "codec_model": model,
        "llm_conf": TINY_LLM,
        "encoder_conf": TINY_ENCODER,
        "backbone_conf": {"window_frames": 50},
        "modality_adapter_conf": {"num_layers": 0},
        "optim": "adam",
        "num_att_plot": 0,
        "log_level": "ERROR",
    }
    args = []
    for name, value in options.items():
        args += [f"--{name}", str(value)]
    return args


@pytest.fixture
def tiny_model(tiny_args):
    """An ESPnetDuplexS2SModel whose heads are random instead of zero."""
    from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

    model = build_tiny_model(DuplexS2STask, tiny_args)
    return model


def build_tiny_model(task, args):
    model = task.build_model(task.get_parser().parse_args(args))
    torch.nn.init.normal_(model.duplex_lm.speech_head.weight, std=0.3)
    torch.nn.init.normal_(model.duplex_lm.speech_embedding.weight, std=0.3)
    return model.eval()


@pytest.fixture
def tiny_stepper(tiny_model, tiny_codec):
    from espnet2_duplex.session import DuplexStepper

    return DuplexStepper(
        encoder=tiny_model.encoder,
        adapter=tiny_model.adapter,
        duplex_lm=tiny_model.duplex_lm,
        codec=tiny_codec,
        text_ids=tiny_model.text_ids,
        delays=[0, 1, 1, 1, 1],
    )


def save_llm_tokenizer(folder, **specials) -> int:
    """Save a small byte-level BPE tokenizer as an LLM brings it; returns its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=sorted(set(specials.values())),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **specials)
    fast.save_pretrained(folder)
    return len(fast)


def write_wav(path, num_samples, sample_rate, seed):
    import numpy as np
    import soundfile

    noise = 0.1 * np.random.default_rng(seed).standard_normal(num_samples)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise.astype("float32"), sample_rate)


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory) -> Path:
    """A data folder of six conversations of 2 to 3 s, with codes beside it."""
    import numpy as np

    from espnet2_duplex.arks import ArkWriter
    from espnet2_duplex.conversation import Turn, turns_to_json

    folder = tmp_path_factory.mktemp("data")
    turns = [
        Turn("user", 0.1, 0.6, "hello"),
        Turn("agent", 1.24, 1.84, "The sun is a star."),
    ]
    lines = {"user.scp": [], "turns": [], "utt2spk": []}
    with ArkWriter(str(folder / "agent_codes")) as codes:
        for n in range(6):
            num_frames = 25 + 2 * n
            wav = folder / f"wav/talk{n}.wav"
            write_wav(wav, num_frames * 1280, 16000, seed=n)
            lines["user.scp"].append(f"talk{n} {wav}")
            lines["turns"].append(f"talk{n} {turns_to_json(turns)}")
            lines["utt2spk"].append(f"talk{n} speaker{n % 2}")
            rng = np.random.default_rng(n)
            values = rng.integers(4032, size=num_frames * 4, dtype=np.int32)
            codes.write(f"talk{n}", values)
    for name, content in lines.items():
        (folder / name).write_text("\n".join(content) + "\n")
    return folder


@pytest.fixture
def tiny_training_args(tiny_args, tiny_data) -> list[str]:
    """Options to train the tiny model on the tiny data, `--output_dir` missing."""
    args = list(tiny_args)
    for part in ("train", "valid"):
        for file, name, kind in (
            ("user.scp", "user_speech", "sound"),
            ("agent_codes.scp", "agent_codes", "kaldi_ark"),
            ("turns", "turns", "text"),
        ):
            triplet = f"{tiny_data / file},{name},{kind}"
            args += [f"--{part}_data_path_and_name_and_type", triplet]
        args += [f"--{part}_shape_file", str(tiny_data / "utt2spk")]
    return args + [
        *("--batch_type", "unsorted"),
        *("--batch_size", "2"),
        *("--num_workers", "0"),
        *("--use_matplotlib", "false"),
        *("--keep_nbest_models", "1"),
    ]
