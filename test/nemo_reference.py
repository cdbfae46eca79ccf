"""What NeMo's own streaming encoder computes; runs under an interpreter with NeMo.

    $NEMO_PYTHON test/nemo_reference.py OUTPUT NORM LEFT RIGHT SECONDS

writes OUTPUT/model.nemo, a recogniser with random weights saved by NeMo, and
OUTPUT/outputs.npz: user speech, and the log-mel and the encoder's outputs for it,
offline and in cache-aware chunks.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from nemo.collections.asr.models import EncDecCTCModel
from nemo.collections.asr.parts.utils.streaming_utils import (
    CacheAwareStreamingAudioBuffer,
)
from omegaconf import OmegaConf

# NeMo's windows are centred on the hops, ours end with them.
DELAY_SAMPLES = 200
MODULES = "nemo.collections.asr.modules."


def config(norm: str, context: list[int]) -> dict:
    """stt_en_fastconformer_hybrid_large_streaming_80ms, with characters for words."""
    return {
        "sample_rate": 16000,
        "labels": list("abc"),
        "preprocessor": {
            "_target_": MODULES + "AudioToMelSpectrogramPreprocessor",
            "sample_rate": 16000,
            "normalize": "NA",
            "window_size": 0.025,
            "window_stride": 0.01,
            "window": "hann",
            "features": 80,
            "n_fft": 512,
            "frame_splicing": 1,
            "dither": 0.0,
            "pad_to": 0,
        },
        "encoder": {
            "_target_": MODULES + "ConformerEncoder",
            "feat_in": 80,
            "feat_out": -1,
            "n_layers": 17,
            "d_model": 512,
            "subsampling": "dw_striding",
            "subsampling_factor": 8,
            "subsampling_conv_channels": 256,
            "causal_downsampling": True,
            "ff_expansion_factor": 4,
            "self_attention_model": "rel_pos",
            "n_heads": 8,
            "att_context_size": context,
            "att_context_style": "chunked_limited",
            "xscaling": True,
            "untie_biases": True,
            "pos_emb_max_len": 5000,
            "conv_kernel_size": 9,
            "conv_norm_type": norm,
            "conv_context_size": "causal",
            "dropout": 0.1,
        },
        "decoder": {
            "_target_": MODULES + "ConvASRDecoder",
            "feat_in": 512,
            "num_classes": 3,
            "vocabulary": list("abc"),
        },
    }


def randomise(encoder: torch.nn.Module) -> None:
    """Other values than the initial ones, where those would hide a mistake."""
    for name, tensor in encoder.state_dict().items():
        if name.endswith(("pos_bias_u", "pos_bias_v", "running_mean")):
            tensor.normal_(0, 0.2)
        elif name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0)
        elif ".norm_" in name or ".batch_norm." in name:
            if tensor.is_floating_point():  # num_batches_tracked is not
                tensor.add_(0.1 * torch.randn_like(tensor))


def encode_in_chunks(model: EncDecCTCModel, mel: torch.Tensor) -> torch.Tensor:
    """Outputs (1, D, T) of the encoder for mel (1, bins, N), chunk by chunk."""
    buffer = CacheAwareStreamingAudioBuffer(model)
    buffer.append_processed_signal(mel)
    cache = list(model.encoder.get_initial_cache_state(batch_size=1))
    outputs = []
    for step, (chunk, length) in enumerate(buffer):
        num_dropped = model.encoder.streaming_cfg.drop_extra_pre_encoded if step else 0
        output, _, *cache = model.encoder.cache_aware_stream_step(
            processed_signal=chunk,
            processed_signal_length=length,
            cache_last_channel=cache[0],
            cache_last_time=cache[1],
            cache_last_channel_len=cache[2],
            keep_all_outputs=buffer.is_buffer_empty(),
            drop_extra_pre_encoded=num_dropped,
        )
        outputs.append(output)
    return torch.cat(outputs, dim=2)


@torch.inference_mode()
def main(output: str, norm: str, left: str, right: str, seconds: str) -> None:
    torch.manual_seed(0)
    conf = OmegaConf.create(config(norm, [int(left), int(right)]))
    model = EncDecCTCModel(conf).eval()
    randomise(model.encoder)
    model.save_to(str(Path(output) / "model.nemo"))
    num_frames = int(float(seconds) * 12.5)
    speech = 0.1 * torch.randn(1, 1280 * num_frames)
    speech *= torch.linspace(0.01, 3, speech.shape[1])  # from a whisper to a shout
    padded = torch.nn.functional.pad(speech, (DELAY_SAMPLES, 1280))
    length = torch.tensor([padded.shape[1]])
    mel, _ = model.preprocessor(input_signal=padded, length=length)
    mel = mel[:, :, : 8 * num_frames + 1]
    length = torch.tensor([mel.shape[2]])
    offline, _ = model.encoder(audio_signal=mel, length=length)
    np.savez(
        Path(output) / "outputs.npz",
        speech=speech.numpy(),
        mel=mel.transpose(1, 2).numpy(),
        offline=offline.transpose(1, 2).numpy(),
        chunks=encode_in_chunks(model, mel).transpose(1, 2).numpy(),
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
