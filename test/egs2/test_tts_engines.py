import shlex
import sys

import numpy as np
import pytest
from tone_engine import ToneEngine
from tts.command import CommandEngine
from tts.engine import build_engine
from tts.hibari_engine import HibariEngine, kokoro_original

SPEAKER = """
import sys
import numpy
import soundfile
wav, voice, speed, seed, rate = sys.argv[1:]
text = sys.stdin.read()
if "fail" in text:
    sys.exit("first line\\nno such word: " + text.strip())
value = {"a": 0.25, "b": 0.5}[voice]
soundfile.write(wav, numpy.full(int(seed) * len(text), value), int(rate))
"""


def command(tmp_path, script=SPEAKER, rate=8000):
    path = tmp_path / "speaker of mine.py"
    path.write_text(script)
    words = [sys.executable, str(path), "{wav}", "{voice}", "{speed}", "{seed}", rate]
    return shlex.join(map(str, words))


def test_a_command_gets_the_text_on_standard_input_and_the_rest_as_words(tmp_path):
    engine = CommandEngine(tmp_path, command(tmp_path), 8000, ["a", "b"])
    assert (engine.sample_rate, engine.voices()) == (8000, ("a", "b"))
    speech = engine.speak("Tea; $HOME?", "b", speed=1.1, seed=3)
    assert speech.dtype == np.float32 and speech.shape == (3 * len("Tea; $HOME?\n"),)
    assert np.allclose(speech, 0.5, atol=1e-4)


ARGUMENTS = """
import sys
import numpy
import soundfile
wav, text, braces = sys.argv[1:]
assert (braces, sys.stdin.read()) == ("{}", "")
soundfile.write(wav, numpy.full(100 * len(text), 0.5), 8000)
"""


def test_a_command_may_take_the_text_as_one_word(tmp_path):
    path = tmp_path / "speaker.py"
    path.write_text(ARGUMENTS)
    words = [sys.executable, str(path), "{wav}", "{text}", "{{}}"]
    engine = CommandEngine(tmp_path, shlex.join(words), 8000, ["a"])
    text = """Tea; $HOME "and" {voice} 'or' {{milk}}?"""
    assert engine.speak(text, "a", 1.0, 1).shape == (100 * len(text),)


def test_a_failing_commands_last_line_is_the_reason(tmp_path):
    engine = CommandEngine(tmp_path, command(tmp_path), 8000, ["a"])
    with pytest.raises(ValueError, match="exit code 1: no such word: fail$"):
        engine.speak("fail", "a", 1.0, 1)


def test_a_command_at_another_rate_or_without_a_wav_is_an_error(tmp_path):
    engine = CommandEngine(tmp_path, command(tmp_path, rate=16000), 8000, ["a"])
    with pytest.raises(ValueError, match="has 16000 Hz, but 8000 Hz are expected"):
        engine.speak("Tea.", "a", 1.0, 1)
    engine = CommandEngine(tmp_path, command(tmp_path, "pass"), 8000, ["a"])
    with pytest.raises(ValueError, match="speech.wav does not exist"):
        engine.speak("Tea.", "a", 1.0, 1)


