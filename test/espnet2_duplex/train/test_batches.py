"""ESPnet's batches over our shapes: what batch_bins means in seconds."""

import re
from fractions import Fraction

import pytest
import torch
from espnet2.samplers.build_batch_sampler import build_batch_sampler

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.train.batch_sizes import (
    LargestBatch,
    largest_batch,
    warn_of_large_batch,
)


@pytest.fixture
def shapes(tmp_path):
    """Stage 7's text_shape: 20 to 40 s of conversation, and one of 200 s."""
    frames = [250, 500, 500, 510, 2500]
    path = tmp_path / "text_shape"
    path.write_text("".join(f"talk{n} {t}\n" for n, t in enumerate(frames)))
    return str(path)


def batches(shapes, kind="numel", min_batch_size=1, **options):
    options = {"batch_bins": 1250, "fold_lengths": [500], "batch_size": 2} | options
    return list(
        build_batch_sampler(
            type=kind,
            shape_files=[shapes],
            min_batch_size=min_batch_size,
            **options,
        )
    )


@pytest.mark.parametrize("kind", ["numel", "length"])
def test_a_batch_closes_with_the_conversation_that_exceeds_100_s(shapes, kind):
    found = batches(shapes, kind)
    # 3 * 500 > 1250 frames of 80 ms; the longest one joins what is left.
    assert [set(b) for b in found] == [{"talk0", "talk1", "talk2"}, {"talk3", "talk4"}]


def test_a_conversation_longer_than_a_batch_is_its_own_after_a_full_one(shapes):
    assert ("talk4",) in batches(shapes, batch_bins=500)


def test_each_process_gets_a_conversation_also_of_long_ones(shapes):
    found = batches(shapes, batch_bins=500, min_batch_size=2)
    assert [len(batch) for batch in found] == [2, 3]


def test_folded_divides_the_number_of_conversations_by_their_folds(shapes):
    found = batches(shapes, "folded", batch_size=4)
    # 4 of less than one fold of 500 frames, 2 of less than two
    assert sorted(len(batch) for batch in found) == [1, 4]


def test_the_largest_batch_is_found_with_its_padding(shapes):
    frames = {"talk0": 250, "talk1": 500, "talk2": 500, "talk3": 510, "talk4": 2500}
    assert largest_batch(batches(shapes), frames) == LargestBatch(2, "talk4", 2500)


@pytest.mark.parametrize("share_frames, is_warned", [(1250, True), (2500, False)])
def test_a_batch_far_beyond_its_share_is_warned_of(caplog, share_frames, is_warned):
    largest = LargestBatch(2, "talk4", 2500)
    warn_of_large_batch(largest, share_frames, Fraction(25, 2), "batch_bins")
    expected = (
        "a batch has 400 s with padding where batch_bins gives a process 100 s: 2 "
        "conversations, the longest talk4 of 200 s; cut or leave out"
    )
    assert (expected in caplog.text) is is_warned


@pytest.mark.parametrize(
    "valid_bins, warnings",
    [
        ([], ["batch_bins gives a process 1 s"] * 2),  # validation takes batch_bins
        (
            ["--valid_batch_bins", "10"],
            ["batch_bins gives a process 1 s", "valid_batch_bins gives a process 1 s"],
        ),
        (["--valid_batch_bins", "1000"], ["batch_bins gives a process 1 s"]),
    ],
)
def test_training_warns_of_it_by_the_option_that_sizes_it(
    tiny_training_args, tiny_data, tmp_path, caplog, valid_bins, warnings
):
    shapes = tmp_path / "text_shape"
    shapes.write_text("".join(f"talk{n} {25 + 2 * n}\n" for n in range(6)))
    args = [
        a.replace(str(tiny_data / "utt2spk"), str(shapes)) for a in tiny_training_args
    ]
    args += ["--batch_type", "numel", "--batch_bins", "15", "--max_epoch", "1"]
    args += ["--log_level", "WARNING", "--output_dir", str(tmp_path), *valid_bins]
    duplex_s2s_train.main(args)
    found = re.findall(r"a batch has 3 s with padding where (.*?):", caplog.text)
    assert found == warnings


def test_padding_share_of_an_epoch_is_that_of_all_its_batches(
    tiny_training_args, tmp_path
):
    args = [*tiny_training_args, "--batch_size", "3", "--output_dir", str(tmp_path)]
    duplex_s2s_train.main([*args, "--max_epoch", "1"])
    log = torch.load(tmp_path / "checkpoint.pth", weights_only=True)["reporter"]
    # 25, 27, 29 and 31, 33, 35 frames; the first of each conversation is given.
    padded = 3 * 28 + 3 * 34
    assert log["stats"][1]["train"]["padding_share"] == pytest.approx(
        1 - (24 + 26 + 28 + 30 + 32 + 34) / padded
    )
    assert "padding_share" in log["stats"][1]["valid"]
