import re

import pytest
import torch

from espnet2_duplex.bin.codec_plot import curve, main


def epoch(mel_loss, train_seconds, valid_seconds, total_count):
    """One epoch's part of ESPnet's reporter, shortened."""
    train = {"mel_loss": mel_loss + 0.1, "code_entropy_bits": 26.0}
    valid = {"mel_loss": mel_loss, "code_entropy_bits": 24.0, "only_here": 1.0}
    train |= {"total_count": total_count}
    train["time"] = {"__timedelta_seconds__": train_seconds}
    valid["time"] = {"__timedelta_seconds__": valid_seconds}
    return {"train": train, "valid": valid}


STATS = {2: epoch(0.336, 3723.5, 56.5, 400), 1: epoch(0.443, 116.0, 4.0, 200)}


def test_minutes_add_up_over_training_and_validation():
    first, second = curve(STATS, ["mel_loss"])
    assert (first.updates, second.updates) == (200, 400)
    assert first.minutes == pytest.approx(2.0)
    assert second.minutes == pytest.approx(2.0 + 63.0)
    assert first.values["train"] == {"mel_loss": pytest.approx(0.543)}
    assert second.values["valid"] == {"mel_loss": 0.336}


def test_a_metric_may_be_missing_in_training():
    points = curve(STATS, ["only_here"])
    assert [p.values["train"] for p in points] == [{}, {}]
    assert points[1].values["valid"] == {"only_here": 1.0}


def test_a_figure_and_a_table_are_written(tmp_path):
    torch.save({"reporter": {"stats": STATS}}, tmp_path / "checkpoint.pth")
    files = ["--checkpoint", str(tmp_path / "checkpoint.pth")]
    main([*files, "--output_dir", str(tmp_path / "curve")])
    assert (tmp_path / "curve/learning_curve.png").read_bytes()[:4] == b"\x89PNG"
    assert (tmp_path / "curve/learning_curve.md").read_text() == (
        "| updates | minutes | mel_loss | code_entropy_bits |\n"
        "| --- | --- | --- | --- |\n"
        "| 200 | 2.0 | 0.443 | 24.000 |\n"
        "| 400 | 65.0 | 0.336 | 24.000 |\n"
    )


def test_a_file_without_history_is_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "latest.pth")
    files = ["--checkpoint", str(tmp_path / "latest.pth")]
    with pytest.raises(ValueError, match="holds no history of a training"):
        main([*files, "--output_dir", str(tmp_path)])


def test_an_unknown_metric_is_refused():
    sentence = "has no loss; choose among mel_loss, code_entropy_bits"
    with pytest.raises(ValueError, match=re.escape(sentence)):
        curve(STATS, ["loss"])
