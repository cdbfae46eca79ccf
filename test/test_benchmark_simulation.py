import importlib.util

import numpy as np
import pytest

from espnet2_duplex.jsonl import write_jsonl
from espnet2_duplex.sound_files import write_wav


@pytest.fixture(scope="module")
def benchmark(root):
    path = root / "tools" / "benchmark_simulation.py"
    spec = importlib.util.spec_from_file_location("benchmark_simulation", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def corpus(tmp_path):
    """YAML and folder of a corpus of three exchanges."""
    rows = []
    for n in range(3):
        turns = []
        for role, rate in (("user", 16000), ("agent", 22050)):
            wav = tmp_path / f"wavs/{role}{n}.wav"
            write_wav(wav, np.full(round((0.5 + n) * rate), 0.1), rate)
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


def test_no_conversations_are_refused(benchmark, corpus):
    config, local = map(str, corpus)
    with pytest.raises(ValueError, match="--num is 0; expected at least 1"):
        benchmark.main(["--config", config, "--local", local, "--num", "0"])
