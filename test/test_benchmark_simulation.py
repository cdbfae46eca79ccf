import importlib.util

import pytest

from espnet2_duplex.jsonl import write_jsonl


@pytest.fixture(scope="module")
def benchmark(root):
    path = root / "tools" / "benchmark_simulation.py"
    spec = importlib.util.spec_from_file_location("benchmark_simulation", path)
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


@pytest.fixture
def corpus(tmp_path, make_wav):
    """YAML and folder of a corpus of three exchanges."""
    rows = []
    for n in range(3):
        turns = []
        for role, rate in (("user", 16000), ("agent", 22050)):
            wav = make_wav(tmp_path / f"wavs/{role}{n}.wav", 0.5 + n, rate, seed=n)
            turns.append({"role": role, "text": f"{role} {n}", "wav": str(wav)})
        row = {"id": f"c{n}", "set": "test", "source": "qa", "speaker": "ann"}
        rows.append({**row, "turns": turns})
    write_jsonl(tmp_path / "local/spoken.jsonl", rows)
    config = tmp_path / "corpus.yaml"
    config.write_text(
        "simulation: {sets: {test: {}, train: {noises: {per_minute: 1}}, "
        "hasty: {like: test, turn_taking: {impatient: true}}}}"
    )
    return config, tmp_path / "local"


@pytest.mark.parametrize("name", ["test", "hasty"])
def test_the_scripts_are_timed_on_a_real_corpus(
    benchmark, corpus, tmp_path, name, capsys
):
    config, local = corpus
    folder = tmp_path / "made"
    folder.mkdir()
    costs = benchmark.time_scripts(config, local, name, 4, folder)
    assert list(costs)[:4] == ["draw", "render", "collect", "whole"]
    whole = costs["draw"] + costs["render"] + costs["collect"]
    assert costs["whole"] == pytest.approx(whole)
    assert f"4 conversations of {name}" in capsys.readouterr().out
    assert [path.name for path in local.iterdir()] == ["spoken.jsonl"]


def test_a_set_that_the_corpus_has_not_is_named(benchmark, corpus):
    with pytest.raises(ValueError, match="no set 'valid'; .* test, train, hasty"):
        benchmark.corpus_of_one_set(corpus[0], "valid", 3)


def test_local_needs_its_yaml(benchmark):
    with pytest.raises(ValueError, match="--local and --config together"):
        benchmark.main(["--local", "data/local"])


def test_each_speaks_about_half_of_the_time(benchmark):
    user, agent = benchmark.make_streams(37.12, seed=0)
    assert (user != 0).mean() == pytest.approx(16 / 37.12, abs=0.01)
    assert (agent != 0).mean() == pytest.approx(16 / 37.12, abs=0.01)


def test_no_time_is_refused(benchmark):
    with pytest.raises(ValueError, match="seconds above 0"):
        benchmark.main(["--seconds", "0"])
