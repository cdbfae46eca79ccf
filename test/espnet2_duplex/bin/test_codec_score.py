"""codec_score from sound files to the page, with an untrained codec."""

import json
import shutil

import numpy as np
import pytest
import soundfile

from espnet2_duplex.bin import codec_judging
from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.codec_examples import pick
from espnet2_duplex.bin.codec_judging import System, Task, run_tasks
from espnet2_duplex.bin.codec_score import main
from espnet2_duplex.bin.codec_sentences import Record, read_sentences
from espnet2_duplex.metrics.speech import judges
from espnet2_duplex.metrics.speech.judges import JudgeOptions

RATE = 22050
TEXTS = {"b": "One, two.", "a": "The rest & <more>."}
FAST = ("--no_asr", "--mos", "none", "--no_pesq")  # log-mel, STOI, Resemblyzer


@pytest.fixture
def folder(tmp_path, tiny_codec_files):
    """A set of two short sentences, and a codec."""
    data = tmp_path / "data" / "spoken"
    data.mkdir(parents=True)
    wavs = {}
    for number, name in enumerate(TEXTS):
        wavs[name] = tmp_path / f"{name}.wav"
        rng = np.random.default_rng(number)
        times = np.arange(RATE * 6 // 10) / RATE
        speech = 0.1 * rng.standard_normal(len(times)) * np.sin(20 * times)
        soundfile.write(wavs[name], speech, RATE)
    for file, lines in (("wav.scp", wavs), ("text", TEXTS)):
        text = "".join(f"{name} {value}\n" for name, value in lines.items())
        (data / file).write_text(text, encoding="utf-8")
    codec = tmp_path / "codec"
    codec.mkdir()
    for path in tiny_codec_files:
        shutil.copy(path, codec)
    return tmp_path


def command(folder, *options):
    return [
        *("--data_dir", str(folder / "data" / "spoken")),
        *("--codec", f"tiny={folder / 'codec'}"),
        *("--output_dir", str(folder / "out")),
        *options,
    ]


def error_of(command, capsys):
    assert run_cli(main, command) == 1
    return capsys.readouterr().err


@pytest.fixture
def judged(monkeypatch):
    """Names of the judges that were made."""
    names = []
    make = judges.make_judge

    def counting(name, options):
        names.append(name)
        return make(name, options)

    monkeypatch.setattr(codec_judging, "make_judge", counting)
    return names


def test_everything_is_written(folder, monkeypatch):
    class Deaf:
        def __init__(self, options):
            pass

        def __call__(self, sample):
            return {"transcript": "one two"}

    monkeypatch.setattr(judges, "Transcript", Deaf)
    main(command(folder, "--num_examples", "2"))
    out = folder / "out"
    results = json.loads((out / "results.json").read_text())
    assert results["set"] == "spoken"
    assert (results["num_sentences"], results["seconds"]) == (2, 1.2)
    assert list(results["systems"]) == ["original", "tiny"]
    original, tiny = results["systems"].values()
    assert original["secs"]["mean"] == original["stoi"]["mean"] == 1.0
    assert original["mel_l1"]["mean"] == 0.0
    assert tiny["codec"]["num_frames"] == 16  # two of 7.5 frames, the last one padded
    assert tiny["mel_l1"]["mean"] > 0.1
    assert tiny["dnsmos_p808"]["num"] == 2
    assert tiny["cer"] == original["cer"] and tiny["cer_difference"]["value"] == 0
    assert tiny["cer_to_original"]["rate"] == 0
    info = soundfile.info(out / "tiny" / "wav" / "a.wav")
    assert (info.samplerate, info.frames) == (RATE, RATE * 6 // 10)
    assert "|tiny|0.60|" in (out / "RESULTS.md").read_text(encoding="utf-8")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "One, two." in page and "&amp; &lt;more&gt;" in page
    assert page.count("<article>") == 2 and page.count("data:audio/flac") == 4
    assert not list(out.rglob("*.tmp"))


def test_second_run_does_nothing_and_writes_the_same(folder, judged):
    main(command(folder, *FAST))
    paths = [
        path for path in (folder / "out").rglob("*.*") if path.name != "RESULTS.md"
    ]
    contents = [path.read_bytes() for path in paths]
    judged.clear()
    main(command(folder, *FAST))
    assert judged == []
    assert [path.read_bytes() for path in paths] == contents


def test_new_judge_scores_what_is_there(folder, judged):
    main(command(folder, *FAST))
    wav = folder / "out" / "tiny" / "wav" / "a.wav"
    made = wav.stat().st_mtime_ns
    judged.clear()
    main(command(folder, "--no_asr", "--mos", "none"))
    assert judged == ["pesq"]
    assert wav.stat().st_mtime_ns == made


def test_changed_codec_is_scored_anew(folder, judged):
    import torch

    main(command(folder, *FAST))
    records = folder / "out" / "tiny" / "sentences.jsonl"
    before = records.read_bytes()
    path = folder / "codec" / "codec.pth"
    weights = torch.load(path)
    weights = {
        name: value * 1.1 if value.is_floating_point() else value
        for name, value in weights.items()
    }
    torch.save(weights, path)
    judged.clear()
    main(command(folder, *FAST))
    assert len(judged) == 3
    assert records.read_bytes() != before


def test_lost_wav_is_made_again(folder, judged):
    main(command(folder, *FAST))
    wav = folder / "out" / "tiny" / "wav" / "a.wav"
    content = wav.read_bytes()
    wav.unlink()
    main(command(folder, *FAST))
    assert wav.read_bytes() == content


def test_stopped_run_keeps_what_was_done(folder, judged, monkeypatch):
    class Stopping(codec_judging.Worker):
        def __call__(self, task):
            if task.system.name == "tiny":
                raise KeyboardInterrupt
            return super().__call__(task)

    with monkeypatch.context() as patch:
        patch.setattr(codec_judging, "Worker", Stopping)
        with pytest.raises(KeyboardInterrupt):
            main(command(folder, *FAST))
    path = folder / "out" / "original" / "sentences.jsonl"
    content = path.read_bytes()
    assert content.count(b"\n") == 2
    main(command(folder, *FAST))
    assert path.read_bytes() == content
    assert (folder / "out" / "report.html").exists()


def test_processes_give_the_same_records(folder):
    sentences = read_sentences(folder / "data" / "spoken")
    options = JudgeOptions(asr=None)
    records = []
    for num_jobs in (1, 2):
        output_dir = folder / f"out{num_jobs}"
        system = System.of_codec("tiny", folder / "codec", output_dir)
        tasks = [
            Task(system, sentence, Record(sentence.id, made_from=""), ("stoi",))
            for sentence in sentences
        ]
        records.append(list(run_tasks(tasks, options, num_jobs)))
    assert records[0] == records[1]
    assert [record.id for record in records[0]] == list(TEXTS)


@pytest.mark.parametrize(
    "options, message",
    [
        (("--codec", "x"), "'x'; expected NAME=DIR"),
        (("--codec", "../x=y"), "'../x=y'; expected NAME=DIR"),
        (("--codec", "original=y"), "'original', which is taken"),
        (("--codec", "x=nowhere"), "nowhere/codec.yaml does not exist"),
        (("--nj", "0"), "--nj is 0"),
    ],
)
def test_bad_option_is_one_sentence(folder, capsys, options, message):
    assert message in error_of(command(folder, *options), capsys)


@pytest.mark.parametrize(
    "file, content, message",
    [
        ("text", "a only\n", "b is not in both"),
        ("wav.scp", "a nowhere.wav\nb nowhere.wav\n", "nowhere.wav does not exist"),
        ("wav.scp", "a\n", "line 1"),
    ],
)
def test_bad_set_is_one_sentence(folder, capsys, file, content, message):
    (folder / "data" / "spoken" / file).write_text(content)
    assert message in error_of(command(folder), capsys)


def test_set_of_one_sentence_is_refused(folder, capsys):
    for file in ("text", "wav.scp"):
        path = folder / "data" / "spoken" / file
        path.write_text(path.read_text().splitlines()[0] + "\n")
    assert "at least two" in error_of(command(folder), capsys)


def test_file_that_is_no_sound_is_named(folder, capsys):
    (folder / "a.wav").write_text("no sound")
    assert "a.wav cannot be read as audio" in error_of(command(folder), capsys)


def test_damaged_records_are_named(folder, capsys):
    path = folder / "out" / "original" / "sentences.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"id": "a"\n')
    assert "line 1 of" in error_of(command(folder, *FAST), capsys)


def test_examples_come_from_both_ends_and_the_middle():
    assert pick([4, 2, 0, 1, 3], 3) == [("worst", 4), ("middle", 0), ("best", 3)]
    assert len(pick([0, 1], 12)) == 2
