import pytest
from casting import Casting
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
    path.write_text(
        speech_settings.__doc__[speech_settings.__doc__.index("speech:\n") :]
    )
    settings = read_speech(path)
    assert settings.user[0].test_voices == ("bf_emma",)
    assert settings.engines["robot"].kind == "command"
    assert set(settings.engines["robot"].options) == set(ROBOT) - {"kind"}


def test_several_user_engines_are_a_list():
    robot = {"engine": "robot", "train_voices": ["r"], "test_voices": []}
    settings = parse({"engines": {"robot": ROBOT}, "user": [{}, robot]})
    assert [users.engine for users in settings.user] == ["kokoro", "robot"]
    assert settings.user[1].train_voices == ("r",)


def version(name, **engine):
    return parse({"engines": {name: engine}}).engines[name].version


def test_an_engines_version_changes_with_kind_options_and_revision():
    mine = [
        version("mine", kind="my_tts.Engine"),
        version("mine", kind="other.Engine"),
        version("mine", kind="my_tts.Engine", weights="a.pth"),
        version("mine", kind="my_tts.Engine", weights="b.pth"),
        version("mine", kind="my_tts.Engine", revision=2),
        version("mine", kind="my_tts.Engine", revision="of May"),
        version("mine", kind="kokoro"),
        version("hibari", kind="my_tts.Hibari"),
        version("hibari", kind="hibari", revision=2),
        version("kokoro", kind="kokoro"),
    ]
    assert len(set(mine)) == len(mine) and mine[-1] == ""
    assert version("mine", kind="my_tts.Engine", revision=2) == mine[4]
    settings = parse({"engines": {"mine": {"kind": "my_tts.Engine", "revision": 2}}})
    assert settings.engines["mine"].options == {}  # the class is not given it


def test_clips_keep_the_names_that_they_have_in_older_corpora():
    """Else hours of speech would be made anew."""
    flite = {"kind": "command", "sample_rate": 16000, "voices": ["slt", "rms"]}
    flite["command"] = "flite -voice {voice} -o {wav} /dev/stdin"
    robots = {"engine": "flite", "train_voices": ["slt"], "test_voices": []}
    settings = parse({"engines": {"flite": flite}, "user": [{"num_blends": 2}, robots]})
    casting = Casting(settings, seed=0)
    assert casting.agent_clip("A drink.").id == "heart-33ee92352010fecb"
    question = "What is tea?"
    assert casting.user_clip("af_sky", question).id == "af_sky-32a0130165c08fcb"
    assert casting.user_clip("slt", question).id == "slt-ebbaedbf5ff3b911"
    assert casting.train_voices[-3:] == [
        "am_santa56-am_liam44",
        "am_puck66-am_santa34",
        "slt",
    ]


@pytest.mark.parametrize(
    "section, reason",
    [
        ([], "speech is .*; expected names"),
        ({"users": {}}, "speech has the unknown name users; known are user_rate"),
        ({"user": {"voices": []}}, "speech.user has the unknown name voices"),
        ({"agent": {"name": "x"}}, "speech.agent has the unknown name name"),
        ({"user": {"train_voices": ["a b"]}}, "train_voices has 'a b'; use letters"),
        (
            {"user": {"train_voices": "af_sky"}},
            "user.train_voices is 'af_sky'; write a li",
        ),
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
        (
            {"engines": {"robot": {"command": "x"}}},
            "speech.engines.robot is .*; give it a",
        ),
        ({"backchannels": "uh-huh."}, "write a list of texts"),
        ({"agent_rate": "22k"}, "speech.agent_rate is '22k'; write a whole number"),
        ({"agent_rate": 2205}, "speech: agent_rate is 2205; write Hz, from 8000 on"),
        ({"backchannels": ["  "]}, "speech: backchannels has an empty text"),
        (
            {"agent": {"voice": "hart"}},
            "speech: agent.voice: .*'hart' of the engine hibari; take one of heart",
        ),
        (
            {"agent": {"voice": "../a"}},
            r"speech.agent: voice has '\.\./a'; use letters",
        ),
        ({"agent": {"voice": 5}}, "speech.agent.voice is 5; write a text"),
        ({"engines": ["robot"]}, r"speech.engines is \['robot'\]; expected names with"),
        (
            {"engines": {"robot": "command"}},
            "engines.robot is 'command'; expected names",
        ),
        ({"engines": {"robot": {"kind": 5}}}, "engines.robot.kind is 5; write a text"),
        ({"engines": {5: ROBOT}}, "speech.engines has the name 5; names are texts"),
        (
            {"engines": {"robot": {**ROBOT, "revision": []}}},
            "write a text or a whole n",
        ),
        (
            {"user": {"train_voices": ["x"], "num_blends": 1}},
            "no voice 'x' of the engine kok",
        ),
        (
            {"user": {"train_voices": ["af_none"]}},
            "user.train_voices: there is no voice 'af_none'",
        ),
        (
            {"user": {"train_voices": ["af_sky", 5]}},
            r"train_voices\[1\] is 5; write a text",
        ),
        ({"user": {"num_blends": 9999}}, "num_blends is 9999, but the 23 .* make 1210"),
        ({"user": {"num_blends": "3"}}, "speech.user.num_blends is '3'; write a whole"),
        ({"user": [{}, {"engine": 5}]}, r"speech.user\[1\].engine is 5; write a text"),
    ],
)
def test_a_wrong_section_is_one_sentence(section, reason):
    with pytest.raises(ValueError, match=reason):
        parse(section)


def test_blends_of_another_engine_are_refused():
    robot = {"engine": "robot", "train_voices": ["r"], "num_blends": 1}
    with pytest.raises(ValueError, match="robot cannot blend"):
        parse({"engines": {"robot": ROBOT}, "user": robot})


@pytest.mark.parametrize(
    "agent, voice",
    [
        ({"engine": "kokoro", "voice": "af_heart"}, "heart"),
        ({"engine": "copy", "voice": "heart"}, "heart"),
        ({"engine": "kokoro", "voice": "af_heart60-af_sky40"}, "heart"),
    ],
)
def test_no_user_is_the_agents_speaker_in_another_engine(agent, voice):
    users = {"engine": "hibari", "train_voices": [voice], "test_voices": []}
    engines = {"copy": {"kind": "hibari"}}
    with pytest.raises(ValueError, match=f"{voice} is the agent's speaker; leave"):
        parse({"agent": agent, "user": users, "engines": engines})


def test_voices_of_another_engine_are_its_own_matter():
    robots = {"engine": "robot", "train_voices": ["x"], "test_voices": ["y"]}
    settings = parse({"engines": {"robot": ROBOT}, "user": robots})
    assert settings.user[0].train_voices == ("x",)
