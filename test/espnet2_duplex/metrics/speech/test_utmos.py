"""UTMOS with stand-ins for its packages: what they are asked, and what is missing."""

import sys
from types import ModuleType

import numpy as np
import pytest

from espnet2_duplex.metrics.speech.utmos import make_utmos

SPEECH = np.linspace(-1, 1, 8, dtype=np.float32)


def package(monkeypatch, name, **contents):
    module = ModuleType(name)
    vars(module).update(contents)
    monkeypatch.setitem(sys.modules, name, module)


class FirstVersion:
    """Gives the last sample; its forerunner's weights come from the hub."""

    def __init__(self, device):
        assert device == "cpu"

    def score(self, speech):
        assert speech.shape == (8,)
        return speech[-1:] * 3


class SecondVersion:
    """Gives what numpy and torch draw, as the real one draws parts of the speech."""

    def predict(self, *, data, remove_silent_section, num_workers, **options):
        import torch

        assert not remove_silent_section and not num_workers
        drawn = np.random.rand() + float(torch.rand(()))
        return np.array([data[-1] + drawn])


def test_first_version_is_asked_for_one_score(monkeypatch):
    package(monkeypatch, "utmos_pytorch", UTMOSScoreTorch=FirstVersion)
    assert make_utmos("utmos")(SPEECH) == 3.0


def test_second_version_gives_the_same_score_again_and_leaves_numpy_alone(monkeypatch):
    package(
        monkeypatch,
        "utmosv2",
        create_model=lambda pretrained, device: SecondVersion(),
    )
    score = make_utmos("utmosv2")
    np.random.seed(5)
    first = score(SPEECH)
    drawn = np.random.rand()
    np.random.seed(5)
    assert np.random.rand() == drawn
    assert score(SPEECH) == first and isinstance(first, float)


@pytest.mark.parametrize(
    "name, module, package_name",
    [("utmos", "utmos_pytorch", "utmos-pytorch"), ("utmosv2", "utmosv2", "UTMOSv2")],
)
def test_missing_package_is_named_with_its_remedy(
    monkeypatch, name, module, package_name
):
    monkeypatch.setitem(sys.modules, module, None)
    message = f"{name} needs the package '{module}'.*{package_name}, or .*--mos dnsmos"
    with pytest.raises(ValueError, match=message):
        make_utmos(name)


def test_missing_weights_are_named_with_their_remedy(monkeypatch):
    def unreachable(device):
        raise OSError("no route to the hub\nmore")

    package(monkeypatch, "utmos_pytorch", UTMOSScoreTorch=unreachable)
    with pytest.raises(ValueError, match=r"weights .*\(no route to the hub\).*dnsmos"):
        make_utmos("utmos")
