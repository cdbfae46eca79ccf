"""One training step of ESPnetDuplexS2SModel."""

import torch
from training_benchmark.case import (
    BOS,
    CODEBOOK_SIZE,
    EOS,
    NUM_CODEBOOKS,
    PAD,
    SAMPLES_PER_FRAME,
    USER_FEATURES,
    Case,
    Measurement,
    make_streams,
    measure,
)

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.perception.abs_encoder import AbsStreamingEncoder
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.vocabulary import SpeechIds, TextIds


class FrameEncoder(AbsStreamingEncoder):
    """Stands in for the speech encoder: a linear map of each frame's samples."""

    output_size = USER_FEATURES

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(SAMPLES_PER_FRAME, USER_FEATURES)

    def forward(self, speech, num_samples):
        frames = speech.unflatten(1, (-1, SAMPLES_PER_FRAME))
        return self.linear(frames), num_samples // SAMPLES_PER_FRAME

    def init_state(self, batch_size):
        return None

    def step(self, speech, state):
        return self.linear(speech)[:, None], state


def build_model(case: Case) -> ESPnetDuplexS2SModel:
    """The model of the case.

    Raises:
        ValueError: If the model would not compute in the number format asked for.
    """
    llm_conf = {"model_type": "llama", "tie_word_embeddings": True, **case.llm}
    backbone_conf = {"window_frames": case.num_frames}
    backbone_conf |= case.variant.get("backbone_conf", {})
    backbone = Backbone(llm_conf, case.llm["vocab_size"], **backbone_conf)
    is_mixed = case.precision == "bf16-mixed"
    model_conf = {"bfloat16": is_mixed, **case.variant.get("model_conf", {})}
    model = ESPnetDuplexS2SModel(
        encoder=FrameEncoder(),
        adapter=Adapter(USER_FEATURES, backbone.hidden_size),
        duplex_lm=DuplexLM(backbone, NUM_CODEBOOKS, SpeechIds(CODEBOOK_SIZE)),
        text_ids=TextIds(bos=BOS, eos=EOS, pad=PAD),
        **model_conf,
    )
    if model.bfloat16 != is_mixed:
        raise ValueError(
            f"{case.precision} is asked for, but bfloat16 of the model is "
            f"{model.bfloat16} here; choose the other precision."
        )
    return model


def make_batch(case: Case) -> dict[str, torch.Tensor]:
    streams = make_streams(case)
    return {
        "user_speech": streams["speech"],
        "user_speech_lengths": streams["lengths"] * SAMPLES_PER_FRAME,
        "text": streams["text"],
        "text_lengths": streams["lengths"],
        "codes": streams["codes"],
        "codes_lengths": streams["lengths"],
    }


def run(case: Case) -> Measurement:
    """As ESPnet's trainer does a step with train_paper.yaml."""
    model = build_model(case).to(case.device).train()
    batch = make_batch(case)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=3e-4, betas=(0.9, 0.98), weight_decay=0.0, fused=True
    )

    def step() -> torch.Tensor:
        loss, _, _ = model(**batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    model(**make_batch(case.short()))[0].backward()
    optimizer.zero_grad()
    return measure(case, model, step)
