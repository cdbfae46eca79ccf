import importlib.util

import pytest


@pytest.fixture(scope="module")
def benchmark(root):
    path = root / "tools" / "benchmark_user_channel.py"
    spec = importlib.util.spec_from_file_location("benchmark_user_channel", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def costs_of(output):
    """Cells of all rows of all tables."""
    lines = output.splitlines()
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
    return [row for row in rows if "-" not in row[0] and "real" not in row[2]]


def test_the_table_has_a_row_for_each_effect(benchmark, capsys):
    benchmark.main(["--seconds", "1", "--num_rounds", "2"])
    costs = costs_of(capsys.readouterr().out)
    names = [row[0].split()[0] for row in costs]
    assert names == [*benchmark.EFFECTS, "all", "all"]
    assert all(float(row[1]) > 0 for row in costs)


def test_each_speaks_about_half_of_the_time(benchmark):
    user, agent = benchmark.make_streams(37.12, seed=0)
    assert (user != 0).mean() == pytest.approx(16 / 37.12, abs=0.01)
    assert (agent != 0).mean() == pytest.approx(16 / 37.12, abs=0.01)


def test_no_time_is_refused(benchmark):
    with pytest.raises(ValueError, match="seconds above 0"):
        benchmark.main(["--seconds", "0"])
