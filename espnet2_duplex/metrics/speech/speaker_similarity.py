"""Whose voice it is: cosine of speaker embeddings, SECS (Sec. 6.3)."""

import warnings
from collections.abc import Callable

import numpy as np

from espnet2_duplex.metrics.speech.quality import Sample, Scores

ECAPA_HUB = "speechbrain/spkrec-ecapa-voxceleb"
ECAPA2_HUB = "Jenthe/ECAPA2"

# Speech (S,) float32 at 16 kHz -> embedding (D,).
SpeakerEncoder = Callable[[np.ndarray], np.ndarray]


class SpeakerSimilarity:
    """SECS: cosine of the embeddings of the sentence and of its recording.

    `secs_other` is the cosine to another sentence's recording. Of the recordings
    themselves it is what two sentences of one voice have in common: the anchor below
    which a codec has changed the voice.
    """

    def __init__(self, encode: SpeakerEncoder) -> None:
        self._encode = encode

    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`; undefined where something is digital silence."""
        signals = (sample.speech, sample.original, sample.other)
        if not all(signal.any() for signal in signals):
            return {"secs": None, "secs_other": None}
        speech, original, other = (self._encode(signal) for signal in signals)
        return {"secs": cosine(speech, original), "secs_other": cosine(speech, other)}


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    """Cosine of the angle between two vectors (D,)."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    return float(first @ second / (np.linalg.norm(first) * np.linalg.norm(second)))


def resemblyzer_encoder() -> SpeakerEncoder:
    """Resemblyzer's GE2E network, whose weights are in its package."""
    with warnings.catch_warnings():
        # Its voice activity detector still asks setuptools for its own version.
        warnings.filterwarnings("ignore", "pkg_resources is deprecated")
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from resemblyzer import VoiceEncoder, preprocess_wav

    network = VoiceEncoder("cpu", verbose=False)
    return lambda speech: network.embed_utterance(preprocess_wav(speech))


def ecapa_encoder() -> SpeakerEncoder:
    """speechbrain's ECAPA-TDNN, from the hub.

    Raises:
        ValueError: the hub cannot be reached and its cache has no such model.
    """
    import torch
    from speechbrain.inference.speaker import EncoderClassifier

    try:
        network = EncoderClassifier.from_hparams(source=ECAPA_HUB)
    except OSError as error:
        raise _unreachable("ecapa", ECAPA_HUB, error) from error
    return lambda speech: (
        network.encode_batch(torch.from_numpy(speech)[None]).flatten().numpy()
    )


def ecapa2_encoder() -> SpeakerEncoder:
    """ECAPA2, the paper's speaker encoder, from the hub (CC-BY-NC-4.0).

    Raises:
        ValueError: the hub cannot be reached and its cache has no such model.
    """
    import torch
    from huggingface_hub import hf_hub_download

    try:
        path = hf_hub_download(repo_id=ECAPA2_HUB, filename="ecapa2.pt")
    except OSError as error:
        raise _unreachable("ecapa2", ECAPA2_HUB, error) from error
    network = torch.jit.load(path, map_location="cpu")

    @torch.no_grad()
    def encode(speech: np.ndarray) -> np.ndarray:
        return network(torch.from_numpy(speech)[None]).flatten().numpy()

    return encode


def _unreachable(option: str, hub_name: str, error: OSError) -> ValueError:
    reason = str(error).strip().split("\n")[0]
    return ValueError(
        f"--speaker_encoder {option} needs {hub_name} from the Hugging Face hub, which "
        f"cannot be had ({reason}); give --speaker_encoder resemblyzer, whose weights "
        "are in its package"
    )
