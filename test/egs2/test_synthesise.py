import errno
import json

import numpy as np
import pytest
import soundfile
import synthesise
from clip_failures import Failure, too_many, write_failures
from clips import copied_clip, is_spoken, make_clip, read_failures
from synthesise import main, speak
from tone_engine import ToneEngine
from tts.hibari_engine import HibariEngine

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.jsonl import read_jsonl, write_jsonl
from espnet2_duplex.sound_files import write_wav

LEAD = 1764  # samples of one frame at 22.05 kHz, whose codes the speech BOS replaces


def user_clip(text, voice="low"):
    return make_clip("user", "tone", voice, 1.0, text, 16000)


@pytest.fixture
def run(tmp_path):
    """Run the script on clips; returns the exit code."""

    def run_on(clips, *options):
        write_jsonl(tmp_path / "user.jsonl", [vars(clip) for clip in clips])
        tone = {"kind": "tone_engine.ToneEngine"}
        corpus = {"speech": {"engines": {"tone": tone}}}
        (tmp_path / "corpus.yaml").write_text(json.dumps(corpus))
        arguments = ["--clips", tmp_path / "user.jsonl", "--out", tmp_path / "clips"]
        arguments += ["--config", tmp_path / "corpus.yaml", *options]
        return run_cli(main, [str(argument) for argument in arguments])

    return run_on


def wavs(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.wav"))


def test_a_clips_name_changes_with_all_that_changes_its_samples():
    base = ("user", "kokoro", "am_adam", 1.0, "Hello.", 16000, 0, "")
    others = [
        ("user", "other", "am_adam", 1.0, "Hello.", 16000, 0, ""),
        ("user", "kokoro", "am_echo", 1.0, "Hello.", 16000, 0, ""),
        ("user", "kokoro", "am_adam", 1.1, "Hello.", 16000, 0, ""),
        ("user", "kokoro", "am_adam", 1.0, "Hello!", 16000, 0, ""),
        ("user", "kokoro", "am_adam", 1.0, "Hello.", 24000, 0, ""),
        ("user", "kokoro", "am_adam", 1.0, "Hello.", 16000, 1, ""),
        ("user", "kokoro", "am_adam", 1.0, "Hello.", 16000, 0, "v2"),
    ]
    ids = [make_clip(*arguments).id for arguments in [base, *others]]
    assert make_clip(*base).id == ids[0] and len(set(ids)) == len(ids)
    path = make_clip(*base).path
    assert path.parts == ("user", path.stem[-16:-14], f"{ids[0]}.wav")


def test_a_users_clip_is_speech_only_and_the_agents_begins_with_the_lead(tmp_path):
    engines = {"tone": ToneEngine(tmp_path)}
    user = speak(user_clip("one two three four five"), engines)
    assert abs(len(user) - 8000) <= 160 and np.abs(user[:160]).max() > 0.01
    clip = make_clip("agent", "tone", "low", 1.0, "one two three four five", 22050)
    agent = speak(clip, engines)
    assert abs(len(agent) - LEAD - 11025) <= 221
    assert not agent[:LEAD].any() and np.abs(agent[LEAD : LEAD + 220]).max() > 0.01


def test_an_own_wav_of_the_agent_gets_the_lead_and_keeps_its_samples(
    tmp_path, make_wav
):
    source = make_wav(tmp_path / "own.wav", 0.5, 22050)
    clip = copied_clip(source, "So.", 22050)
    speech = speak(clip, {})
    assert not speech[:LEAD].any()
    assert np.array_equal(speech[LEAD:], soundfile.read(source, dtype="float32")[0])


def test_jobs_share_the_clips_and_give_the_same_bytes_as_one(run, tmp_path):
    texts = ["yes", "no", "go", "stop", "so"]
    clips = [make_clip("agent", "hibari", "heart", 1.0, t, 22050) for t in texts]
    folders = []
    for num_jobs in (1, 2):
        for job in range(1, num_jobs + 1):
            assert run(clips, "--job", job, "--num_jobs", num_jobs) == 0
            if (num_jobs, job) == (2, 1):
                assert len(wavs(tmp_path / "clips")) == 3
        folders.append(tmp_path / f"of_{num_jobs}")
        (tmp_path / "clips").rename(folders[-1])
    assert wavs(folders[0]) == wavs(folders[1]) == sorted(str(c.path) for c in clips)
    for name in wavs(folders[0]):
        one, two = ((folder / name).read_bytes() for folder in folders)
        assert one == two


def test_a_clip_that_is_there_is_kept(run, tmp_path):
    clip = user_clip("hello there")
    path = tmp_path / "clips" / clip.path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"kept")
    assert run([clip]) == 0
    assert path.read_bytes() == b"kept"


