"""The scoring module on folders on disk, with tones for speech."""

import json

import numpy as np
import pytest
import soundfile
from chat_server import Server, completion
from decoded_sets import (
    ANSWER,
    RATE,
    TURNS,
    OneScore,
    command,
    read_results,
    rows_of,
    tones,
    write_set,
)

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.duplex_s2s_score import PARTLY_SCORED, get_parser, main
from espnet2_duplex.chat.endpoint import Endpoint, Patience
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.events import Event, events_to_json
from espnet2_duplex.metrics.asr.interface import Transcript
from espnet2_duplex.metrics.asr.transcription import transcribe
from espnet2_duplex.metrics.speech.agent_speech import SpeechJudges
from espnet2_duplex.scoring import hearing
from espnet2_duplex.scoring import judge as score_judge
from espnet2_duplex.scoring import sets as score_sets


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setattr(hearing, "SpeechJudges", OneScore)
    write_set(tmp_path, "test_a")
    return tmp_path


def test_results_are_those_of_the_audio(root):
    main(command(root, "test_a"))
    results = read_results(root)
    assert (results["num_conversations"], results["num_silent"]) == (2, 0)
    assert results["declared_latency"] == 0.08
    assert results["barge_in"] == {
        "num_events": 2,
        "num_success": 2,
        "num_unstopped": 0,
        "success_rate": 1.0,
        "latency_mean": 0.64,
        "latency_mean_all": 0.64,
        # 27 characters in 2 s; the only uncut turn of the set has 5 in 1 s.
        "num_with_text": 2,
        "num_natural_ends": 0,
        "natural_end_rate": 0.0,
    }
    assert results["options"]["quality"]["characters_per_second"] == 5.0
    assert results["false_alarm"]["rate"] == 0.0
    assert results["false_alarm"]["num_user_turns"] == 4
    first = results["first_response"]
    assert (first["num"], first["num_early"], first["rate_answered"]) == (2, 0, 1.0)
    assert first["mean"] == first["median"] == first["p90"] == 0.72
    assert results["text_exact"] == {"num_turns": 2, "num_exact": 2, "rate": 1.0}
    assert results["text_prefix"]["rate"] == 1.0
    assert results["asr_bleu"] is None and results["wer_speech_vs_text"] is None
    assert results["speech"]["dnsmos_overall"] == 3.0
    assert results["gpt_score"]["score"] is None
    assert results["options"]["activity"]["vad"] == "energy"
    assert results["options"]["asr"] is None and results["options"]["gpt"] is None


def test_every_conversation_has_its_events_in_a_line(root):
    main(command(root, "test_a"))
    row = rows_of(root)[0]
    assert row["id"] == "test_a_0" and row["problem"] is None
    (barge_in,) = row["barge_ins"]
    assert barge_in == {
        "user_turn": 1,
        "onset": 3.5,
        "stop": 4.14,
        "latency": 0.64,
        "in_time": True,
        "stopped": True,
        "natural_end": False,
    }
    assert [response["latency"] for response in row["responses"]] == [0.72, 0.72]
    assert row["false_alarms"] == row["unanswered"] == row["reactions"] == []
    assert [answer["user_turn"] for answer in row["answers"]] == [0, 1]
    assert row["answers"][1]["written"] == "Four."


def test_a_user_turn_may_end_with_the_last_frame_of_the_agent(root):
    # A streaming system may leave a frame out; 8.07 s is within it.
    turns = [*TURNS, Turn("user", 7.0, 8.07, "Oh?")]
    table = {"test_a_0": turns_to_json(turns), "test_a_1": turns_to_json(TURNS)}
    write_table(root / "data" / "test_a" / "turns", table)
    main(command(root, "test_a"))
    assert read_results(root)["num_problems"] == 0


def test_early_responses_are_in_one_of_two_means(root):
    user, agent = TURNS[0], tones([(1.2, 1.9)])
    write_table(
        root / "data" / "test_a" / "turns",
        {name: turns_to_json([user]) for name in ("test_a_0", "test_a_1")},
    )
    folder = root / "decode" / "test_a"
    soundfile.write(folder / "test_a_0" / "output.wav", agent, RATE)
    main(command(root, "test_a"))
    # 0.3 s before the user's end, and 0.72 s after it.
    for kind in ("first_response", "response"):
        found = read_results(root)[kind]
        assert (found["mean"], found["mean_not_early"]) == (0.21, 0.72)


