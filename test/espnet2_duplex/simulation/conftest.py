"""Scripts with real sounds on disk."""

import numpy as np
import pytest

from espnet2_duplex.simulation.script import Script, SpokenTurn
from espnet2_duplex.sound_files import write_wav

RATES = {"user": 16000, "agent": 22050}


@pytest.fixture(scope="session")
def speak(tmp_path_factory):
    """Make a spoken turn: noise with a silence of 60 ms in its middle."""
    folder = tmp_path_factory.mktemp("clips")

    def make(role, text, seconds):
        path = folder / f"{role}_{text}_{seconds}.wav"
        rate = RATES[role]
        if not path.exists():
            noise = np.random.default_rng(len(text)).uniform(
                0.05, 0.2, round(seconds * rate)
            )
            middle = len(noise) // 2
            noise[middle - round(0.06 * rate) : middle + round(0.06 * rate)] = 0
            write_wav(path, noise, rate)
        return SpokenTurn(role, text, str(path), round(seconds * rate) / rate)

    return make


@pytest.fixture(scope="session")
def scripts(speak):
    """Single exchanges and one dialogue of two speakers, some with two user parts."""
    found = []
    for speaker in ("ann", "bob"):
        for n in range(5):
            question = speak("user", f"question {n}", 0.9 + 0.11 * n)
            answer = speak("agent", f"answer {n}", 1.3 + 0.7 * n)
            found.append(Script(f"{speaker}_{n}", "qa", speaker, (question, answer)))
        context = speak("user", "context", 1.5)
        turns = (context, speak("user", "what", 0.7), speak("agent", "that", 2.0))
        found.append(Script(f"{speaker}_parts", "asr_qa", speaker, turns))
        dialogue = tuple(
            speak(role, f"{role} says {n}", 0.8 + 0.37 * n)
            for n in range(3)
            for role in ("user", "agent")
        )
        found.append(Script(f"{speaker}_talk", "chitchat", speaker, dialogue))
    return found
