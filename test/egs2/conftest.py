"""Makes the recipe's own scripts importable, as they import each other."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

LOCAL = Path(__file__).parents[2] / "egs2" / "duplex_s2s" / "local"
sys.path.insert(0, str(LOCAL))


@pytest.fixture
def make_wav():
    """Write a wav of noise (values within +-0.1) and return its path."""

    def make(path, seconds, sample_rate, channels=1, seed=0):
        generator = np.random.default_rng(seed)
        shape = (round(seconds * sample_rate), channels)
        noise = generator.uniform(-0.1, 0.1, shape).astype(np.float32)
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, noise.squeeze(), sample_rate, subtype="PCM_16")
        return path

    return make
