"""Recognisers of transformers, from a folder or the hub.

Parakeet has a module of its own, because the pipeline gives none of its word times and
decodes what it hears in the padding of a batch.
"""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import AutoConfig, AutomaticSpeechRecognitionPipeline, pipeline

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.asr.interface import (
    AsrOptions,
    Piece,
    Transcriber,
    Transcript,
    join_pieces,
    no_recogniser,
    pieces_of,
)
from espnet2_duplex.metrics.asr.parakeet import PARAKEET_TYPES, ParakeetTranscriber
from espnet2_duplex.words import Word


def make_transformers(options: AsrOptions) -> Transcriber:
    """The recogniser for a model of transformers, whatever its kind.

    Raises:
        ValueError: there is no such model, or words are asked for and it gives none.
    """
    try:
        if AutoConfig.from_pretrained(options.model).model_type in PARAKEET_TYPES:
            return ParakeetTranscriber(options)
        recogniser = pipeline(
            "automatic-speech-recognition", options.model, device=options.device
        )
    except (OSError, ValueError, KeyError) as error:
        raise no_recogniser(options, error) from error
    return PipelineTranscriber(recogniser, options)


class PipelineTranscriber:
    """Greedy decoding with the pipeline "automatic-speech-recognition".

    Words come from the path of a CTC model or from the cross-attention of a Whisper;
    other models give none.

    Raises:
        ValueError: words are asked for and the model gives none.
    """

    def __init__(
        self, recogniser: AutomaticSpeechRecognitionPipeline, options: AsrOptions
    ) -> None:
        self._recogniser = recogniser
        self._call_options: dict = {"batch_size": options.batch_size}
        if options.with_words:
            _check_words(recogniser, options)
            self._call_options["return_timestamps"] = "word"
        if recogniser.type.startswith("seq2seq"):
            _be_greedy_in_english(recogniser)

    def __call__(self, clips: Sequence[np.ndarray]) -> list[Transcript]:
        """Transcribe clips (S,) float32 at 16 kHz; what is longer than 30 s is cut."""
        pieces = pieces_of(clips)
        # Clips of one batch are padded to the longest.
        order = sorted(range(len(pieces)), key=lambda n: -len(pieces[n].samples))
        inputs = (
            {"raw": pieces[n].samples, "sampling_rate": SAMPLE_RATE} for n in order
        )
        with torch.inference_mode():
            outputs = list(self._recogniser(inputs, **self._call_options))
        found = {
            n: self._transcript(pieces[n], output) for n, output in zip(order, outputs)
        }
        transcripts = [found[n] for n in range(len(pieces))]
        return join_pieces(pieces, transcripts, len(clips))

    def _transcript(self, piece: Piece, output: dict) -> Transcript:
        words = []
        for chunk in output.get("chunks", ()):
            start, end = chunk["timestamp"]
            # Whisper leaves the end of the last word open where the clip ends first.
            end = piece.seconds if end is None else end
            if chunk["text"].strip():
                end = float(max(start, end))
                words.append(Word(chunk["text"].strip(), float(start), end))
        return Transcript(output["text"].strip(), tuple(words))


def _be_greedy_in_english(recogniser: AutomaticSpeechRecognitionPipeline) -> None:
    config = recogniser.generation_config  # the pipeline's own copy
    config.num_beams = 1
    if getattr(config, "is_multilingual", False):
        config.language, config.task = "en", "transcribe"


def _check_words(
    recogniser: AutomaticSpeechRecognitionPipeline, options: AsrOptions
) -> None:
    gives_words = recogniser.type in ("seq2seq_whisper", "ctc_with_lm") or (
        recogniser.type == "ctc" and hasattr(recogniser.tokenizer, "_get_word_offsets")
    )
    if not gives_words:
        kind = type(recogniser.model).__name__
        raise ValueError(
            f"the recogniser {options.model!r}, a {kind}, gives no word times; take "
            "another model or do without words"
        )
