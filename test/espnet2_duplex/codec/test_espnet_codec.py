from fractions import Fraction

import pytest
import torch
import yaml
from espnet2.tasks.gan_codec import GANCodecTask
from streaming_contract import assert_streaming_equals_offline

from espnet2_duplex.codec.espnet_codec import EspnetCodec, import_espnet

# 16 samples a frame at 200 Hz.
GENERATOR = {
    "hidden_dim": 8,
    "encdec_n_filters": 2,
    "encdec_ratios": [4, 2, 2],
    "encdec_lstm": 1,
    "quantizer_n_q": 3,
    "quantizer_bins": 16,
    "quantizer_kmeans_init": False,
    "quantizer_target_bandwidth": [0.2],
}
CAUSAL = {"encdec_causal": True, "encdec_pad_mode": "constant"}
STFT = {"n_fft": 32, "win_length": 32, "hop_length": 8, "channels": 2}
DISCRIMINATOR = {
    "scales": 1,
    "scale_discriminator_params": {
        "channels": 4,
        "max_downsample_channels": 4,
        "max_groups": 4,
        "downsample_scales": [1],
    },
    "complexstft_discriminator_params": STFT,
}


def conf_of(sampling_rate=200, **changes):
    return {
        "sampling_rate": sampling_rate,
        "generator_params": {**GENERATOR, **changes},
        "discriminator_params": DISCRIMINATOR,
        "use_mel_loss": False,
        "use_dual_decoder": False,
    }


def build(codec_conf, codec="soundstream"):
    torch.manual_seed(0)
    return EspnetCodec(codec, codec_conf).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def codec():
    return build(conf_of())


@pytest.fixture(scope="module")
def causal_codec():
    return build(conf_of(**CAUSAL))


@pytest.fixture(scope="module")
def training_files(tmp_path_factory):
    """config.yaml and a checkpoint as ESPnet's training leaves them."""
    folder = tmp_path_factory.mktemp("espnet")
    args = GANCodecTask.get_default_config()
    args |= {"codec": "soundstream", "codec_conf": conf_of(**CAUSAL), "model_conf": {}}
    config = folder / "config.yaml"
    config.write_text(yaml.safe_dump(args))
    torch.manual_seed(3)
    model, _ = GANCodecTask.build_model_from_file(config)
    torch.save(model.state_dict(), folder / "model.pth")
    return model.eval(), config, folder / "model.pth"


def random_codes(num_frames, batch_size=1):
    generator = torch.Generator().manual_seed(0)
    return torch.randint(16, (batch_size, num_frames, 3), generator=generator)


def test_a_codec_describes_itself_as_meta_info_does(codec):
    assert codec.sample_rate == 200
    assert codec.frame_rate == Fraction(25, 2)
    assert codec.samples_per_frame == 16
    assert (codec.num_codebooks, codec.codebook_size) == (3, 16)


def test_codes_are_espnets_with_the_axes_turned(codec):
    speech = torch.randn(2, 80)
    codes = codec.encode(speech)
    assert codes.shape == (2, 5, 3)
    assert codes.dtype == torch.int64
    expected = codec.gan_codec.encode(speech[:, None])
    assert torch.equal(codes[1, :, 2], expected[2, 1])


def test_decode_is_espnets(codec):
    codes = random_codes(6, batch_size=2)
    speech = codec.decode(codes)
    assert speech.shape == (2, 6 * 16)
    assert torch.equal(speech, codec.gan_codec.decode(codes.permute(2, 0, 1))[:, 0])


