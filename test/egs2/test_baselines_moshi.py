import json
import sys
import types
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from baselines.moshi_lm import Moshi, words_of_pieces
from baselines.moshi_loading import load_moshi
from baselines.sides import UserSide

from espnet2_duplex.conversation import Turn

PIECES = {5: "▁Hi", 6: "▁the", 7: "re", 8: "."}


class Mimi:
    """Codes are the mean of a frame in thousandths; decoding inverts that."""

    sample_rate, frame_rate = 24000, 12.5

    def __init__(self):
        self.resets = 0

    def streaming_forever(self, batch_size):
        assert batch_size == 1

    def reset_streaming(self):
        self.resets += 1

    def encode(self, frame):
        assert frame.shape == (1, 1, 1920)
        return (frame.mean(dim=2, keepdim=True) * 1000).round().long().expand(1, 8, 1)

    def decode(self, codes):
        assert codes.shape == (1, 8, 1)
        return codes[:, :1].float().expand(1, 1, 1920) / 1000


class LMGen:
    """Echoes codes, says `script` token by token, and gives nothing at first."""

    script = (3, 5, 0, 3, 6, 7, 8, *(3,) * 20, 5)

    def __init__(self, lm, **config):
        self.config = config
        self.draws = []

    def streaming_forever(self, batch_size):
        assert batch_size == 1

    def reset_streaming(self):
        self.num_steps = 0

    def step(self, codes):
        assert codes.shape == (1, 8, 1)
        self.num_steps += 1
        if self.num_steps <= 1:
            return None
        self.draws.append(float(torch.rand(1)))
        number = self.num_steps - 2
        text = self.script[number] if number < len(self.script) else 3
        return torch.cat([torch.tensor([[[text]]]), codes], dim=1)


class Tokenizer:
    def id_to_piece(self, token):
        return PIECES[token]


@dataclass
class CheckpointInfo:
    """Stands in for `moshi.models.loaders.CheckpointInfo`."""

    model_type: str = "moshi"
    lm_gen_config: dict = field(default_factory=lambda: {"temp": 0.5})
    asked: tuple = ()

    @staticmethod
    def from_hf_repo(hf_repo, **files):
        if hf_repo == "nobody/nothing":
            raise OSError("404 Client Error.\nRepository Not Found")
        kind = "hibiki" if hf_repo == "kyutai/hibiki" else "moshi"
        return CheckpointInfo(kind, asked=(hf_repo, files))

    def get_mimi(self, device):
        return Mimi()

    def get_moshi(self, device, dtype):
        assert dtype == torch.float32
        return types.SimpleNamespace(text_padding_token_id=3, end_of_text_padding_id=0)

    def get_text_tokenizer(self):
        return Tokenizer()


@pytest.fixture
def package(monkeypatch):
    """A module with the interface of the package moshi."""
    loaders = types.SimpleNamespace(CheckpointInfo=CheckpointInfo)
    models = types.ModuleType("moshi.models")
    models.LMGen, models.loaders = LMGen, loaders
    monkeypatch.setitem(sys.modules, "moshi", types.ModuleType("moshi"))
    monkeypatch.setitem(sys.modules, "moshi.models", models)


@pytest.fixture
def user():
    """4.03 s whose level rises with time."""
    return UserSide("talk", np.linspace(0, 0.5, 64480).astype(np.float32), ())


def test_frames_come_out_where_they_were_heard(package, user):
    model = load_moshi("kyutai/moshiko-pytorch-bf16", "cpu")
    assert model.lm_gen.config == {"temp": 0.5}
    agent = Moshi(model).take_part(user)
    assert len(agent.speech) == len(user.speech) and agent.latency_seconds == 0.16
    middle = np.arange(640, 60000, 1280)  # of frames at 16 kHz
    assert np.abs(agent.speech[middle] - user.speech[middle]).max() < 0.003


def test_text_becomes_turns_that_end_at_pauses(package, user):
    agent = Moshi(load_moshi("kyutai/moshiko-pytorch-bf16", "cpu")).take_part(user)
    # Words begin in frames 1, 4 and 27; the second one's last piece is in frame 6.
    assert agent.turns == (
        Turn("agent", 0.08, 7 * 0.08 + 0.4, "Hi there."),
        Turn("agent", 27 * 0.08, 28 * 0.08 + 0.4, "Hi"),
    )


def test_each_conversation_starts_anew_from_its_own_seed(package, user):
    model = load_moshi("kyutai/moshiko-pytorch-bf16", "cpu")
    other = UserSide("other", user.speech, ())
    draws = []
    for one, seed in ((user, 0), (other, 0), (user, 0), (user, 1)):
        model.lm_gen.draws = []
        Moshi(model, seed).take_part(one)
        draws.append(model.lm_gen.draws)
    assert draws[0] == draws[2]
    assert len({tuple(drawn) for drawn in draws}) == 3
    assert model.mimi.resets == 4 and len(draws[0]) == 51


def test_a_word_lasts_to_the_next_but_not_over_a_pause_or_the_end():
    pieces = [(0, "▁a"), (2, "▁b"), (3, "c"), (20, "d")]
    words = words_of_pieces(pieces, 0.08, duration=1.8)
    assert [(word.text, word.start, word.end) for word in words] == [
        ("a", 0.0, 0.16),
        ("bcd", 0.16, 1.8),
    ]


def test_a_folder_is_read_by_the_names_in_its_config(package, tmp_path, monkeypatch):
    asked = []
    load = CheckpointInfo.from_hf_repo
    monkeypatch.setattr(
        CheckpointInfo,
        "from_hf_repo",
        staticmethod(lambda repo, **files: asked.append(files) or load(repo, **files)),
    )
    config = {"moshi_name": "lm.safetensors", "mimi_name": "mimi.safetensors"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    load_moshi(str(tmp_path), "cpu")
    assert asked[0] == {
        "config_path": tmp_path / "config.json",
        "moshi_weights": tmp_path / "lm.safetensors",
        "mimi_weights": tmp_path / "mimi.safetensors",
    }


@pytest.mark.parametrize(
    "repo, told",
    [
        (
            "nobody/nothing",
            r"weights of nobody/nothing cannot be had \(404 Client Error",
        ),
        ("kyutai/hibiki", "is a model of the type hibiki"),
    ],
)
def test_weights_that_are_not_there_or_no_moshi_are_told(package, repo, told):
    with pytest.raises(ValueError, match=told):
        load_moshi(repo, "cpu")


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "moshi", None)
    with pytest.raises(ValueError, match="pip install moshi==0.2.13"):
        load_moshi("kyutai/moshiko-pytorch-bf16", "cpu")
