"""Full-Duplex-Bench from folders to the table, with stand-ins for all models."""

import json
import shlex
import sys
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from espnet2_duplex.bin import full_duplex_bench as bench
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.duplex_s2s_inference import DuplexOutput
from espnet2_duplex.bin.full_duplex_bench_arguments import ASR_MODEL
from espnet2_duplex.chat.backend import Refused, Unavailable
from espnet2_duplex.conversation import Turn
from espnet2_duplex.formats.bench_writer import BenchOptions, BenchWriter
from espnet2_duplex.formats.full_duplex_bench import read_bench
from espnet2_duplex.formats.recording import make_recording
from espnet2_duplex.formats.sounds import Silence, open_channels
from espnet2_duplex.metrics.activity import ActivityOptions, make_detector
from espnet2_duplex.metrics.asr.interface import Transcript, make_transcriber
from espnet2_duplex.scoring.full_duplex_bench import score as scoring
from espnet2_duplex.scoring.full_duplex_bench import v1, v15
from espnet2_duplex.scoring.full_duplex_bench.files import find_samples
from espnet2_duplex.words import Word

RATE = 16000


def tones(num_seconds, *spans, rate=RATE):
    """Silence with a tone in each span of seconds, float32 (N,)."""
    time = np.arange(round(num_seconds * rate)) / rate
    on = np.zeros(len(time), bool)
    for start, end in spans:
        on |= (time >= start) & (time < end)
    return (0.3 * on * np.sin(2 * np.pi * 440 * time)).astype(np.float32)


def hear_words(clips):
    """One word a quarter of a second, without the margins of the clip."""
    found = []
    for clip in clips:
        num_words = round((len(clip) / RATE - 0.2) / 0.25)
        times = [0.1 + n / 4 for n in range(num_words)]
        words = tuple(Word(f"w{n}", t, t + 0.25) for n, t in enumerate(times))
        found.append(Transcript(" ".join(word.text for word in words), words))
    return found


@pytest.fixture(autouse=True)
def stand_ins(monkeypatch):
    """Energy instead of silero, tones instead of words."""
    monkeypatch.setattr(bench, "make_transcriber", lambda options: hear_words)
    monkeypatch.setattr(bench, "versions_of", lambda names: dict.fromkeys(names, "1.0"))
    raw = make_detector(ActivityOptions(vad="energy", merge_gap_seconds=0.0))

    def by_energy(options):
        return make_detector(replace(options, vad="energy"))

    for module in (bench, v1):
        monkeypatch.setattr(module, "make_detector", by_energy)
    for module in (v1, v15):
        monkeypatch.setattr(module, "make_bench_detector", lambda decimals=None: raw)


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, np.ndarray):
        soundfile.write(path, content, RATE)
    else:
        path.write_text(json.dumps(content), encoding="utf-8")


def chunks(*spans):
    rows = [{"text": "word", "timestamp": [start, end]} for start, end in spans]
    return {"text": "word " * len(rows), "chunks": rows}


def score(root, task, *options):
    """Exit code and content of the results."""
    command = ["score", "--root", str(root), "--task", task, *options]
    try:
        code = run_cli(bench.main, command)
    except SystemExit as end:
        code = end.code
    mode = "strict" if "strict" in options else "fixed"
    path = root / f"results_{task}_{mode}.json"
    return code, json.loads(path.read_text()) if path.is_file() else None


def run(root, *options):
    try:
        return run_cli(bench.main, ["run", "--root", str(root), *options])
    except SystemExit as end:
        return end.code


class EchoModel:
    """Says at 22.05 kHz a second later what it hears."""

    fs_user, fs_agent, latency = 16000, 22050, 0.08

    def __init__(self):
        self.batches = []

    def decode_batch(self, speeches):
        self.batches.append([len(speech) for speech in speeches])
        return [self._answer(speech) for speech in speeches]

    def _answer(self, speech):
        segment, *_ = make_detector(ActivityOptions(vad="energy"))(speech)
        turn = Turn("agent", segment.start + 1, segment.end + 1, "echo")
        sound = tones(len(speech) / RATE + 0.05, (turn.start, turn.end), rate=22050)
        return DuplexOutput(sound, [turn], np.zeros(0), np.zeros((0, 4)))


