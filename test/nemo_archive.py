"""A .nemo archive of a streaming FastConformer recogniser, small and random.

Structure and names are those of stt_en_fastconformer_hybrid_large_streaming_80ms: a tar
of model_config.yaml and model_weights.ckpt, with decoders beside the encoder.
"""

import io
import tarfile

import torch
import yaml
from torch import nn

WIDTH, HEADS, CHANNELS, KERNEL, BINS, LAYERS = 16, 2, 4, 9, 80, 2
MODULES = "nemo.collections.asr.modules."


def nemo_config(**encoder) -> dict:
    """The parts of model_config.yaml that tell about the encoder, with changes."""
    return {
        "sample_rate": 16000,
        "preprocessor": {
            "_target_": MODULES + "AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16000,
            "normalize": "NA",
            "window_size": 0.025,
            "window_stride": 0.01,
            "window": "hann",
            "features": BINS,
            "n_fft": 512,
            "frame_splicing": 1,
            "dither": 1e-05,
            "pad_to": 0,
        },
        "encoder": {
            "_target_": MODULES + "ConformerEncoder",
            "feat_in": BINS,
            "feat_out": -1,
            "n_layers": LAYERS,
            "d_model": WIDTH,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": CHANNELS,
            "causal_downsampling": True,
            "reduction": None,
            "ff_expansion_factor": 4,
            "self_attention_model": "rel_pos",
            "n_heads": HEADS,
            "att_context_size": [70, 1],
            "att_context_style": "chunked_limited",
            "xscaling": True,
            "untie_biases": True,
            "pos_emb_max_len": 5000,
            "conv_kernel_size": KERNEL,
            "conv_norm_type": "layer_norm",
            "conv_context_size": "causal",
            "dropout": 0.1,
        }
        | encoder,
        "decoder": {"_target_": MODULES + "RNNTDecoder"},
    }


def nemo_modules(norm, bias: bool):
    """Modules of the encoder under NeMo's names."""
    yield "pre_encode.conv.0", nn.Conv2d(1, CHANNELS, 3)
    for depthwise, pointwise in ((2, 3), (5, 6)):
        conv = nn.Conv2d(CHANNELS, CHANNELS, 3, groups=CHANNELS)
        yield f"pre_encode.conv.{depthwise}", conv
        yield f"pre_encode.conv.{pointwise}", nn.Conv2d(CHANNELS, CHANNELS, 1)
    # 80 bins become 41, 21, 11 by causal convolutions of stride 2
    yield "pre_encode.out", nn.Linear(CHANNELS * 11, WIDTH)
    for n in range(LAYERS):
        layer = f"layers.{n}"
        for name in ("feed_forward1", "self_att", "conv", "feed_forward2", "out"):
            yield f"{layer}.norm_{name}", nn.LayerNorm(WIDTH)
        for name in ("feed_forward1", "feed_forward2"):
            yield f"{layer}.{name}.linear1", nn.Linear(WIDTH, 4 * WIDTH, bias)
            yield f"{layer}.{name}.linear2", nn.Linear(4 * WIDTH, WIDTH, bias)
        for name in "qkv":
            yield f"{layer}.self_attn.linear_{name}", nn.Linear(WIDTH, WIDTH, bias)
        yield f"{layer}.self_attn.linear_out", nn.Linear(WIDTH, WIDTH, bias)
        yield f"{layer}.self_attn.linear_pos", nn.Linear(WIDTH, WIDTH, False)
        conv = f"{layer}.conv"
        yield f"{conv}.pointwise_conv1", nn.Conv1d(WIDTH, 2 * WIDTH, 1, bias=bias)
        depthwise = nn.Conv1d(WIDTH, WIDTH, KERNEL, groups=WIDTH, bias=bias)
        yield f"{conv}.depthwise_conv", depthwise
        yield f"{conv}.batch_norm", norm(WIDTH)
        yield f"{conv}.pointwise_conv2", nn.Conv1d(WIDTH, WIDTH, 1, bias=bias)


def nemo_state(norm=nn.LayerNorm, bias: bool = True) -> dict[str, torch.Tensor]:
    """Tensors of the whole recogniser under NeMo's names."""
    state = {}
    for name, module in nemo_modules(norm, bias):
        for key, tensor in module.state_dict().items():
            is_random = tensor.is_floating_point()
            tensor = torch.rand_like(tensor) + 0.1 if is_random else tensor
            state[f"encoder.{name}.{key}"] = tensor
    for n in range(LAYERS):
        for name in ("pos_bias_u", "pos_bias_v"):
            bias_of_heads = torch.rand(HEADS, WIDTH // HEADS)
            state[f"encoder.layers.{n}.self_attn.{name}"] = bias_of_heads
    state["decoder.prediction.embed.weight"] = torch.rand(5, 3)
    state["ctc_decoder.decoder_layers.0.weight"] = torch.rand(5, WIDTH, 1)
    return state


def write_nemo(path, config, state):
    weights = io.BytesIO()
    torch.save(state, weights)
    members = {
        "./model_config.yaml": yaml.safe_dump(config).encode(),
        "./model_weights.ckpt": weights.getvalue(),
        "./0123_tokenizer.model": b"not read",
    }
    with tarfile.open(path, "w:") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path
