"""FastConformer at full size against NeMo's own encoder with the same weights.

Runs where NEMO_PYTHON names an interpreter with nemo-toolkit 3.0.0: about a minute of
one core for each case.
"""

import os
import subprocess

import numpy as np
import pytest
import torch
import yaml

from espnet2_duplex.bin.perception_import import main
from espnet2_duplex.perception.fastconformer import FastConformerEncoder

NEMO_PYTHON = os.environ.get("NEMO_PYTHON")
pytestmark = pytest.mark.skipif(not NEMO_PYTHON, reason="NEMO_PYTHON is not set")
# more frames than attention reaches back; with the silent one whole chunks of 2 and 7
SECONDS = 10
TOLERANCE = 1e-4
MEL_TOLERANCE = 5e-4  # of a logarithm near -16, where float32 power has few digits


CASES = ["layer_norm 70 1", "batch_norm 70 6", "batch_norm 70 0"]


@pytest.fixture(scope="module", params=CASES)
def case(request, root, tmp_path_factory):
    """NeMo's outputs, and our encoder with its weights."""
    folder = tmp_path_factory.mktemp("nemo")
    command = [NEMO_PYTHON, str(root / "test/nemo_reference.py"), str(folder)]
    subprocess.run([*command, *request.param.split(), str(SECONDS)], check=True)
    return np.load(folder / "outputs.npz"), load_encoder(folder)


def load_encoder(folder):
    main(["--nemo", str(folder / "model.nemo"), "--output", str(folder)])
    config = yaml.safe_load((folder / "encoder.yaml").read_text())
    encoder = FastConformerEncoder(**config["encoder_conf"])
    encoder.load_state_dict(torch.load(folder / "encoder.pth"))
    return encoder.eval()


def assert_equal(found, expected, what, tolerance=TOLERANCE):
    difference = float((found - torch.from_numpy(expected)).abs().max())
    print(f"{what}: at most {difference:.1e} apart, deviation {expected.std():.2f}")
    assert expected.std() > 0.1
    assert difference < tolerance


def shifted(outputs, latency_frames):
    """NeMo's outputs (1, T + 1, D) where ours (1, T, D) have them."""
    outputs = np.pad(outputs[:, 1:], ((0, 0), (latency_frames, 0), (0, 0)))
    return outputs[:, : outputs.shape[1] - latency_frames]


@torch.inference_mode()
def test_log_mel_is_nemos(case):
    outputs, encoder = case
    speech = torch.from_numpy(outputs["speech"])
    hop = encoder.features.hop_samples
    mel = encoder.features(torch.nn.functional.pad(speech, (hop, 0)))
    assert_equal(mel, outputs["mel"], "log-mel", MEL_TOLERANCE)


@torch.inference_mode()
def test_whole_utterance_is_encoded_as_nemo_does(case):
    outputs, encoder = case
    speech = torch.from_numpy(outputs["speech"])
    embeds, _ = encoder(speech, torch.tensor([speech.shape[1]]))
    expected = shifted(outputs["offline"], encoder.latency_frames)
    assert_equal(embeds, expected, "offline")


@torch.inference_mode()
def test_stream_is_encoded_as_nemo_does_in_cache_aware_chunks(case):
    outputs, encoder = case
    state, embeds = encoder.init_state(1), []
    for frame in torch.from_numpy(outputs["speech"]).split(1280, dim=1):
        output, state = encoder.step(frame, state)
        embeds.append(output)
    # Without look-ahead NeMo's own two ways are 3e-2 apart: its second chunk has zeros
    # for log-mel before the first frame, where the whole utterance has zeros behind
    # each convolution.
    way = "chunks" if encoder.latency_frames else "offline"
    expected = shifted(outputs[way], encoder.latency_frames)
    assert_equal(torch.cat(embeds, dim=1), expected, "in steps")