def test_decoded_conversations_without_data_are_told_in_one_line(root, caplog):
    turns = {"test_a_0": turns_to_json(TURNS)}
    write_table(root / "data" / "test_a" / "turns", turns)
    (root / "decode" / "test_a" / "logs").mkdir()
    main(command(root, "test_a"))
    (record,) = [found for found in caplog.records if found.levelname == "WARNING"]
    assert "1 decoded conversation(s) are not in" in record.getMessage()
    assert record.getMessage().endswith("the first is test_a_1")
    assert read_results(root)["num_conversations"] == 1


def test_events_of_unknown_conversations_are_refused(root):
    write_table(root / "data" / "test_a" / "events", {"test_b_0": "[]"})
    with pytest.raises(ValueError, match="events has 1 .* the first is test_b_0; make"):
        main(command(root, "test_a"))


def test_forgotten_sets_are_named(root):
    cmd = ["--decode_dir", str(root / "decode"), "--data_dir", str(root / "data")]
    with pytest.raises(ValueError, match="sub-folders test_a have; .* with --sets"):
        main([*cmd, "--no_asr"])
    with pytest.raises(ValueError, match="name every set only once"):
        main(command(root, "test_a", "test_a"))


def test_every_option_is_explained_in_a_sentence():
    for action in get_parser()._actions[1:]:  # but --help, which is argparse's own
        assert action.help[0].isupper() and action.help.endswith("."), action.dest
    text = get_parser().format_help()
    assert "(default: 1.5)" in " ".join(text.split())
    assert "default: None" not in text and "default: False" not in text


def test_sounds_that_are_no_turn_come_from_the_events_file(root):
    cough = Event("noise", 2.6, 2.8)  # inside the agent's first segment, which goes on
    table = {"test_a_0": events_to_json([cough]), "test_a_1": "[]"}
    write_table(root / "data" / "test_a" / "events", table)
    main(command(root, "test_a"))
    noise = read_results(root)["reactions"]["noise"]
    # It ends 1.54 s after the cough began: for the barge-in, not for the cough.
    assert (noise["num"], noise["num_stopped"]) == (1, 0)


def test_two_runs_write_the_same_bytes_and_listen_once(root, monkeypatch):
    main(command(root, "test_a"))
    folder = root / "decode" / "test_a"
    names = ("results.json", "conversations.jsonl", "heard.jsonl")
    contents = [(folder / name).read_bytes() for name in names]

    def fail(options):
        raise AssertionError("nothing has changed")

    monkeypatch.setattr(hearing, "SpeechJudges", fail)
    main(command(root, "test_a"))
    assert [(folder / name).read_bytes() for name in names] == contents
    assert not list(root.rglob("*.tmp"))


def test_changed_sound_is_heard_again(root):
    main(command(root, "test_a"))
    speech = tones([(2.22, 3.9), (5.22, 6.14)])
    soundfile.write(
        root / "decode" / "test_a" / "test_a_0" / "output.wav", speech, RATE
    )
    main(command(root, "test_a"))
    assert [row["barge_ins"][0]["latency"] for row in rows_of(root)] == [0.4, 0.64]


def test_two_processes_with_real_judges_write_what_one_writes(tmp_path):
    write_set(tmp_path, "test_a")
    main(command(tmp_path, "test_a", options=("--no_asr", "--nj", "2")))
    two = (tmp_path / "decode" / "test_a" / "results.json").read_bytes()
    (tmp_path / "decode" / "test_a" / "heard.jsonl").unlink()
    main(command(tmp_path, "test_a"))
    assert (tmp_path / "decode" / "test_a" / "results.json").read_bytes() == two
    assert 1 <= read_results(tmp_path)["speech"]["dnsmos_overall"] <= 5
    assert hearing.SpeechJudges is SpeechJudges


