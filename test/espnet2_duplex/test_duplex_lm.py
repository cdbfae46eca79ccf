import pytest
import torch
from conftest import TINY_LLM
from streaming_contract import as_tuple

from espnet2_duplex.backbone import Backbone
from espnet2_duplex.duplex_lm import DuplexLM, attended_pairs, weight_flops
from espnet2_duplex.vocabulary import SpeechIds

IDS = SpeechIds(codebook_size=10)


def make_model():
    return DuplexLM(Backbone(TINY_LLM, 20, window_frames=16), 3, IDS).eval()


def random_streams(num_frames=40, batch=2):
    return (
        torch.randn(batch, num_frames, 32),
        torch.randint(20, (batch, num_frames)),
        torch.randint(IDS.size, (batch, num_frames, 3)),
    )


def test_new_rows_start_at_zero():
    model = make_model()
    user, text, speech = random_streams()
    assert model(user, text, speech).speech.abs().max() == 0
    other = torch.zeros_like(speech)
    torch.testing.assert_close(
        model.fuse(user, text, speech), model.fuse(user, text, other), rtol=0, atol=0
    )


def test_step_equals_forward():
    model = make_model()
    torch.nn.init.normal_(model.speech_embedding.weight)
    torch.nn.init.normal_(model.speech_head.weight)
    streams = random_streams()
    with torch.inference_mode():
        offline = model(*streams)
        state = model.init_state(2)
        for t in range(40):
            logits, state = model.step(*[s[:, t : t + 1] for s in streams], state)
            for one, all_frames in zip(as_tuple(logits), offline):
                torch.testing.assert_close(
                    one, all_frames[:, t : t + 1], atol=1e-4, rtol=0
                )


def test_every_codebook_has_rows_of_its_own():
    model = make_model()
    torch.nn.init.normal_(model.speech_embedding.weight)
    user, text, _ = random_streams(num_frames=1, batch=1)
    one = model.fuse(user, text, torch.tensor([[[1, 2, 3]]]))
    permuted = model.fuse(user, text, torch.tensor([[[2, 1, 3]]]))
    assert (one - permuted).abs().max() > 0.1


def test_gradients_reach_every_part():
    model = make_model()
    logits = model(*random_streams())
    (logits.text.square().mean() + logits.speech.sum()).backward()
    assert model.speech_head.weight.grad.abs().sum() > 0
    assert model.backbone.llm.get_input_embeddings().weight.grad.abs().sum() > 0


@pytest.mark.parametrize(
    "num_frames, pairs", [(1, 1), (4, 1 + 2 + 3 + 4), (7, 1 + 2 + 3 + 4 + 4 + 4 + 4)]
)
def test_frames_attend_to_the_window_before_them(num_frames, pairs):
    assert attended_pairs(torch.tensor(num_frames), window_frames=4).item() == pairs


def test_flops_are_six_per_trained_weight_that_multiplies():
    layer = torch.nn.Linear(3, 5)
    assert weight_flops(layer, frozen_flops=4) == 6 * 20
    layer.bias.requires_grad = False
    assert weight_flops(layer, frozen_flops=4) == 6 * 15 + 4 * 5
    assert weight_flops(layer, frozen_flops=4, without={layer.weight}) == 4 * 5


@pytest.mark.parametrize("tied", [False, True])
def test_flops_of_the_language_model(tied):
    conf = {**TINY_LLM, "tie_word_embeddings": tied}
    model = DuplexLM(Backbone(conf, 20, window_frames=16), 3, IDS)
    width, ffn, half = 32, 48, 16  # one key-value head of two
    layer = 2 * width * width + 2 * width * half + 3 * width * ffn + 2 * width
    weights = 2 * layer + width + 20 * width + 3 * IDS.size * width  # and both heads
    expected = 6 * weights + 12 * 2 * width * 5
    assert model.training_flops(torch.tensor(5.0)).item() == expected
