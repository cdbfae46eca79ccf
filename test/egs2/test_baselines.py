import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import run_baseline
import soundfile
from baselines.answerers import AnswerOptions, Reference
from baselines.cascade import Cascade, Parts, cut_turn
from baselines.floor import FloorOptions, UserTurn
from baselines.kept_texts import KeptTexts
from baselines.known_turns import KnownTurns
from baselines.language_model import LanguageModel, messages_of, spoken_form
from baselines.placing import place
from baselines.sides import Exchange, UserSide
from baselines.silent import Silent
from baselines.timed import Timed
from baselines.voice import Voice
from baselines.voice_activity import with_hysteresis
from speech_settings import parse_speech_settings

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.chat.backend import Prompt
from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.sound_files import write_wav

ROOT = Path(__file__).parents[2]
LOCAL = ROOT / "egs2" / "duplex_s2s" / "local"


def side(seconds=10.0, *turns):
    """A side of silence; turns are (role, start, end, text)."""
    speech = np.zeros(round(seconds * 16000), np.float32)
    return UserSide("talk", speech, tuple(Turn(*turn) for turn in turns))


class Hum:
    """A voice: a tenth of a second a letter at a level of 0.5; "mute" has no sound."""

    def say(self, text):
        num_samples = 0 if text == "mute" else 1600 * len(text)
        return Timed(np.full(num_samples, 0.5, np.float32), 0.25)


class Says:
    """An answerer with a list of answers; what it was asked is in `.asked`."""

    def __init__(self, *texts):
        self.texts = texts
        self.asked = []

    def answer(self, user, number, dialogue):
        self.asked.append((number, list(dialogue)))
        return Timed(self.texts[len(self.asked) - 1], 0.5)


class Model:
    """A backend that says how many messages it has read."""

    name = "model"
    licence = "none"

    def __init__(self):
        self.prompts = []

    def complete(self, prompts):
        self.prompts += prompts
        return [f"I read {len(prompt.messages)} messages." for prompt in prompts]


# Placing


def test_an_answer_is_cut_at_its_limit_and_tells_what_could_be_said():
    speech = np.ones(16000, np.float32)
    whole = place("one two three", speech, 2.0, 9.0)
    assert whole.turn == Turn("agent", 2.0, 3.0, "one two three")
    cut = place("one two three", speech, 2.0, 2.5)
    assert cut.turn == Turn("agent", 2.0, 2.5, "one two three")
    assert cut.said == "one two" and whole.said == "one two three"
    assert len(cut.speech) == 8000 and cut.speech[-1] == 0 and cut.speech[-65] == 1
    assert speech.all()  # the cached clip is not faded
    assert place("one", speech, 2.0, 2.0) is place("one", speech, 2.0, 1.0) is None


# Known turns


def test_a_known_turn_is_answered_after_the_gap_and_cut_after_the_next_onset():
    says = Says("aa bb cc", "ok")
    user = side(9.0, ("user", 1, 2, "Hi."), ("user", 2.84, 4, "What?"))
    agent = KnownTurns(says, Hum()).take_part(user)
    # 8 letters are 0.8 s, from 2.64 s to 3.44 s; the cut would be at 3.48 s.
    assert agent.turns[0] == Turn("agent", 2.64, 3.44, "aa bb cc")
    assert agent.turns[1] == Turn("agent", 4.64, 4.84, "ok")
    (heard,) = np.nonzero(np.diff(agent.speech))
    assert ((heard + 1) / 16000).tolist() == [2.64, 3.44, 4.64, 4.84]
    assert says.asked[1] == (1, [Exchange("Hi.", "aa bb cc"), Exchange("What?", "")])


def test_the_dialogue_holds_what_could_be_heard_of_a_cut_answer():
    says = Says("aaaa bbbb cccc dddd", "ok")
    user = side(9.0, ("user", 1, 2, "Hi."), ("user", 2.84, 4, "What?"))
    agent = KnownTurns(says, Hum()).take_part(user)
    assert agent.turns[0] == Turn("agent", 2.64, 3.48, "aaaa bbbb cccc dddd")
    assert says.asked[1][1][0] == Exchange("Hi.", "aaaa bbbb")


