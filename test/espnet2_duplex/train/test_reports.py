import math

import pytest
import torch
from espnet2.torch_utils.device_funcs import force_gatherable
from espnet2.torch_utils.recursive_op import recursive_average
from espnet2.train.reporter import Reporter, SubReporter

from espnet2_duplex.bin import duplex_s2s_train
from espnet2_duplex.loss import Ratio, per_frame
from espnet2_duplex.train.reports import split_ratios, training_reports

# (<BOS> found, <BOS> there, frames) of batches of very unlike conversations
BATCHES = [(1, 1, 400), (2, 8, 100), (0, 0, 300)]


def report(reporter, batches, key="valid", **stats):
    with reporter.observe(key, epoch=1) as sub_reporter:
        for found, there, num_frames in batches:
            num_frames = torch.tensor(num_frames)
            ratio = Ratio(torch.tensor(found), torch.tensor(there))
            batch = {"loss": torch.tensor(2.0), **stats}
            batch |= per_frame({"bos_recall": ratio}, num_frames)
            sub_reporter.register(*force_gatherable((batch, num_frames), "cpu"))
            sub_reporter.register({"train_time": 1.0})
            sub_reporter.next()
        message = sub_reporter.log_message()
    return message


def test_a_ratio_over_batches_is_that_of_the_sums():
    reporter = Reporter()
    with training_reports():
        message = report(reporter, BATCHES)
    # neither 0.625, the mean of the batches, nor their mean weighted by frames, 0.85
    assert reporter.get_value("valid", "bos_recall") == pytest.approx(3 / 9)
    assert "bos_recall=0.333" in message
    assert reporter.get_value("valid", "loss") == pytest.approx(2.0)
    assert set(reporter.get_keys2("valid")) == {"loss", "bos_recall", "train_time"}


@pytest.mark.parametrize("batches", [BATCHES[::-1], BATCHES[2:] + BATCHES[:2]])
def test_the_order_of_batches_does_not_matter(batches):
    reporter = Reporter()
    with training_reports():
        report(reporter, batches)
    assert reporter.get_value("valid", "bos_recall") == pytest.approx(3 / 9)


@pytest.mark.filterwarnings("ignore:No valid stats found")
def test_without_any_event_there_is_no_figure():
    reporter = Reporter()
    with training_reports():
        report(reporter, BATCHES[2:])
    assert math.isnan(reporter.get_value("valid", "bos_recall"))


def test_ranks_count_by_their_events():
    """As `recursive_average` of two ranks: sums of value * weight over sums of weight."""
    ranks = [
        per_frame({"recall": Ratio(torch.tensor(a), torch.tensor(b))}, torch.tensor(n))
        for a, b, n in BATCHES[:2]
    ]
    mean = {key: (400 * ranks[0][key] + 100 * ranks[1][key]) / 500 for key in ranks[0]}
    _, ratios = split_ratios(mean)
    total, count = ratios["recall"]
    assert total / count == pytest.approx(3 / 9)
    assert 500 * count == pytest.approx(9)


def test_outside_of_training_the_reporter_is_espnets():
    plain = SubReporter.register
    with pytest.raises(RuntimeError), training_reports():
        assert SubReporter.register is not plain
        raise RuntimeError
    assert SubReporter.register is plain
    reporter = Reporter()
    report(reporter, BATCHES)
    assert reporter.get_value("valid", "bos_recall.count") == pytest.approx(9 / 800)


class Clock:
    """A clock that shows the given times one after another."""

    def __init__(self, times):
        self.times = list(times)

    def __call__(self):
        return self.times.pop(0)


