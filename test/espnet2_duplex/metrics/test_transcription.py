"""Clips, the cache of transcripts, and what makes it invalid; no recogniser runs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.transcription import (
    Utterance,
    WhisperOptions,
    WhisperTranscriber,
    cut_clip,
    transcribe,
)

OPTIONS = WhisperOptions(model="tiny.en")
SEGMENTS = {"a": (Segment(0.5, 1.0),), "b": (), "c": (Segment(0.1, 0.2),)}
CLIPS = [np.ones(3, dtype=np.float32), np.zeros(2, dtype=np.float32)]


class CountingTranscriber:
    """Says how long a clip is, and counts how often it was asked."""

    calls = 0

    def __init__(self, options):
        type(self).calls += 1

    def __call__(self, clips):
        return [f"{len(clip)} samples" for clip in clips]


@pytest.fixture
def transcriber():
    return type("Fresh", (CountingTranscriber,), {"calls": 0})


def run(transcriber, path, segments=SEGMENTS, clips=CLIPS, options=OPTIONS):
    return transcribe(segments, clips, options, path / "t.json", transcriber)


def test_texts_come_back_to_their_segments(transcriber, tmp_path):
    assert run(transcriber, tmp_path) == {
        "a": (Utterance(0.5, 1.0, "3 samples"),),
        "b": (),
        "c": (Utterance(0.1, 0.2, "2 samples"),),
    }
    assert not list(tmp_path.glob("*.tmp"))


def test_second_run_reads_the_cache(transcriber, tmp_path):
    first = run(transcriber, tmp_path)
    content = (tmp_path / "t.json").read_bytes()
    assert run(transcriber, tmp_path) == first
    assert (tmp_path / "t.json").read_bytes() == content
    assert transcriber.calls == 1


def test_other_audio_segments_or_model_are_transcribed_anew(transcriber, tmp_path):
    run(transcriber, tmp_path)
    run(transcriber, tmp_path, clips=[CLIPS[0] / 2, CLIPS[1]])
    run(transcriber, tmp_path, segments={**SEGMENTS, "c": (Segment(0.1, 0.3),)})
    run(transcriber, tmp_path, options=replace(OPTIONS, model="base.en"))
    assert transcriber.calls == 4


def test_number_of_workers_does_not_discard_the_cache(transcriber, tmp_path):
    run(transcriber, tmp_path)
    run(transcriber, tmp_path, options=replace(OPTIONS, num_workers=4))
    assert transcriber.calls == 1


def test_silent_agent_needs_no_recogniser(transcriber, tmp_path):
    assert run(transcriber, tmp_path, segments={"a": ()}, clips=[]) == {"a": ()}
    assert transcriber.calls == 0


def test_damaged_cache_is_named(transcriber, tmp_path):
    (tmp_path / "t.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match="t.json is damaged .* delete it"):
        run(transcriber, tmp_path)
    (tmp_path / "t.json").write_text(json.dumps(["digest"]), encoding="utf-8")
    with pytest.raises(ValueError, match="t.json is damaged"):
        run(transcriber, tmp_path)


def test_clip_has_a_margin_inside_the_recording():
    speech = np.arange(16000, dtype=np.float32)
    clip = cut_clip(speech, Segment(0.05, 0.5))
    assert (clip[0], len(clip)) == (0, 9600)
    clip = cut_clip(speech, Segment(0.5, 1.0))
    assert (clip[0], clip[-1]) == (6400, 15999)


def test_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no speech recogniser at .*--no_asr"):
        WhisperTranscriber(WhisperOptions(model=str(tmp_path)))