@pytest.fixture
def model(monkeypatch):
    echo = EchoModel()
    monkeypatch.setattr(bench, "load_model", lambda args: echo)
    return echo


@pytest.fixture
def exported(tmp_path):
    """Two conversations of ours as Full-Duplex-Bench's folders."""
    root = tmp_path / "fdb"
    writer = BenchWriter(root, BenchOptions())
    for id, seconds in (("a", 6.0), ("b", 7.0)):
        put(tmp_path / f"{id}.wav", tones(seconds, (1.0, 3.0)))
        turns = [Turn("user", 1.0, 3.0, "what is tea"), Turn("agent", 3.64, 5, "tea")]
        (user,) = open_channels(tmp_path / f"{id}.wav", 1)
        agent = Silence(user.sample_rate, user.num_samples)
        writer.add(make_recording(id, turns, user, agent))
    writer.finish()
    return root / "smooth_turn_taking"


def test_exported_conversations_are_answered_and_scored(exported, model, capsys):
    assert run(exported, "--task", "turn_taking") == 0
    for id, seconds in (("a", 6), ("b", 7)):
        sound, rate = soundfile.read(exported / id / "output.wav")
        assert (rate, len(sound)) == (RATE, seconds * RATE)
    code, results = score(exported, "turn_taking")
    assert code == 0
    # The echo begins at 2.0 s, a second before the user's end.
    assert results["figures"] == {
        "num_samples": 2,
        "num_take_overs": 2,
        "take_over_rate": 1.0,
        "latency_mean": 0.0,
        "latency_mean_signed": pytest.approx(-1.0, abs=0.02),
        "latency_median_signed": pytest.approx(-1.0, abs=0.02),
        "num_early": 2,
    }
    assert "2 of 2 agents that took the turn began" in results["changes"][0]
    printed = capsys.readouterr().out
    assert "| **ours** (fixed) | 1.000 | 0.000 | 2 |" in printed
    assert "| Moshi | 0.941 | 0.265 |  |" in printed and "README" in printed


def test_transcripts_keep_the_models_own_turns(exported, model):
    run(exported, "--task", "turn_taking")
    score(exported, "turn_taking")
    content = json.loads((exported / "a" / "output.json").read_text())
    assert content["turns"][0]["text"] == "echo" and content["latency"] == 0.08
    assert [chunk["text"] for chunk in content["chunks"]] == [f"w{n}" for n in range(8)]
    assert content["chunks"][0]["timestamp"] == pytest.approx([2.0, 2.25], abs=0.02)
    assert content["transcribed_from"] == 0.0
    assert content["recogniser"] == {
        "engine": "faster_whisper",
        "model": ASR_MODEL,
        "version": "1.0",
    }


def test_what_is_answered_is_kept(exported, model, capsys):
    run(exported, "--task", "turn_taking", "--batch_size", "1")
    assert model.batches == [[7 * RATE], [6 * RATE]]  # the longest first
    (exported / "a" / "output.wav").unlink()
    put(exported / "b" / "output.wav", tones(2.0))  # too short
    before = len(model.batches)
    run(exported, "--task", "turn_taking")
    assert model.batches[before:] == [[7 * RATE, 6 * RATE]]
    run(exported, "--task", "turn_taking")
    assert len(model.batches) == before + 1
    assert "2 recordings: 2 were there, 0 written, 0 failed" in capsys.readouterr().out


def test_answers_can_lie_elsewhere(exported, model, tmp_path):
    out = tmp_path / "out"
    options = ("--task", "turn_taking", "--output_root", str(out))
    assert run(exported, *options) == 0
    assert not (exported / "a" / "output.wav").exists()
    run_cli(bench.main, ["score", "--root", str(exported), *options])
    assert (
        json.loads((out / "results_turn_taking_fixed.json").read_text())["num_scored"]
        == 2
    )


def test_input_of_any_rate_is_resampled(tmp_path, model):
    path = tmp_path / "fdb" / "1" / "input.wav"
    path.parent.mkdir(parents=True)
    soundfile.write(path, tones(4.0, (1.0, 2.0), rate=48000), 48000)
    assert run(tmp_path / "fdb", "--task", "backchannel") == 0
    assert model.batches == [[4 * RATE]]
    assert soundfile.info(path.with_name("output.wav")).frames == 4 * RATE


