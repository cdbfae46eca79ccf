"""Which voice says which text how fast, from a seed and nothing else."""

import hashlib
import random
from collections.abc import Iterable
from pathlib import Path

from clips import Clip, make_clip
from conversation_rows import TextConversation
from speech_settings import SpeechSettings, UserVoices
from tts.blends import draw_blends
from tts.engine import Engine, build_engine


class Casting:
    """Gives the speakers of a corpus their clips.

    Args:
        settings: which voices there are.
        seed: of blends, voices and speeds.

    Attributes:
        train_voices: user voices of all sets but the test sets, blends included.
        test_voices: user voices of the test sets.
    """

    def __init__(self, settings: SpeechSettings, seed: int) -> None:
        self.settings = settings
        self.seed = seed
        self.train_voices: list[str] = []
        self.test_voices: list[str] = []
        self._users: dict[str, UserVoices] = {}
        for users in settings.user:
            blends = draw_blends(users.train_voices, users.num_blends, seed)
            train = list(dict.fromkeys([*users.train_voices, *blends]))
            self.train_voices += train
            self.test_voices += users.test_voices
            self._users |= dict.fromkeys([*train, *users.test_voices], users)

    def user_voice(self, conversation: TextConversation) -> str:
        """The conversation's own voice, or one drawn from its seed and id.

        Raises:
            ValueError: the settings do not have its voice, or none for its set.
        """
        if conversation.voice:
            if conversation.voice not in self._users:
                raise ValueError(
                    f"{conversation.where}: the voice {conversation.voice!r} is not "
                    "among the user voices; name it in the corpus YAML, under "
                    "speech.user."
                )
            return conversation.voice
        is_test = conversation.set.startswith("test")
        voices = self.test_voices if is_test else self.train_voices
        if not voices:
            raise ValueError(
                f"{conversation.where}: there are no user voices for the set "
                f"{conversation.set}; name some in the corpus YAML, under speech.user."
            )
        return random.Random(f"{self.seed}/voice/{conversation.id}").choice(voices)

    def engine_of(self, voice: str) -> str:
        """Engine of a user voice."""
        return self._users[voice].engine

    def user_clip(self, voice: str, text: str) -> Clip:
        """A user's clip at a speed that depends on seed, voice and text only."""
        users = self._users[voice]
        content = hashlib.sha1(f"{self.seed}|{voice}|{text}".encode()).digest()
        share = int.from_bytes(content[:4], "big") / 2**32
        low, high = users.speed_range
        speed = round(low + (high - low) * share, 3)
        version = self.settings.engines[users.engine].version
        rate = self.settings.user_rate
        return make_clip(
            "user", users.engine, voice, speed, text, rate, engine_version=version
        )

    def agent_clip(self, text: str, take: int = 0) -> Clip:
        """The agent's clip of a text; another take is another reading."""
        agent, rate = self.settings.agent, self.settings.agent_rate
        version = self.settings.engines[agent.engine].version
        return make_clip(
            "agent", agent.engine, agent.voice, 1.0, text, rate, take, version
        )

    def check_voices(self, engines: dict[str, Engine]) -> None:
        """All voices exist.

        Raises:
            ValueError: names the engine and the voice that it has not.
        """
        agent = self.settings.agent
        used = {voice: users.engine for voice, users in self._users.items()}
        for voice, engine in [*used.items(), (agent.voice, agent.engine)]:
            try:
                engines[engine].check_voice(voice)
            except ValueError as problem:
                where = self.settings.engines[engine].where
                raise ValueError(f"{where}: {problem}.") from problem


def build_engines(
    settings: SpeechSettings, names: Iterable[str], downloads: Path
) -> dict[str, Engine]:
    """The engines of these names, not yet prepared.

    Raises:
        ValueError: one cannot be built from its settings.
    """
    engines = {}
    for name in sorted(set(names)):
        if name not in settings.engines:
            raise ValueError(
                f"clips want the engine {name}, but the corpus YAML has only "
                f"{', '.join(settings.engines)}; give --config the YAML of the plan."
            )
        engine = settings.engines[name]
        engines[name] = build_engine(
            engine.where, engine.kind, engine.options, downloads
        )
    return engines
