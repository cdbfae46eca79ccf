"""Layouts are drawn from spoken conversations: the first script of stage 3."""

from pathlib import Path

import pytest
from stage3_runs import CORPUS, begin_stage3, digests

from espnet2_duplex.jsonl import read_jsonl, write_jsonl, write_text


@pytest.fixture
def stage3(tmp_path, make_wav):
    return begin_stage3(tmp_path, make_wav)


def test_drawing_again_gives_the_same_bytes(stage3):
    stage3.draw()
    layouts = digests(stage3.folder / "local/layouts")
    assert set(layouts) == {"train.jsonl", "test.jsonl"}
    stage3.draw()
    assert digests(stage3.folder / "local/layouts") == layouts


def test_a_conversation_whose_speech_failed_is_left_out_and_reported(stage3, capsys):
    rows = read_jsonl(stage3.folder / "local/spoken.jsonl")
    lost = Path(rows[0]["turns"][0]["wav"])
    lost.unlink()
    failure = {"id": lost.stem, "reason": "the voice gave silence"}
    write_jsonl(stage3.folder / "local/clips/failed.user.1.jsonl", [failure])
    stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert left_out == [
        {
            "id": "ann_0",
            "reason": "a turn could not be spoken",
            "why": "the voice gave silence",
        }
    ]
    assert "1 conversations left out: a turn could not be spoken" in (
        capsys.readouterr().out
    )
    assert "user 0" not in [
        turn["text"]
        for layout in read_jsonl(stage3.folder / "local/layouts/train.jsonl")
        if layout["speaker"] == "ann"
        for turn in layout["conversation"]["turns"]
    ]


def test_a_wav_that_nobody_has_spoken_is_an_error(stage3):
    wav = Path(read_jsonl(stage3.folder / "local/spoken.jsonl")[0]["turns"][0]["wav"])
    wav.unlink()
    with pytest.raises(ValueError, match=f"{wav} is missing; run local/data.sh"):
        stage3.draw()


def test_turns_longer_than_the_limit_are_left_out(stage3):
    text = CORPUS.replace(
        "defaults:", "defaults:\n    turn_taking: {max_turn_seconds: 1.4}"
    )
    write_text(stage3.config, text)
    stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert {row["id"] for row in left_out} == {"ann_3", "bob_3", "cid_3"}
    assert left_out[0]["reason"] == "a turn is longer than 1.4 s"


def test_a_set_of_nothing_is_an_error(stage3):
    write_text(stage3.config, CORPUS.replace("test: {", "test: {scripts: open, "))
    with pytest.raises(ValueError, match="set test: no conversation .*'open'"):
        stage3.draw()


def with_sources(stage3, *sources):
    """Give the rows of spoken.jsonl these sources in turn."""
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    for number, row in enumerate(rows):
        row["source"] = sources[number % len(sources)]
    write_jsonl(path, rows)


def test_a_set_may_be_made_from_some_datasets_only(stage3):
    with_sources(stage3, "qa", "topic")
    train = "train: {sources: [topic]}"
    write_text(stage3.config, CORPUS.replace("train:", train))
    stage3.draw()
    for name, expected in (("train", {"topic"}), ("test", {"qa", "topic"})):
        layouts = read_jsonl(stage3.folder / f"local/layouts/{name}.jsonl")
        assert {layout["source"] for layout in layouts} == expected


def test_a_dataset_that_a_set_names_and_does_not_have_is_an_error(stage3):
    train = "train: {sources: [qa, topic]}"
    write_text(stage3.config, CORPUS.replace("train:", train))
    message = (
        "set train: no conversation of topic .* in the set 'train' .*there are of qa"
    )
    with pytest.raises(ValueError, match=message):
        stage3.draw()
    assert not (stage3.folder / "local/layouts").exists()


def test_what_is_left_out_is_listed_also_where_nothing_is_left(stage3):
    text = CORPUS.replace(
        "defaults:", "defaults:\n    turn_taking: {max_turn_seconds: 0.1}"
    )
    write_text(stage3.config, text)
    with pytest.raises(ValueError, match="set train: .* see left_out.jsonl"):
        stage3.draw()
    assert len(read_jsonl(stage3.folder / "local/left_out.jsonl")) == 12