def test_missing_clips_are_counted_without_speaking(run, tmp_path, capsys):
    clips = [user_clip(f"good {n}") for n in range(3)]
    assert run(clips[:1]) == 0
    capsys.readouterr()
    assert run(clips, "--count_missing") == 0
    assert capsys.readouterr().out == "2\n"
    assert len(wavs(tmp_path / "clips")) == 1


def test_a_clip_is_tried_twice_and_with_another_seed(tmp_path):
    engine = ToneEngine(tmp_path)
    for text, reason in (
        ("moody", ""),
        ("broken", "RuntimeError: the engine has stalled"),
        ("mute", "ValueError: the voice gave silence"),
    ):
        clip = user_clip(text)
        assert synthesise.speak_to_file(clip, tmp_path, {"tone": engine}) == reason
        assert engine.spoken.count(text) == 2
        assert (tmp_path / clip.path).is_file() == (text == "moody")
    assert clip.seed(0) != clip.seed(1) and clip.seed(0) == clip.seed(0)


def test_failed_clips_are_listed_and_the_others_spoken(run, tmp_path, capsys):
    clips = [user_clip("broken"), user_clip("mute"), user_clip("good")]
    assert run(clips, "--job", 1) == 0
    assert "2 of 3 clips failed" in capsys.readouterr().err
    out = tmp_path / "clips"
    assert wavs(out) == [str(clips[2].path)]
    listed = read_jsonl(out / "failed.user.1.jsonl")
    assert [row["text"] for row in listed] == ["broken", "mute"]
    failures = read_failures(out)
    assert failures[clips[1].id] == "ValueError: the voice gave silence"
    assert not is_spoken(str(out / clips[0].path), failures)
    assert is_spoken(str(out / clips[2].path), failures)
    with pytest.raises(ValueError, match="never.wav is missing; run local/data.sh"):
        is_spoken(str(out / "never.wav"), failures)


def test_too_many_failed_clips_of_all_jobs_are_an_error_with_examples(run, capsys):
    clips = [user_clip("broken", voice=name) for name in "abcdef"]
    clips += [user_clip(f"good {n}") for n in range(4)]
    for job in (1, 2):  # three failures each, which no job could call too many
        assert run(clips, "--job", job, "--num_jobs", 2) == 0
    assert capsys.readouterr().err.count("warning: 3 of 5 clips failed, see ") == 2
    assert run(clips, "--check") == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("error: 6 of 10 clips failed, see ")
    assert "c 'broken' (RuntimeError: the engine has stalled). Change" in message
    assert run(clips, "--check", "--max_failed_share", 0.6) == 0
    told = capsys.readouterr()
    assert "warning: 6 of 10 clips failed" in told.err
    assert told.out.startswith("4 user clips are in ")


def test_a_list_of_which_nothing_is_spoken_is_an_error(run, capsys):
    clips = [user_clip("broken"), user_clip("mute")]
    assert run(clips) == 0
    assert run(clips, "--check", "--max_failed_share", 1) == 1
    assert "'mute' (ValueError: the voice gave silence). Mend the" in (
        capsys.readouterr().err
    )
    assert run([], "--check") == 0


def test_a_list_is_judged_only_when_all_its_jobs_are_done(run, capsys):
    clips = [user_clip(f"good {n}") for n in range(3)]
    assert run(clips, "--job", 1, "--num_jobs", 2) == 0
    assert run(clips, "--check") == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("error: 1 of the 3 user clips have not been spoken")
    assert str(clips[1].path) in message
    assert run(clips, "--job", 2, "--num_jobs", 2) == 0
    assert run(clips, "--check") == 0


