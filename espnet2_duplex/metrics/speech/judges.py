"""Which judges score the sentences of a codec, by name; none is made before its turn."""

from collections.abc import Callable
from dataclasses import dataclass

from espnet2_duplex.metrics.asr.interface import AsrOptions, make_transcriber
from espnet2_duplex.metrics.speech.quality import (
    DnsMos,
    Judge,
    LogMelDistance,
    Pesq,
    Sample,
    Scores,
    Stoi,
)
from espnet2_duplex.metrics.speech.speaker_similarity import (
    SpeakerSimilarity,
    ecapa2_encoder,
    ecapa_encoder,
    resemblyzer_encoder,
)
from espnet2_duplex.metrics.speech.squim import Squim

SPEAKER_ENCODERS = {
    "resemblyzer": resemblyzer_encoder,
    "ecapa": ecapa_encoder,
    "ecapa2": ecapa2_encoder,
}
MOS_CHOICES = ("dnsmos", "squim", "none")


@dataclass(frozen=True)
class JudgeOptions:
    """Who judges.

    Attributes:
        asr: the recogniser behind the character error rate; None for none.
        mos: "dnsmos", "squim" (with DNSMOS) or "none".
        speaker_encoder: a key of SPEAKER_ENCODERS.
        pesq: whether PESQ is measured; its package needs a C compiler.
    """

    asr: AsrOptions | None
    mos: str = "dnsmos"
    speaker_encoder: str = "resemblyzer"
    pesq: bool = True


class Transcript:
    """What a recogniser hears: `transcript`."""

    def __init__(self, options: AsrOptions) -> None:
        self._transcribe = make_transcriber(options)

    def __call__(self, sample: Sample) -> Scores:
        """Transcribe `speech`, alone: no sentence depends on its neighbours."""
        return {"transcript": self._transcribe([sample.speech])[0].text}


def judge_makers(options: JudgeOptions) -> dict[str, Callable[[], Judge]]:
    """Constructors by name; the name says everything that the scores depend on.

    Raises:
        ValueError: an option has an unknown value.
    """
    if options.mos not in MOS_CHOICES:
        raise ValueError(
            f"--mos is {options.mos!r}; expected one of {', '.join(MOS_CHOICES)}"
        )
    if options.speaker_encoder not in SPEAKER_ENCODERS:
        raise ValueError(
            f"--speaker_encoder is {options.speaker_encoder!r}; expected one of "
            f"{', '.join(SPEAKER_ENCODERS)}"
        )
    encoder = SPEAKER_ENCODERS[options.speaker_encoder]
    makers: dict[str, Callable[[], Judge]] = {
        "log_mel": LogMelDistance,
        "stoi": Stoi,
        options.speaker_encoder: lambda: SpeakerSimilarity(encoder()),
    }
    if options.pesq:
        makers["pesq"] = Pesq
    if options.mos != "none":
        makers["dnsmos"] = DnsMos
    if options.mos == "squim":
        makers["squim"] = Squim
    if options.asr is not None:
        asr = options.asr
        makers[_asr_name(asr)] = lambda: Transcript(asr)
    return makers


def _asr_name(options: AsrOptions) -> str:
    if options.engine == "faster_whisper":
        return f"whisper {options.model} {options.window_seconds:g} s"
    return f"{options.engine} {options.model}"


def make_judge(name: str, options: JudgeOptions) -> Judge:
    """Make one of `judge_makers`.

    Raises:
        ValueError: a package or weights are missing.
    """
    try:
        return judge_makers(options)[name]()
    except ModuleNotFoundError as error:
        raise ValueError(
            f"the judge {name!r} needs the package {error.name!r}, which is not "
            "installed; install the extra [score] (ecapa: speechbrain), or leave the "
            "judge out (--no_pesq, --mos none, --no_asr, --speaker_encoder)"
        ) from error
