"""The paper's model from train_paper.yaml: its size, and a training step in bfloat16."""

import math

import pytest
import torch

from espnet2_duplex.tasks import duplex_s2s
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

# TinyLlama-1.1B-chat's config.json; the hub is not asked.
TINYLLAMA = {
    "model_type": "llama",
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "num_hidden_layers": 22,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "vocab_size": 32000,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-05,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
}


@pytest.fixture
def paper_args(root, tiny_bpemodel, tiny_codec_files):
    """The shipped configuration, the LLM's shape and weights aside."""
    codec_config, codec_model = tiny_codec_files
    options = {
        "config": root / "egs2/duplex_s2s/conf/train_paper.yaml",
        "llm_init": "false",
        "llm_conf": TINYLLAMA,
        "token_type": "bpe",
        "bpemodel": tiny_bpemodel,
        "codec_config": codec_config,
        "codec_model": codec_model,
    }
    return [
        word for name, value in options.items() for word in (f"--{name}", str(value))
    ]


def parse(args):
    parsed = DuplexS2STask.get_parser().parse_args(args)
    parsed.distributed = False
    return parsed


def millions(module):
    return sum(p.numel() for p in module.parameters()) / 1e6


def test_all_layers_are_built_on_the_meta_device(paper_args, tiny_codec, monkeypatch):
    monkeypatch.setattr(duplex_s2s, "load_codec", lambda *files: tiny_codec)
    with torch.device("meta"):
        model = DuplexS2STask.build_model(parse(paper_args))
    assert all(p.is_meta for p in model.parameters())
    llm = model.duplex_lm.backbone.llm
    assert len(llm.model.layers) == 22 and len(model.encoder.conformer.layers) == 17
    assert millions(llm) == pytest.approx(1100, abs=0.5)  # the published number
    assert millions(model.encoder) == pytest.approx(109, abs=8)  # "100M" in the paper
    # Four codebooks of 4037 ids, in and out.
    assert millions(model.duplex_lm) - millions(llm) == pytest.approx(
        2 * 4 * 4037 * 2048 / 1e6
    )
    assert llm.is_gradient_checkpointing
    assert model.encoder.conformer.is_gradient_checkpointing
    assert model.logits_chunk_frames == 1024


def test_a_step_in_bfloat16_with_two_layers(paper_args):
    changes = ["--llm_num_layers", "2", "--encoder_conf", "num_layers=2"]
    args = parse(paper_args + changes)
    model = DuplexS2STask.build_model(args)
    (optimizer,) = DuplexS2STask.build_optimizers(args, model)
    assert optimizer.defaults["fused"]
    assert args.encoder_conf["gradient_checkpointing"]  # from the file still
    batch = conversations([20, 12])
    model.train()
    with torch.autocast("cpu", torch.bfloat16):  # what use_amp opens on a GPU
        loss, stats, _ = model(**batch, utt_id=["a", "b"])
    assert stats["loss_speech"].item() == pytest.approx(8.3032, abs=1e-3)  # ln 4037
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), args.grad_clip)
    assert math.isfinite(norm) and norm > 0
    optimizer.step()
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        assert model(**batch, utt_id=["a", "b"])[0] < loss


def conversations(num_frames):
    lengths, longest = torch.tensor(num_frames), max(num_frames)
    generator = torch.Generator().manual_seed(1)
    shape = (len(num_frames), longest)
    return {
        "user_speech": 0.1 * torch.randn(shape[0], longest * 1280, generator=generator),
        "user_speech_lengths": lengths * 1280,
        "text": torch.randint(60, shape, generator=generator),
        "text_lengths": lengths,
        "codes": torch.randint(4037, (*shape, 4), generator=generator),
        "codes_lengths": lengths,
    }