def test_an_end_without_a_start_is_refused(stage3):
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    rows[0]["turns"][0]["end"] = 0.3
    write_jsonl(path, rows)
    message = "conversation ann_0: the user's turn 'user 0' ends at 0.3 s and has no"
    with pytest.raises(ValueError, match=message):
        stage3.draw()


def with_overlaps(stage3, count):
    """Give the first conversations of ann an agent who talks over an open user turn."""
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    for row in rows[:count]:
        row["turns"][0]["start"], row["turns"][1]["start"] = 0.0, 0.2
    write_jsonl(path, rows)


def test_a_conversation_that_cannot_be_laid_out_is_left_out_and_the_others_go_on(
    stage3, capsys
):
    with_overlaps(stage3, 1)
    stage3.draw()
    (row,) = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert (row["id"], row["reason"]) == ("ann_0", "it cannot be laid out")
    assert "the agent's turn 'agent 0' starts at 0.2 s, before the user's" in row["why"]
    layouts = read_jsonl(stage3.folder / "local/layouts/train.jsonl")
    assert len(layouts) == 21  # of eight scripts, each three times
    numbers = [int(layout["conversation"]["id"][-6:]) for layout in layouts]
    assert sorted(set(range(24)) - set(numbers)) != [21, 22, 23]
    assert "train: 21 conversations" in capsys.readouterr().out


def test_many_conversations_that_cannot_be_laid_out_are_an_error(stage3):
    with_overlaps(stage3, 2)
    message = (
        "set train: 6 of 24 conversations cannot be laid out, the first because of "
        "this: conversation ann-train_.*left_out.jsonl"
    )
    with pytest.raises(ValueError, match=message):
        stage3.draw()
    left_out = read_jsonl(stage3.folder / "local/left_out.jsonl")
    assert sorted(row["id"] for row in left_out) == ["ann_0", "ann_1"]
    assert (stage3.folder / "local/layouts/test.jsonl").is_file()


IMPATIENT = "test: {turn_taking: {impatient: true}, "


def test_an_impatient_set_takes_only_what_has_a_silence_to_halve(stage3):
    path = stage3.folder / "local/spoken.jsonl"
    rows = read_jsonl(path)
    rows[-1]["speaker"] = "dan"  # alone with one exchange
    write_jsonl(path, rows)
    write_text(stage3.config, CORPUS.replace("test: {", IMPATIENT))
    stage3.draw()
    assert read_jsonl(stage3.folder / "local/left_out.jsonl") == [
        {"id": "cid_3", "reason": "no user turn follows an answer, as test needs it"}
    ]
    layouts = read_jsonl(stage3.folder / "local/layouts/test.jsonl")
    assert {layout["speaker"] for layout in layouts} == {"cid"}


@pytest.mark.parametrize("more", ["num_exchanges: {1: 1}, ", "like: one, "])
def test_an_impatient_set_without_silences_to_halve_is_an_error(stage3, more):
    text = CORPUS.replace("test: {", IMPATIENT + more)
    one = "    one: {scripts: test, num_exchanges: {1: 1}}\n"
    write_text(stage3.config, text + one)
    with pytest.raises(ValueError, match="set test: no .*turn_taking.impatient halves"):
        stage3.draw()


def test_a_set_that_is_like_another_has_its_conversations(stage3):
    like = "    hasty: {like: test, turn_taking: {impatient: true}}\n"
    write_text(stage3.config, CORPUS + like)
    stage3.draw()
    one, two = (
        [
            (layout["conversation"]["id"], [t["text"] for t in turns])
            for layout in read_jsonl(stage3.folder / f"local/layouts/{name}.jsonl")
            for turns in [layout["conversation"]["turns"]]
        ]
        for name in ("test", "hasty")
    )
    assert one == two and len(one) == 4


def test_it_is_printed_what_could_not_be_had(stage3, capsys):
    text = CORPUS.replace("{1: 0.5, 2: 0.5}", "{9: 1}")
    write_text(stage3.config, text)
    stage3.draw()
    assert (
        "train: 24 of 24 conversations of several exchanges could not be had: too few "
        "others of qa in the same voice\n"
    ) in capsys.readouterr().out
