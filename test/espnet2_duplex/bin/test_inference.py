import json
import os
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import soundfile
import torch
import yaml
from conftest import build_tiny_model, save_llm_tokenizer, write_wav

from espnet2_duplex.bin import duplex_s2s_inference, duplex_s2s_train, pack
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.duplex_s2s_inference import DuplexSpeech2Speech
from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask


@pytest.fixture
def recipe(tiny_training_args, tiny_codec_files, tiny_bpemodel, tmp_path, monkeypatch):
    """A recipe folder with codec and tokens below exp, and the options that say so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "exp").mkdir()
    for file in (*tiny_codec_files, tiny_bpemodel):
        shutil.copy(file, "exp")
    return [
        *tiny_training_args,
        *("--codec_config", "exp/codec.yaml"),
        *("--codec_model", "exp/codec.pth"),
        *("--bpemodel", "exp/bpe.model"),
        *("--output_dir", "exp/model"),
    ]


@pytest.fixture
def trained(recipe, tmp_path):
    """The folder as training leaves it, with a model in exp/model."""
    leave_model(recipe)
    return tmp_path


def leave_model(args):
    duplex_s2s_train.main([*args, "--dry_run", "true"])
    model = build_tiny_model(DuplexS2STask, args)
    torch.save(model.state_dict(), "exp/model/valid.loss.best.pth")


MODEL = {
    "train_config": "exp/model/config.yaml",
    "model_file": "exp/model/valid.loss.best.pth",
}


def pack_model(outpath="exp/model.zip"):
    options = [f"--{key}={value}" for key, value in MODEL.items()]
    pack.main([*options, "--outpath", outpath])


def speech_of(seconds, seed=0):
    noise = np.random.default_rng(seed).standard_normal(round(seconds * 16000))
    return (0.1 * noise).astype(np.float32)


def test_whole_recording_equals_session_for_a_minute(trained):
    s2s = DuplexSpeech2Speech(**MODEL)
    speech = speech_of(60.0)
    out = s2s(speech)
    session = s2s.session()
    frames = [session.step(frame) for frame in speech.reshape(-1, 1280)]
    assert out.text_ids.tolist() == [f.text_id for f in frames]
    assert out.codes.tolist() == [f.codes.tolist() for f in frames]
    streamed = np.concatenate([f.speech for f in frames])
    np.testing.assert_allclose(out.speech, streamed, atol=1e-4)
    assert out.speech.shape == (750 * 1764,)
    assert (s2s.fs_user, s2s.fs_agent, s2s.latency) == (16000, 22050, 0.08)


def test_tail_gives_the_agent_time(trained):
    s2s = DuplexSpeech2Speech(**MODEL)
    speech = speech_of(1.0)  # 12.5 frames
    assert s2s(speech).codes.shape == (13, 4)
    longer = s2s(speech, tail_seconds=0.5)
    assert longer.codes.shape == (13 + 7, 4)
    assert longer.text_ids[:13].tolist() == s2s(speech).text_ids.tolist()


@pytest.mark.parametrize(
    "speech, message",
    [
        (np.zeros(0), "no samples"),
        (np.full(16000, np.nan), "not finite"),
        (np.zeros((16000, 2)), "2 channels"),
    ],
)
def test_bad_speech_is_refused(trained, speech, message):
    with pytest.raises(ValueError, match=message):
        DuplexSpeech2Speech(**MODEL)(speech)


def test_packed_model_runs_elsewhere_without_the_recipe(trained, tmp_path):
    expected = DuplexSpeech2Speech(**MODEL)(speech_of(2.0))
    pack_model()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move("exp/model.zip", elsewhere)
    shutil.rmtree("exp")
    code = (
        "import numpy, sys\n"
        "from espnet2_duplex.bin.duplex_s2s_inference import DuplexSpeech2Speech\n"
        "s2s = DuplexSpeech2Speech.from_pretrained('model.zip', device='cpu')\n"
        "numpy.save('ids.npy', s2s(numpy.load('in.npy')).text_ids)\n"
    )
    np.save(elsewhere / "in.npy", speech_of(2.0))
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    subprocess.run(
        [sys.executable, "-c", code], cwd=elsewhere, env=environment, check=1
    )
    assert np.load(elsewhere / "ids.npy").tolist() == expected.text_ids.tolist()


def test_llm_tokenizer_is_packed_with_all_its_files(recipe, tmp_path):
    save_llm_tokenizer(tmp_path / "exp/tokens", eos_token="</s>")
    leave_model(
        [
            *recipe,
            *("--token_type", "hugging_face"),
            *("--bpemodel", "exp/tokens/tokenizer.json"),
        ]
    )
    expected = DuplexSpeech2Speech(**MODEL)(speech_of(2.0))
    pack_model()
    shutil.move("exp/model.zip", "model.zip")
    shutil.rmtree("exp")
    packed = DuplexSpeech2Speech.from_pretrained("model.zip")
    assert packed(speech_of(2.0)).text_ids.tolist() == expected.text_ids.tolist()


def test_new_archive_under_an_old_name_is_not_taken_from_the_cache(trained):
    pack_model()
    DuplexSpeech2Speech.from_pretrained("exp/model.zip")
    state = torch.load(MODEL["model_file"])
    state["duplex_lm.speech_head.weight"] += 1.0
    torch.save(state, MODEL["model_file"])
    pack_model()
    s2s = DuplexSpeech2Speech.from_pretrained("exp/model.zip")
    weight = s2s.stepper.duplex_lm.speech_head.weight
    torch.testing.assert_close(weight.cpu(), state["duplex_lm.speech_head.weight"])


def test_packed_file_that_is_missing_is_named(trained):
    pack_model("exp/whole.zip")
    with zipfile.ZipFile("exp/whole.zip") as whole:
        with zipfile.ZipFile("exp/damaged.zip", "w") as damaged:
            for name in whole.namelist():
                if name != "exp/codec.pth":
                    damaged.writestr(name, whole.read(name))
    shutil.rmtree("exp/model")
    (trained / "exp/codec.pth").unlink()
    with pytest.raises(ValueError, match="codec.pth, which does not exist.*stage 11"):
        DuplexSpeech2Speech.from_pretrained("exp/damaged.zip")


def test_damaged_archive_and_unknown_tag_are_explained(trained):
    (trained / "broken.zip").write_bytes(b"PK not a zip")
    with pytest.raises(ValueError, match="broken.zip is not a packed model"):
        DuplexSpeech2Speech.from_pretrained("broken.zip")
    with pytest.raises(ValueError, match="'nobody/nothing' is neither"):
        DuplexSpeech2Speech.from_pretrained("nobody/nothing")
    with pytest.raises(ValueError, match="no.yaml does not exist"):
        DuplexSpeech2Speech(train_config="no.yaml", model_file="no.pth")


def write_scp(folder, wavs):
    lines = [f"{name} {path}" for name, path in wavs.items()]
    (folder / "user.scp").write_text("\n".join(lines) + "\n")


def decode(*options):
    args = [
        *("--data_path_and_name_and_type", "user.scp,user_speech,sound"),
        *("--output_dir", "decode/test"),
        *[f"--{key}={value}" for key, value in MODEL.items()],
        *options,
    ]
    return run_cli(duplex_s2s_inference.main, args)


def test_decoding_a_set_writes_folders_and_continues(trained):
    wavs = {name: trained / f"{name}.wav" for name in ("a", "b", "c")}
    for seed, (name, path) in enumerate(wavs.items()):
        write_wav(path, 16000 + 999 * seed, 16000, seed)
    write_scp(trained, wavs)
    (trained / "keys").write_text("a\nb\n")
    assert decode("--key_file", "keys", "--batch_size", "2") == 0
    first = (trained / "decode/test/a/output.json").stat().st_mtime_ns
    assert decode("--tail_seconds", "0.25") == 0
    assert sorted(p.name for p in (trained / "decode/test").iterdir()) == [
        "a",
        "b",
        "c",
    ]
    assert (trained / "decode/test/a/output.json").stat().st_mtime_ns == first
    user, rate = soundfile.read("decode/test/c/input.wav")
    agent, agent_rate = soundfile.read("decode/test/c/output.wav")
    assert rate == agent_rate == 16000
    assert len(user) == len(agent) == 16000 + 2 * 999 + 4000
    description = json.loads((trained / "decode/test/c/output.json").read_text())
    assert description["latency"] == 0.08 and isinstance(description["turns"], list)


@pytest.mark.parametrize(
    "num_samples, rate, channels, message",
    [
        (8000, 8000, 1, "8000 Hz, but 16000 Hz are expected"),
        (16000, 16000, 2, "has 2 channels"),
        (0, 16000, 1, "no samples"),
    ],
)
def test_wrong_user_wav_ends_with_one_sentence(
    trained, capsys, num_samples, rate, channels, message
):
    shape = (num_samples,) if channels == 1 else (num_samples, channels)
    soundfile.write("bad.wav", np.zeros(shape), rate)
    write_scp(trained, {"talk": "bad.wav"})
    assert decode() == 1
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert last.startswith("error: bad.wav")
    assert re.search(message, last)
    assert not (trained / "decode/test/talk").exists()


def test_tokenizer_named_by_the_hub_cannot_be_packed(trained):
    config = yaml.safe_load((trained / MODEL["train_config"]).read_text())
    config.update(token_type="hugging_face", bpemodel="some/llm")
    (trained / MODEL["train_config"]).write_text(yaml.safe_dump(config))
    with pytest.raises(ValueError, match="some/llm cannot be packed"):
        pack_model()


def test_parsers_have_help():
    for module in (duplex_s2s_inference, pack, duplex_s2s_train):
        with pytest.raises(SystemExit):
            module.get_parser().parse_args(["--help"])