def test_unreadable_input_spoils_no_other(exported, model, capsys):
    (exported / "a" / "input.wav").write_bytes(b"no sound")
    assert run(exported, "--task", "turn_taking") == 3
    assert (exported / "b" / "output.wav").is_file()
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("problem:") and "a/input.wav cannot be read" in error


# ---- other systems


def script(tmp_path, body):
    path = tmp_path / "talk.py"
    path.write_text("import shutil, sys\n" + body, encoding="utf-8")
    return (
        f"{shlex.quote(sys.executable)} {shlex.quote(str(path))} {{input}} {{output}}"
    )


def test_command_of_another_system_answers(exported, tmp_path):
    put(exported / "a" / "output.json", chunks((0, 1)))  # of an earlier answer
    command = script(tmp_path, "shutil.copy(*sys.argv[1:3])")
    assert run(exported, "--task", "turn_taking", "--command", command) == 0
    copied, given = (exported / "a" / f"{n}.wav" for n in ("output", "input"))
    assert copied.read_bytes() == given.read_bytes()
    assert not (exported / "a" / "output.json").exists()
    assert sorted(p.name for p in (exported / "a").glob(".*")) == []


@pytest.mark.parametrize(
    "body, message",
    [
        ("sys.exit('no GPU')", "ended with exit code 1: no GPU"),
        ("pass", "wrote nothing to {output}"),
        (
            "import soundfile\nsoundfile.write(sys.argv[2], [0.0] * 16000, 16000)",
            "has 1.00 s, input.wav has 6.00 s",
        ),
    ],
)
def test_command_that_fails_leaves_nothing(exported, tmp_path, capsys, body, message):
    command = script(tmp_path, body)
    assert run(exported, "--task", "turn_taking", "--command", command) == 3
    assert message in capsys.readouterr().err
    assert not (exported / "a" / "output.wav").exists()
    assert list((exported / "a").glob(".*")) == []


def test_command_without_places_is_refused_at_once(exported, capsys):
    options = ("--task", "turn_taking", "--command", "talk.sh {input}")
    assert run(exported, *options) == 1
    assert "does not say where {output} belongs" in capsys.readouterr().err


def test_run_without_a_system_is_refused(exported, capsys):
    assert run(exported, "--task", "turn_taking") == 1
    assert "no system is named; give --model_tag" in capsys.readouterr().err


# ---- tasks


def test_pause_handling_is_split_by_subset(tmp_path):
    root = tmp_path / "v1_0"
    for subset, spans in (("synthetic_pause", []), ("candor_pause", [(4, 6)])):
        folder = root / subset / "1"
        put(folder / "input.wav", tones(6.0))
        put(folder / "pause.json", [{"text": "[PAUSE]", "timestamp": [1, 2]}])
        put(folder / "output.json", chunks(*spans))
        put(folder / "transcription.json", chunks((0, 1), (2, 3))["chunks"])
    put(root / "icc_backchannel" / "1" / "input.wav", tones(6.0))  # another task's
    code, results = score(root, "pause_handling")
    assert code == 0 and results["num_samples"] == 2
    rates = {name: f["take_over_rate"] for name, f in results["subsets"].items()}
    assert rates == {"candor_pause": 1.0, "synthetic_pause": 0.0}
    assert results["figures"]["take_over_rate"] == 0.5
    assert results["figures"]["before_user_end"]["take_over_rate"] == 0.0


class FakeJudge:
    """Gives `reply(question)`, or cannot be asked."""

    name = "fake"

    def __init__(self, reply):
        self.reply = reply
        self.asked = []

    def complete(self, prompts):
        asked = [prompt.messages[1].content for prompt in prompts]
        self.asked += asked
        if self.reply is None:
            raise Unavailable("http://host gave no answer in 7 tries")
        return [self.reply(text) for text in asked]


@pytest.fixture
def judge(monkeypatch):
    def set_up(reply):
        fake = FakeJudge((lambda text: reply) if isinstance(reply, str) else reply)
        monkeypatch.setattr(bench, "open_backend", lambda llm, **how: fake)
        return fake

    return set_up


