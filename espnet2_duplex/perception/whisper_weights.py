"""Encoder weights of a Whisper checkpoint, from a CTranslate2 file or transformers."""

import struct
from pathlib import Path

import numpy as np
import torch

CTRANSLATE2_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}
CONVOLUTIONS = ("conv1", "conv2")
CTRANSLATE2_NAMES = {
    "self_attention/layer_norm/gamma": "attention_norm.weight",
    "self_attention/layer_norm/beta": "attention_norm.bias",
    "self_attention/linear_0/weight": "qkv.weight",
    "self_attention/linear_0/bias": "qkv.bias",
    "self_attention/linear_1/weight": "out.weight",
    "self_attention/linear_1/bias": "out.bias",
    "ffn/layer_norm/gamma": "ffn_norm.weight",
    "ffn/layer_norm/beta": "ffn_norm.bias",
    "ffn/linear_0/weight": "ffn_in.weight",
    "ffn/linear_0/bias": "ffn_in.bias",
    "ffn/linear_1/weight": "ffn_out.weight",
    "ffn/linear_1/bias": "ffn_out.bias",
}
TRANSFORMERS_NAMES = {
    "self_attn_layer_norm": "attention_norm",
    "self_attn.out_proj": "out",
    "final_layer_norm": "ffn_norm",
    "fc1": "ffn_in",
    "fc2": "ffn_out",
}
PARAMETERS = ("weight", "bias")


def load_whisper_encoder(path: str) -> dict[str, torch.Tensor]:
    """Encoder weights under the names of WhisperCausalEncoder, float32.

    Args:
        path: a CTranslate2 ``model.bin``, a folder with one, a transformers folder, or
            the name of a model on the Hugging Face hub.

    Returns:
        State dict of conv1, conv2, layers and norm (no projection, no positions).

    Raises:
        ValueError: when the file is not a Whisper in CTranslate2's format.
    """
    file = Path(path)
    if file.is_dir() and (file / "model.bin").exists():
        file = file / "model.bin"
    if file.is_file():
        return _from_ctranslate2(read_ctranslate2(file), file)
    from transformers import WhisperModel

    encoder = WhisperModel.from_pretrained(path, dtype=torch.float32).encoder
    return _from_transformers(encoder.state_dict())


def read_ctranslate2(path: Path) -> dict[str, np.ndarray]:
    """All variables of a CTranslate2 ``model.bin`` (binary version 6).

    Raises:
        ValueError: when the file is of another kind or ends too early.
    """
    reader = _Reader(Path(path))
    version = reader.unpack("<I")
    if version != 6:
        raise ValueError(
            f"{path}: CTranslate2 binary version 6 expected, found {version}; "
            "give the model.bin of a converted Whisper."
        )
    reader.string()  # name of the model's kind
    reader.unpack("<I")  # its revision
    variables = {}
    for _ in range(reader.unpack("<I")):
        name = reader.string()
        shape = [reader.unpack("<I") for _ in range(reader.unpack("<B"))]
        type_id = reader.unpack("<B")
        if type_id not in CTRANSLATE2_TYPES:
            raise ValueError(
                f"{path}: variable {name} has the unknown type {type_id}; "
                "convert the model to float16 or float32."
            )
        raw = reader.read(reader.unpack("<I"))
        variables[name] = np.frombuffer(raw, CTRANSLATE2_TYPES[type_id]).reshape(shape)
    return variables


class _Reader:
    """Reads little-endian values and says where a file is cut."""

    def __init__(self, path: Path):
        self.path = path
        self.data = path.read_bytes()
        self.position = 0

    def read(self, num_bytes: int) -> bytes:
        end = self.position + num_bytes
        if end > len(self.data):
            raise ValueError(
                f"{self.path} ends at byte {len(self.data)} where {end} were expected; "
                "the file is truncated, download it again."
            )
        chunk = self.data[self.position : end]
        self.position = end
        return chunk

    def unpack(self, layout: str) -> int:
        return struct.unpack(layout, self.read(struct.calcsize(layout)))[0]

    def string(self) -> str:
        return self.read(self.unpack("<H")).rstrip(b"\0").decode()


def _from_ctranslate2(variables: dict, path: Path) -> dict[str, torch.Tensor]:
    first = variables.get("encoder/conv1/weight")
    if first is None or first.dtype.kind != "f":
        found = "none" if first is None else f"one of type {first.dtype}"
        raise ValueError(
            f"{path}: a floating-point encoder/conv1/weight expected, found {found}; "
            "give the model.bin of a Whisper converted to float16 or float32."
        )
    names = {f"encoder/{c}/{p}": f"{c}.{p}" for c in CONVOLUTIONS for p in PARAMETERS}
    names["encoder/layer_norm/gamma"] = "norm.weight"
    names["encoder/layer_norm/beta"] = "norm.bias"
    layers = {n.split("/")[1][6:] for n in variables if n.startswith("encoder/layer_")}
    for layer in layers - {"norm"}:
        for theirs, ours in CTRANSLATE2_NAMES.items():
            names[f"encoder/layer_{layer}/{theirs}"] = f"layers.{layer}.{ours}"
    return {
        ours: torch.from_numpy(variables[theirs].astype(np.float32))
        for theirs, ours in names.items()
    }


def _from_transformers(weights: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    names = {f"{c}.{p}": f"{c}.{p}" for c in CONVOLUTIONS for p in PARAMETERS}
    names |= {f"layer_norm.{p}": f"norm.{p}" for p in PARAMETERS}
    num_layers = sum(name.endswith("fc1.weight") for name in weights)
    for layer in range(num_layers):
        for theirs, ours in TRANSFORMERS_NAMES.items():
            for p in PARAMETERS:
                names[f"layers.{layer}.{theirs}.{p}"] = f"layers.{layer}.{ours}.{p}"
    encoder = {ours: weights[theirs] for theirs, ours in names.items()}
    for layer in range(num_layers):
        parts = [f"layers.{layer}.self_attn.{x}_proj" for x in "qkv"]
        bias = weights[f"{parts[0]}.bias"]
        biases = [bias, torch.zeros_like(bias), weights[f"{parts[2]}.bias"]]
        fused = torch.cat([weights[f"{part}.weight"] for part in parts])
        encoder[f"layers.{layer}.qkv.weight"] = fused
        encoder[f"layers.{layer}.qkv.bias"] = torch.cat(biases)  # keys have no bias
    return encoder
