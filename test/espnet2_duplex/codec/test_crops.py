import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from espnet2_duplex.codec.crops import CropPreprocessor


def preprocessor(train=True):
    return CropPreprocessor(train=train, crop_samples=50, max_silence_samples=20)


@given(num_samples=st.integers(1, 300))
def test_a_crop_has_its_length_and_only_samples_of_the_clip(num_samples):
    speech = np.arange(1, num_samples + 1, dtype=np.float32)
    crop = preprocessor()("clip", {"audio": speech})["audio"]
    assert crop.shape == (50,) and crop.dtype == np.float32
    spoken = crop[crop > 0]
    assert len(spoken) >= min(num_samples, 30)
    assert (np.diff(spoken) == 1).all()


def test_validation_keeps_the_clip():
    speech = np.ones(123, dtype=np.float32)
    kept = preprocessor(train=False)("clip", {"audio": speech})["audio"]
    assert np.array_equal(kept, speech)


@pytest.mark.parametrize(
    "speech, message",
    [
        (np.zeros((10, 2)), "Clip x has 2 channels"),
        (np.zeros(0), "Clip x is empty"),
        (np.array([0.0, np.nan]), "Clip x holds samples that are not finite"),
    ],
)
def test_a_bad_clip_is_refused_by_name(speech, message):
    with pytest.raises(ValueError, match=message):
        preprocessor()("x", {"audio": speech})
