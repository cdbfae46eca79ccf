import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch
import yaml

from espnet2_duplex.arks import read_ark, read_scp
from espnet2_duplex.bin import duplex_s2s_tokenize
from espnet2_duplex.codec.loading import build_codec, load_codec


@pytest.fixture
def conversations(tmp_path):
    """Two agent channels; the second ends within a frame."""
    rng = np.random.default_rng(0)
    lines = []
    for key, num_samples in (("one", 3 * 1764), ("two", 2 * 1764 + 1)):
        wav = tmp_path / f"{key}.wav"
        soundfile.write(wav, 0.1 * rng.standard_normal(num_samples), 22050)
        lines.append(f"{key} {wav}\n")
    scp = tmp_path / "agent.scp"
    scp.write_text("".join(lines))
    return scp


@pytest.fixture
def options(conversations, tiny_codec_files, tmp_path):
    config, model = tiny_codec_files
    return {
        "--codec_config": str(config),
        "--codec_model": str(model),
        "--agent_scp": str(conversations),
        "--output_prefix": str(tmp_path / "dump" / "agent_codes"),
    }


def command(options):
    return [part for option in options.items() for part in option]


def one_wav(tmp_path, options, samples, rate=22050):
    wav = tmp_path / "bad.wav"
    soundfile.write(wav, samples, rate, subtype="FLOAT")
    scp = tmp_path / "bad.scp"
    scp.write_text(f"bad {wav}\n")
    return {**options, "--agent_scp": str(scp)}


def test_codes_are_frame_major_and_of_whole_conversations(options, tmp_path):
    duplex_s2s_tokenize.main(command(options))
    specs = read_scp(tmp_path / "dump" / "agent_codes.scp")
    assert list(specs) == ["one", "two"]
    codec = load_codec(options["--codec_config"], options["--codec_model"])
    for key, spec in specs.items():
        speech, _ = soundfile.read(tmp_path / f"{key}.wav", dtype="float32")
        expected = codec.encode(torch.from_numpy(speech)[None])[0]
        codes = read_ark(spec)
        assert codes.dtype == np.int32
        assert codes.shape == (3 * 4,)
        assert np.array_equal(codes.reshape(3, 4), expected.numpy())


def test_a_key_file_selects_conversations(options, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("two anything\n")
    duplex_s2s_tokenize.main(command({**options, "--key_file": str(keys)}))
    assert list(read_scp(tmp_path / "dump" / "agent_codes.scp")) == ["two"]
    keys.write_text("three anything\n")
    with pytest.raises(ValueError, match="three of .* is not in"):
        duplex_s2s_tokenize.main(command({**options, "--key_file": str(keys)}))


def test_codes_are_made_anew_only_when_the_codec_or_the_list_changed(options, tmp_path):
    scp = tmp_path / "dump" / "agent_codes.scp"
    duplex_s2s_tokenize.main(command(options))
    long_ago = 1_000_000_000
    for path in (options["--agent_scp"], *tmp_path.glob("*.wav")):
        os.utime(path, (long_ago, long_ago))
    first = scp.stat().st_mtime_ns
    duplex_s2s_tokenize.main(command(options))
    assert scp.stat().st_mtime_ns == first
    future = first / 1e9 + 10
    os.utime(options["--agent_scp"], (future, future))
    duplex_s2s_tokenize.main(command(options))
    assert scp.stat().st_mtime_ns > first


@pytest.mark.parametrize(
    "samples, rate, message",
    [
        (np.zeros(1600), 16000, "has 16000 Hz, but 22050 Hz are expected"),
        (np.zeros((1764, 2)), 22050, "has 2 channels"),
        (np.zeros(0), 22050, "has no samples"),
        (np.array([0.0, np.nan]), 22050, "not finite"),
    ],
)
def test_a_bad_wav_is_refused_by_name(options, tmp_path, samples, rate, message):
    bad = one_wav(tmp_path, options, samples, rate)
    with pytest.raises(ValueError, match=f"bad.wav .*{message}"):
        duplex_s2s_tokenize.main(command(bad))
    assert not list((tmp_path / "dump").iterdir())


def test_what_is_no_audio_is_refused_by_name(options, tmp_path):
    text = tmp_path / "text.wav"
    text.write_text("no audio")
    scp = tmp_path / "bad.scp"
    scp.write_text(f"bad {text}\n")
    with pytest.raises(ValueError, match="text.wav cannot be read as audio"):
        duplex_s2s_tokenize.main(command({**options, "--agent_scp": str(scp)}))


def test_a_codec_of_another_frame_rate_is_refused(options, tmp_path):
    conf = yaml.safe_load(open(options["--codec_config"]))
    conf["codec_conf"]["samples_per_frame"] = 3528
    config = tmp_path / "slow.yaml"
    config.write_text(yaml.safe_dump(conf))
    model = tmp_path / "slow.pth"
    torch.save(build_codec("istft", conf["codec_conf"]).state_dict(), model)
    slow = {"--codec_config": str(config), "--codec_model": str(model)}
    with pytest.raises(ValueError, match="6.25 frames per second.* has 12.5"):
        duplex_s2s_tokenize.main(command({**options, **slow}))


def test_on_the_command_line_an_error_is_one_sentence(options, tmp_path):
    bad = one_wav(tmp_path, options, np.zeros(0))
    module = "espnet2_duplex.bin.duplex_s2s_tokenize"
    run = subprocess.run(
        [sys.executable, "-m", module, *command(bad)], capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "Traceback" not in run.stderr
    assert run.stderr.splitlines()[-1].startswith("error: ")
