import pytest
import torch

from espnet2_duplex import row_draws

CPU = torch.device("cpu")
IDS = ["a", "b", "c"]


def draws(ids, num_frames=40, purpose="noise", seed=3):
    torch.manual_seed(seed)
    with row_draws.drawing_for(ids):
        return row_draws.uniform((len(ids), num_frames, 2), CPU, purpose)


def test_a_conversation_draws_the_same_in_any_batch():
    together = draws(IDS)
    for n, uid in enumerate(IDS):
        assert draws([uid])[0].equal(together[n])
    assert draws(IDS[::-1]).flip(0).equal(together)


def test_padding_changes_no_draw():
    assert draws(IDS, num_frames=10).equal(draws(IDS, num_frames=25)[:, :10])


def test_earlier_draws_change_nothing():
    torch.manual_seed(3)
    torch.rand(5)
    with row_draws.drawing_for(IDS):
        assert row_draws.uniform((3, 40, 2), CPU, "noise").equal(draws(IDS))


@pytest.mark.parametrize("other", [{"seed": 4}, {"purpose": "start"}])
def test_seed_and_purpose_change_the_draws(other):
    one, two = draws(IDS, 500).flatten(), draws(IDS, 500, **other).flatten()
    assert torch.corrcoef(torch.stack([one, two]))[0, 1].abs() < 0.1


def test_draws_are_uniform_and_rows_independent():
    rows = draws([f"talk{n}" for n in range(8)], num_frames=5000).flatten(1)
    assert rows.min() >= 0 and rows.max() < 1
    shares = torch.histc(rows, bins=10, min=0, max=1) / rows.numel()
    assert (shares - 0.1).abs().max() < 0.005
    assert (torch.corrcoef(rows) - torch.eye(8)).abs().max() < 0.05


@pytest.mark.parametrize("high", [1, 3, 1500, 2**31])
def test_integers_reach_their_whole_range_and_no_further(high):
    with row_draws.drawing_for(["a"]):
        drawn = row_draws.integers(high, (1, 20000), CPU, "start")
    assert drawn.dtype == torch.int64 and drawn.min() >= 0 and drawn.max() < high
    assert drawn.double().mean() == pytest.approx((high - 1) / 2, rel=0.05)


def test_splitmix64_gives_its_published_values(monkeypatch):
    # The generator seeded with 1234567, as in its reference implementation's test.
    monkeypatch.setattr(row_draws, "_start", lambda name: 1234567)
    with row_draws.drawing_for(["a"]):
        bits = row_draws._bits((1, 3), CPU, "")
    assert [int(b) % 2**64 for b in bits[0]] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_nobodys_draws_are_torchs_own():
    torch.manual_seed(0)
    expected = torch.rand(2, 3), torch.randint(9, (2, 3))
    torch.manual_seed(0)
    assert row_draws.uniform((2, 3), CPU, "noise").equal(expected[0])
    assert row_draws.integers(9, (2, 3), CPU, "start").equal(expected[1])


class Drawing(torch.nn.Module):
    def forward(self, text_lengths, fail=False, **kwargs):
        if fail:
            raise RuntimeError("failed")
        return row_draws.uniform((len(text_lengths), 4), CPU, "noise")


def test_a_model_follows_utt_id_in_training_only():
    model = Drawing()
    row_draws.follow_utterances(model)
    lengths = torch.tensor([4, 4])
    torch.manual_seed(0)
    one = model(text_lengths=lengths, utt_id=["a", "b"])
    two = model(text_lengths=lengths, utt_id=["b", "a"])
    assert one.equal(two.flip(0))
    plain = model.eval()(text_lengths=lengths, utt_id=["a", "b"])
    assert not plain.equal(one)
    # DataParallel hands all ids to each part of the batch.
    parts = [model.train()(text_lengths=lengths[:1], utt_id=["a", "b"]) for _ in "ab"]
    assert not parts[0].equal(parts[1])


def test_a_failed_step_leaves_no_ids_behind():
    model = Drawing()
    row_draws.follow_utterances(model)
    with pytest.raises(RuntimeError, match="failed"):
        model(text_lengths=torch.tensor([4]), utt_id=["a"], fail=True)
    assert row_draws.uniform((3, 2), CPU, "noise").shape == (3, 2)
