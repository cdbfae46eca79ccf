"""Codecs of other projects, saved, loaded and used like the recipe's own."""

import pytest
import torch

from espnet2_duplex.codec.loading import (
    CODEC_CLASSES,
    FOREIGN_CODECS,
    build_codec,
    load_codec,
    save_codec,
)
from espnet2_duplex.session import DuplexStepper, check_codec
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

# Both 16 samples a frame at 200 Hz, 4 codebooks.
MIMI = {
    "config": {
        "sampling_rate": 200,
        "upsampling_ratios": [4, 2],
        "num_filters": 4,
        "hidden_size": 16,
        "upsample_groups": 16,
        "codebook_size": 32,
        "codebook_dim": 8,
        "vector_quantization_hidden_dimension": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "sliding_window": 6,
    },
    "num_codebooks": 4,
}
SOUNDSTREAM = {
    "codec": "soundstream",
    "codec_conf": {
        "sampling_rate": 200,
        "use_mel_loss": False,
        "use_dual_decoder": False,
        "generator_params": {
            "hidden_dim": 8,
            "encdec_n_filters": 2,
            "encdec_ratios": [4, 2, 2],
            "encdec_causal": True,
            "encdec_pad_mode": "constant",
            "quantizer_n_q": 4,
            "quantizer_bins": 32,
            "quantizer_target_bandwidth": [1],
        },
    },
}
CASES = [("mimi", MIMI), ("espnet", SOUNDSTREAM)]


@pytest.fixture(params=CASES, ids=lambda case: case[0])
def codec_files(request, tmp_path):
    name, conf = request.param
    codec = build_codec(name, conf)
    for tensor in codec.state_dict().values():
        if tensor.is_floating_point():
            tensor += 0.1 * torch.randn(tensor.shape)
    codec.eval()
    codec.silence_codes.copy_(codec.measure_silence_codes())
    save_codec(codec, name, conf, tmp_path)
    return codec, tmp_path / "codec.yaml", tmp_path / "codec.pth"


def test_a_saved_codec_is_loaded_as_it_was(codec_files):
    codec, config, weights = codec_files
    loaded = load_codec(config, weights)
    codes = torch.randint(32, (1, 5, 4))
    torch.testing.assert_close(loaded.decode(codes), codec.decode(codes))
    assert torch.equal(loaded.silence_codes, codec.silence_codes)
    assert not loaded.training


def test_a_session_speaks_with_it(codec_files, tiny_args):
    _, config, weights = codec_files
    args = [*tiny_args, "--codec_config", str(config), "--codec_model", str(weights)]
    model = DuplexS2STask.build_model(DuplexS2STask.get_parser().parse_args(args))
    stepper = DuplexStepper(
        encoder=model.eval().encoder,
        adapter=model.adapter,
        duplex_lm=model.duplex_lm,
        codec=load_codec(config, weights),
        text_ids=model.text_ids,
        delays=[0, 1, 1, 1, 1],
    )
    state, outputs = stepper.init_state(), []
    for _ in range(6):
        output, state = stepper.step(0.1 * torch.randn(1, 1280), state)
        outputs.append(output)
    codes = torch.stack([output.codes for output in outputs], dim=1)
    speech = torch.cat([output.speech for output in outputs], dim=1)
    assert speech.shape == (1, 6 * 16)
    torch.testing.assert_close(speech, stepper.codec.decode(codes), atol=1e-4, rtol=0)


def test_a_codec_without_steps_is_refused(tiny_model, tiny_codec):
    tiny_codec.can_stream = False
    with pytest.raises(ValueError, match="IstftCodec needs the whole recording"):
        check_codec(tiny_codec, tiny_model.encoder, tiny_model.duplex_lm)


def test_foreign_codecs_are_not_offered_for_training():
    assert not set(FOREIGN_CODECS) & set(CODEC_CLASSES)
