"""Weights of NVIDIA's streaming FastConformers under FastConformerEncoder's names."""

from typing import Mapping

import torch
from torch import Tensor

from espnet2_duplex.perception.fastconformer import FastConformerEncoder
from espnet2_duplex.perception.features import NemoLogMel
from espnet2_duplex.perception.nemo_conf import ADVICE

PREFIX = "encoder."  # of the encoder's tensors within an ASR model
FEATURES = {"window": "window", "fb": "filters"}  # NeMo's buffers, NemoLogMel's
FEATURE_PREFIX = "preprocessor.featurizer."
BATCH_NORM_EPSILON = 1e-5
# NeMo's names become transformers' by replacing these, in this order.
RENAMINGS = (
    ("pre_encode.conv.0.", "subsampling.conv_in."),
    ("pre_encode.conv.2.", "subsampling.layers.0.depthwise_conv."),
    ("pre_encode.conv.3.", "subsampling.layers.0.pointwise_conv."),
    ("pre_encode.conv.5.", "subsampling.layers.1.depthwise_conv."),
    ("pre_encode.conv.6.", "subsampling.layers.1.pointwise_conv."),
    ("pre_encode.out.", "subsampling.linear."),
    (".self_attn.linear_q.", ".self_attn.q_proj."),
    (".self_attn.linear_k.", ".self_attn.k_proj."),
    (".self_attn.linear_v.", ".self_attn.v_proj."),
    (".self_attn.linear_out.", ".self_attn.o_proj."),
    (".self_attn.linear_pos.", ".self_attn.relative_k_proj."),
    (".self_attn.pos_bias_u", ".self_attn.bias_u"),
    (".self_attn.pos_bias_v", ".self_attn.bias_v"),
    (".conv.batch_norm.", ".conv.norm."),  # also NeMo's name of a layer norm
)


def weights_from_nemo(conf: dict, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of an encoder with that configuration.

    Args:
        conf: Arguments of FastConformerEncoder, as `conf_from_nemo` makes them.
        state: State dict of NeMo's ASR model; decoders' tensors are ignored.

    Returns:
        A whole state dict of FastConformerEncoder, float32.

    Raises:
        ValueError: If a tensor is missing, left over, or of another shape, or if the
            model computes its features in another way.
    """
    weights = {
        name.removeprefix(PREFIX): tensor.float()
        for name, tensor in state.items()
        if name.startswith(PREFIX)
    }
    if not weights:
        raise ValueError(f"The model has no tensors {PREFIX}*; {ADVICE}.")
    if conf["conv_norm"] == "affine":
        weights = fold_batch_norms(weights)
    with torch.device("meta"):
        own = FastConformerEncoder(**conf).state_dict()
    weights = {f"conformer.{rename(name)}": tensor for name, tensor in weights.items()}
    check_tensors(weights, own)
    check_features(conf, state)
    return weights


def rename(name: str) -> str:
    """The name that transformers has for a tensor of NeMo's ConformerEncoder."""
    for theirs, ours in RENAMINGS:
        name = name.replace(theirs, ours)
    return name


def fold_batch_norms(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Each batch norm in evaluation mode as a scale `weight` and a shift `bias`.

    (x - mean) / sqrt(variance + epsilon) * weight + bias, with running statistics.
    """
    folded = {n: w for n, w in weights.items() if not n.endswith("num_batches_tracked")}
    for name in [n for n in folded if n.endswith(".running_mean")]:
        stem = name.removesuffix("running_mean")
        mean, variance = folded.pop(name), folded.pop(f"{stem}running_var")
        scale = folded[f"{stem}weight"] / (variance + BATCH_NORM_EPSILON).sqrt()
        folded[f"{stem}weight"] = scale
        folded[f"{stem}bias"] = folded[f"{stem}bias"] - mean * scale
    return folded


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Raise ValueError unless the names and the shapes are those expected."""
    advice = "the weights and the configuration are not of one model; download it again"
    for name, tensor in expected.items():
        if name not in found:
            raise ValueError(f"The model lacks the tensor of {name}; {advice}.")
        if found[name].shape != tensor.shape:
            raise ValueError(
                f"The model's tensor of {name} has the shape "
                f"{tuple(found[name].shape)}, but its configuration asks for "
                f"{tuple(tensor.shape)}; {advice}."
            )
    for name in found:
        if name not in expected:
            raise ValueError(f"The model's tensor {name} has no place; {advice}.")


def check_features(conf: dict, state: Mapping[str, Tensor]) -> None:
    """Raise ValueError if the model holds another window or other mel filters."""
    features = NemoLogMel(conf["num_mel_bins"])
    for theirs, ours in FEATURES.items():
        found, expected = state.get(FEATURE_PREFIX + theirs), getattr(features, ours)
        if found is None:  # older versions of NeMo do not save them
            continue
        found = found.float().squeeze()
        found = found.T if theirs == "fb" else found
        if found.shape != expected.shape or (found - expected).abs().max() > 1e-5:
            raise ValueError(
                f"The model's {FEATURE_PREFIX}{theirs} differs from the log-mel that "
                f"FastConformerEncoder computes; {ADVICE}."
            )
