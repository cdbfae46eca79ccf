import copy
import os

import pytest
import torch
import torch.multiprocessing
from ddp_step import rank_gradients


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