def test_throughput_is_frames_over_the_time_since_the_previous_step(monkeypatch):
    clock = Clock([10.0, 12.0, 16.0])
    monkeypatch.setattr("espnet2_duplex.train.reports.now_seconds", clock)
    reporter = Reporter()
    with training_reports(peak_tflops=1.0):
        report(reporter, BATCHES, key="train", gflop_per_frame=2.0)
    # the first step of an epoch has no previous one: (100 + 300) frames in 6 s
    expected = 400 / 6
    assert reporter.get_value("train", "frames_per_second") == pytest.approx(expected)
    assert reporter.get_value("train", "mfu") == pytest.approx(expected * 2 / 1000)
    assert "gflop_per_frame" not in reporter.get_keys2("train")


def test_validation_has_no_throughput():
    reporter = Reporter()
    with training_reports():
        report(reporter, BATCHES, key="valid", gflop_per_frame=2.0)
    assert "frames_per_second" not in reporter.get_keys2("valid")


def rows(batch, indices):
    """These conversations of a batch of `make_batch`, padding cut off."""
    longest = int(batch["text_lengths"][indices].max())
    limits = {"user_speech": longest * 1280, "text": longest, "codes": longest}
    return {
        n: v[indices][:, : limits[n]] if n in limits else v[indices]
        for n, v in batch.items()
    }


def make_batch():
    """Three conversations of which the first two, of one rank, have no <BOS>."""
    lengths = torch.tensor([30, 12, 19])
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(5, 40, (3, 30), generator=generator)
    text[2, 4] = text[2, 9] = 1  # <BOS> of the tiny tokenizer
    return {
        "user_speech": 0.1 * torch.randn(3, 30 * 1280, generator=generator),
        "user_speech_lengths": lengths * 1280,
        "text": text,
        "text_lengths": lengths,
        "codes": torch.randint(4037, (3, 30, 4), generator=generator),
        "codes_lengths": lengths,
    }


def reported(stats, weight):
    reporter = Reporter()
    with training_reports(), reporter.observe("valid", epoch=1) as sub_reporter:
        sub_reporter.register(stats, weight)
        sub_reporter.next()
    return reporter.stats[1]["valid"]


@pytest.mark.filterwarnings("ignore:No valid stats found")
def test_two_ranks_log_what_one_process_logs(tiny_model):
    assert tiny_model.text_ids.bos == 1
    batch = make_batch()
    with torch.no_grad():
        _, *whole = tiny_model(**batch)
        ranks = [tiny_model(**rows(batch, own)) for own in ([0, 1], [2])]
    one = reported(*whole)
    stats = {name: torch.cat([r[1][name] for r in ranks]) for name in whole[0]}
    weights = torch.cat([r[2] for r in ranks])
    two = reported(*recursive_average(stats, weights))  # as the trainer does
    assert one["loss_text_bos"] > 0
    for name in set(one) - {"padding_share", "time"}:
        assert two[name] == pytest.approx(one[name], rel=1e-5, nan_ok=True), name
    assert one["padding_share"] == pytest.approx(29 / 87)
    # 29 + 29 and 18 frames computed: 18 of 76 for nothing
    assert two["padding_share"] == pytest.approx(18 / 76)


@pytest.mark.filterwarnings("ignore:No valid stats found", "error:Converting a tensor")
def test_a_training_logs_curves_and_throughput(tiny_training_args, tmp_path):
    args = [*tiny_training_args, "--output_dir", str(tmp_path), "--max_epoch", "1"]
    args += ["--model_conf", "logits_chunk_frames=20", "--model_conf", "ctc_weight=0.1"]
    duplex_s2s_train.main(args)
    log = torch.load(tmp_path / "checkpoint.pth", weights_only=True)["reporter"]
    train, valid = (log["stats"][1][part] for part in ("train", "valid"))
    assert train["frames_per_second"] > 0 and "frames_per_second" not in valid
    for part in (train, valid):
        assert part["loss_text_bos"] > 0 and part["loss_ctc"] > 0
        assert 0 <= part["bos_recall"] <= 1 and 0 < part["padding_share"] < 0.2
        assert not [name for name in part if name.endswith((".sum", ".count"))]
