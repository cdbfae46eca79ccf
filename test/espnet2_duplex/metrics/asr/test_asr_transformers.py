"""Pipelines and Parakeet with random weights: their words are those of the text."""

import numpy as np
import pytest
import torch
from tiny_recognisers import (
    make_parakeet_ctc,
    make_parakeet_tdt,
    make_wav2vec2,
    make_whisper,
)
from transformers import pipeline

from espnet2_duplex.metrics.asr.hugging_face import PipelineTranscriber
from espnet2_duplex.metrics.asr.interface import AsrOptions, make_transcriber
from espnet2_duplex.metrics.asr.parakeet import words_of
from espnet2_duplex.words import Word

MAKERS = {
    "wav2vec2": make_wav2vec2,
    "parakeet_ctc": make_parakeet_ctc,
    "parakeet_tdt": make_parakeet_tdt,
    "whisper": make_whisper,
}
LENGTHS = (16000, 8000, 40000)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("recognisers")
    return {name: str(make(root / name)) for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    return [rng.standard_normal(n).astype(np.float32) for n in LENGTHS]


def transcribe(folder, clips, **options):
    return make_transcriber(AsrOptions(folder, "transformers", **options))(clips)


@pytest.mark.parametrize("kind", MAKERS)
def test_words_lie_inside_the_clip_in_order(folders, clips, kind):
    transcripts = transcribe(folders[kind], clips, with_words=True)
    assert len(transcripts) == len(clips)
    for transcript, num_samples in zip(transcripts, LENGTHS):
        times = [time for word in transcript.words for time in (word.start, word.end)]
        assert times and times == sorted(times)
        assert 0 <= times[0] and times[-1] <= num_samples / 16000
        assert all(type(time) is float for time in times)


@pytest.mark.parametrize("kind", MAKERS)
def test_words_are_those_of_the_text(folders, clips, kind):
    for transcript in transcribe(folders[kind], clips, with_words=True):
        assert [word.text for word in transcript.words] == transcript.text.split()


@pytest.mark.parametrize("kind", MAKERS)
def test_text_comes_without_words_unless_they_are_asked_for(folders, clips, kind):
    for transcript in transcribe(folders[kind], clips[:2]):
        assert transcript.text and transcript.words == ()


@pytest.mark.parametrize("kind", ["parakeet_ctc", "parakeet_tdt"])
def test_neighbours_in_a_batch_change_nothing(folders, clips, kind):
    together = transcribe(folders[kind], clips, with_words=True)
    alone = transcribe(folders[kind], clips, with_words=True, batch_size=1)
    assert together == alone


def test_no_clips_give_no_transcripts(folders):
    assert transcribe(folders["wav2vec2"], []) == []
    assert transcribe(folders["parakeet_ctc"], []) == []


def test_ctc_tokens_last_as_long_as_they_are_the_best(folders, monkeypatch):
    options = AsrOptions(folders["parakeet_ctc"], "transformers", with_words=True)
    transcriber = make_transcriber(options)
    blank, a, b, c = 4, 1, 2, 3
    path = torch.tensor([[blank, a, a, blank, b, blank, c, c, c, blank, b, b]])
    monkeypatch.setattr(
        transcriber._model,
        "generate",
        lambda **inputs: type("Output", (), {"sequences": path}),
    )
    (transcript,) = transcriber([np.zeros(16000, np.float32)])
    assert transcript.text == "ab cb"
    # 80 ms frames
    spans = [(word.text, word.start, word.end) for word in transcript.words]
    assert spans == [
        ("ab", pytest.approx(0.08), pytest.approx(0.4)),
        ("cb", pytest.approx(0.48), pytest.approx(0.96)),
    ]


def test_pieces_without_a_blank_continue_the_word():
    tokens = [("Hel", 0.0, 0.1), ("lo", 0.1, 0.2), (" you", 0.5, 0.6), ("!", 0.6, 0.6)]
    assert words_of(tokens) == (Word("Hello", 0.0, 0.2), Word("you!", 0.5, 0.6))


def test_model_without_word_times_is_refused_when_words_are_asked_for(folders):
    recogniser = pipeline("automatic-speech-recognition", folders["wav2vec2"])
    recogniser.type = "seq2seq"
    options = AsrOptions("some model", "transformers", with_words=True)
    with pytest.raises(ValueError, match="Wav2Vec2ForCTC, gives no word times"):
        PipelineTranscriber(recogniser, options)
