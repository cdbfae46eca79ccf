"""The whole recipe on a handful of conversations with models of a few parameters."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "egs2" / "duplex_s2s"
OPTIONS = """--data_args "--corpus conf/smoke/data.yaml" --nj 1 --inference_nj 1 --train_threads 1
    --train_codec true --codec_config conf/smoke/train_codec.yaml --train_config conf/smoke/train.yaml
    --encoder_init none --nbpe 60"""
SETS = ["test_qa", "test_impatient"]
DUPLEX = "exp/duplex_s2s_train_bpe60"

pytestmark = [pytest.mark.recipe, pytest.mark.timeout(900)]


class Recipe:
    """A copy of the recipe whose data, dump and exp lie in a temporary folder."""

    def __init__(self, folder: Path):
        self.folder = folder / "egs2" / "duplex_s2s"
        self.folder.mkdir(parents=True)
        for name in ("espnet2_duplex", "tools"):
            (folder / name).symlink_to(ROOT / name)
        (RECIPE / "downloads").mkdir(exist_ok=True)
        made = {"data", "dump", "exp"}
        for path in RECIPE.iterdir():
            if path.name not in made:
                (self.folder / path.name).symlink_to(path)

    def start(self, *words: str) -> subprocess.Popen:
        """Begin a run; all its processes are one group."""
        command = " ".join(["./duplex_s2s.sh", OPTIONS, *words]).replace("\n", " ")
        binaries = Path(sys.executable).parent
        return subprocess.Popen(
            ["bash", "-c", f'{command} --test_sets "{" ".join(SETS)}"'],
            cwd=self.folder,
            env=dict(os.environ, PATH=f"{binaries}:{os.environ['PATH']}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *words: str) -> str:
        """Run to the end; returns what was printed."""
        process = self.start(*words)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        return output

    def path(self, name: str) -> Path:
        return self.folder / name

    def contents(self) -> dict[str, tuple[str, int]]:
        """Hash of every file that the stages made, and its time in dump and exp."""
        files = {}
        for top in ("data", "dump", "exp", "hub"):
            for path in sorted(self.path(top).rglob("*")):
                if path.is_file():
                    digest = hashlib.sha256(path.read_bytes()).hexdigest()
                    remade = top in ("data", "hub")  # equal bytes are enough there
                    modified = 0 if remade else path.stat().st_mtime_ns
                    files[str(path.relative_to(self.folder))] = (digest, modified)
        return files


EVERYTHING = """--score_codec true --baselines "silent gt_reference"
    --skip_upload false --hf_repo user/duplex --hf_repo_local hub/duplex"""


@pytest.fixture(scope="module")
def recipe(tmp_path_factory) -> Recipe:
    """The recipe after all its stages."""
    recipe = Recipe(tmp_path_factory.mktemp("recipe"))
    recipe.output = recipe.run(EVERYTHING)
    return recipe


def test_every_stage_announces_itself_and_leaves_its_output(recipe):
    for stage in range(1, 13):
        assert f"Stage {stage}: " in recipe.output
    decoded = f"{DUPLEX}/decode_valid.loss.ave"
    for name in [
        "data/train/turns",
        "data/report.html",
        "exp/codec_train_codec/codec.pth",
        "exp/codec_score/RESULTS.md",
        "dump/tokens/train/agent_codes.scp",
        "dump/text_tokens/bpe60/bpe.model",
        "exp/duplex_s2s_stats_bpe60/train/text_shape",
        f"{DUPLEX}/valid.loss.ave.pth",
        *[f"{decoded}/{name}/results.json" for name in SETS],
        f"{decoded}/RESULTS.md",
        f"{decoded}/report.html",
        *[f"exp/baseline_gt_reference/{name}/results.json" for name in SETS],
        f"{DUPLEX}/train_bpe60.zip",
        "hub/duplex/meta.yaml",
    ]:
        assert recipe.path(name).is_file(), name


def test_run_ends_with_results_and_packed_model(recipe):
    end = recipe.output[recipe.output.index("Stage 12") :]
    assert "# RESULTS" in end and "test_impatient" in end
    assert f"Packed model: {recipe.path(DUPLEX)}/train_bpe60.zip" in end


def test_baselines_stand_beside_the_model_in_the_results(recipe):
    report = recipe.path(f"{DUPLEX}/decode_valid.loss.ave/RESULTS.md").read_text()
    for system in ("decode_valid.loss.ave", "silent", "gt_reference"):
        assert f"## {system}\n|set|" in report
    name = "baseline_silent/test_qa/results.json"
    silent = json.loads(recipe.path(f"exp/{name}").read_text())
    assert silent["num_silent"] == silent["num_conversations"] > 0
    assert silent["first_response"]["rate_answered"] == 0.0


def test_every_test_conversation_is_decoded(recipe):
    for name in SETS:
        ids = [line.split()[0] for line in recipe.path(f"data/{name}/turns").open()]
        folder = recipe.path(f"{DUPLEX}/decode_valid.loss.ave/{name}")
        for conversation in ids:
            for file in ("input.wav", "output.wav", "output.json"):
                assert (folder / conversation / file).is_file()


def test_nothing_is_left_half_written(recipe):
    for top in ("data", "dump", "exp", "hub"):
        left = [p for p in recipe.path(top).rglob("*") if "tmp" in p.name.split(".")]
        assert not left


def test_model_card_has_tags_usage_and_results(recipe):
    card = recipe.path("hub/duplex/README.md").read_text()
    _, front_matter, body = card.split("---\n", 2)
    assert "full-duplex" in yaml.safe_load(front_matter)["tags"]
    assert 'from_pretrained("user/duplex")' in body
    assert "|test_qa|" in body and "$" not in body


def test_second_run_does_nothing_again(recipe):
    before = recipe.contents()
    output = recipe.run(EVERYTHING)
    assert recipe.contents() == before
    assert "Training; log" not in output and "Decoding test" not in output


def test_training_killed_in_the_middle_resumes_and_finishes(recipe):
    words = ["--stage 8 --stop_stage 8 --duplex_tag killed"]
    words += ['--train_args "--max_epoch 3 --num_iters_per_epoch 10"']
    exp = recipe.path("exp/duplex_s2s_killed")
    process = recipe.start(*words)
    while not (exp / "1epoch.pth").exists():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (exp / ".done").exists()
    recipe.run(*words)
    assert "The training was resumed using" in (exp / "train.log").read_text()
    assert (exp / "3epoch.pth").exists() and (exp / ".done").exists()


def test_without_training_the_codec_is_the_one_that_comes_along(recipe):
    recipe.run("--train_codec false --dumpdir dump_shipped --stage 4 --stop_stage 5")
    codes = recipe.path("dump_shipped/tokens/train/agent_codes.scp")
    assert codes.read_text() != ""
    assert not recipe.path("exp/codec_istft").exists()


def test_a_codec_is_fitted_from_another_and_scored_beside_it(recipe):
    words = ["--stage 4 --stop_stage 4 --codec_init exp/codec_train_codec"]
    words += ["--score_codec true --expdir exp_fitted"]
    words += ['--score_codec_args "--no_asr --no_pesq --mos none"']
    recipe.run(*words)
    fitted = recipe.path("exp_fitted/codec_train_codec_from_codec_train_codec")
    assert "codec.generator" in (fitted / "train.log").read_text()
    scores = recipe.path("exp_fitted/codec_score/RESULTS.md").read_text()
    assert "|before|" in scores and f"|{fitted.name}|" in scores


def test_own_conversations_get_folders_of_their_own(recipe):
    turns = [{"role": "user", "text": "Hello?"}, {"role": "agent", "text": "Hello."}]
    lines = [json.dumps({"id": f"call_{n}", "turns": turns}) for n in range(3)]
    recipe.path("mine.jsonl").write_text("\n".join(lines) + "\n")
    before = recipe.contents()
    recipe.run("--conversations mine.jsonl --stop_stage 3 --data_args '--seed 1'")
    turns = recipe.path("data_mine/train/turns").read_text()
    assert turns.startswith("call_") and '"text": "Hello?"' in turns
    assert recipe.path("data_mine/codec_train/wav.scp").is_file()
    assert recipe.path("data_mine/report.html").is_file()
    assert recipe.contents() == before


def test_model_of_other_data_is_not_overwritten(recipe):
    made_from = recipe.path(DUPLEX) / ".made_from"
    kept = made_from.read_text()
    made_from.write_text("other data\n")
    words = "--stage 8 --stop_stage 8 --duplex_tag train_bpe60 --train_args '--seed 1'"
    process = recipe.start(words)
    output, _ = process.communicate()
    made_from.write_text(kept)
    assert process.returncode == 1
    assert "was trained on other data; remove it, or name another folder" in output


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("--token_type hugging_face", "needs --llm"),
        (
            "--train_codec false --codec_init exp/codec_train_codec",
            "--codec_init is where training starts; add --train_codec true",
        ),
        ("--token_type char", "is bpe or hugging_face, not 'char'"),
        (
            "--stage 8 --encoder_init no.pth",
            "the encoder's weights no.pth do not exist",
        ),
        ("--stage 7 --nbpe 61", "bpe.model does not exist; run the stages before"),
        ("--speed 2", "there is no option --speed"),
    ],
)
def test_wrong_option_stops_before_any_work(recipe, words, sentence):
    before = recipe.contents()
    process = recipe.start(words)
    output, _ = process.communicate()
    assert process.returncode != 0
    assert sentence in output
    assert recipe.contents() == before
