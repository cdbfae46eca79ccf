"""A set that is scored in parts, and the parts brought together."""

import json
import re

import pytest
import soundfile
from decoded_sets import (
    RATE,
    OneScore,
    command,
    read_results,
    rows_of,
    tones,
    write_set,
)

from espnet2_duplex.bin.duplex_s2s_score import PARTLY_SCORED, main
from espnet2_duplex.metrics.merged_results import merge_results
from espnet2_duplex.metrics.results import read_scored, write_results
from espnet2_duplex.scoring import hearing

MERGE = ("--merge_parts",)


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(hearing, "SpeechJudges", OneScore)
    write_set(tmp_path, "test_a")
    return tmp_path


def score_part(root, part, numbers, name="test_a", options=()):
    keys = root / f"keys.{part}"
    keys.write_text("".join(f"{name}_{number} x\n" for number in numbers))
    options = ("--no_asr", "--key_file", str(keys), "--part", part, *options)
    main(command(root, name, options=options))


def test_parts_add_up_to_the_whole(root):
    write_set(root, "test_b", num_conversations=4)
    folder = root / "decode" / "test_b"
    agent = tones([(1.2, 8.0)])  # begins early and never stops
    soundfile.write(folder / "test_b_2" / "output.wav", agent, RATE)
    main(command(root, "test_b"))
    names = ("results.json", "conversations.jsonl")
    whole = [(folder / name).read_bytes() for name in names]
    for part, numbers in {"1": (0, 3), "2": (1,), "3": (2,)}.items():
        score_part(root, part, numbers, "test_b")
    for name in names:
        (folder / name).unlink()
    main(command(root, "test_b", options=MERGE))
    assert [(folder / name).read_bytes() for name in names] == whole


def test_parts_of_other_definitions_are_not_merged(root):
    score_part(root, "1", (0,))
    score_part(root, "2", (1,), options=("--success_seconds", "1.0"))
    with pytest.raises(ValueError, match="differ in their definitions .turn_taking"):
        main(command(root, "test_a", options=MERGE))


def test_parts_by_models_in_other_folders_are_merged(root):
    score_part(root, "1", (0,))
    first = json.loads((root / "decode/test_a/parts/1/results.json").read_text())
    asr = {"model": "downloads/whisper", "engine": "faster_whisper"}
    parts = [
        {**first, "options": {**first["options"], "asr": {**asr, "model": model}}}
        for model in ("downloads/whisper", "/other/whisper", "/other/parakeet")
    ]
    merged = merge_results(parts[:2], "test_a")
    assert merged["options"]["asr"] == asr
    assert merged["num_conversations"] == 2
    with pytest.raises(ValueError, match=r"differ in their definitions \(asr\)"):
        merge_results(parts[::2], "test_a")
    older = {**first, "versions": {**first["versions"], "silero-vad": "1.0"}}
    with pytest.raises(ValueError, match=r"differ in their definitions \(versions\)"):
        merge_results([first, older], "test_a")


def test_a_missing_part_is_named(root):
    score_part(root, "1", (0,))
    with pytest.raises(
        ValueError,
        match="1 of the 2 conversations of .*turns are in no scored part .*"
        "the first is test_a_1",
    ):
        main(command(root, "test_a", options=MERGE))
    assert not (root / "decode" / "test_a" / "results.json").exists()


def test_parts_of_other_data_are_refused(root):
    score_part(root, "1", (0, 1))
    turns = root / "data" / "test_a" / "turns"
    turns.write_text(turns.read_text().splitlines(keepends=True)[0])
    with pytest.raises(ValueError, match="not in .*turns, the first is test_a_1"):
        main(command(root, "test_a", options=MERGE))


def test_a_conversation_in_two_parts_is_refused(root):
    score_part(root, "1", (0, 1))
    score_part(root, "2", (1,))
    with pytest.raises(ValueError, match="test_a_1 is in .*2 and in another part"):
        main(command(root, "test_a", options=MERGE))


def test_a_part_whose_files_do_not_fit_is_refused(root):
    score_part(root, "1", (0,))
    score_part(root, "2", (1,))
    path = root / "decode" / "test_a" / "parts" / "2" / "conversations.jsonl"
    row = path.read_text()
    path.write_text(row + row.replace("test_a_1", "test_a_2"))
    with pytest.raises(ValueError, match="do not come from one run"):
        main(command(root, "test_a", options=MERGE))


def test_a_part_has_as_many_lines_as_it_has_counted(root):
    score_part(root, "1", (0, 1))
    part = root / "decode" / "test_a" / "parts" / "1"
    results, rows = read_scored(part)
    write_results(part, {**results, "num_conversations": 3}, rows)
    with pytest.raises(ValueError, match="1 has counts of 3 conversations but 2 lines"):
        main(command(root, "test_a", options=MERGE))


def test_problems_of_parts_are_told_again(root, caplog):
    (root / "decode" / "test_a" / "test_a_1" / "output.wav").unlink()
    score_part(root, "1", (0,))
    with pytest.raises(SystemExit):
        score_part(root, "2", (1,))
    caplog.clear()
    with pytest.raises(SystemExit) as stop:
        main(command(root, "test_a", options=MERGE))
    assert stop.value.code == PARTLY_SCORED
    assert "test_a: left out:" in caplog.text and "test_a_1/output.wav" in caplog.text
    results = read_results(root)
    assert (results["num_conversations"], results["num_problems"]) == (1, 1)
    assert [row["problem"] is None for row in rows_of(root)] == [True, False]


@pytest.mark.parametrize("part", ["../x", "a/b", "..", ".", "/tmp/x", "x/"])
def test_a_part_is_one_folder_below_parts(root, part):
    keys = root / "keys"
    keys.write_text("test_a_0\n")
    options = ("--no_asr", "--key_file", str(keys), "--part", part)
    with pytest.raises(ValueError, match=re.escape(f"--part is {part!r}; expected")):
        main(command(root, "test_a", options=options))


@pytest.mark.parametrize(
    "keys, message",
    [
        ("test_a_0\ntest_a_1\ntest_a_0 x\n", "has the key test_a_0 again"),
        ("\n", "names no conversation"),
        ("test_z\n", "test_z is not in"),
    ],
)
def test_keys_that_cannot_be_scored_are_refused(root, keys, message):
    path = root / "keys"
    path.write_text(keys)
    options = ("--no_asr", "--key_file", str(path), "--part", "1")
    with pytest.raises(ValueError, match=message):
        main(command(root, "test_a", options=options))


@pytest.mark.parametrize(
    "options, message",
    [
        (("--part", "1"), "--key_file and --part belong together"),
        (("--merge_parts", "--part", "1"), "leave --key_file and --part out"),
        (MERGE, "parts has no scored parts; score each"),
    ],
)
def test_options_of_parts_that_contradict_each_other(root, options, message):
    with pytest.raises(ValueError, match=message):
        main(command(root, "test_a", options=("--no_asr", *options)))


def test_merging_needs_the_set():
    with pytest.raises(ValueError, match="--merge_parts was given without the set"):
        main(["--merge_parts", "--results_dir", "somewhere"])