def interruption(root, name, *agent, seconds=12.0):
    """The user interrupts from 5 to 7 s; the agent speaks in some spans."""
    row = {"context": "tea?", "interrupt": "no, coffee", "timestamp": [5.0, 7.0]}
    put(root / name / "input.wav", tones(seconds, (1.0, 2.0), (5.0, 7.0)))
    put(root / name / "interrupt.json", [row])
    put(root / name / "output.wav", tones(seconds, *agent))


@pytest.fixture
def interruptions(tmp_path):
    root = tmp_path / "synthetic_user_interruption"
    interruption(root, "1", (3.0, 5.6), (7.8, 10.0))  # stops and answers
    interruption(root, "2", (3.0, 10.0))  # never stops
    return root


def test_interruptions_are_judged_by_what_follows_them(interruptions, judge):
    fake = judge("It fits. Rating: 4")
    code, results = score(interruptions, "user_interruption", "--judge", "some")
    assert code == 0 and results["judge"] == "fake"
    figures = results["figures"]
    assert figures["take_over_rate"] == 1.0
    assert figures["latency_mean"] == pytest.approx(0.8, abs=0.02)
    assert figures["num_never_stopped"] == 1
    assert figures["stop_latency_mean"] == pytest.approx(0.6, abs=0.02)
    assert figures["rating_mean"] == 4.0 and figures["num_rated"] == 2
    assert all("no, coffee" in question for question in fake.asked)
    # The agent that talks on from 3 to 10 s says w0 to w27, from 7 s on w16 to w27.
    assert "w15" not in fake.asked[1] and "w16 w17" in fake.asked[1]


def test_quick_answer_of_an_agent_that_stopped_is_no_talking_on(tmp_path):
    interruption(tmp_path, "1", (3.0, 6.9), (7.2, 10.0))
    _, results = score(tmp_path, "user_interruption")
    figures = results["figures"]
    assert figures["num_never_stopped"] == 0
    assert figures["num_latencies"] == 1
    assert figures["stop_latency_mean"] == pytest.approx(1.9, abs=0.02)


def test_strict_mode_takes_the_agent_that_never_stops_for_a_fast_one(interruptions):
    _, results = score(interruptions, "user_interruption", "--mode", "strict")
    assert results["figures"]["latency_mean"] == pytest.approx(0.4, abs=0.08)
    assert "num_never_stopped" not in results["figures"]
    assert "repairs" not in results and results["mode"] == "strict"


def test_strict_mode_hears_only_what_follows_the_interruption(interruptions):
    path = interruptions / "2" / "output.json"
    score(interruptions, "user_interruption")
    assert json.loads(path.read_text())["transcribed_from"] == 0.0
    score(interruptions, "user_interruption", "--mode", "strict")
    content = json.loads(path.read_text())
    assert content["transcribed_from"] == 7.0
    assert content["chunks"][0]["timestamp"][0] == pytest.approx(7.0, abs=0.12)


def test_modes_do_not_overwrite_each_other(interruptions):
    _, fixed = score(interruptions, "user_interruption")
    score(interruptions, "user_interruption", "--mode", "strict")
    path = interruptions / "results_user_interruption_fixed.json"
    assert json.loads(path.read_text()) == fixed
    assert len(list(interruptions.glob("samples_user_interruption_*.jsonl"))) == 2


def test_words_serve_another_task_too(interruptions, monkeypatch):
    score(interruptions, "pause_handling")
    words = (interruptions / "1" / "output.json").read_bytes()
    monkeypatch.setattr(bench, "make_transcriber", None)
    code, results = score(interruptions, "user_interruption")
    assert code == 0 and results["figures"]["take_over_rate"] == 1.0
    assert (interruptions / "1" / "output.json").read_bytes() == words


