"""Lines of conversations.jsonl and decoded folders for tests, made by hand."""

import numpy as np
import soundfile

RATE = 16000


def turn(role, start, end, text):
    return {"role": role, "start": start, "end": end, "text": text}


def barge_in(onset, stop, *, in_time=True, stopped=True, user_turn=1):
    return {
        "user_turn": user_turn,
        "onset": onset,
        "stop": stop,
        "latency": stop - onset,
        "in_time": in_time,
        "stopped": stopped,
        "natural_end": False,
    }


def response(latency, user_turn=0, start=2.0):
    return {"user_turn": user_turn, "start": start, "latency": latency}


def answer(written, spoken="", reference="It is Lima.", gpt_score=None, **others):
    return {
        "user_turn": 0,
        "reference": reference,
        "whole_reference": reference,
        "written": written,
        "spoken": spoken,
        "is_cut": False,
        "is_interrupted": False,
        "gpt_score": gpt_score,
        **others,
    }


def conversation(name, **others):
    """Eight seconds in which nothing is wrong, unless `others` say so."""
    return {
        "id": name,
        "duration": 8.0,
        "user_turns": [
            turn("user", 0.5, 1.5, "What is the capital of Peru?"),
            turn("user", 3.5, 4.5, "And what is two times two?"),
        ],
        "reference_turns": [turn("agent", 2.14, 4.14, "It is Lima.")],
        "written_turns": [
            turn("agent", 2.14, 4.14, "It is Lima."),
            turn("agent", 5.14, 6.14, "Four."),
        ],
        "events": [],
        "utterances": [
            {"start": 2.22, "end": 4.14, "text": "it is Lima", "words": []},
            {"start": 5.22, "end": 6.14, "text": "Four!", "words": []},
        ],
        "barge_ins": [],
        "false_alarms": [],
        "responses": [],
        "answered": [],
        "unanswered": [],
        "reactions": [],
        "answers": [],
        "speech": {"dnsmos_overall": 3.1, "utmos": None},
        "problem": None,
        **others,
    }


def broken(name, problem):
    """A conversation that could not be scored."""
    lists = ("user_turns", "reference_turns", "written_turns", "events", "utterances")
    lists += ("barge_ins", "false_alarms", "responses", "answered", "unanswered")
    empty = {key: [] for key in (*lists, "reactions", "answers")}
    return conversation(name, **empty, speech=None, duration=0.0, problem=problem)


def write_sound(folder, fields):
    """input.wav and output.wav of a conversation: tones where somebody speaks."""
    folder = folder / fields["id"]
    folder.mkdir(parents=True)
    for name, spans in (
        ("input", fields["user_turns"]),
        ("output", fields["utterances"]),
    ):
        speech = np.zeros(round(fields["duration"] * RATE), np.float32)
        for span in spans:
            part = slice(round(span["start"] * RATE), round(span["end"] * RATE))
            speech[part] = 0.1 * np.sin(np.arange(part.stop - part.start) * 0.3)
        soundfile.write(folder / f"{name}.wav", speech, RATE)
