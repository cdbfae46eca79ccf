"""The training step against its plain definition, for every way of running it."""

import copy

import pytest
import torch
from conftest import TINY_ENCODER, TINY_LLM
from plain_step import plain_loss
from tiny_llms import LLMS, make_visible

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.backbone.lora import LoraConf, add_lora
from espnet2_duplex.duplex_lm import DuplexLM
from espnet2_duplex.espnet_model import ESPnetDuplexS2SModel
from espnet2_duplex.perception.adapter import Adapter
from espnet2_duplex.perception.whisper_causal import WhisperCausalEncoder
from espnet2_duplex.vocabulary import SpeechIds, TextIds

LENGTHS = [20, 9, 1, 14]
IDS = SpeechIds(6)
FAMILIES = {"llama": TINY_LLM, **LLMS}


def make_model(llm_conf=TINY_LLM, backbone_conf={}, **options):
    """A small model in evaluation, so that nothing is drawn."""
    torch.manual_seed(1)
    backbone = Backbone(llm_conf, 23, **{"window_frames": 24, **backbone_conf})
    model = ESPnetDuplexS2SModel(
        encoder=WhisperCausalEncoder(**TINY_ENCODER),
        adapter=Adapter(16, 32),
        duplex_lm=DuplexLM(backbone, 3, IDS),
        text_ids=TextIds(bos=1, eos=2, pad=0),
        logits_chunk_frames=8,
        **options,
    )
    make_visible(model.duplex_lm)
    return model.eval()


def make_batch(lengths=LENGTHS):
    generator = torch.Generator().manual_seed(2)
    shape = (len(lengths), max(lengths))
    frames = torch.tensor(lengths)
    samples = (shape[0], shape[1] * 1280)
    return {
        "user_speech": 0.1 * torch.randn(samples, generator=generator),
        "user_speech_lengths": frames * 1280,
        "text": torch.randint(6, shape, generator=generator),
        "text_lengths": frames,
        "codes": torch.randint(IDS.size, (*shape, 3), generator=generator),
        "codes_lengths": frames,
        "user_text": torch.tensor([[5, 9, 9], [7, 0, 0], [0, 0, 0], [4, 5, 0]]),
        "user_text_lengths": torch.tensor([3, 1, 0, 2]),
    }


def gradients_of(model, loss):
    names, weights = zip(
        *((n, p) for n, p in model.named_parameters() if p.requires_grad)
    )
    found = torch.autograd.grad(loss, weights, allow_unused=True)
    return {n: g for n, g in zip(names, found) if g is not None}


def assert_as_defined(model, plain=None, batch=None):
    """Loss and gradients of `model` are those of the definition."""
    batch = batch or make_batch()
    plain = plain or copy.deepcopy(model)
    found = model(**batch)[0].squeeze()
    expected = plain_loss(plain, batch)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    found, expected = gradients_of(model, found), gradients_of(plain, expected)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        largest = value.abs().max().item()
        atol = 1e-5 * max(largest, 0.1)  # some are 0, as those of a key's bias
        torch.testing.assert_close(found[name], value, atol=atol, rtol=1e-4)


@pytest.mark.parametrize("prompt", [[], [3, 4, 5]], ids=["bare", "prompted"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_with_and_without_a_prompt(family, prompt):
    model = make_model(FAMILIES[family])
    model.duplex_lm.backbone.set_prompt(prompt)
    assert_as_defined(model)


@pytest.mark.parametrize("window_frames", [1, 5, 13, 19])
def test_windows_shorter_than_some_conversations(window_frames):
    assert_as_defined(make_model(backbone_conf={"window_frames": window_frames}))


@pytest.mark.parametrize("tied", [False, True])
def test_tied_and_untied_heads_with_class_weights(tied):
    weights = {"text": 2.0, "speech": 0.5, "text_bos": 10.0, "text_pad": 0.0}
    conf = {**TINY_LLM, "tie_word_embeddings": tied, "vocab_size": 30}
    assert_as_defined(make_model(conf, loss_weights=weights))


def test_auxiliary_ctc():
    assert_as_defined(make_model(ctc_weight=0.3))


def test_low_rank_adapters_and_frozen_weights():
    model = make_model()
    add_lora(model.duplex_lm.backbone.llm, LoraConf(r=2))
    make_visible(model.duplex_lm)
    model.encoder.requires_grad_(False)
    assert_as_defined(model)
    model.duplex_lm.backbone.llm.get_output_embeddings().requires_grad_(False)
    model.duplex_lm.speech_head.requires_grad_(False)
    assert_as_defined(model)


def test_an_adapter_on_the_text_head():
    model = make_model()
    add_lora(model.duplex_lm.backbone.llm, LoraConf(r=2, target_modules=["lm_head"]))
    make_visible(model.duplex_lm)
    assert not model.duplex_lm.heads[0].is_matrix
    assert_as_defined(model)


@pytest.mark.parametrize(
    "backbone_conf",
    [
        {"gradient_checkpointing": True},
        {"compile_backend": "eager"},
        {"attn_implementation": "eager"},
    ],
    ids=lambda conf: next(iter(conf)),
)
def test_options_of_training(backbone_conf):
    plain, model = make_model(), make_model(backbone_conf=backbone_conf)
    model.load_state_dict(plain.state_dict())
    model.duplex_lm.train()  # the encoder has dropout
    assert_as_defined(model, plain)


def test_lengths_that_change_from_batch_to_batch_compile_once():
    torch._dynamo.reset()
    model = make_model(backbone_conf={"compile_backend": "eager"}).train()
    counts = []
    for lengths in ([20, 9], [20, 9, 4], [7, 19], [11, 12, 13], [8, 3], [17, 2]):
        batch = make_batch(lengths)
        model(**{k: v for k, v in batch.items() if "user_text" not in k})
        counts.append(torch._dynamo.utils.counters["stats"]["unique_graphs"])
    assert counts[-1] == counts[2]


def test_bfloat16_autocast_changes_the_loss_by_its_rounding():
    model, batch = make_model(), make_batch()
    expected = plain_loss(copy.deepcopy(model), batch).item()
    with torch.autocast("cpu", torch.bfloat16):
        found = model(**batch)[0]
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, rel=0.02)


def test_an_llm_without_packed_attention_is_fed_padded_rows(monkeypatch, caplog):
    from transformers import LlamaForCausalLM

    monkeypatch.setattr(LlamaForCausalLM, "_supports_attention_backend", False)
    with caplog.at_level("INFO"):
        model = make_model()
    assert "llama takes no packed conversations" in caplog.text
    monkeypatch.undo()
    assert model.duplex_lm.backbone.llm.config._attn_implementation == "sdpa"
    assert_as_defined(model)


def test_padding_of_a_batch_is_not_computed(monkeypatch):
    model, rows = make_model(), []
    layer = model.duplex_lm.backbone.llm.model.layers[0].mlp
    layer.register_forward_hook(lambda _, args, out: rows.append(args[0].shape))
    model(**make_batch())
    assert rows == [(1, sum(LENGTHS) - len(LENGTHS), 32)]
