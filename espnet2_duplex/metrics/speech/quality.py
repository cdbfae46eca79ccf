"""How one sentence sounds beside its recording: DNSMOS, PESQ, STOI, log-mel distance.

All that judge a sentence have one form (`Judge`); `judges` names them. Each is imported
when it is made, so that a missing package is missed only by those who ask for it.
"""

import warnings
from dataclasses import dataclass
from importlib.resources import files
from typing import Protocol

import numpy as np

from espnet2_duplex.metrics.activity import SAMPLE_RATE

MEL_BANDS, MEL_FFT, MEL_HOP = 80, 1024, 256
MEL_FLOOR = 1e-5  # of the magnitude
# What pystoi returns, with a warning, where too little speech is left to compare.
STOI_UNDEFINED = 1e-5

Scores = dict[str, float | str | None]  # None: undefined for this sentence


@dataclass(frozen=True)
class Sample:
    """What a judge hears, each (S,) float32 at 16 kHz, full scale 1.

    Attributes:
        speech: the sentence to judge.
        original: its recording, as long.
        other: the recording of another sentence in the same voice.
    """

    speech: np.ndarray
    original: np.ndarray
    other: np.ndarray


class Judge(Protocol):
    """Scores of one sentence; the same sentence gives the same scores."""

    def __call__(self, sample: Sample) -> Scores: ...


class DnsMos:
    """DNSMOS (speechmos): P.835 `overall`, `signal`, `background`, and `p808`.

    Estimates of mean opinion scores, 1 to 5, of the sentence alone; sentences shorter
    than the network's 9.01 s are repeated (arXiv 2010.15258, 2110.01763).
    """

    def __init__(self) -> None:
        import onnxruntime
        from speechmos.dnsmos import DNSMOS

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1

        class OneThread(DNSMOS):
            """Processes run beside each other; speechmos would take all cores."""

            def __init__(self) -> None:
                folder = files("speechmos") / "dnsmos_models"
                self.onnx_sess, self.p808_onnx_sess = (
                    onnxruntime.InferenceSession(str(folder / name), options)
                    for name in ("sig_bak_ovr.onnx", "model_v8.onnx")
                )

        self._network = OneThread()

    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`."""
        found = self._network(sample.speech.clip(-1, 1), SAMPLE_RATE, False)
        return {
            "dnsmos_overall": float(found["ovrl_mos"]),
            "dnsmos_signal": float(found["sig_mos"]),
            "dnsmos_background": float(found["bak_mos"]),
            "dnsmos_p808": float(found["p808_mos"]),
        }


class Pesq:
    """Wide-band PESQ (ITU-T P.862.2), up to 4.64."""

    def __init__(self) -> None:
        from pesq import PesqError, pesq

        self._pesq, self._on_error = pesq, PesqError.RETURN_VALUES

    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`; undefined where it or the original has no utterance."""
        if not sample.speech.any() or not sample.original.any():
            return {"pesq": None}
        score = self._pesq(
            SAMPLE_RATE, sample.original, sample.speech, "wb", on_error=self._on_error
        )
        # Error codes are negative.
        return {"pesq": float(score) if score > 0 else None}


class Stoi:
    """Short-time objective intelligibility, up to 1 (pystoi)."""

    def __init__(self) -> None:
        from pystoi import stoi

        self._stoi = stoi

    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`; undefined with less than about 0.4 s of speech."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Not enough STFT frames")
            score = float(self._stoi(sample.original, sample.speech, SAMPLE_RATE))
        return {"stoi": None if score == STOI_UNDEFINED else score}


class LogMelDistance:
    """Mean absolute difference of natural log-mel magnitudes: 80 bands, 64 ms, 16 ms."""

    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`."""
        difference = log_mel(sample.speech) - log_mel(sample.original)
        return {"mel_l1": float(np.abs(difference).mean())}


def log_mel(speech: np.ndarray) -> np.ndarray:
    """Natural logarithm of mel magnitudes (80, F) of speech (S,) at 16 kHz."""
    import librosa

    magnitudes = librosa.feature.melspectrogram(
        y=speech,
        sr=SAMPLE_RATE,
        n_fft=MEL_FFT,
        hop_length=MEL_HOP,
        n_mels=MEL_BANDS,
        power=1.0,
    )
    return np.log(np.maximum(magnitudes, MEL_FLOOR))