def test_table_has_one_row_per_set_in_the_order_given(root):
    write_set(root, "test_b", num_conversations=1)
    main(command(root, "test_b", "test_a"))
    report = (root / "decode" / "RESULTS.md").read_text(encoding="utf-8")
    lines = report.splitlines()
    assert lines[:3] == [
        "<!-- Generated by python -m espnet2_duplex.bin.duplex_s2s_score -->",
        "# RESULTS",
        "## Environments",
    ]
    (headings,) = [line for line in lines if line.startswith("|set|")]
    rows = [dict(zip(headings.split("|"), line.split("|"))) for line in lines]
    rows = [row for row in rows if row.get("set", "").startswith("test_")]
    assert [row["set"] for row in rows] == ["test_b", "test_a"]
    assert [row["barge-ins"] for row in rows] == ["1", "2"]
    assert {row["stopped in time %"] for row in rows} == {"100.0"}
    assert {row["stop s"] for row in rows} == {"0.64"}
    assert {row["first response s"] for row in rows} == {"0.72"}
    assert "ASR-BLEU" not in headings  # nobody listened


def test_other_systems_stand_beside_this_one(root):
    main(command(root, "test_a"))
    (root / "decode").rename(root / "silent")
    write_set(root / "other", "test_a")
    (root / "other" / "decode").rename(root / "decode")
    compare = ("--no_asr", "--compare", f"silent={root / 'silent'}")
    main(command(root, "test_a", options=compare))
    report = (root / "decode" / "RESULTS.md").read_text(encoding="utf-8")
    assert "## decode\n|set|" in report and "## silent\n|set|" in report
    page = (root / "decode" / "report.html").read_text(encoding="utf-8")
    assert "silent" in page and "test_a_0" in page


def test_a_set_that_another_system_lacks_has_an_empty_row_there(root):
    main(command(root, "test_a"))
    (root / "decode").rename(root / "silent")
    write_set(root / "other", "test_a")
    (root / "other" / "decode").rename(root / "decode")
    write_set(root, "test_b")
    compare = ("--no_asr", "--compare", f"silent={root / 'silent'}")
    main(command(root, "test_a", "test_b", options=compare))
    report = (root / "decode" / "RESULTS.md").read_text(encoding="utf-8")
    ours, others = report.split("## silent")
    assert "|test_b|2|" in ours
    assert "|test_a|2|" in others and "|test_b|–|" in others


@pytest.mark.parametrize(
    "compare, message",
    [
        ("silent", "--compare is 'silent'; expected NAME=DIR"),
        ("silent=there", "there, which has results of none of the sets test_a"),
        ("decode=there", "the name 'decode', which is taken"),
    ],
)
def test_other_systems_are_checked_before_scoring_begins(root, compare, message):
    with pytest.raises(ValueError, match=message):
        main(command(root, "test_a", options=("--no_asr", "--compare", compare)))
    assert not (root / "decode" / "test_a" / "results.json").exists()


def test_comparing_needs_a_report(root):
    folder = root / "decode" / "test_a"
    cmd = ["--decode_dir", str(folder), "--data_dir", str(root / "data" / "test_a")]
    with pytest.raises(ValueError, match="--compare is for RESULTS.md"):
        main([*cmd, "--no_asr", "--compare", "silent=there"])


def test_conversations_of_another_run_are_not_reported(root):
    main(command(root, "test_a"))
    path = root / "decode" / "test_a" / "conversations.jsonl"
    path.write_bytes(path.read_bytes().replace(b"0.64", b"0.63"))
    with pytest.raises(ValueError, match="do not come from one run .* score the set"):
        main(["--results_dir", str(root / "decode")])


def test_table_names_who_listened_and_what_was_left_out(root):
    damage(root, "no output.wav")
    with pytest.raises(SystemExit):
        main(command(root, "test_a"))
    lines = (root / "decode" / "RESULTS.md").read_text(encoding="utf-8").splitlines()
    assert (
        "Voice activity detection: energy; speech recognition: none; judge of the GPT "
        "score: none."
    ) in lines
    assert (
        "Left out, because they could not be scored: 1 of 2 conversations of test_a."
    ) in lines


def test_one_set_alone_and_the_table_alone(root):
    folder = root / "decode" / "test_a"
    cmd = ["--decode_dir", str(folder), "--data_dir", str(root / "data" / "test_a")]
    main([*cmd, "--no_asr", "--vad", "energy"])
    report = root / "decode" / "RESULTS.md"
    assert not report.exists()
    main(["--results_dir", str(root / "decode")])
    assert "|test_a|2|" in report.read_text(encoding="utf-8")


@pytest.fixture
def transcripts(monkeypatch):
    """What a recogniser hears in every conversation; the second is wrong."""
    texts = [Transcript(ANSWER), Transcript("Five.")] * 2

    def with_texts(*arguments):
        return transcribe(*arguments, lambda options: lambda clips: texts)

    monkeypatch.setattr(score_sets, "transcribe", with_texts)


