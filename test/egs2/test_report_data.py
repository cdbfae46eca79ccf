import json
from pathlib import Path

import numpy as np
import pytest
import report_data
import soundfile
from conftest import save_llm_tokenizer
from hypothesis import given
from hypothesis import strategies as st
from report_audio import evenly_spaced
from report_tokens import fit_tokens, open_tokenizer

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.conversation import Conversation, Turn
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.metrics.data_report import page_distributions
from espnet2_duplex.timing import FrameClock

ANSWER = "hello there"
TURNS = [
    {"role": "user", "start": 0.1, "end": 1.0, "text": "hello"},
    {"role": "agent", "start": 1.64, "end": 2.44, "text": ANSWER},
]
EVENTS = [{"kind": "noise", "start": 0.2, "end": 0.5, "text": ""}]


def write_folder(folder, ids=("c1", "c2")):
    """A good data folder of conversations of 3.6 s."""
    tables = {
        "turns": json.dumps(TURNS),
        "utt2dur": "3.60",
        "utt2spk": "ann",
        "utt2source": "ms_marco",
        "events": json.dumps(EVENTS),
    }
    for name, value in tables.items():
        write_table(folder / name, dict.fromkeys(ids, value))
    info = {"name": "MS MARCO", "task": "Spoken QA", "speech": "TTS"}
    write_table(folder / "sources", {"ms_marco": json.dumps(info)})
    return folder


@pytest.fixture(autouse=True)
def _pictures_are_quick(monkeypatch):
    """The package's own tests draw them."""
    monkeypatch.setattr(page_distributions, "draw_histogram", lambda *_: "<svg/>")


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "train")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "report" / "data.html"


def report_of(out):
    return json.loads(out.with_suffix(".json").read_text("utf-8"))


def refusal(arguments, capsys):
    """The sentence that the script refuses with."""
    assert run_cli(report_data.main, [str(part) for part in arguments]) == 1
    lines = capsys.readouterr().err.splitlines()
    return [line for line in lines if line.startswith("error: ")][-1]


def run(*arguments):
    assert run_cli(report_data.main, [str(part) for part in arguments]) == 0


def test_page_counts_and_table_1_of_two_folders(folder, out, tmp_path, capsys):
    valid = write_folder(tmp_path / "valid", ids=["v1"])
    run(folder, valid, "--out", out)
    printed = capsys.readouterr().out
    assert "|Spoken QA|MS MARCO|0.00|TTS|✗|✗|" in printed
    assert "|*Spoken QA*|*ASR-QA*|*20k*|*Mix*|*Augment*|*✗*|" in printed
    report = report_of(out)
    assert report["total"]["num_conversations"] == 3
    assert report["total"]["num_noises"] == 3
    assert report["sets"]["valid"]["total"]["num_conversations"] == 1
    assert report["total"]["gap_median"] == 0.64
    assert report["train_set"] == "train"
    assert report["total"]["tokens_dropped_share"] is None
    page = out.read_text("utf-8")
    assert "set train: 2 conversations" in page
    assert "all sets (train, valid): 3 conversations" in page
    assert "give local/report_data.py a --token_model" in page


def test_training_set_may_have_another_name(folder, out, tmp_path, capsys):
    valid = write_folder(tmp_path / "valid", ids=["v1"])
    run(folder, valid, "--out", out, "--train_set", "valid")
    assert report_of(out)["sources"]["ms_marco"]["num_conversations"] == 1
    assert "|Source, set valid|" in capsys.readouterr().out
    sentence = refusal([folder, "--out", out, "--train_set", "trian"], capsys)
    assert "--train_set is trian, but the sets are train; name one" in sentence


def test_table_1_is_of_all_sets_if_none_is_for_training(out, tmp_path, capsys):
    sets = [write_folder(tmp_path / name, ids=[name]) for name in ("test", "valid")]
    run(*sets, "--out", out)
    assert report_of(out)["train_set"] is None
    assert report_of(out)["sources"]["ms_marco"]["num_conversations"] == 2
    assert "|Source, all sets|" in capsys.readouterr().out


def test_named_training_set_survives_a_merge(out, tmp_path, capsys):
    names = ("english", "other", "test")
    paths = {name: write_folder(tmp_path / name, ids=[name]) for name in names}
    for name in names[:2]:
        run(paths[name], "--out", tmp_path / f"{name}.html", "--train_set", name)
    run(tmp_path / "english.json", paths["test"], "--out", out)
    assert report_of(out)["train_set"] == "english"
    both = [tmp_path / "english.json", tmp_path / "other.json", "--out", out]
    assert "training sets english, other; say" in refusal(both, capsys)
    run(*both, "--train_set", "other")
    assert report_of(out)["train_set"] == "other"


