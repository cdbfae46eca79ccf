import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.loss import FrameLosses, Labels, Ratio, learning_curves, per_frame
from espnet2_duplex.loss.curves import in_turn, near
from espnet2_duplex.vocabulary import SpeechIds, TextIds

PAD, BOS, EOS = 0, 1, 2
IDS = TextIds(bos=BOS, eos=EOS, pad=PAD)
SPEECH_IDS = SpeechIds(4)


def curves(text, predicted, speech=None, num_valid=None, losses=None):
    """Learning curves of one conversation as (total, count)."""
    text = torch.tensor([text])
    size = text.shape[1]
    valid = torch.arange(size)[None] < (num_valid or size)
    speech = torch.zeros(1, size, 2).long() if speech is None else speech
    losses = torch.arange(1.0, size + 1)[None] if losses is None else losses
    frames = FrameLosses(
        text=losses * valid,
        speech=(losses * valid)[..., None].expand(-1, -1, 2),
        text_predicted=torch.tensor([predicted]).masked_fill(~valid, -1),
        speech_correct=torch.zeros(speech.shape, dtype=torch.bool),
        text_sum=losses.sum(),
        speech_sum=losses.sum(),
    )
    found = learning_curves(frames, Labels(text, speech, valid), IDS, SPEECH_IDS)
    return {name: (r.total.item(), r.count.item()) for name, r in found.items()}


def test_text_loss_is_told_apart_by_class():
    found = curves([PAD, BOS, 5, 6, EOS, PAD, PAD], [0] * 7, num_valid=6)
    assert found["loss_text_bos"] == (2.0, 1)  # the loss of frame t is t + 1
    assert found["loss_text_words"] == (3.0 + 4.0, 2)
    assert found["loss_text_eos"] == (5.0, 1)
    assert found["loss_text_pad"] == (1.0 + 6.0, 2)  # not the padding frame
    assert found["padding_share"] == (1, 7)


@pytest.mark.parametrize(
    "predicted_frames, recall, precision",
    [
        ([5], (1, 1), (1, 1)),
        ([3], (1, 1), (1, 1)),
        ([7], (1, 1), (1, 1)),
        ([2], (0, 1), (0, 1)),  # three frames early
        ([8], (0, 1), (0, 1)),
        ([4, 6, 9], (1, 1), (2, 3)),
        ([], (0, 1), (0, 0)),
    ],
)
def test_an_event_is_found_within_two_frames(predicted_frames, recall, precision):
    text, predicted = [PAD] * 10, [PAD] * 10
    text[5] = BOS
    for frame in predicted_frames:
        predicted[frame] = BOS
    found = curves(text, predicted)
    assert found["bos_recall"] == recall
    assert found["bos_precision"] == precision
    assert found["eos_recall"] == (0, 0)


def test_events_on_padding_do_not_count():
    found = curves([PAD, PAD, BOS, BOS], [PAD, PAD, PAD, BOS], num_valid=3)
    assert found["bos_recall"] == (0, 1)
    assert found["bos_precision"] == (0, 0)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(0, 4))
def test_near_is_the_distance_to_the_nearest_event(events, num_frames):
    frames = [t for t, event in enumerate(events) if event]
    expected = [
        any(abs(t - frame) <= num_frames for frame in frames)
        for t in range(len(events))
    ]
    assert near(torch.tensor([events]), num_frames)[0].tolist() == expected


def test_speech_loss_is_told_apart_by_turn():
    bos, eos = SPEECH_IDS.bos, SPEECH_IDS.eos
    speech = torch.tensor([3, bos, 1, 2, eos, 3])[None, :, None].expand(-1, -1, 2)
    found = curves([PAD] * 6, [PAD] * 6, speech=speech)
    assert found["loss_speech_turns"] == (2.0 + 3.0 + 4.0, 3)
    assert found["loss_speech_silence"] == (1.0 + 5.0 + 6.0, 3)


@pytest.mark.parametrize(
    "codes, expected",
    [
        ("..B12E..B1E", "..ttt...tt."),
        (".B1EB2E", ".tt.tt."),  # turns that touch
        (".B12B12E.", ".tttttt.."),  # an end that is lost
        ("12E..B1", ".....tt"),  # cut out of a conversation
    ],
)
def test_turns_reach_from_bos_to_before_eos(codes, expected):
    ids = {"B": SPEECH_IDS.bos, "E": SPEECH_IDS.eos, ".": 0, "1": 1, "2": 2}
    found = in_turn(torch.tensor([[ids[c] for c in codes]]), SPEECH_IDS)
    assert "".join("t" if turn else "." for turn in found[0]) == expected


def test_ratios_become_two_statistics_per_frame():
    ratios = {"bos_recall": Ratio(torch.tensor(3), torch.tensor(4))}
    stats = per_frame(ratios, torch.tensor(200))
    assert {k: v.item() for k, v in stats.items()} == {
        "bos_recall.sum": pytest.approx(0.015),
        "bos_recall.count": pytest.approx(0.02),
    }


def test_every_frame_belongs_to_one_class_and_one_side():
    text = torch.randint(6, (3, 40))
    speech = torch.randint(SPEECH_IDS.size, (3, 40, 2))
    valid = torch.arange(40) < torch.tensor([[40], [31], [7]])
    losses, total = torch.rand(3, 40), torch.tensor(0.0)
    frames = FrameLosses(
        losses, torch.rand(3, 40, 2), text, speech == speech, total, total
    )
    found = learning_curves(frames, Labels(text, speech, valid), IDS, SPEECH_IDS)
    for group in ("loss_text_", "loss_speech_"):
        counts = [r.count for name, r in found.items() if name.startswith(group)]
        assert sum(counts) == 78