@pytest.mark.parametrize(
    "options, version",
    [
        (("--asr_model", "another"), "1.0"),
        (("--asr_engine", "transformers"), "1.0"),
        ((), "1.1"),
    ],
)
def test_words_of_another_recogniser_are_made_anew(
    interruptions, monkeypatch, options, version
):
    _, results = score(interruptions, "user_interruption")
    first = {"engine": "faster_whisper", "model": ASR_MODEL, "version": "1.0"}
    assert results["recognisers"] == [{"recogniser": first, "num_transcripts": 2}]
    calls = []
    monkeypatch.setattr(bench, "versions_of", lambda names: {names[0]: version})
    monkeypatch.setattr(
        bench, "make_transcriber", lambda options: calls.append(1) or hear_words
    )
    _, results = score(interruptions, "user_interruption", *options)
    (row,) = results["recognisers"]
    assert row["recogniser"] != first and row["num_transcripts"] == 2
    score(interruptions, "user_interruption", *options)
    assert calls == [1]


def test_words_that_others_wrote_are_taken_and_told(interruptions):
    put(interruptions / "2" / "output.json", chunks((7.5, 9.0)))
    _, results = score(interruptions, "user_interruption")
    ours = {"engine": "faster_whisper", "model": ASR_MODEL, "version": "1.0"}
    assert results["recognisers"] == [
        {"recogniser": ours, "num_transcripts": 1},
        {"recogniser": None, "num_transcripts": 1},
    ]


def test_words_of_any_recogniser_are_taken_where_none_is_named(interruptions):
    score(interruptions, "user_interruption", "--asr_model", "another")
    code, results = score(interruptions, "user_interruption", "--asr_model", "none")
    assert code == 0
    assert results["recognisers"][0]["recogniser"]["model"] == "another"


