"""Who speaks: the `speech` section of a corpus YAML. All of it may be left out.

What a clip is named by (engine, its kind, options and revision, voice, speed, text) tells
whether it must be spoken. Code and weights behind an engine are not seen: if they change,
give the engine another `revision`.

speech:
  user_rate: 16000             # Hz, of the users' clips
  agent_rate: 22050            # Hz, the codec's
  agent: {engine: hibari, voice: heart}
  user:                        # or a list of such entries, for several engines
    engine: kokoro
    train_voices: [af_bella, am_adam]
    test_voices: [bf_emma]     # of the sets whose names begin with "test"
    num_blends: 0              # that many more training speakers, mixed of two
    speed_range: [0.9, 1.15]   # factor on a voice's own pace, drawn for each text
  backchannels: ["uh-huh."]    # each said once by every user voice
  engines:                     # besides kokoro and hibari
    robot:
      kind: command            # or espnet; the other keys are its options (tts/)
      command: espeak-ng -v {voice} -w {wav} --stdin
      sample_rate: 22050
      voices: [en-us, en-gb]
    mine:
      kind: my_tts.MyEngine    # a class derived from tts.engine.Engine, on PYTHONPATH
      revision: 2              # text or number; a new one has all spoken anew
      weights: my_tts.pth      # an option of that class
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conversation_rows import NAME
from tts.blends import check_num_blends, components
from tts.engine_settings import EngineSettings, parse_engines
from tts.hibari_engine import VOICES as HIBARI_VOICES
from tts.hibari_engine import kokoro_original
from tts.kokoro import TEST_VOICES, TRAIN_VOICES
from tts.kokoro import VOICES as KOKORO_VOICES

from espnet2_duplex.simulation.yaml_fields import Range, changed, section

VOICES = {"kokoro": KOKORO_VOICES, "hibari": tuple(HIBARI_VOICES)}  # kind -> voices


def _check_names(names: Sequence[str], where: str) -> None:
    """Names of voices name files, too."""
    for name in names:
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{where} has {name!r}; use letters, digits, _, - and . in names"
            )


@dataclass(frozen=True)
class AgentVoice:
    """The one voice of the agent."""

    engine: str = "hibari"
    voice: str = "heart"

    def __post_init__(self) -> None:
        _check_names([self.voice], "voice")


@dataclass(frozen=True)
class UserVoices:
    """Voices of users, from one engine.

    Attributes:
        engine: "kokoro", or a name under `engines`.
        train_voices: of all sets but the test sets.
        test_voices: of the test sets only.
        num_blends: training speakers to add, each mixed of two training voices of one
            sex (kokoro only).
        speed_range: factor on a voice's own pace, drawn for each text.
    """

    engine: str = "kokoro"
    train_voices: tuple[str, ...] = TRAIN_VOICES
    test_voices: tuple[str, ...] = TEST_VOICES
    num_blends: int = 0
    speed_range: Range = (0.9, 1.15)

    def __post_init__(self) -> None:
        _check_names(self.train_voices, "train_voices")
        _check_names(self.test_voices, "test_voices")
        trained = {part for voice in self.train_voices for part in components(voice)}
        for voice in self.test_voices:
            if not trained.isdisjoint(components(voice)):
                raise ValueError(f"{voice} is a voice of training and of tests")
        if self.speed_range[0] <= 0:
            raise ValueError(f"speed_range is {self.speed_range}; start above 0")


@dataclass(frozen=True)
class SpeechSettings:
    """All of the `speech` section; see above."""

    user_rate: int = 16000
    agent_rate: int = 22050
    agent: AgentVoice = AgentVoice()
    user: tuple[UserVoices, ...] = (UserVoices(),)
    backchannels: tuple[str, ...] = ()
    engines: Mapping[str, EngineSettings] = field(
        default_factory=lambda: parse_engines({}, "speech.engines")
    )

    def __post_init__(self) -> None:
        for name in ("user_rate", "agent_rate"):
            rate = getattr(self, name)
            if rate < 8000:
                raise ValueError(f"{name} is {rate}; write Hz, from 8000 on")
        if not all(text.strip() for text in self.backchannels):
            raise ValueError("backchannels has an empty text; leave it out")
        object.__setattr__(
            self, "backchannels", tuple(dict.fromkeys(self.backchannels))
        )
        for engine in (self.agent.engine, *(users.engine for users in self.user)):
            if engine not in self.engines:
                raise ValueError(
                    f"there is no engine {engine!r}; describe it under engines, or "
                    f"take one of {', '.join(self.engines)}"
                )
        self._check_voice(self.agent.engine, self.agent.voice, "agent.voice")
        self._check_users()

    def _check_users(self) -> None:
        """All voices exist, none twice and none the agent's; blends of Kokoro only."""
        seen: set[str] = set()
        for users in self.user:
            if users.num_blends and self.engines[users.engine].kind != "kokoro":
                raise ValueError(f"{users.engine} cannot blend; set num_blends to 0")
            for name in ("train_voices", "test_voices"):
                for voice in getattr(users, name):
                    self._check_voice(users.engine, voice, f"user.{name}")
                    self._check_user(users.engine, voice, seen)
                    seen.add(voice)
            check_num_blends(users.num_blends, users.train_voices)

    def _check_voice(self, engine: str, voice: str, where: str) -> None:
        """A voice of a kind whose voices are known; others are asked when built."""
        known = VOICES.get(self.engines[engine].kind)
        for part in components(voice) if known else ():
            if part not in known:
                raise ValueError(
                    f"{where}: there is no voice {part!r} of the engine {engine}; take "
                    f"one of {', '.join(known)}"
                )

    def _check_user(self, engine: str, voice: str, seen: set[str]) -> None:
        if voice in seen:
            raise ValueError(f"the user voice {voice} comes twice; name it once")
        agent = self._speakers(self.agent.engine, self.agent.voice)
        if not agent.isdisjoint(self._speakers(engine, voice)):
            raise ValueError(
                f"the user voice {voice} is the agent's speaker; leave it out"
            )

    def _speakers(self, engine: str, voice: str) -> set[tuple[str, str]]:
        """(kind, name) of the people who are heard in a voice."""
        kind = self.engines[engine].kind
        if kind == "hibari":
            return {("kokoro", kokoro_original(voice))}
        if kind == "kokoro":
            return {("kokoro", part) for part in components(voice)}
        return {(engine, voice)}


def parse_speech_settings(speech: object, where: str) -> SpeechSettings:
    """Settings from the section's values.

    Args:
        speech: as YAML gives it.
        where: names it in errors.

    Raises:
        ValueError: it has unknown keys, or values that cannot be.
    """
    values: dict[str, Any] = dict(section(speech, where))
    if isinstance(values.get("user"), list):
        values["user"] = tuple(
            changed(UserVoices(), entry, f"{where}.user[{number}]")
            for number, entry in enumerate(values["user"])
        )
    elif "user" in values:
        values["user"] = (changed(UserVoices(), values["user"], f"{where}.user"),)
    values["engines"] = parse_engines(values.get("engines"), f"{where}.engines")
    return changed(SpeechSettings(), values, where)