def test_transcripts_give_bleu_and_word_errors(root, transcripts):
    main(command(root, "test_a", options=()))
    results = read_results(root)
    # Only "Four." is not interrupted: one word, and it was said wrongly.
    assert results["wer_speech_vs_text"] == 1.0
    assert 0 < results["asr_bleu"] < 100
    assert (root / "decode" / "test_a" / "transcripts.jsonl").is_file()
    assert rows_of(root)[0]["answers"][1]["spoken"] == "Five."


def test_a_silent_agent_is_scored_and_counted(root):
    write_set(root, "test_b", num_conversations=1, agent_spans=())
    main(command(root, "test_b"))
    results = read_results(root, "test_b")
    assert (results["num_conversations"], results["num_silent"]) == (1, 1)
    assert results["barge_in"]["num_events"] == 0
    assert results["first_response"]["rate_answered"] == 0.0
    assert results["speech"]["dnsmos_overall"] is None


def test_a_conversation_without_turns_has_nothing_to_measure(root):
    write_table(root / "data" / "test_a" / "turns", {"test_a_0": "[]"})
    main(command(root, "test_a"))
    results = read_results(root)
    assert results["num_conversations"] == 1
    assert results["false_alarm"]["rate"] is None
    assert results["first_response"]["mean"] is None


def damage(root, what):
    folder = root / "decode" / "test_a" / "test_a_1"
    output = folder / "output.wav"
    if what == "no output.wav":
        output.unlink()
    elif what == "no output.json":
        (folder / "output.json").unlink()
    elif what == "short output.wav":
        soundfile.write(output, np.zeros(RATE), RATE)
    elif what == "22 kHz":
        soundfile.write(output, tones([]), 22050)
    elif what == "stereo":
        soundfile.write(output, np.stack([tones([])] * 2, axis=1), RATE)
    elif what == "no samples":
        soundfile.write(output, np.zeros(0), RATE)
    elif what == "not a number":
        soundfile.write(output, np.full(RATE * 8, np.nan), RATE, subtype="FLOAT")
    elif what == "no wav file":
        output.write_text("RIFF")
    elif what == "invalid json":
        (folder / "output.json").write_text("{")
    elif what == "no turns":
        (folder / "output.json").write_text("{}")
    elif what == "early end":
        write_table(
            root / "data" / "test_a" / "turns",
            {
                "test_a_0": turns_to_json(TURNS),
                "test_a_1": turns_to_json([Turn("user", 7.0, 8.09, "Oh?")]),
            },
        )
    elif what.startswith("latency"):
        content = {"turns": [], "latency": json.loads(what.removeprefix("latency "))}
        (folder / "output.json").write_text(json.dumps(content))
    elif what == "endless turn":
        turn = {"role": "agent", "start": 1.0, "end": float("inf"), "text": "So"}
        (folder / "output.json").write_text(json.dumps({"turns": [turn]}))
    elif what == "turn without text":
        (folder / "output.json").write_text('{"turns": [{"role": "agent"}]}')