def test_recogniser_that_is_not_there_is_told_with_options_of_this_command(
    interruptions, monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(bench, "make_transcriber", make_transcriber)
    options = ("--asr_model", str(tmp_path / "nothing"))
    code, results = score(interruptions, "user_interruption", *options)
    assert code == 1 and results is None
    error = capsys.readouterr().err
    assert "no speech recogniser at" in error and "--asr_model none" in error
    assert "--no_asr" not in error


def test_judge_out_of_reach_leaves_the_rest(interruptions, judge, capsys):
    judge(None)
    code, results = score(interruptions, "user_interruption", "--judge", "http://host")
    assert code == 3
    assert results["figures"]["take_over_rate"] == 1.0
    assert results["figures"]["num_rating_failures"] == 2
    assert results["figures"]["rating_mean"] is None
    assert "the judge: http://host gave no answer" in capsys.readouterr().err


def test_rubbish_of_the_judge_is_counted(interruptions, judge):
    fake = judge("As an AI I cannot judge")
    code, results = score(interruptions, "user_interruption", "--judge", "some")
    assert code == 0 and len(fake.asked) == 6  # three tries each
    assert results["figures"]["num_rating_failures"] == 2


def test_what_the_judge_refuses_is_a_failure_and_the_rest_is_judged(
    interruptions, judge
):
    def refuse_long(text):
        if "w16" in text:
            raise Refused("HTTP 400, too long")
        return "Rating: 4"

    judge(refuse_long)
    code, results = score(interruptions, "user_interruption", "--judge", "some")
    figures = results["figures"]
    assert code == 0 and results["judge_problem"] is None
    assert (figures["num_rated"], figures["num_rating_failures"]) == (1, 1)
    path = interruptions / "samples_user_interruption_fixed.jsonl"
    _, row = map(json.loads, path.read_text().splitlines())
    assert row["rating"] is None and row["rating_failure"] == "HTTP 400, too long"


def test_a_judge_that_goes_away_leaves_what_it_said(tmp_path, judge, monkeypatch):
    monkeypatch.setattr(scoring, "QUESTIONS_AT_A_TIME", 2)
    for name in range(6):
        interruption(tmp_path, f"{name}", (7.8, 10.0))
    replies = iter(["Rating: 5"] * 3)

    def reply(text):
        try:
            return next(replies)
        except StopIteration:
            raise Unavailable("gone") from None

    fake = judge(reply)
    code, results = score(tmp_path, "user_interruption", "--judge", "some")
    assert code == 3 and results["judge_problem"] == "gone"
    assert results["figures"]["num_rated"] == 2
    assert results["figures"]["num_rating_failures"] == 4
    assert len(fake.asked) == 4


def test_backchannels_with_and_without_peoples_times(tmp_path):
    root = tmp_path / "icc_backchannel"
    put(root / "7" / "input.wav", tones(10.0, (0.0, 9.0)))
    put(root / "7" / "output.wav", tones(10.0, (2.0, 2.5), (6.0, 6.5)))
    code, results = score(root, "backchannel")
    assert code == 0
    assert results["figures"] == {
        "num_samples": 1,
        "num_take_overs": 0,
        "take_over_rate": 0.0,
        "frequency_mean": 0.2,
        "jsd_mean": None,
        "num_candidates": 2,
        "num_backchannels": 2,
        "num_without_candidates": 0,
    }
    human = tmp_path / "human.json"
    put(human, {"7": [float(n in (10, 11, 12, 30, 31, 32)) for n in range(51)]})
    _, results = score(root, "backchannel", "--icc_distribution", str(human))
    assert results["figures"]["jsd_mean"] == pytest.approx(0.0, abs=1e-3)


def test_strict_backchannels_take_any_rate_for_16_khz(tmp_path):
    root = tmp_path / "icc_backchannel"
    put(root / "1" / "input.wav", tones(8.0))
    path = root / "1" / "output.wav"
    soundfile.write(path, tones(8.0, (2.0, 2.8), rate=24000), 24000)
    put(root / "1" / "output.json", chunks((2.0, 2.4)))
    _, fixed = score(root, "backchannel")
    assert fixed["figures"]["take_over_rate"] == 0.0
    _, strict = score(root, "backchannel", "--mode", "strict")
    assert strict["figures"]["take_over_rate"] == 1.0  # 0.8 s have become 1.2 s


def test_wrong_file_of_peoples_times_is_refused(tmp_path, capsys):
    put(tmp_path / "1" / "input.wav", tones(1.0))
    put(tmp_path / "human.json", {"1": "often"})
    options = ("--icc_distribution", str(tmp_path / "human.json"))
    code, _ = score(tmp_path, "backchannel", *options)
    assert code == 1
    assert "is not sample -> list of numbers" in capsys.readouterr().err


@pytest.fixture
def overlaps(tmp_path):
    """v1.5: the user asks at 1 to 2 s and again from 6 to 8 s."""
    folder = tmp_path / "user_interruption" / "1"
    put(folder / "metadata.json", {"context_text": "tea?", "timestamps": [6.0, 8.0]})
    put(folder / "clean_input.wav", tones(12.0, (1.0, 2.0)))
    put(folder / "input.wav", tones(12.0, (1.0, 2.0), (6.0, 8.0)))
    put(folder / "clean_output.wav", tones(12.0, (2.5, 9.0)))
    put(folder / "output.wav", tones(12.0, (2.5, 6.5), (8.7, 10.0)))
    return folder.parent


def test_overlaps_are_timed_and_labelled(overlaps, judge):
    fake = judge("Label: RESPOND")
    code, results = score(overlaps, "v1.5", "--judge", "some")
    assert code == 0
    figures = results["figures"]
    assert figures["stop_latency_mean"] == pytest.approx(0.5, abs=0.02)
    assert figures["response_latency_mean"] == pytest.approx(0.6, abs=0.02)
    assert (figures["respond"], figures["num_labelled"]) == (1.0, 1)
    assert figures["words_per_minute_clean"] == pytest.approx(240, rel=0.02)
    assert len(fake.asked) == 1 and '"agent_clean": [["w0", 2.5' in fake.asked[0]
    assert (overlaps / "1" / "clean_input.json").is_file()


def test_overlaps_need_no_words_without_a_judge(overlaps, monkeypatch):
    monkeypatch.setattr(bench, "make_transcriber", None)
    code, results = score(overlaps, "v1.5")
    assert code == 0 and results["figures"]["respond"] is None
    assert results["figures"]["num_stops"] == 1


def test_v15_answers_both_recordings(overlaps, model):
    for name in ("output.wav", "clean_output.wav"):
        (overlaps / "1" / name).unlink()
    assert run(overlaps, "--task", "v1.5") == 0
    assert soundfile.info(overlaps / "1" / "clean_output.wav").frames == 12 * RATE
    assert (overlaps / "1" / "clean_output.json").is_file()


# ---- faults of single samples


@pytest.mark.parametrize(
    "spoil, message",
    [
        (lambda f: (f / "output.wav").unlink(), "output.wav does not exist"),
        (lambda f: put(f / "output.wav", tones(3.0)), "has 3.00 s, input.wav has 12"),
        (lambda f: (f / "output.wav").write_bytes(b"x"), "cannot be read as audio"),
        (lambda f: (f / "interrupt.json").unlink(), "interrupt.json does not exist"),
        (lambda f: put(f / "interrupt.json", []), "interrupt.json has no entry"),
        (lambda f: put(f / "interrupt.json", [{}]), "interrupt.json: the word None"),
        (lambda f: put(f / "output.json", []), "output.json holds a JSON list"),
        (lambda f: put(f / "output.json", {"chunks": [3]}), "its words are no list"),
    ],
)
def test_fault_of_one_sample_is_one_line(interruptions, capsys, spoil, message):
    spoil(interruptions / "1")
    code, results = score(interruptions, "user_interruption")
    assert code == 3
    assert (results["num_samples"], results["num_scored"]) == (2, 1)
    assert message in results["problems"]["1"]
    lines = [x for x in capsys.readouterr().err.splitlines() if x.startswith("problem")]
    assert len(lines) == 1 and lines[0].startswith("problem: 1: ")
    rows = (
        (interruptions / "samples_user_interruption_fixed.jsonl")
        .read_text()
        .splitlines()
    )
    assert [list(json.loads(row))[1] for row in rows] == ["problem", "taken"]


def test_sound_that_is_gone_after_its_transcription_is_one_line(interruptions):
    score(interruptions, "user_interruption")
    (interruptions / "1" / "output.wav").unlink()
    code, results = score(interruptions, "user_interruption")
    assert code == 3 and list(results["problems"]) == ["1"]
    assert "output.wav does not exist" in results["problems"]["1"]


def test_silent_output_takes_no_turn(tmp_path):
    interruption(tmp_path, "1")
    code, results = score(tmp_path, "user_interruption")
    assert code == 0 and results["figures"]["take_over_rate"] == 0.0


def test_without_a_recogniser_words_must_be_there(interruptions):
    put(interruptions / "2" / "output.json", chunks((7.5, 9.0)))
    code, results = score(interruptions, "user_interruption", "--asr_model", "none")
    assert code == 3 and results["num_scored"] == 1
    assert "has no words of output.wav as the task needs" in results["problems"]["1"]


def test_word_without_end_ends_where_it_starts(tmp_path):
    put(tmp_path / "1" / "input.wav", tones(5.0))
    put(tmp_path / "1" / "output.json", chunks((1.0, 1.2), (1.5, None)))
    _, results = score(tmp_path, "pause_handling")
    assert results["figures"]["take_over_rate"] == 0.0


def test_root_without_samples_of_the_task_is_refused(tmp_path, capsys):
    assert score(tmp_path, "turn_taking")[0] == 1
    assert "has no folder with input.wav" in capsys.readouterr().err
    put(tmp_path / "1" / "input.wav", tones(1.0))
    assert score(tmp_path, "turn_taking")[0] == 1
    assert "has turn_taking.json" in capsys.readouterr().err


def test_exported_conversations_without_an_event_are_left_out(exported):
    (exported / "a" / "turn_taking.json").unlink()
    samples = find_samples(exported, exported, "turn_taking")
    assert [sample.id for sample in samples] == ["b"]
    with pytest.raises(ValueError, match="has interrupt.json"):
        find_samples(exported, exported, "user_interruption")


def test_scored_folders_can_still_be_read_as_a_corpus(exported, model):
    run(exported, "--task", "turn_taking")
    score(exported, "turn_taking")
    recordings = list(read_bench(exported, listener=None))
    assert [r.conversation.agent_turns[0].text for r in recordings] == ["echo"] * 2


def test_parsers_have_help(capsys):
    for command in ([], ["run"], ["score"]):
        with pytest.raises(SystemExit, match="0"):
            bench.main([*command, "--help"])
    assert "--icc_distribution" in capsys.readouterr().out