@pytest.mark.parametrize("num_samples", [1, 15, 16, 17])
def test_encode_rounds_up_to_whole_frames(codec, num_samples):
    codes = codec.encode(torch.randn(1, num_samples))
    assert codes.size(1) == -(-num_samples // 16)


def test_the_codebooks_are_those_of_the_largest_bandwidth():
    # 4 bits at 13 Hz, to which ESPnet rounds 12.5, are 52 bits a second.
    codec = build(conf_of(quantizer_target_bandwidth=[0.052, 0.104]))
    assert codec.gan_codec.meta_info()["num_streams"] == 3
    assert codec.num_codebooks == 2
    assert codec.decode(codec.encode(torch.randn(1, 32))).shape == (1, 32)


@pytest.mark.parametrize(
    "changes",
    [{}, {"encdec_causal": True}, {**CAUSAL, "decoder_trim_right_ratio": 0.5}],
    ids=["symmetric", "reflecting", "trimmed on the left"],
)
def test_a_decoder_that_looks_ahead_cannot_stream(changes):
    codec = build(conf_of(**changes))
    assert not codec.can_stream
    with pytest.raises(ValueError, match="decodes whole recordings only"):
        codec.init_state(1)
    with pytest.raises(ValueError, match="encdec_causal true"):
        codec.step(random_codes(1), ())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encdec_lstm": 0, "encdec_true_skip": True},
        {"encdec_activation": "Snake", "encdec_activation_params": {}},
        {"decoder_final_activation": "Tanh", "encdec_n_residual_layers": 2},
    ],
    ids=["lstm", "no lstm", "snake", "final activation"],
)
def test_steps_of_a_causal_decoder_equal_decode(changes):
    codec = build(conf_of(**CAUSAL, **changes))
    assert codec.can_stream
    assert_streaming_equals_offline(
        codec.decode, codec.step, codec.init_state, random_codes(40, batch_size=2)
    )


def test_the_state_does_not_grow(causal_codec):
    def shapes(state):
        if isinstance(state, torch.Tensor):
            return [state.shape]
        return [shape for part in state for shape in shapes(part)]

    state = causal_codec.init_state(1)
    before = shapes(state)
    for frame in random_codes(5).split(1, dim=1):
        _, state = causal_codec.step(frame, state)
    assert shapes(state) == before


@pytest.mark.parametrize("code", [-1, 16])
def test_codes_outside_the_codebook_are_refused(causal_codec, code):
    codes = random_codes(3)
    codes[0, 1, 2] = code
    with pytest.raises(ValueError, match=f"Code {code} is outside 0..15"):
        causal_codec.decode(codes)
    with pytest.raises(ValueError, match="silence_codes"):
        causal_codec.step(codes[:, 1:2], causal_codec.init_state(1))


def test_another_frame_rate_is_refused_in_one_sentence():
    sentence = (
        r"soundstream has 25 frames per second \(400 Hz / 16 samples\), but the model's "
        r"grid has 12.5; use a codec whose hop is 32 samples."
    )
    with pytest.raises(ValueError, match=sentence):
        build(conf_of(sampling_rate=400))


def test_the_configuration_is_left_as_it_was():
    conf = conf_of()
    build(conf)
    assert conf == conf_of()


def test_the_import_takes_the_trained_weights(training_files):
    model, config, model_file = training_files
    conf, codec = import_espnet(config, model_file)
    codes = random_codes(4)
    assert torch.equal(codec.decode(codes), model.decode(codes.permute(2, 0, 1))[:, 0])
    assert torch.equal(codec.silence_codes, codec.measure_silence_codes())
    assert conf["codec"] == "soundstream"


def test_an_imported_codec_needs_no_training_files(training_files):
    _, config, model_file = training_files
    conf, codec = import_espnet(config, model_file)
    assert not any("discriminator" in name for name in codec.state_dict())
    again = EspnetCodec(**yaml.safe_load(yaml.safe_dump(conf)))
    again.load_state_dict(codec.state_dict())
    codes = random_codes(4)
    assert torch.equal(again.eval().decode(codes), codec.decode(codes))


def test_the_configuration_of_another_task_is_refused(tmp_path, training_files):
    config = tmp_path / "config.yaml"
    config.write_text("encoder: conformer\n")
    with pytest.raises(ValueError, match="config.yaml names no codec"):
        import_espnet(config, training_files[2])
