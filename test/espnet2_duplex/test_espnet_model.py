import copy
import os

import pytest
import torch
import torch.multiprocessing
from conftest import build_tiny_model
from ddp_step import rank_gradients

from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask


def make_batch(lengths, max_frames=None):
    """Random conversations of `lengths` frames, padded to `max_frames`."""
    generator = torch.Generator().manual_seed(1)
    size, longest = len(lengths), max(lengths)
    batch = {
        "user_speech": 0.1 * torch.randn(size, longest * 1280, generator=generator),
        "text": torch.randint(40, (size, longest), generator=generator),
        "codes": torch.randint(4037, (size, longest, 4), generator=generator),
    }
    padding = (max_frames or longest) - longest
    frames = torch.tensor(lengths)
    return {
        "user_speech": torch.nn.functional.pad(
            batch["user_speech"], (0, padding * 1280)
        ),
        "user_speech_lengths": frames * 1280,
        "text": torch.nn.functional.pad(batch["text"], (0, padding), value=3),
        "text_lengths": frames,
        "codes": torch.nn.functional.pad(
            batch["codes"], (0, 0, 0, padding), value=4034
        ),
        "codes_lengths": frames,
    }


def test_loss_stats_and_weight(tiny_model):
    loss, stats, weight = tiny_model(**make_batch([20, 15]), utt_id=["a", "b"])
    assert weight.item() == 19 + 14  # the first frame of each is given
    assert stats["loss"].item() == pytest.approx(loss.item())
    expected = 3.0 * stats["loss_text"] + 4 * stats["loss_speech"]
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("num_padding", [20, 60])
def test_padding_changes_nothing(tiny_model, num_padding):
    loss, _, _ = tiny_model(**make_batch([20, 15]))
    padded, _, _ = tiny_model(**make_batch([20, 15], max_frames=20 + num_padding))
    assert padded.item() == pytest.approx(loss.item(), abs=1e-6 * loss.item())


def test_untrained_speech_heads_cost_the_logarithm_of_the_vocabulary(tiny_model):
    torch.nn.init.zeros_(tiny_model.duplex_lm.speech_head.weight)
    _, stats, _ = tiny_model(**make_batch([20]))
    assert stats["loss_speech"].item() == pytest.approx(8.3032, abs=1e-3)  # ln 4037


@pytest.mark.parametrize("chunk_frames", [1, 10, 1000])
def test_any_chunk_gives_the_same_stats(tiny_model, chunk_frames):
    batch = make_batch([20, 15])
    _, stats, _ = tiny_model(**batch)
    tiny_model.logits_chunk_frames = chunk_frames
    for name, value in tiny_model(**batch)[1].items():
        torch.testing.assert_close(value, stats[name])


def test_losses_of_codebooks_and_classes_add_up(tiny_model):
    _, stats, weight = tiny_model(**make_batch([20, 15]))
    codebooks = [stats[f"loss_speech_{k}"].item() for k in (1, 2, 3, 4)]
    assert sum(codebooks) / 4 == pytest.approx(stats["loss_speech"].item())
    for channel, classes in (
        ("text", ("bos", "eos", "pad", "words")),
        ("speech", ("turns", "silence")),
    ):
        parts = [stats[f"loss_{channel}_{name}.sum"].item() for name in classes]
        assert sum(parts) == pytest.approx(stats[f"loss_{channel}"].item())
    assert stats["padding_share.sum"].item() * weight.item() == pytest.approx(5)
    assert stats["padding_share.count"].item() * weight.item() == pytest.approx(38)


def test_flops_of_a_frozen_encoder_are_those_of_its_forward_pass(tiny_model):
    lengths = torch.tensor([20, 15])
    trained = tiny_model.training_flops(lengths).item()
    tiny_model.encoder.requires_grad_(False)
    weights = sum(p.numel() for p in tiny_model.encoder.parameters())
    frozen = tiny_model.training_flops(lengths).item()
    assert trained - frozen == pytest.approx(4 * weights)