def test_a_command_that_hangs_is_stopped(tmp_path):
    slow = command(tmp_path, "import time\ntime.sleep(30)")
    engine = CommandEngine(tmp_path, slow, 8000, ["a"], timeout_seconds=0.2)
    with pytest.raises(ValueError, match="not done after 0.2 s"):
        engine.speak("Tea.", "a", 1.0, 1)


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"command": "echo {voice}"}, "robot: .* has no {wav}"),
        ({"command": "no-such-tts {wav}"}, "'no-such-tts' is not there; install"),
        ({}, "robot: missing a required argument: 'command'; its options are command"),
        ({"command": "echo {wav}", "speed": 1}, "unexpected keyword argument 'speed'"),
        (
            {"command": "x {wav} {txt}"},
            "unknown placeholder {txt}; known are {text}, {w",
        ),
        ({"command": "x {wav} {}"}, "unknown placeholder {}; known are {text}"),
        ({"command": "x {wav} {seed:3}"}, "unknown placeholder {seed:3}; known"),
        ({"command": "x {wav} {seed!r}"}, "unknown placeholder {seed!r}; known"),
        ({"command": "x {wav} }"}, "cannot be read .*a brace that is no placeholder's"),
        ({"command": "x '{wav}"}, "cannot be read .No closing quotation.; close its"),
        ({"command": ["x", "{wav}"]}, r"robot.command is \['x', .*; write a text"),
        (
            {"command": "echo {wav}", "voices": 5},
            "robot.voices is 5; write a list of t",
        ),
        (
            {"command": "echo {wav}", "voices": "ab"},
            "robot.voices is 'ab'; write a list",
        ),
        (
            {"command": "echo {wav}", "voices": [1]},
            r"robot.voices\[0\] is 1; write a te",
        ),
        (
            {"command": "echo {wav}", "sample_rate": "22050"},
            "robot.sample_rate is '22050'",
        ),
        (
            {"command": "echo {wav}", "sample_rate": 0},
            "sample_rate is 0 and .* above 0",
        ),
    ],
)
def test_wrong_options_of_an_engine_are_named(tmp_path, options, reason):
    options = {"sample_rate": 8000, "voices": ["a"], **options}
    with pytest.raises(ValueError, match=reason):
        build_engine("robot", "command", options, tmp_path)


@pytest.mark.parametrize("kind", ["festival", "no_module.Engine", "tts.engine.Nothing"])
def test_an_unknown_kind_is_refused(tmp_path, kind):
    with pytest.raises(ValueError, match="write kokoro, hibari, espnet, command or"):
        build_engine("mine", kind, {}, tmp_path)


def test_a_class_of_ones_own_is_an_engine(tmp_path):
    engine = build_engine("mine", "tone_engine.ToneEngine", {"voices": ["x"]}, tmp_path)
    engine.check_voice("x")
    with pytest.raises(ValueError, match="no voice 'y'; take one of x"):
        engine.check_voice("y")


def test_an_espnet_engines_voices_are_checked_without_a_model(tmp_path):
    for voices, told in (
        ("anna", "is 'anna'; write names with values or a list of texts"),
        ({"anna": 1.5}, "anna is 1.5; write a whole number or a text"),
        ({1: 2}, "has the name 1; names are texts"),
    ):
        with pytest.raises(ValueError, match=f"^mine.voices.*{told}"):
            build_engine("mine", "espnet", {"model": "m", "voices": voices}, tmp_path)
    options = {"model": "m", "voices": {"anna": 1}}
    assert build_engine("mine", "espnet", options, tmp_path).voices() == ("anna",)


class Typed(ToneEngine):
    """Has an option whose type nobody can check, and one that may be negative."""

    def __init__(self, downloads, pitch: float, device: "Unknown"):  # noqa: F821
        super().__init__(downloads)


def test_types_that_are_not_there_are_not_checked(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "my_tts", sys.modules[__name__])
    options = {"pitch": -2, "device": "cpu"}
    assert isinstance(build_engine("m", "my_tts.Typed", options, tmp_path), Typed)


def test_hibari_speaks_the_same_for_the_same_seed(tmp_path):
    engine = HibariEngine(tmp_path)
    one, other = (engine.speak("Yes.", "heart", 1.0, seed) for seed in (1, 2))
    same = HibariEngine(tmp_path).speak("Yes.", "heart", 1.0, 1)
    assert one.dtype == np.float32 and 0.2 * 24000 < len(one) < 2 * 24000
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    with pytest.raises(ValueError, match="cannot be pronounced"):
        engine.speak("你好", "heart", 1.0, 1)
    with pytest.raises(ValueError, match="no voice 'nobody'; take one of heart"):
        engine.prepare(["nobody"])


def test_a_hibari_voice_knows_whose_copy_it_is():
    assert kokoro_original("heart") == "af_heart"
