import pytest
from corpus_settings import read_speech
from speech_settings import parse_speech_settings
from tts.kokoro import TEST_VOICES, TRAIN_VOICES

ROBOT = {"kind": "command", "command": "x {wav}", "sample_rate": 8000, "voices": ["r"]}


def parse(section):
    return parse_speech_settings(section, "speech")


def test_without_a_section_the_recipes_voices_speak(tmp_path):
    path = tmp_path / "corpus.yaml"
    path.write_text("simulation: {}\n")
    for settings in (read_speech(None), read_speech(path)):
        assert (settings.user_rate, settings.agent_rate) == (16000, 22050)
        assert (settings.agent.engine, settings.agent.voice) == ("hibari", "heart")
        (users,) = settings.user
        assert users.train_voices == TRAIN_VOICES and users.test_voices == TEST_VOICES
        assert users.num_blends == 0 and users.speed_range == (0.9, 1.15)
        assert settings.backchannels == ()


def test_the_example_of_the_docstring_is_valid(tmp_path):
    import speech_settings

    path = tmp_path / "corpus.yaml"
    path.write_text(speech_settings.__doc__.partition("\n\n")[2])
    settings = read_speech(path)
    assert settings.user[0].test_voices == ("bf_emma",)
    assert settings.engines["robot"].kind == "command"
    assert set(settings.engines["robot"].options) == set(ROBOT) - {"kind"}


def test_several_user_engines_are_a_list():
    robot = {"engine": "robot", "train_voices": ["r"], "test_voices": []}
    settings = parse({"engines": {"robot": ROBOT}, "user": [{}, robot]})
    assert [users.engine for users in settings.user] == ["kokoro", "robot"]
    assert settings.user[1].train_voices == ("r",)


def test_an_engines_version_changes_with_its_options():
    one, same, other = (
        parse({"engines": {"robot": {**ROBOT, "command": f"{name} {{wav}}"}}})
        for name in ("x", "x", "y")
    )
    assert one.engines["robot"].version == same.engines["robot"].version
    assert one.engines["robot"].version != other.engines["robot"].version
    assert one.engines["kokoro"].version == ""


@pytest.mark.parametrize(
    "section, reason",
    [
        ([], "speech is .*; expected names"),
        ({"users": {}}, "speech has the unknown name users; known are user_rate"),
        ({"user": {"voices": []}}, "speech.user has the unknown name voices"),
        ({"agent": {"name": "x"}}, "speech.agent has the unknown name name"),
        ({"user": {"train_voices": ["a b"]}}, "train_voices has 'a b'; use letters"),
        ({"user": {"train_voices": "af_sky"}}, "write a list of names"),
        ({"user": {"train_voices": ["af_heart"]}}, "af_heart is the agent's speaker"),
        ({"user": {"train_voices": ["af_heart60-af_sky40"]}}, "the agent's speaker"),
        ({"agent": {"voice": "emma"}}, "bf_emma is the agent's speaker"),
        ({"agent": {"engine": "kokoro", "voice": "am_adam"}}, "am_adam is the agent's"),
        ({"user": {"test_voices": ["af_sky"]}}, "af_sky is a voice of training and of"),
        ({"user": [{}, {}]}, "the user voice af_alloy comes twice"),
        ({"user": {"num_blends": -1}}, "num_blends is -1"),
        ({"user": {"speed_range": [0.0, 1.0]}}, "start above 0"),
        ({"user": {"speed_range": [1.1, 0.9]}}, r"write a range, \[low, high\]"),
        ({"user": {"engine": "robot"}}, "there is no engine 'robot'; describe it"),
        ({"engines": {"robot": {"command": "x"}}}, "engines.robot is .*; give it a"),
        ({"backchannels": "uh-huh."}, "write a list of texts"),
        ({"agent_rate": "22k"}, "agent_rate is '22k'; write Hz"),
    ],
)
def test_a_wrong_section_is_one_sentence(section, reason):
    with pytest.raises(ValueError, match=reason):
        parse(section)


def test_blends_of_another_engine_are_refused():
    robot = {"engine": "robot", "train_voices": ["r"], "num_blends": 1}
    with pytest.raises(ValueError, match="robot cannot blend"):
        parse({"engines": {"robot": ROBOT}, "user": robot})
