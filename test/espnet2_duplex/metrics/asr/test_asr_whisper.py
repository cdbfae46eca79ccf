"""faster-whisper with random weights, and when it decodes a clip again."""

import numpy as np
import pytest
from ctranslate2.converters import TransformersConverter
from tiny_recognisers import make_whisper

from espnet2_duplex.metrics.asr.interface import (
    AsrOptions,
    Transcript,
    make_transcriber,
)

LENGTHS = (16000, 160, 0, 40000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("whisper")
    converter = TransformersConverter(
        str(make_whisper(root / "transformers")), copy_files=["tokenizer.json"]
    )
    return converter.convert(str(root / "ctranslate2"))


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(n).astype(np.float32) for n in LENGTHS]


def test_words_are_those_of_the_text_and_lie_inside_the_clip(folder, clips):
    transcripts = make_transcriber(AsrOptions(folder, with_words=True))(clips)
    assert len(transcripts) == len(clips)
    assert transcripts[2] == Transcript("")
    for transcript, num_samples in zip(transcripts, LENGTHS):
        assert [word.text for word in transcript.words] == transcript.text.split()
        times = [time for word in transcript.words for time in (word.start, word.end)]
        assert times == sorted(times)
        assert all(0 <= time <= num_samples / 16000 for time in times)


def test_text_is_the_same_without_words_and_with_other_workers(folder, clips):
    with_words = make_transcriber(AsrOptions(folder, with_words=True))(clips)
    alone = make_transcriber(AsrOptions(folder, batch_size=1, num_workers=1))(clips)
    assert [t.text for t in alone] == [t.text for t in with_words]
    assert all(t.words == () for t in alone)
    assert alone[0].text


@pytest.fixture
def windows(folder, monkeypatch):
    """A transcriber that tells in which window it decoded; 10 s windows loop."""
    transcriber = make_transcriber(AsrOptions(folder, window_seconds=10.0))

    def decode(pieces, window_seconds):
        text = "again " * 50 if window_seconds == 10 else f"{window_seconds:g}"
        return [Transcript(text if p.samples.any() else "quiet") for p in pieces]

    monkeypatch.setattr(transcriber, "_decode", decode)
    return transcriber


def test_loops_and_long_clips_get_the_full_window(windows):
    quiet, loud = np.zeros(16000, np.float32), np.ones(16000, np.float32)
    clips = [quiet, loud, np.tile(quiet, 9), np.tile(loud, 10), np.tile(loud, 31)]
    texts = [transcript.text for transcript in windows(clips)]
    # The last clip is cut; its second of a piece fits but loops.
    assert texts == ["quiet", "30", "quiet", "30", "30 30"]
