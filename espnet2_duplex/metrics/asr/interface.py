"""Recognisers behind one interface: clips of speech become texts and words with times.

Two engines implement it, each in its own module and with its own packages:
faster-whisper (:mod:`~espnet2_duplex.metrics.asr.whisper`) and transformers
(:mod:`~espnet2_duplex.metrics.asr.hugging_face`, and
:mod:`~espnet2_duplex.metrics.asr.parakeet` for the paper's recogniser).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.words import Word

FULL_WINDOW_SECONDS = 30.0  # what Whisper was trained with
# Engine -> its package.
PACKAGES = {"faster_whisper": "faster-whisper", "transformers": "transformers"}
ENGINES = tuple(PACKAGES)
SPEED_OPTIONS = ("batch_size", "num_workers", "device")


@dataclass(frozen=True)
class AsrOptions:
    """Who transcribes, and how.

    Attributes:
        model: folder or hub name; of a CTranslate2 Whisper for "faster_whisper", of a
            CTC, Whisper or Parakeet model for "transformers".
        engine: one of ENGINES.
        window_seconds: of faster-whisper. Clips up to one second shorter are padded to
            this length only, longer ones to Whisper's own 30 s. The encoder's time
            grows with it; in 10 s Whisper says some short sentences twice.
        batch_size: clips per call.
        num_workers: calls of faster-whisper at a time. Each has one thread: sums over
            several threads would round differently on every machine and change a word
            here and there.
        device: "cpu", "cuda" or "cuda:<number>".
        with_words: whether words get times, which costs more time.

    Raises:
        ValueError: the engine is unknown, the window is not of 2 to 30 s, or a number
            of clips or workers is below 1.
    """

    model: str
    engine: str = "faster_whisper"
    window_seconds: float = 15.0
    batch_size: int = 16
    num_workers: int = 2
    device: str = "cpu"
    with_words: bool = False

    def __post_init__(self) -> None:
        if self.engine not in ENGINES:
            raise ValueError(
                f"the ASR engine is {self.engine!r}; expected one of "
                f"{', '.join(ENGINES)}"
            )
        if not 2 <= self.window_seconds <= FULL_WINDOW_SECONDS:
            raise ValueError(
                f"the ASR window is {self.window_seconds} s; expected 2 to "
                f"{FULL_WINDOW_SECONDS:g} s, the most that Whisper takes"
            )
        for name in ("batch_size", "num_workers"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"{name} of the ASR is {getattr(self, name)}; expected 1 or more"
                )

    def definition(self) -> dict:
        """What the transcripts depend on: all but what only changes the speed."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in SPEED_OPTIONS
        }


@dataclass(frozen=True)
class Transcript:
    """What is said in a clip.

    Attributes:
        text: as the recogniser writes it, "" where it hears nothing.
        words: their times are seconds since the beginning of the clip; empty unless
            they were asked for.
    """

    text: str
    words: tuple[Word, ...] = ()


# Clips (S,) float32 at 16 kHz -> one transcript each.
Transcriber = Callable[[Sequence[np.ndarray]], list[Transcript]]


def make_transcriber(options: AsrOptions) -> Transcriber:
    """The recogniser of these options.

    Raises:
        ValueError: there is no such model, its engine is not installed, or it gives no
            words although they are asked for.
    """
    # Imported here: each engine needs packages that the other does without.
    try:
        if options.engine == "transformers":
            from espnet2_duplex.metrics.asr.hugging_face import make_transformers

            return make_transformers(options)
        from espnet2_duplex.metrics.asr.whisper import FasterWhisperTranscriber

        return FasterWhisperTranscriber(options)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the ASR engine {options.engine!r} needs the package {error.name!r}, "
            "which is not installed; install the extra [score], or give --no_asr"
        ) from error


def text_transcriber(
    options: AsrOptions,
) -> Callable[[Sequence[np.ndarray]], list[str]]:
    """As `make_transcriber`, for those who need no word times: clips -> texts."""
    transcribe = make_transcriber(replace(options, with_words=False))
    return lambda clips: [transcript.text for transcript in transcribe(clips)]


def no_recogniser(options: AsrOptions, error: Exception) -> ValueError:
    """What to tell who named a model that cannot be loaded.

    Args:
        options: that name it.
        error: of the library.
    """
    reason = str(error).strip().split("\n")[0]
    kind = {
        "faster_whisper": "a CTranslate2 Whisper or a name that faster-whisper knows",
        "transformers": "a CTC, Whisper or Parakeet model or its name on the hub",
    }[options.engine]
    return ValueError(
        f"no speech recogniser at {options.model!r} ({reason}); give --asr_model a "
        f"folder with {kind}, or --no_asr"
    )


@dataclass(frozen=True)
class Piece:
    """A part of a clip that fits into Whisper's window.

    Attributes:
        clip: index of its clip.
        offset: seconds of the clip before it.
        samples: (S,) float32 at 16 kHz.
    """

    clip: int
    offset: float
    samples: np.ndarray

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.samples) / SAMPLE_RATE


def pieces_of(clips: Sequence[np.ndarray]) -> list[Piece]:
    """Clips (S,) at 16 kHz in pieces of at most 30 s, in their order."""
    size = round(FULL_WINDOW_SECONDS * SAMPLE_RATE)
    return [
        Piece(number, begin / SAMPLE_RATE, clip[begin : begin + size])
        for number, clip in enumerate(clips)
        for begin in range(0, len(clip), size)
    ]


def join_pieces(
    pieces: Sequence[Piece], transcripts: Sequence[Transcript], num_clips: int
) -> list[Transcript]:
    """Transcripts of clips from those of their pieces, in the same order.

    Words end with their piece at the latest: recognisers place the last one up to a
    frame later.
    """
    texts: list[list[str]] = [[] for _ in range(num_clips)]
    words: list[list[Word]] = [[] for _ in range(num_clips)]
    for piece, transcript in zip(pieces, transcripts, strict=True):
        texts[piece.clip].append(transcript.text.strip())
        for word in transcript.words:
            start, end = (min(time, piece.seconds) for time in (word.start, word.end))
            moved = Word(word.text, piece.offset + start, piece.offset + end)
            words[piece.clip].append(moved)
    return [
        Transcript(" ".join(text for text in found if text), tuple(own))
        for found, own in zip(texts, words)
    ]