def test_turns_within_the_gap_are_answered_together_and_no_answer_is_silence():
    says = Says("", "mute", "ok")
    turns = [("user", 1, 2, "a"), ("user", 2.5, 3, "b"), ("user", 5, 6, "c")]
    agent = KnownTurns(says, Hum()).take_part(side(9.0, *turns))
    assert [number for number, _ in says.asked] == [1, 2]
    assert [exchange.user for exchange in says.asked[0][1]] == ["a", "b"]
    assert agent.turns == () and not agent.speech.any()


def test_an_answer_ends_with_the_recording():
    agent = KnownTurns(Says("aaaaaaaa"), Hum()).take_part(
        side(3.0, ("user", 1, 2, "a"))
    )
    assert agent.turns[0].end == 3.0 and len(agent.speech) == 48000


def test_the_reference_of_a_turn_is_what_the_agent_says_before_the_next():
    turns = [
        ("agent", 0.1, 0.5, "Welcome."),
        ("user", 1, 2, "a"),
        ("agent", 2.64, 3, "One."),
        ("agent", 3.5, 4, "Two."),
        ("user", 5, 6, "b"),
        ("agent", 6.64, 7, "Three."),
    ]
    user = side(9.0, *turns)
    answers = [Reference().answer(user, number, []).value for number in (0, 1)]
    assert answers == ["One. Two.", "Three."]


# The language model


def test_unanswered_turns_are_one_message_of_the_chat():
    dialogue = [Exchange("a", ""), Exchange("b", "B"), Exchange("c", "")]
    chat = [(m.role, m.content) for m in messages_of(dialogue, "Be kind.")]
    assert chat == [
        ("system", "Be kind."),
        ("user", "a b"),
        ("assistant", "B"),
        ("user", "c"),
    ]
    assert messages_of(dialogue, "")[0].role == "user"


@pytest.mark.parametrize(
    "written, said",
    [
        ("One two. Three four. Five", "One two. Three four."),
        ("One two three. Four five six.", "One two three."),
        ("One two three four five six seven.", "One two three four five"),
        ("Yes", "Yes"),
        ("**Yes**, it is.", "Yes, it is."),
        ("```print(1)```", ""),
        ("", ""),
    ],
)
def test_whole_sentences_are_said_up_to_the_number_of_words(written, said):
    assert spoken_form(written, 5) == said


def test_a_text_is_asked_for_once_and_its_time_is_kept(tmp_path):
    prompt = Prompt(messages_of([Exchange("a", "")], ""), seed=0)
    model = Model()
    first = KeptTexts(model, tmp_path).complete(prompt)
    assert KeptTexts(model, tmp_path).complete(prompt) == first
    assert len(model.prompts) == 1 and first.value == "I read 1 messages."
    KeptTexts(model, tmp_path).complete(Prompt(prompt.messages, seed=1))
    assert len(model.prompts) == 2


def test_seeds_differ_by_turn_when_tokens_are_drawn_and_do_not_matter_else(tmp_path):
    for temperature, num_seeds in ((0.0, 1), (0.7, 2)):
        model = Model()
        options = AnswerOptions(temperature=temperature, max_tokens=9)
        writer = LanguageModel(KeptTexts(model, tmp_path / str(temperature)), options)
        for number in (0, 1):
            writer.answer(side(), number, [Exchange(f"{number}", "")])
        assert len({prompt.seed for prompt in model.prompts}) == num_seeds
        assert {prompt.max_tokens for prompt in model.prompts} == {9}


# The cascade


def cascade(says, compute_seconds=0.5, frames=(), transcripts=("a", "b", "c")):
    remaining = iter(transcripts)
    parts = Parts(
        detect=lambda speech: list(frames),
        transcribe=lambda clips: [next(remaining) for _ in clips],
        answerer=says,
        voice=Hum(),
    )
    return Cascade(parts, compute_seconds, FloorOptions())


