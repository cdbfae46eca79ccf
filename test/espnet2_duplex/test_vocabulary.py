"""Special ids."""

import numpy as np
import pytest
import torch

from espnet2_duplex.vocabulary import SpeechIds, TextIds


def test_paper_vocabulary_has_4032_codes_and_5_specials():
    ids = SpeechIds()
    specials = (ids.bos, ids.eos, ids.pad, ids.delay, ids.reserved)
    assert specials == (4032, 4033, 4034, 4035, 4036)
    assert ids.size == 4037


def test_specials_follow_any_codebook():
    ids = SpeechIds(codebook_size=10)
    assert (ids.bos, ids.reserved, ids.size) == (10, 14, 15)


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_specials_are_told_from_codes(make):
    special = SpeechIds(codebook_size=4).is_special(make([[0, 3], [4, 8]]))
    assert special.tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("size", [0, -1])
def test_codebook_must_not_be_empty(size):
    with pytest.raises(ValueError, match="take the size from the codec"):
        SpeechIds(size)


@pytest.mark.parametrize("ids", [(1, 1, 0), (1, 2, 2), (0, 2, 0), (-1, 2, 0)])
def test_text_ids_must_differ(ids):
    with pytest.raises(ValueError, match="three different ids"):
        TextIds(*ids)
