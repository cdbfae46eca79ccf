"""UTMOS: opinion scores that a network learnt, of speech without silence.

Two versions whose scores must not be compared, so that each has its own name:

``utmos``    UTMOS22 strong (arXiv 2204.02152), which the paper reports; from the PyPI
             package utmos-pytorch, checked against the original by its author
``utmosv2``  UTMOSv2 (arXiv 2409.09305); from github.com/sarulab-speech/UTMOSv2

Both fetch their weights from the Hugging Face hub at the first use.
"""

from collections.abc import Callable

import numpy as np

# Speech (S,) float32 at 16 kHz, full scale 1 -> opinion score, 1 to 5.
MosNetwork = Callable[[np.ndarray], float]

# UTMOSv2 scores parts of the speech that it draws; its own scripts draw five times.
NUM_DRAWS = 5
SEED = 0


def make_utmos(name: str) -> MosNetwork:
    """One of UTMOS_MAKERS.

    Raises:
        ValueError: its package or its weights are missing.
    """
    try:
        return UTMOS_MAKERS[name]()
    except ModuleNotFoundError as error:
        raise ValueError(
            f"{name} needs the package {error.name!r}, which is not installed; run pip "
            f"install {PACKAGES[name]}, or give --mos dnsmos"
        ) from error
    except OSError as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(
            f"{name} needs its weights from the Hugging Face hub, which cannot be had "
            f"({reason}); fetch them where there is a network, or give --mos dnsmos"
        ) from error


def _utmos() -> MosNetwork:
    import torch
    from utmos_pytorch import UTMOSScoreTorch

    network = UTMOSScoreTorch(device="cpu")

    def score(speech: np.ndarray) -> float:
        # Alone, as its author advises: padding moves the score.
        return float(network.score(torch.from_numpy(speech)))

    return score


def _utmosv2() -> MosNetwork:
    import torch
    import utmosv2

    network = utmosv2.create_model(pretrained=True, device="cpu")

    def score(speech: np.ndarray) -> float:
        state = np.random.get_state()
        np.random.seed(SEED)  # the package draws from numpy's global state
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(SEED)
                found = network.predict(
                    data=speech,
                    device="cpu",
                    num_workers=0,
                    num_repetitions=NUM_DRAWS,
                    remove_silent_section=False,  # it is gone
                    verbose=False,
                )
        finally:
            np.random.set_state(state)
        return float(np.squeeze(found))

    return score


UTMOS_MAKERS: dict[str, Callable[[], MosNetwork]] = {
    "utmos": _utmos,
    "utmosv2": _utmosv2,
}
PACKAGES = {
    "utmos": "utmos-pytorch",
    "utmosv2": "git+https://github.com/sarulab-speech/UTMOSv2",
}