def test_folder_without_sources_and_events_is_reported(folder, out):
    (folder / "utt2source").unlink()
    (folder / "events").unlink()
    (folder / "sources").write_text("")
    run(folder, "--out", out)
    assert list(report_of(out)["sources"]) == ["unknown"]


def test_reports_of_parts_merge_to_that_of_the_whole(folder, out, tmp_path):
    valid = write_folder(tmp_path / "valid", ids=["v1"])
    timings = tmp_path / "timings"
    timings.write_text("speech 2.5\n")
    run(folder, "--out", tmp_path / "a.html", "--timings", timings)
    run(tmp_path / "a.json", valid, "--out", tmp_path / "b.html")
    run(folder, valid, "--out", out, "--timings", timings)
    assert (tmp_path / "b.html").read_bytes() == out.read_bytes()
    assert report_of(tmp_path / "b.html") == report_of(out)


def test_times_become_seconds_per_hour(folder, out, tmp_path, capsys):
    timings = tmp_path / "timings"
    timings.write_text("speech synthesis 3.0\nspeech synthesis 4.2\ntexts 1\n")
    run(folder, "--out", out, "--timings", timings)
    assert "|speech synthesis|2|7.2|3600.00||" in capsys.readouterr().out
    assert report_of(out)["seconds_per_hour"] == pytest.approx(8.2 / 7.2 * 3600)


def test_time_of_a_part_is_scaled_to_the_whole(folder, out, tmp_path, capsys):
    timings = tmp_path / "timings"
    timings.write_text("speak_user 3.6 739 1478\ntexts 1\n")
    run(folder, "--out", out, "--timings", timings)
    line = "|speak_user|1|7.2|3600.00|estimated from 739 of 1,478|"
    assert line in capsys.readouterr().out
    assert "estimated from 739 of 1,478" in out.read_text("utf-8")
    assert report_of(out)["seconds_per_hour"] == pytest.approx(8.2 / 7.2 * 3600)