def speech_at(*spans, num_frames=400):
    return [any(a <= n < b for a, b in spans) for n in range(num_frames)]


def test_a_cascade_answers_after_silence_and_compute_time():
    says = Says("aa bb")
    agent = cascade(says, frames=speech_at((0, 50))).take_part(side(12.0))
    assert agent.turns == (Turn("agent", 2.6, 3.1, "aa bb"),)  # 1.6 + 0.5 + 0.5
    assert agent.latency_seconds == 1.0
    assert says.asked == [(0, [Exchange("a", "")])]


def test_a_cascade_stops_for_the_user_and_remembers_what_was_heard():
    says = Says("aaaa bbbb cccc dddd", "ok")
    # The answer would last from 2.6 to 4.5 s; the user talks from 3.2 to 4.8 s.
    frames = speech_at((0, 50), (100, 150))
    agent = cascade(says, frames=frames).take_part(side(12.0))
    stop = round(3.2 + 7 * 0.032, 6)
    assert agent.turns[0] == Turn("agent", 2.6, stop, "aaaa bbbb cccc dddd")
    assert agent.turns[1] == Turn("agent", 5.8, 6.0, "ok")
    assert says.asked[1] == (1, [Exchange("a", "aaaa bbbb"), Exchange("b", "")])


def test_measured_compute_time_is_that_of_the_parts():
    system = cascade(Says("aa"), compute_seconds=None, frames=speech_at((0, 50)))
    agent = system.take_part(side(12.0))
    # 0.5 s of the answerer and 0.25 s of the voice; the transcriber takes no time.
    assert 2.85 <= agent.turns[0].start < 2.95
    assert agent.latency_seconds == pytest.approx(agent.turns[0].start - 1.6)


@pytest.mark.parametrize(
    "transcript, text", [("...", "never"), ("a", ""), ("a", "mute")]
)
def test_a_cascade_is_silent_where_nothing_is_heard_or_said(transcript, text):
    system = cascade(Says(text), frames=speech_at((0, 50)), transcripts=[transcript])
    agent = system.take_part(side(12.0))
    assert agent.turns == () and not agent.speech.any()


def test_a_turn_is_cut_out_with_a_margin():
    speech = np.arange(16000)
    clip = cut_turn(speech, UserTurn(96_000, 640_000, 544_000))
    assert (clip[0], clip[-1]) == (0, 0.84 * 16000 - 1)
    assert cut_turn(speech, UserTurn(320_000, 960_000, 1))[0] == 0.12 * 16000


def test_speech_ends_only_below_the_release():
    probabilities = [0.4, 0.5, 0.4, 0.34, 0.4, 0.9]
    expected = [False, True, True, False, False, True]
    assert with_hysteresis(probabilities, 0.5, 0.35) == expected


# The command


@pytest.fixture
def data_dir(tmp_path):
    """Two conversations of noise whose agent answers in between."""
    generator = np.random.default_rng(0)
    table = {}
    for name in ("a-1", "b-2"):
        table[name] = str(tmp_path / f"{name}.wav")
        write_wav(table[name], generator.uniform(-0.1, 0.1, 96000), 16000)
    folder = tmp_path / "data" / "test"
    write_table(folder / "user.scp", table)
    turns = [Turn("user", 1, 2, "Hi."), Turn("agent", 2.64, 3.0, "one two three")]
    write_table(folder / "turns", dict.fromkeys(table, turns_to_json(turns)))
    return folder


@pytest.fixture
def run(tmp_path, data_dir):
    """Run the command with the humming voice; returns the exit code."""
    engines = {"tone": {"kind": "tone_engine.ToneEngine"}}
    speech = {"agent": {"engine": "tone", "voice": "low"}, "engines": engines}
    (tmp_path / "corpus.yaml").write_text(json.dumps({"speech": speech}))

    def run_on(system, *options, config=True):
        arguments = [system, "--data_dir", data_dir, "--output_dir", tmp_path / system]
        arguments += ["--cache_dir", tmp_path / "cache", *options]
        if config:
            arguments += ["--config", tmp_path / "corpus.yaml"]
        return run_cli(run_baseline.main, [str(argument) for argument in arguments])

    return run_on


