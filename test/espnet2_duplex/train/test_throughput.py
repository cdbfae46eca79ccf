import pytest

from espnet2_duplex.train.throughput import peak_tflops_of, throughput


def test_utilisation_of_a_known_device():
    # 1000 frames of 6.6 GFLOP in 2 s are 3.3 TFLOP/s
    found = throughput(1000, 2.0, gflop_per_frame=6.6, peak_tflops=312.0)
    assert found["frames_per_second"] == 500
    assert found["tflops"] == pytest.approx(3.3)
    assert found["mfu"] == pytest.approx(3.3 / 312)


def test_without_a_known_peak_there_is_no_utilisation(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "mfu" not in throughput(1000, 2.0, 6.6, None)


def test_all_ranks_share_the_work(monkeypatch):
    monkeypatch.setattr("espnet2_duplex.train.throughput.num_ranks", lambda: 4)
    assert throughput(4000, 2.0, 6.6, 330.0)["mfu"] == pytest.approx(0.01)


@pytest.mark.parametrize(
    "device, peak",
    [
        ("NVIDIA H100 80GB HBM3", 989.0),
        ("NVIDIA H100 PCIe", 756.0),
        ("NVIDIA A100-SXM4-80GB", 312.0),
        ("Tesla V100-SXM2-16GB", 125.0),
        ("NVIDIA GeForce RTX 4090", 165.2),
        ("NVIDIA RTX A4000", None),  # not an A40
    ],
)
def test_devices_are_known_by_their_words(device, peak):
    assert peak_tflops_of(device) == peak