@pytest.mark.parametrize("kind", ["bpe", "hugging_face"])
def test_tokens_that_do_not_fit_are_counted(kind, folder, out, tiny_bpemodel, tmp_path):
    model = tiny_bpemodel
    if kind == "hugging_face":
        model = tmp_path / "llm"
        save_llm_tokenizer(model, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    turns = [TURNS[0], {**TURNS[1], "text": ANSWER * 9}]
    write_table(folder / "turns", {"c1": json.dumps(TURNS), "c2": json.dumps(turns)})
    run(folder, "--out", out, "--token_model", model)
    lengths = [len(open_tokenizer(str(model)).encode(ANSWER * n)) for n in (1, 9)]
    # The 10 frames of the turn, 20 or 21 to 30, hold BOS and the tokens before EOS.
    dropped = sum(max(length - 9, 0) for length in lengths)
    assert dropped > 0
    found = report_of(out)["total"]
    assert found["tokens_dropped_share"] == pytest.approx(dropped / sum(lengths))
    size = open_tokenizer(str(model)).size
    stored = report_of(out)["token_model"]
    assert (stored["path"], stored["size"]) == (str(model), size)
    assert f"Counted with {model}, a vocabulary of {size}." in out.read_text("utf-8")


def test_parts_of_different_tokenizers_are_not_merged(
    folder, out, tiny_bpemodel, tmp_path, capsys
):
    valid = write_folder(tmp_path / "valid", ids=["v1"])
    part = tmp_path / "a.html"
    run(folder, "--out", part, "--token_model", tiny_bpemodel)
    size = open_tokenizer(str(tiny_bpemodel)).size
    merge = [part.with_suffix(".json"), valid, "--out", out]
    sentence = refusal(merge, capsys)
    assert f"{valid} was counted with no tokenizer, what comes before" in sentence
    assert f"it with {tiny_bpemodel} ({size} tokens); give the same" in sentence
    other = tmp_path / "llm"
    save_llm_tokenizer(other, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    assert "was counted with" in refusal([*merge, "--token_model", other], capsys)
    copy = tmp_path / "copy.model"
    copy.write_bytes(Path(tiny_bpemodel).read_bytes())
    run(*merge, "--token_model", copy)


def test_parts_of_different_limits_are_not_merged(folder, out, tmp_path, capsys):
    valid = write_folder(tmp_path / "valid", ids=["v1"])
    limit = ["--limit", "max_conversation_seconds=20"]
    run(folder, "--out", tmp_path / "a.html", *limit)
    merge = [tmp_path / "a.json", valid, "--out", out]
    assert refusal(merge, capsys).endswith(
        f"{valid} was made with the limit max_conversation_seconds=180, what comes "
        "before it with 20; give the same --limit to all."
    )
    run(*merge, *limit)
    assert "longer than 20 s" not in out.read_text("utf-8")  # no outlier
    assert report_of(out)["limits"]["max_conversation_seconds"] == 20
    alone = [tmp_path / "a.json", "--out", out, "--limit", "max_turn_seconds=9"]
    assert "--limit changes nothing in reports" in refusal(alone, capsys)


def test_outliers_are_listed_by_id_up_to_a_limit(folder, out):
    write_folder(folder, ids=["c1", "c2", "c3"])
    limit = "max_conversation_seconds=3"
    run(folder, "--out", out, "--limit", limit, "--max_listed", 2)
    outliers = report_of(out)["sets"]["train"]["outliers"]
    assert outliers["num"] == {"long conversation": 3}
    listed = outliers["listed"]["long conversation"]
    assert [one["id"] for one in listed] == ["c1", "c2"]
    assert "1 more are not listed" in out.read_text("utf-8")


def write_audio(folder, role, rate, level, spans, ids):
    """Noise of 3.6 s within the spans (start, end), the same for all ids."""
    path = folder.parent / f"{role}.wav"
    time = np.arange(round(3.6 * rate)) / rate
    noise = level * np.random.default_rng(0).uniform(-1, 1, len(time))
    inside = np.any([(a <= time) & (time < b) for a, b in spans], axis=0)
    soundfile.write(path, noise * inside, rate)
    write_table(folder / f"{role}.scp", dict.fromkeys(ids, str(path)))


def test_gaps_are_measured_in_the_audio_of_a_sample(folder, out):
    ids = [f"c{n}" for n in range(5)]
    write_folder(folder, ids)
    write_audio(folder, "user", 16000, 0.1, [(0.1, 0.95)], ids)
    write_audio(folder, "agent", 22050, 0.1, [(1.72, 2.44)], ids)
    run(folder, "--out", out, "--num_listened", 2)
    found = report_of(out)["total"]["heard_gap_seconds"]
    counted = [found[name] for name in ("num", "num_conversations", "num_listened")]
    assert counted == [2, 2, 2]
    for name in ("p5", "median", "p95"):
        assert found[name] == pytest.approx(1.72 - 0.95, abs=0.0151)
    assert "train: 2 of 2" in out.read_text("utf-8")


def test_noisy_users_have_no_heard_gaps(folder, out):
    ids = ["c1", "c2"]
    write_audio(folder, "user", 16000, 0.1, [(0, 9)], ids)
    write_audio(folder, "agent", 22050, 0.1, [(1.72, 2.44)], ids)
    run(folder, "--out", out)
    found = report_of(out)["total"]["heard_gap_seconds"]
    assert found["median"] is None and found["num_listened"] == 2
    assert "train: 0 of 2" in out.read_text("utf-8")


def test_wav_that_is_not_there_is_named(folder, out, capsys):
    for role in ("user", "agent"):
        write_table(folder / f"{role}.scp", dict.fromkeys(("c1", "c2"), "no.wav"))
    sentence = refusal([folder, "--out", out], capsys)
    assert "user.scp names no.wav for c1, which does not exist" in sentence
    run(folder, "--out", out, "--num_listened", 0)
    assert "Heard gaps were not measured." in out.read_text("utf-8")


@given(st.integers(0, 300), st.integers(0, 300))
def test_sample_is_evenly_spaced(num_items, max_chosen):
    chosen = sorted(evenly_spaced(num_items, max_chosen))
    assert len(chosen) == min(num_items, max_chosen)
    assert all(0 <= index < num_items for index in chosen)
    steps = {b - a for a, b in zip(chosen, chosen[1:])}
    assert not steps or max(steps) - min(steps) <= 1


def test_audio_is_checked_if_asked(folder, out, tmp_path, capsys):
    write_folder(folder, ids=["c1"])
    for role, rate, level in (("user", 16000, 0.1), ("agent", 22050, 0.0)):
        write_audio(folder, role, rate, level, [(0, 9)], ["c1"])
    run(folder, "--out", out)
    assert "Audio: not checked" in out.read_text("utf-8")
    run(folder, "--out", out, "--check_audio")
    config = tmp_path / "corpus.yaml"
    config.write_text("speech: {user_rate: 8000}")
    asked = [folder, "--out", tmp_path / "b.html", "--check_audio", "--config", config]
    assert run_cli(report_data.main, [str(part) for part in asked]) == 1
    assert "16000 Hz, but 8000 Hz are expected" in capsys.readouterr().err
    outliers = report_of(out)["sets"]["train"]["outliers"]
    assert [one["reason"] for one in outliers["listed"]["audio"]] == [
        "the agent's turns have a level of -100.0 dBFS",
        "100% of the agent's turns are silent",
    ]


def test_duration_that_was_rounded_down_is_taken(folder, out):
    write_table(folder / "utt2dur", {"c1": "2.44", "c2": "2.435"})
    run(folder, "--out", out)
    assert report_of(out)["total"]["hours"] == pytest.approx(4.88 / 3600)


@pytest.mark.parametrize(
    "name, line, message",
    [
        ("turns", "c1 [{", "c1: its turns are no valid JSON"),
        ("turns", f"c1 {json.dumps(TURNS[::-1])}", "c1, turn 1: it starts at 0.1 s"),
        ("turns", "c1", "line 1 reads 'c1'; expected a key and a value"),
        ("utt2dur", "c1 long", "c1 has the duration 'long' in utt2dur"),
        ("utt2dur", "c1 2.0", "c1, turn 1: it ends at 2.44 s, after the end"),
        ("events", "c1 pause", "c1: its events"),
        ("events", 'c1 [{"sort": 1}]', "c1: an event reads {'sort': 1}"),
        ("sources", "a {'task': 1}", "sources: a has {'task': 1}; expected"),
        ("sources", 'a {"tasks": "x"}', "sources: a has"),
        ("utt2source", "c9 a", "utt2source lacks the conversation c1"),
        ("utt2spk", "c1 a\nc9 a", "turns lacks the conversation c9"),
    ],
)
def test_broken_lines_are_named(name, line, message, folder, out, capsys):
    write_folder(folder, ids=["c1"])
    (folder / name).write_text(line + "\n")
    sentence = refusal([folder, "--out", out], capsys)
    assert message in sentence and str(folder) in sentence
    assert not out.exists()


@pytest.mark.parametrize("name", ["turns", "utt2dur", "utt2spk"])
def test_missing_file_is_named(name, folder, out, capsys):
    (folder / name).unlink()
    assert f"{name} does not exist" in refusal([folder, "--out", out], capsys)


@pytest.mark.parametrize(
    "options, message",
    [
        (["--timings", "absent"], "absent does not exist"),
        (["--token_model", "absent"], "--token_model absent does not exist"),
        (["--limit", "max_turn=3"], "--limit max_turn=3 is not known"),
        (["--limit", "max_turn_seconds=x"], "expected a number for one of"),
    ],
)
def test_wrong_options_are_explained(options, message, folder, out, capsys):
    assert message in refusal([folder, "--out", out, *options], capsys)


@pytest.mark.parametrize(
    "line", ["speech", "speech fast", "speech -1", "speech nan", "s 1 2"]
)
def test_broken_timings_are_named(line, folder, out, tmp_path, capsys):
    timings = tmp_path / "timings"
    timings.write_text(f"texts 1\n{line}\n")
    sentence = refusal([folder, "--out", out, "--timings", timings], capsys)
    assert f"line 2: it reads '{line}'; expected a stage, its seconds" in sentence


def test_set_that_comes_twice_and_foreign_json_are_refused(
    folder, out, tmp_path, capsys
):
    sentence = refusal([folder, folder, "--out", out], capsys)
    assert "has the set train, which was there before" in sentence
    other = tmp_path / "other.json"
    for text in ("{}", '{"sets": []}', "[]"):
        other.write_text(text)
        sentence = refusal([other, "--out", out], capsys)
        assert "other.json: it holds no report" in sentence


@given(
    st.lists(st.tuples(st.integers(2, 9), st.integers(0, 3)), min_size=1, max_size=5),
    st.data(),
)
def test_tokens_fit_as_many_as_there_are_frames_between_bos_and_eos(spans, data):
    clock, turns, frame, rooms = FrameClock(), [], 0, []
    for length, silence in spans:
        begin, frame = clock.seconds(frame), frame + length
        turns.append(Turn("agent", begin, clock.seconds(frame), "x"))
        rooms.append(length - 1 if silence else length - 2)  # EOS comes a frame earlier
        frame += silence
    conversation = Conversation("c", tuple(turns), clock.seconds(frame))
    num_tokens = [data.draw(st.integers(0, 12)) for _ in spans]
    found = fit_tokens(conversation, num_tokens, clock)
    assert [one.num_frames for one in found] == [length for length, _ in spans]
    assert [one.num_tokens - one.num_dropped for one in found] == [
        min(tokens, room) for tokens, room in zip(num_tokens, rooms)
    ]