def test_failures_of_an_earlier_run_with_more_jobs_are_forgotten(run, tmp_path, capsys):
    out = tmp_path / "clips"
    old = [Failure(user_clip(f"old {n}"), "stalled") for n in range(9)]
    for job in (1, 7):
        write_failures(old, out, "user", job)
    others = [
        write_failures(old[:1], out, "user.slow", 1),
        write_failures(old[:1], out, "agent", 7),
        out / "failed.plan.jsonl",
    ]
    write_jsonl(others[-1], [])
    clips = [user_clip("good"), *(failure.clip for failure in old)]
    assert run(clips, "--begin") == 0
    assert sorted(out.glob("failed.*")) == sorted(others)
    assert run(clips, "--check") == 1  # nobody has tried again
    assert "10 of the 10 user clips have not been spoken" in capsys.readouterr().err
    assert run(clips) == 0 and run(clips, "--check") == 0


def test_a_job_stops_when_nothing_can_be_spoken_from_the_first_clips_on(run, capsys):
    broken = [user_clip(f"broken {n}") for n in range(30)]
    assert run(broken) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert message == (
        "error: the first 20 clips failed, the last is low 'broken 19' (RuntimeError: "
        "the engine has stalled); mend the engine tone or its settings."
    )
    assert run([*broken[:19], user_clip("good"), *broken[19:]]) == 0


def test_clips_that_fail_in_every_run_do_not_stop_a_job_that_has_spoken(run, capsys):
    clips = [user_clip("good"), *(user_clip(f"broken {n}") for n in range(25))]
    for _ in range(2):
        assert run(clips) == 0
    assert "25 of 26 clips failed" in capsys.readouterr().err


def test_a_failed_sentence_does_not_stop_a_small_corpus():
    assert not too_many(1, 2, 0.02) and not too_many(5, 10, 0.02)
    assert not too_many(0, 0, 0.02) and too_many(1, 1, 0.02)
    assert too_many(6, 10, 0.02) and not too_many(6, 300, 0.02)
    assert too_many(7, 300, 0.02) and not too_many(7, 10, 0.7)


def test_a_full_disk_stops_at_once_and_is_no_failed_clip(
    run, tmp_path, capsys, monkeypatch
):
    written = []

    def fill_up(path, samples, sample_rate):
        if written:
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(path)
        write_wav(path, samples, sample_rate)

    monkeypatch.setattr(synthesise, "write_wav", fill_up)
    clips = [user_clip(f"good {n}") for n in range(5)]
    assert run(clips) == 1
    message = capsys.readouterr().err.splitlines()[-1]
    assert "No space left on device); the disk is full: free some space" in message
    assert str(clips[1].path) in message
    assert wavs(tmp_path / "clips") == [str(clips[0].path)]
    assert not list((tmp_path / "clips").glob("failed.*"))
    monkeypatch.undo()
    assert run(clips) == 0 and len(wavs(tmp_path / "clips")) == 5


def test_a_job_beyond_the_number_of_jobs_is_refused(run, capsys):
    assert run([user_clip("good")], "--job", 3, "--num_jobs", 2) == 1
    assert "give --job a number from 1 to --num_jobs" in capsys.readouterr().err


def test_an_engine_that_cannot_be_loaded_stops_before_any_clip(run, tmp_path, capsys):
    clip = make_clip("user", "kokoro", "af_sky", 1.0, "Hello.", 16000)
    assert run([clip], "--downloads", tmp_path / "nothing") == 1
    message = capsys.readouterr().err
    assert "error: engine kokoro: " in message and "af_sky.bin is missing" in message


def test_a_clip_of_an_unknown_engine_is_an_error(run, capsys):
    assert run([make_clip("user", "lost", "x", 1.0, "Hello.", 16000)]) == 1
    assert "clips want the engine lost, but the corpus" in capsys.readouterr().err


def test_the_agents_own_engine_speaks_into_22050_hz(tmp_path):
    clip = make_clip("agent", "hibari", "heart", 1.0, "Hello there.", 22050)
    speech = speak(clip, {"hibari": HibariEngine(tmp_path)})
    assert 0.4 < (len(speech) - LEAD) / 22050 < 1.5
    assert not speech[:LEAD].any() and np.abs(speech).max() > 0.05
