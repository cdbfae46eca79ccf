"""Decoded sets on disk for tests, with tones for speech, and how to score them."""

import json

import numpy as np
import soundfile

from espnet2_duplex.conversation import Turn, turns_to_json
from espnet2_duplex.data_folder import write_table
from espnet2_duplex.jsonl import read_jsonl

RATE = 16000
DURATION = 8.0
ANSWER = "The capital of Peru is Lima."
# The user asks, is answered 0.64 s later, and barges in; the agent is cut.
TURNS = (
    Turn("user", 0.5, 1.5, "What is the capital of Peru?"),
    Turn("agent", 2.14, 4.14, ANSWER),
    Turn("user", 3.5, 4.5, "And what is two times two?"),
    Turn("agent", 5.14, 6.14, "Four."),
)
AGENT_SPANS = ((2.22, 4.14), (5.22, 6.14))  # 80 ms into its turns


def tones(spans):
    speech = np.zeros(round(DURATION * RATE), dtype=np.float32)
    for start, end in spans:
        span = slice(round(start * RATE), round(end * RATE))
        speech[span] = 0.1 * np.sin(np.arange(span.stop - span.start) * 0.3)
    return speech


def write_set(root, name, num_conversations=2, agent_spans=AGENT_SPANS):
    data, decoded = root / "data" / name, root / "decode" / name
    ids = [f"{name}_{number}" for number in range(num_conversations)]
    for id in ids:
        folder = decoded / id
        folder.mkdir(parents=True)
        user = tones((turn.start, turn.end) for turn in TURNS if turn.role == "user")
        soundfile.write(folder / "input.wav", user, RATE)
        soundfile.write(folder / "output.wav", tones(agent_spans), RATE)
        turns = [turn.to_dict() for turn in TURNS if turn.role == "agent"]
        content = {"turns": turns, "latency": 0.08}
        (folder / "output.json").write_text(json.dumps(content))
    write_table(data / "turns", {id: turns_to_json(TURNS) for id in ids})


class OneScore:
    """Instead of networks that would have to be loaded in every test."""

    def __init__(self, options):
        self.options = options

    def __call__(self, speech, segments):
        return {"dnsmos_overall": 3.0 if segments else None}


def command(root, *sets, options=("--no_asr",)):
    return [
        *("--decode_dir", str(root / "decode"), "--data_dir", str(root / "data")),
        *("--vad", "energy", *options),
        *("--judge_cache", str(root / "judge_cache")),
        *("--sets", *sets),
    ]


def read_results(root, name="test_a"):
    return json.loads((root / "decode" / name / "results.json").read_text())


def rows_of(root, name="test_a"):
    return read_jsonl(root / "decode" / name / "conversations.jsonl")