@pytest.mark.parametrize(
    "what, message",
    [
        ("no output.wav", "test_a_1/output.wav is missing; decode"),
        ("no output.json", "test_a_1/output.json is missing; decode"),
        ("short output.wav", "output.wav lasts 1.00 s but input.wav 8.00 s"),
        ("22 kHz", "1 channel(s) at 22050 Hz; expected one at 16000 Hz"),
        ("stereo", "2 channel(s) at 16000 Hz; expected one at 16000 Hz"),
        ("no samples", "output.wav has no samples"),
        ("not a number", "no finite numbers"),
        ("no wav file", "output.wav cannot be read as audio"),
        ("invalid json", "test_a_1/output.json is invalid"),
        ("no turns", "test_a_1/output.json is invalid"),
        ("turn without text", "test_a_1/output.json is invalid"),
        ("early end", "a user turn ends at 8.09 s but input.wav lasts 8.00 s"),
        ("latency NaN", "the latency is nan; expected finite seconds from 0 on"),
        ("latency Infinity", "the latency is inf; expected finite seconds"),
        ("latency -0.08", "the latency is -0.08; expected finite seconds"),
        ("latency true", "the latency is True; expected finite seconds"),
        ('latency "80 ms"', "the latency is '80 ms'; expected finite seconds"),
        ("endless turn", "test_a_1/output.json is invalid"),
    ],
)
def test_a_broken_conversation_is_left_out_and_told(root, caplog, what, message):
    damage(root, what)
    with pytest.raises(SystemExit) as stop:
        main(command(root, "test_a"))
    assert stop.value.code == PARTLY_SCORED
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert message in record.getMessage()
    results = read_results(root)
    assert (results["num_conversations"], results["num_problems"]) == (1, 1)
    assert results["barge_in"]["num_events"] == 1
    good, bad = rows_of(root)
    assert good["problem"] is None and message in bad["problem"]
    assert bad["barge_ins"] == []
    assert "test_a_1" in (root / "decode" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content, message",
    [
        (None, "turns does not exist; make the set's data first"),
        ("test_a_1 [\n", "conversation test_a_1: its turns are no valid JSON"),
    ],
)
def test_invalid_data_are_refused_and_leave_old_results(root, capsys, content, message):
    old = root / "decode" / "test_a" / "results.json"
    old.write_text("old")
    turns = root / "data" / "test_a" / "turns"
    if content is None:
        turns.unlink()
    else:
        turns.write_text(content)
    assert run_cli(main, command(root, "test_a")) == 1
    (line,) = [
        line for line in capsys.readouterr().err.splitlines() if "error: " in line
    ]
    assert message in line
    assert old.read_text() == "old"


def test_a_judge_gives_every_answer_a_score(root, transcripts):
    scores = {"turns": [{"turn": 1, "score": 9}, {"turn": 2, "score": 2}]}
    with Server(completion(json.dumps(scores))) as server:
        main(command(root, "test_a", options=("--judge", server.url)))
        assert len(server.requests) == 1  # both conversations are the same
    assert read_results(root)["gpt_score"] == {
        "score": 5.5,
        "num_scored": 4,
        "num_failed": 0,
        "problem": None,
    }
    assert [answer["gpt_score"] for answer in rows_of(root)[0]["answers"]] == [9, 2]


def test_a_judge_that_writes_rubbish_is_counted_as_failed(root, transcripts, caplog):
    with Server(completion("Nice weather.")) as server:
        main(command(root, "test_a", options=("--judge", server.url)))
    gpt = read_results(root)["gpt_score"]
    assert (gpt["score"], gpt["num_scored"], gpt["num_failed"]) == (None, 0, 4)
    assert "2 conversations have no GPT score" in caplog.text


def test_a_judge_that_is_down_costs_only_the_gpt_score(
    root, transcripts, monkeypatch, caplog
):
    def impatient(source, model, cache):
        return Endpoint(source, model, cache=cache, patience=Patience(tries=1))

    monkeypatch.setattr(score_judge, "open_backend", impatient)
    with pytest.raises(SystemExit) as stop:
        main(command(root, "test_a", options=("--judge", "http://127.0.0.1:9/v1")))
    assert stop.value.code == PARTLY_SCORED
    results = read_results(root)
    assert results["barge_in"]["num_success"] == 2
    assert results["gpt_score"]["score"] is None
    assert "127.0.0.1:9" in results["gpt_score"]["problem"]
    assert "no GPT score" in caplog.text


def test_a_judge_above_the_limit_of_cost_does_not_begin(root, transcripts, caplog):
    with Server(completion("")) as server, pytest.raises(SystemExit):
        limit = ("--judge", server.url, "--judge_max_usd", "0.000001")
        main(command(root, "test_a", options=limit))
    assert not server.requests
    assert "more than the limit" in read_results(root)["gpt_score"]["problem"]


def test_missing_set_missing_data_and_nothing_to_do_are_refused(root):
    with pytest.raises(ValueError, match="test_z does not exist; decode"):
        main(command(root, "test_a", "test_z"))
    assert not (root / "decode" / "test_a" / "results.json").exists()
    with pytest.raises(ValueError, match="without --data_dir"):
        main(["--decode_dir", str(root)])
    with pytest.raises(ValueError, match="nothing to score"):
        main([])
    with pytest.raises(ValueError, match="score at least one set first"):
        main(["--results_dir", str(root / "decode")])
    with pytest.raises(ValueError, match="--judge reads transcripts"):
        main(command(root, "test_a", options=("--no_asr", "--judge", "http://x/v1")))
