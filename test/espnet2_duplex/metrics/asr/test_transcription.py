"""Clips, words on the recording's clock, and the cache; no recogniser runs."""

import json
from dataclasses import replace

import numpy as np
import pytest

from espnet2_duplex.metrics.activity import Segment
from espnet2_duplex.metrics.asr import cache, transcription
from espnet2_duplex.metrics.asr.interface import AsrOptions, Transcript
from espnet2_duplex.metrics.asr.transcription import cut_clip, transcribe
from espnet2_duplex.words import Word

OPTIONS = AsrOptions(model="tiny.en")
SEGMENTS = {"a": (Segment(0.5, 1.0),), "b": (), "c": (Segment(0.05, 0.2),)}
CLIPS = [[np.ones(3, np.float32)], [], [np.zeros(2, np.float32)]]


class CountingTranscriber:
    """Says how long a clip is, and remembers how many it was given at a time."""

    def __init__(self):
        self.calls = []
        self.num_made = 0

    def __call__(self, options):
        self.num_made += 1
        return self.transcribe

    def transcribe(self, clips):
        self.calls.append(len(clips))
        words = (Word("so", 0.0, 0.3), Word("long", 0.3, 2.0))
        return [Transcript(f"{len(clip)} samples", words) for clip in clips]


@pytest.fixture
def recogniser():
    return CountingTranscriber()


def run(recogniser, path, segments=SEGMENTS, clips=CLIPS, options=OPTIONS):
    return transcribe(segments, iter(clips), options, path / "t.jsonl", recogniser)


def test_texts_come_back_to_their_segments(recogniser, tmp_path):
    found = run(recogniser, tmp_path)
    assert list(found) == ["a", "b", "c"]
    assert found["b"] == ()
    (first,), (last,) = found["a"], found["c"]
    assert (first.start, first.end, first.text) == (0.5, 1.0, "3 samples")
    assert (last.start, last.end, last.text) == (0.05, 0.2, "2 samples")
    assert not list(tmp_path.glob("*.tmp"))


def test_words_are_on_the_clock_of_the_recording_and_inside_the_segment(
    recogniser, tmp_path
):
    found = run(recogniser, tmp_path)
    # A clip begins 0.1 s before its segment, or with the recording.
    assert found["a"][0].words == (Word("so", 0.5, 0.7), Word("long", 0.7, 1.0))
    assert found["c"][0].words == (Word("so", 0.05, 0.2), Word("long", 0.2, 0.2))


def test_second_run_reads_the_cache(recogniser, tmp_path):
    first = run(recogniser, tmp_path)
    content = (tmp_path / "t.jsonl").read_bytes()
    assert run(recogniser, tmp_path) == first
    assert (tmp_path / "t.jsonl").read_bytes() == content
    assert recogniser.num_made == 1


def test_only_what_changed_is_transcribed_anew(recogniser, tmp_path):
    run(recogniser, tmp_path)
    assert recogniser.calls == [2]
    run(recogniser, tmp_path, clips=[[CLIPS[0][0] / 2], *CLIPS[1:]])
    assert recogniser.calls == [2, 1]
    run(recogniser, tmp_path, segments={**SEGMENTS, "c": (Segment(0.1, 0.3),)})
    assert recogniser.calls == [2, 1, 2]  # "a" is as it was at first
    run(recogniser, tmp_path, options=replace(OPTIONS, model="base.en"))
    assert recogniser.calls == [2, 1, 2, 2]


@pytest.mark.parametrize(
    "speed", [{"num_workers": 4}, {"batch_size": 1}, {"device": "cuda:1"}]
)
def test_speed_does_not_discard_the_cache(recogniser, tmp_path, speed):
    run(recogniser, tmp_path)
    run(recogniser, tmp_path, options=replace(OPTIONS, **speed))
    assert recogniser.num_made == 1


def test_another_version_of_the_engine_transcribes_anew(
    recogniser, tmp_path, monkeypatch
):
    run(recogniser, tmp_path)
    monkeypatch.setattr(cache, "versions_of", lambda names: dict.fromkeys(names, "99"))
    run(recogniser, tmp_path)
    assert recogniser.calls == [2, 2]


def test_silent_agent_needs_no_recogniser(recogniser, tmp_path):
    assert run(recogniser, tmp_path, {"a": ()}, [[]]) == {"a": ()}
    assert recogniser.num_made == 0


def test_conversations_are_read_group_by_group(recogniser, tmp_path, monkeypatch):
    monkeypatch.setattr(transcription, "GROUP_SECONDS", 1.0)
    clip = np.zeros(8000, np.float32)  # two of them fill a group
    in_memory = []

    def clips():
        for number in range(5):
            in_memory.append(number + 1 - sum(recogniser.calls))
            yield [clip + number]

    segments = {str(number): (Segment(0, 0.5),) for number in range(5)}
    transcribe(segments, clips(), OPTIONS, tmp_path / "t.jsonl", recogniser)
    assert recogniser.calls == [2, 2, 1]
    assert max(in_memory) == 2


def test_stopped_run_goes_on(recogniser, tmp_path, monkeypatch):
    monkeypatch.setattr(transcription, "GROUP_SECONDS", 0.0)

    def broken():
        yield CLIPS[0]
        yield CLIPS[1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recogniser, tmp_path, clips=broken())
    run(recogniser, tmp_path)
    assert recogniser.calls == [1, 1]


def test_conversations_of_another_set_leave_the_cache(recogniser, tmp_path):
    run(recogniser, tmp_path)
    run(recogniser, tmp_path, {"a": SEGMENTS["a"]}, CLIPS[:1])
    (line,) = (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert row["id"] == "a"
    assert row["utterances"][0] == {
        "start": 0.5,
        "end": 1.0,
        "text": "3 samples",
        "words": [
            {"text": "so", "start": 0.5, "end": 0.7},
            {"text": "long", "start": 0.7, "end": 1.0},
        ],
    }


@pytest.mark.parametrize(
    "content", ["{", '{"id": "a"}', '{"id": "a", "digest": "", "utterances": [{}]}']
)
def test_damaged_cache_is_named(recogniser, tmp_path, content):
    (tmp_path / "t.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="t.jsonl is damaged .* delete it"):
        run(recogniser, tmp_path)


def test_missing_clips_are_noticed(recogniser, tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        run(recogniser, tmp_path, clips=CLIPS[:2])


def test_clip_has_a_margin_inside_the_recording():
    speech = np.arange(16000, dtype=np.float32)
    clip = cut_clip(speech, Segment(0.05, 0.5))
    assert (clip[0], len(clip)) == (0, 9600)
    clip = cut_clip(speech, Segment(0.5, 1.0))
    assert (clip[0], clip[-1]) == (6400, 15999)
