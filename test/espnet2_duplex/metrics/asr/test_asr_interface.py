"""Options, and how clips become pieces and transcripts again."""

import sys

import numpy as np
import pytest

from espnet2_duplex.metrics.asr.interface import (
    AsrOptions,
    Transcript,
    join_pieces,
    make_transcriber,
    pieces_of,
)
from espnet2_duplex.words import Word

RATE = 16000


@pytest.mark.parametrize(
    "options, message",
    [
        ({"engine": "ears"}, "'ears'; expected one of faster_whisper, transformers"),
        ({"window_seconds": 31.0}, "31.0 s; expected 2 to 30 s"),
        ({"window_seconds": 0.5}, "expected 2 to 30 s"),
        ({"window_seconds": float("nan")}, "the ASR window is nan s"),
        ({"batch_size": 0}, "batch_size of the ASR is 0; expected 1 or more"),
        ({"num_workers": 0}, "num_workers of the ASR is 0; expected 1 or more"),
    ],
)
def test_invalid_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        AsrOptions("tiny", **options)


@pytest.mark.parametrize("engine", ["faster_whisper", "transformers"])
def test_folder_without_a_model_is_refused(tmp_path, engine):
    with pytest.raises(ValueError, match="no speech recogniser at .*--no_asr"):
        make_transcriber(AsrOptions(str(tmp_path), engine))


def test_missing_package_is_named(tmp_path, monkeypatch):
    module = "espnet2_duplex.metrics.asr.whisper"
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ValueError, match="needs the package 'faster_whisper'"):
        make_transcriber(AsrOptions("tiny"))


def test_long_clips_are_cut_at_thirty_seconds():
    clips = [np.zeros(RATE), np.zeros(0), np.zeros(70 * RATE)]
    pieces = pieces_of(clips)
    assert [piece.clip for piece in pieces] == [0, 2, 2, 2]
    assert [piece.offset for piece in pieces] == [0, 0, 30, 60]
    assert [piece.seconds for piece in pieces] == [1, 30, 30, 10]


def test_transcripts_of_pieces_become_those_of_clips():
    pieces = pieces_of([np.zeros(31 * RATE), np.zeros(0), np.zeros(RATE)])
    found = join_pieces(
        pieces,
        [
            Transcript("one ", (Word("one", 29.0, 30.04),)),
            Transcript("two", (Word("two", 0.5, 0.9),)),
            Transcript(""),
        ],
        num_clips=3,
    )
    words = (Word("one", 29.0, 30.0), Word("two", 30.5, 30.9))
    assert found == [Transcript("one two", words), Transcript(""), Transcript("")]