def test_flops_of_a_frozen_adapter_depend_on_the_encoder_below(tiny_model):
    lengths = torch.tensor([20, 15])
    weights = sum(p.numel() for p in tiny_model.adapter.parameters())
    of_encoder = sum(p.numel() for p in tiny_model.encoder.parameters())
    trained = tiny_model.training_flops(lengths).item()
    tiny_model.adapter.requires_grad_(False)
    above_trained = tiny_model.training_flops(lengths).item()
    assert trained - above_trained == pytest.approx(2 * weights)
    tiny_model.encoder.requires_grad_(False)
    above_frozen = tiny_model.training_flops(lengths).item()
    assert trained - above_frozen == pytest.approx(4 * (weights + of_encoder))


@pytest.fixture
def ctc_model(tiny_args):
    args = [*tiny_args, "--model_conf", "ctc_weight=0.5"]
    return build_tiny_model(DuplexS2STask, args)


USER_TEXT = {
    "user_text": torch.tensor([[5, 9, 9], [7, 0, 0]]),
    "user_text_lengths": torch.tensor([3, 1]),
}


def test_ctc_loss_is_added_per_frame(ctc_model):
    batch = {**make_batch([20, 15]), **USER_TEXT}
    loss, stats, weight = ctc_model(**batch)
    ctc_model.ctc_weight = 0.0
    plain, _, _ = ctc_model(**batch)
    assert stats["loss_ctc.count"].item() * weight.item() == pytest.approx(4)
    added = 0.5 * stats["loss_ctc.sum"].item()
    assert loss.item() == pytest.approx(plain.item() + added, rel=1e-6)
    assert added > 0
    assert not any(value.requires_grad for value in stats.values())


def test_ctc_teaches_the_encoder(ctc_model):
    ctc_model.ctc_weight = 1e6
    ctc_model(**make_batch([20, 15]), **USER_TEXT)[0].backward()
    large = [p.grad.abs().sum() for p in ctc_model.encoder.parameters()]
    ctc_model.zero_grad()
    ctc_model.ctc_weight = 0.0
    ctc_model(**make_batch([20, 15]), **USER_TEXT)[0].backward()
    small = [p.grad.abs().sum() for p in ctc_model.encoder.parameters()]
    assert all(one > 100 * other for one, other in zip(large, small))
    assert ctc_model.user_ctc.linear.weight.grad is None


def test_ctc_without_the_users_words_is_refused(ctc_model):
    with pytest.raises(ValueError, match="ctc_weight is 0.5 .* no user_text"):
        ctc_model(**make_batch([20]))


def test_checkpoints_load_without_and_with_a_ctc_head(tiny_model, ctc_model):
    assert not [name for name in tiny_model.state_dict() if "ctc" in name]
    missing, unexpected = ctc_model.load_state_dict(
        tiny_model.state_dict(), strict=False
    )
    assert missing == ["user_ctc.linear.weight", "user_ctc.linear.bias"]
    assert unexpected == []


def test_code_noise_spares_specials_and_evaluation(tiny_model):
    tiny_model.code_noise = 1.0
    codes = torch.tensor([[[1, 2, 3, 4], [4032] * 4]])
    noisy = tiny_model.corrupt_codes(codes)
    assert noisy[0, 1].tolist() == [4032] * 4
    assert noisy[0, 0].tolist() != [1, 2, 3, 4] and noisy.max() <= 4032
    first, _, _ = tiny_model.eval()(**make_batch([20]))
    second, _, _ = tiny_model(**make_batch([20]))
    assert first.item() == second.item()


def test_every_parameter_is_trained(tiny_model):
    tiny_model.train()
    loss, _, _ = tiny_model(**make_batch([20, 15]))
    loss.backward()
    for name, parameter in tiny_model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_two_unequal_ranks_give_the_gradients_of_one_process(tiny_model, tmp_path):
    batch = make_batch([30, 12, 9])
    single = copy.deepcopy(tiny_model)
    single(**batch)[0].backward()
    port = 29500 + os.getpid() % 1000
    path = tmp_path / "gradients.pth"
    torch.multiprocessing.spawn(
        rank_gradients, (tiny_model, batch, port, path), nprocs=2
    )
    gradients = torch.load(path)
    for name, parameter in single.named_parameters():
        torch.testing.assert_close(
            gradients[name], parameter.grad, atol=1e-5, rtol=1e-4
        )
