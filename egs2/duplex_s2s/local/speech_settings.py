"""Who speaks: the `speech` section of a corpus YAML. All of it may be left out.

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
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clips import digest
from tts.blends import components
from tts.hibari_engine import kokoro_original
from tts.kokoro import TEST_VOICES, TRAIN_VOICES

from espnet2_duplex.simulation.settings import Range, changed

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
BUILT_IN = ("kokoro", "hibari")


def _names(voices: Any, where: str) -> tuple[str, ...]:
    if not isinstance(voices, list | tuple):
        raise ValueError(f"{where} is {voices!r}; write a list of names")
    for voice in voices:
        if not isinstance(voice, str) or not NAME.fullmatch(voice):
            raise ValueError(
                f"{where} has {voice!r}; use letters, digits, _, - and . in names"
            )
    return tuple(voices)


@dataclass(frozen=True)
class AgentVoice:
    """The one voice of the agent."""

    engine: str = "hibari"
    voice: str = "heart"


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
        for name in ("train_voices", "test_voices"):
            voices = _names(getattr(self, name), name)
            object.__setattr__(self, name, voices)
        trained = {part for voice in self.train_voices for part in components(voice)}
        for voice in self.test_voices:
            if not trained.isdisjoint(components(voice)):
                raise ValueError(f"{voice} is a voice of training and of tests")
        if type(self.num_blends) is not int or self.num_blends < 0:
            raise ValueError(f"num_blends is {self.num_blends!r}; write a number")
        if self.speed_range[0] <= 0:
            raise ValueError(f"speed_range is {self.speed_range}; start above 0")


@dataclass(frozen=True)
class EngineSettings:
    """An engine: its kind and the options of that kind."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Changes with the options; "" without any."""
        if not self.options:
            return ""
        return digest(self.kind, json.dumps(self.options, sort_keys=True, default=str))


@dataclass(frozen=True)
class SpeechSettings:
    """All of the `speech` section; see above."""

    user_rate: int = 16000
    agent_rate: int = 22050
    agent: AgentVoice = AgentVoice()
    user: tuple[UserVoices, ...] = (UserVoices(),)
    backchannels: tuple[str, ...] = ()
    engines: Mapping[str, EngineSettings] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("user_rate", "agent_rate"):
            rate = getattr(self, name)
            if type(rate) is not int or rate < 8000:
                raise ValueError(f"{name} is {rate!r}; write Hz, from 8000 on")
        texts = self.backchannels
        if not isinstance(texts, list | tuple) or not all(
            isinstance(text, str) and text.strip() for text in texts
        ):
            raise ValueError(f"backchannels is {texts!r}; write a list of texts")
        object.__setattr__(self, "backchannels", tuple(dict.fromkeys(texts)))
        built_in = {name: EngineSettings(name) for name in BUILT_IN}
        object.__setattr__(self, "engines", {**built_in, **self.engines})
        for engine in (self.agent.engine, *(users.engine for users in self.user)):
            if engine not in self.engines:
                raise ValueError(
                    f"there is no engine {engine!r}; describe it under engines, or "
                    f"take one of {', '.join(self.engines)}"
                )
        self._check_users()

    def _check_users(self) -> None:
        """No voice twice, never the agent's, and blends of Kokoro only."""
        seen: set[str] = set()
        for users in self.user:
            kind = self.engines[users.engine].kind
            if users.num_blends and kind != "kokoro":
                raise ValueError(f"{users.engine} cannot blend; set num_blends to 0")
            for voice in (*users.train_voices, *users.test_voices):
                if voice in seen:
                    raise ValueError(
                        f"the user voice {voice} comes twice; name it once"
                    )
                seen.add(voice)
                if self._is_agents(users.engine, voice):
                    raise ValueError(
                        f"the user voice {voice} is the agent's speaker; leave it out"
                    )

    def _is_agents(self, engine: str, voice: str) -> bool:
        if engine == self.agent.engine and voice == self.agent.voice:
            return True
        kinds = self.engines[self.agent.engine].kind, self.engines[engine].kind
        if kinds == ("hibari", "kokoro"):
            return kokoro_original(self.agent.voice) in components(voice)
        return False


def parse_speech_settings(section: Mapping, where: str) -> SpeechSettings:
    """Settings from the section's values.

    Args:
        section: as YAML gives it.
        where: names it in errors.

    Raises:
        ValueError: it has unknown keys, or values that cannot be.
    """
    if not isinstance(section, Mapping):
        raise ValueError(f"{where} is {section!r}; expected names with values.")
    values = dict(section)
    if "user" in values:
        entries = values["user"]
        entries = entries if isinstance(entries, list) else [entries]
        values["user"] = tuple(
            changed(UserVoices(), entry, f"{where}.user") for entry in entries
        )
    if "engines" in values:
        values["engines"] = _engines(values["engines"], f"{where}.engines")
    return changed(SpeechSettings(), values, where)


def _engines(section: Any, where: str) -> dict[str, EngineSettings]:
    engines = {}
    for name, options in (section or {}).items():
        if not isinstance(options, Mapping) or not isinstance(options.get("kind"), str):
            raise ValueError(f"{where}.{name} is {options!r}; give it a kind.")
        rest = {key: value for key, value in options.items() if key != "kind"}
        engines[name] = EngineSettings(options["kind"], rest)
    return engines