def test_the_folders_are_those_of_our_own_decoding(run, tmp_path):
    assert run("gt_reference") == 0
    folder = tmp_path / "gt_reference" / "a-1"
    written = json.loads((folder / "output.json").read_text())
    assert written["latency"] == 0.0
    (turn,) = written["turns"]
    # A tenth of a second a word, after a frame of 80 ms.
    assert turn["start"] == 2.64 and turn["end"] == pytest.approx(3.02, abs=0.011)
    assert turn["text"] == "one two three" and turn["role"] == "agent"
    user, rate = soundfile.read(folder / "input.wav")
    agent, _ = soundfile.read(folder / "output.wav")
    assert rate == 16000 and len(user) == len(agent) == 96000
    (heard,) = np.nonzero(agent)
    assert heard[0] / 16000 == pytest.approx(2.72, abs=0.001)
    again = tmp_path / "again"
    (tmp_path / "gt_reference").rename(again)
    assert run("gt_reference") == 0
    for name in ("output.wav", "output.json"):
        assert (folder / name).read_bytes() == (again / "a-1" / name).read_bytes()


def test_a_silent_agent_and_a_tail(run, tmp_path):
    assert run("silent", "--tail_seconds", 2, config=False) == 0
    agent, _ = soundfile.read(tmp_path / "silent" / "b-2" / "output.wav")
    assert len(agent) == 8 * 16000 and not agent.any()
    assert Silent().take_part(side(1.0)).turns == ()


def test_jobs_take_their_keys_and_what_is_there_is_kept(run, tmp_path):
    (tmp_path / "keys").write_text("b-2 some.wav\n")
    assert run("silent", "--key_file", tmp_path / "keys", config=False) == 0
    folder = tmp_path / "silent"
    assert [path.parent.name for path in folder.glob("*/output.json")] == ["b-2"]
    (folder / "b-2" / "output.wav").write_bytes(b"kept")
    assert run("silent", config=False) == 0
    assert (folder / "b-2" / "output.wav").read_bytes() == b"kept"
    assert (folder / "a-1" / "output.json").is_file()


def test_other_settings_in_the_same_folder_are_refused(run, tmp_path, capsys):
    assert run("silent", config=False) == 0
    assert run("silent", "--seed", 1, config=False) == 1
    assert "was made with another seed; delete it" in capsys.readouterr().err


def test_a_conversation_without_turns_is_named(run, data_dir, capsys):
    turns = (data_dir / "turns").read_text().splitlines()
    (data_dir / "turns").write_text(turns[0] + "\n")
    assert run("silent", config=False) == 1
    assert "b-2 has no turns" in capsys.readouterr().err


def test_what_cannot_be_spoken_is_told_and_stays_silent(tmp_path, capsys):
    section = {
        "agent": {"engine": "tone", "voice": "low"},
        "engines": {"tone": {"kind": "tone_engine.ToneEngine"}},
    }
    voice = Voice(parse_speech_settings(section, "speech"), tmp_path, tmp_path)
    assert len(voice.say("mute").value) == 0
    assert "'mute' cannot be spoken" in capsys.readouterr().err
    assert voice.say("one two").seconds == voice.say("one two").seconds > 0


def test_moshi_is_built_without_the_packages_of_the_other_systems():
    program = (
        "import sys; "
        "sys.modules.update(dict.fromkeys(['hibari', 'transformers', 'silero_vad', "
        "'faster_whisper', 'espnet2', 'numba', 'moshi'])); "
        f"sys.path[:0] = [{str(LOCAL)!r}, {str(ROOT)!r}]; "
        "from baselines.moshi_lm import Moshi; import run_baseline; "
        "run_baseline.main(['moshi', '--data_dir', 'no', '--output_dir', 'no'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert b"No such file or directory: 'no/user.scp'" in done.stderr
