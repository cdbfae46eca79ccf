import importlib.util

import pytest
import torch

from espnet2_duplex.codec.loading import load_codec


@pytest.fixture(scope="module")
def benchmark(root):
    path = root / "tools" / "benchmark_codec.py"
    spec = importlib.util.spec_from_file_location("benchmark_codec", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_one_row_for_each_codec(benchmark, tiny_codec_files, capsys):
    config = str(tiny_codec_files[0])
    num_threads = torch.get_num_threads()
    benchmark.main([config, config, "--seconds", "1"])
    torch.set_num_threads(num_threads)
    title, _, header, rule, *rows = capsys.readouterr().out.splitlines()
    assert title == "1 s of speech, 1 thread"
    assert len(rows) == 2
    assert {len(cells(line)) for line in (header, rule, *rows)} == {9}
    # 4 codebooks of log2(4032) bits, 12.5 times a second.
    assert cells(rows[0])[0] == config
    assert cells(rows[0])[3] == "0.60"


def test_times_become_median_percentile_and_speed(benchmark):
    steps = torch.full((100,), 0.002)
    steps[0] = 0.102
    timing = benchmark.Timing(steps, 0.1, 0.2, speech_seconds=8.0)
    # numpy's rule: 1 % of the way from 2 to 102 ms is 3 ms.
    assert timing.cells() == [
        "2.00 ms",
        "3.00 ms",
        "26.7 x real time",
        "80.0 x real time",
        "40.0 x real time",
    ]


def test_a_codec_without_steps_has_no_times_of_steps(benchmark, tiny_codec_files):
    codec = load_codec(*tiny_codec_files)
    codec.can_stream = False
    assert benchmark.time_codec(codec, 0.5).cells()[:3] == ["-", "-", "-"]


def test_an_unknown_codec_is_refused(benchmark):
    with pytest.raises(ValueError, match="Unknown codec 'mp3'"):
        benchmark.main(["mp3"])
