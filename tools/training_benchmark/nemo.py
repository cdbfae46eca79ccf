"""One training step of NeMo's DuplexS2SModel (nemo-toolkit 3.0.0), all but its codec
and its speech encoder, in whose place are things as cheap as on our side.
"""

import tempfile
from types import SimpleNamespace

import torch
from nemo.collections.speechlm2.models import duplex_s2s_model
from tokenizers import Tokenizer, models
from training_benchmark.case import (
    CODEBOOK_SIZE,
    NUM_CODEBOOKS,
    SAMPLES_PER_FRAME,
    USER_FEATURES,
    Case,
    Measurement,
    make_streams,
    measure,
)
from transformers import LlamaConfig, PreTrainedTokenizerFast


class Perception(torch.nn.Module):
    """Stands in for encoder and adapter: a linear map of each frame's samples."""

    def __init__(self, hidden_size: int):
        super().__init__()
        self.preprocessor = torch.nn.Identity()
        self.encoder = torch.nn.Linear(SAMPLES_PER_FRAME, USER_FEATURES)
        self.norm = torch.nn.LayerNorm(USER_FEATURES)
        self.proj = torch.nn.Linear(USER_FEATURES, hidden_size)

    def forward(self, input_signal, input_signal_length):
        frames = input_signal.unflatten(1, (-1, SAMPLES_PER_FRAME))
        embeds = self.proj(self.norm(self.encoder(frames)))
        return embeds, input_signal_length // SAMPLES_PER_FRAME


class Codec(torch.nn.Module):
    """Stands in for the codec: the codes of the batch, already known."""

    vector_quantizer = SimpleNamespace(
        codebook_size=CODEBOOK_SIZE, num_groups=NUM_CODEBOOKS
    )

    def encode(self, audio, audio_len):
        return audio.transpose(1, 2), audio_len.clone()


def put_codec(model: torch.nn.Module) -> None:
    model.audio_codec = Codec()


def put_perception(model: torch.nn.Module, pretrained_weights: bool = True) -> None:
    model.perception = Perception(model.llm.config.hidden_size)


def save_llm(case: Case, folder: str) -> None:
    """config.json and a tokenizer with that many words, as a Hugging Face model has."""
    LlamaConfig(**{"tie_word_embeddings": True, **case.llm}).save_pretrained(folder)
    specials = ["<pad>", "<s>", "</s>"]
    words = [f"w{n}" for n in range(len(specials), case.llm["vocab_size"])]
    vocabulary = {word: n for n, word in enumerate([*specials, *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    names = dict(zip(("pad_token", "bos_token", "eos_token"), specials))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)
    fast.save_pretrained(folder)


def build_model(case: Case) -> torch.nn.Module:
    duplex_s2s_model.setup_audio_codec = put_codec
    duplex_s2s_model.setup_speech_encoder = put_perception
    with tempfile.TemporaryDirectory() as folder:
        save_llm(case, folder)
        config = {
            "pretrained_llm": folder,
            "pretrained_weights": False,
            "text_loss_weight": 3,
            "audio_loss_weight": 4,  # on the mean of 4 codebooks: 1 each
        }
        model = duplex_s2s_model.DuplexS2SModel(config)
    if case.precision == "bf16-true":
        model = model.to(torch.bfloat16)
    return model


def make_batch(case: Case) -> dict[str, torch.Tensor]:
    streams = make_streams(case)
    is_bfloat16 = case.precision == "bf16-true"
    dtype = torch.bfloat16 if is_bfloat16 else torch.float32
    return {
        "source_audio": streams["speech"].to(dtype),
        "source_audio_lens": streams["lengths"] * SAMPLES_PER_FRAME,
        "target_audio": streams["codes"],
        "target_audio_lens": streams["lengths"],
        "target_tokens": streams["text"],
        "target_token_lens": streams["lengths"],
    }


def run(case: Case) -> Measurement:
    """As Lightning does a step with the optimiser of NeMo's s2s_duplex.yaml."""
    model = build_model(case).to(case.device).train()
    batch = make_batch(case)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-4, betas=(0.9, 0.98), weight_decay=0.0, foreach=True
    )

    def loss_of(batch: dict[str, torch.Tensor]) -> torch.Tensor:
        is_mixed = case.precision == "bf16-mixed"
        with torch.autocast(case.device, torch.bfloat16, enabled=is_mixed):
            return model.training_step(batch, 0)["loss"]

    def step() -> torch.Tensor:
        loss = loss_of(batch)
        optimizer.zero_grad()  # Lightning: between forward and backward
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.detach()

    loss_of(make_batch(case.short())).backward()
    optimizer.zero_grad()
    return measure(case, model, step)
