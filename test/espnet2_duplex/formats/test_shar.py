import gzip
import os
import sys
import tarfile
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lhotse import AudioSource, CutSet, MonoCut, Recording, SupervisionSegment
from lhotse.shar import SharWriter as LhotseWriter

from espnet2_duplex.conversation import Turn
from espnet2_duplex.data_folder import read_table
from espnet2_duplex.formats.kaldi import read_kaldi
from espnet2_duplex.formats.recording import make_recording
from espnet2_duplex.formats.registry import convert
from espnet2_duplex.formats.shar import SharOptions, read_shar
from espnet2_duplex.formats.shar_writer import SharWriter
from espnet2_duplex.formats.sounds import FileSound
from espnet2_duplex.sound_files import encode_sound


def write(data, folder, **options):
    convert(read_kaldi(data), SharWriter(folder, SharOptions(**options)))


@pytest.mark.parametrize("encoding", ["flac", "wav"])
def test_lhotse_alone_reads_what_is_written(data, tmp_path, encoding):
    write(data, tmp_path / "shar", shard_size=2, encoding=encoding)
    cuts = list(CutSet.from_shar(in_dir=tmp_path / "shar"))
    assert [cut.id for cut in cuts] == ["a", "b.1", "c"]
    for cut in cuts:
        for role, audio in (
            ("user", cut.load_audio()),
            ("agent", cut.load_target_audio()),
        ):
            wav = read_table(data / f"{role}.scp")[cut.id]
            np.testing.assert_array_equal(audio[0], soundfile.read(wav)[0])
        assert cut.duration == cut.target_audio.duration == 2.4
        assert (cut.sampling_rate, cut.target_audio.sampling_rate) == (16000, 22050)
    spoken = [(s.speaker, s.start, s.end, s.text) for s in cuts[0].supervisions]
    assert spoken[1] == ("agent", 1.0, 1.700001, "Ein Getränk, a drink.")
    assert [speaker for speaker, *_ in spoken] == ["user", "agent", "user", "agent"]


def test_lhotse_resamples_and_collates_it_as_nemo_does(data, tmp_path):
    from lhotse.dataset.collation import collate_audio

    write(data, tmp_path / "shar")
    cuts = CutSet.from_shar(in_dir=tmp_path / "shar").to_eager()
    source, source_lens = collate_audio(cuts.resample(16000))
    target, target_lens = collate_audio(
        cuts.resample(22050), recording_field="target_audio"
    )
    assert source.shape == (3, 38400) and source_lens.tolist() == [38400] * 3
    assert target.shape == (3, 52920) and target_lens.tolist() == [52920] * 3


def test_shards_hold_as_many_conversations_as_asked_for(data, tmp_path):
    write(data, tmp_path / "shar", shard_size=2)
    assert sorted(os.listdir(tmp_path / "shar")) == [
        f"{field}.00000{shard}.{suffix}"
        for field, suffix in (
            ("cuts", "jsonl.gz"),
            ("recording", "tar"),
            ("target_audio", "tar"),
        )
        for shard in (0, 1)
    ]
    assert sorted(os.listdir(tmp_path)) == [".shar.sources", "data", "shar"]


def test_streams_are_resampled_on_request(data, tmp_path):
    write(data, tmp_path / "shar", agent_rate=24000)
    recording = next(read_shar(tmp_path / "shar"))
    assert recording.agent.sample_rate == 24000
    assert len(recording.agent.read()) == recording.agent.num_samples == 57600


def stamps(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_second_run_keeps_shards_that_are_the_same(data, tmp_path):
    shar = tmp_path / "shar"
    write(data, shar, shard_size=2)
    before = stamps(shar)
    write(data, shar, shard_size=2)
    assert stamps(shar) == before


def test_second_run_rewrites_the_shard_with_another_turn(data, tmp_path):
    shar = tmp_path / "shar"
    write(data, shar, shard_size=2)
    before = stamps(shar)
    turns = (data / "turns").read_text().replace("stop", "halt")
    lines = (data / "turns").read_text().splitlines()
    (data / "turns").write_text("\n".join([*lines[:1], *turns.splitlines()[1:2]]))
    with open(data / "turns", "a") as file:
        file.write(f"\n{lines[2]}\n")
    write(data, shar, shard_size=2)
    after = stamps(shar)
    assert after["cuts.000000.jsonl.gz"] != before["cuts.000000.jsonl.gz"]
    assert after["cuts.000001.jsonl.gz"] == before["cuts.000001.jsonl.gz"]
    texts = [r.conversation.turns[2].text for r in read_shar(shar)]
    assert texts == ["stop", "halt", "stop"]
    recording = next(read_shar(shar))
    wav = read_table(data / "user.scp")["a"]
    np.testing.assert_array_equal(recording.user.read(), soundfile.read(wav)[0])


def test_second_run_rewrites_the_shard_of_another_sound(data, tmp_path):
    shar = tmp_path / "shar"
    write(data, shar, shard_size=2)
    before = stamps(shar)
    soundfile.write(data / "c.user.wav", np.full(38400, 0.5), 16000)
    os.utime(data / "c.user.wav", ns=(0, 10**9))
    write(data, shar, shard_size=2)
    changed = {name for name, stamp in stamps(shar).items() if stamp != before[name]}
    assert {name.split(".")[1] for name in changed} == {"000001"} and len(changed) == 3
    *_, last = read_shar(shar)
    assert (last.user.read() == 0.5).all()


@pytest.mark.parametrize("name", ["recording.000000.tar", "cuts.000000.jsonl.gz"])
@pytest.mark.parametrize("num_bytes", [0, 700])
def test_second_run_rewrites_damaged_shards(data, tmp_path, name, num_bytes):
    shar = tmp_path / "shar"
    write(data, shar)
    path = shar / name
    whole = path.read_bytes()
    path.write_bytes(whole[:num_bytes])
    write(data, shar)
    assert [r.id for r in read_shar(shar)] == ["a", "b.1", "c"]
    if name.startswith("cuts"):
        assert gzip.decompress(path.read_bytes()) == gzip.decompress(whole)
    else:
        assert len(path.read_bytes()) == len(whole)


def test_second_run_rewrites_shards_of_another_encoding(data, tmp_path):
    shar = tmp_path / "shar"
    write(data, shar)
    before = stamps(shar)
    write(data, shar, encoding="wav")
    assert not set(before.values()) & set(stamps(shar).values())
    with tarfile.open(shar / "recording.000000.tar") as tar:
        assert tar.getnames()[0] == "a.wav"


def test_conversation_that_cannot_be_read_leaves_no_hole_in_its_shard(data, tmp_path):
    soundfile.write(data / "b.1.user.wav", np.full(38400, np.nan), 16000, "FLOAT")
    faults = []
    writer = SharWriter(tmp_path / "shar", SharOptions(shard_size=2))
    assert convert(read_kaldi(data), writer, faults.append) == 2
    assert "b.1.user.wav has 38400 samples that are not" in str(faults[0])
    assert [r.id for r in read_shar(tmp_path / "shar")] == ["a", "c"]
    assert not (tmp_path / "shar" / "cuts.000001.jsonl.gz").exists()


def test_sound_lost_since_the_last_run_costs_only_its_own_conversation(data, tmp_path):
    """The shard must be written again, and what could have stayed is read then."""
    shar = tmp_path / "shar"
    write(data, shar)
    first, second, third = read_kaldi(data)
    second = replace(second, user=Unreadable(**vars(second.user)))
    third = replace(third, speaker="somebody_else")
    for _ in range(2):
        faults = []
        convert([first, second, third], SharWriter(shar), faults.append)
        assert [str(fault) for fault in faults] == ["it cannot be read"]
        assert [r.id for r in read_shar(shar)] == ["a", "c"]


class Unreadable(FileSound):
    """Sound whose file is what it was, but for that nobody may read it."""

    def read(self):
        raise ValueError("it cannot be read")


LENGTHS = st.tuples(
    st.integers(30, 40), st.integers(0, 1279), st.integers(0, 1763)
)  # frames, and samples less in their last one


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(LENGTHS)
def test_any_lengths_of_the_streams_come_back(tmp_path_factory, lengths):
    num_frames, user_less, agent_less = lengths
    folder, sounds = tmp_path_factory.mktemp("lengths"), []
    for role, rate, less in (("user", 16000, user_less), ("agent", 22050, agent_less)):
        num_samples = num_frames * rate * 8 // 100 - less
        samples = np.random.default_rng(less).integers(-99, 99, num_samples, np.int16)
        soundfile.write(folder / f"{role}.wav", samples, rate)
        sounds.append(FileSound(folder / f"{role}.wav", rate, num_samples))
    turns = [Turn("user", 0.1, 0.5, "x")]
    convert([make_recording("a", turns, *sounds)], SharWriter(folder / "shar"))
    (back,) = read_shar(folder / "shar")
    for before, after in zip(sounds, (back.user, back.agent)):
        read = after.read()
        assert (read[: before.num_samples] == before.read()).all()
        assert not read[before.num_samples :].any()
    assert back.conversation.duration == num_frames * 8 / 100


def test_shards_that_a_smaller_run_does_not_need_are_removed(data, tmp_path):
    shar = tmp_path / "shar"
    write(data, shar, shard_size=1)
    write(data, shar, shard_size=2)
    assert [r.id for r in read_shar(shar)] == ["a", "b.1", "c"]
    convert(list(read_kaldi(data))[:1], SharWriter(shar, SharOptions(shard_size=2)))
    assert [r.id for r in read_shar(shar)] == ["a"]


def foreign_cut(speakers, *, target_rate=24000, seconds=1.0):
    """A cut as NeMo's tools write it."""

    def recording(rate):
        content = encode_sound(np.full(round(seconds * rate), 0.25), rate, "WAV")
        return Recording(
            "x",
            [AudioSource("memory", [0], content)],
            rate,
            round(seconds * rate),
            seconds,
        )

    supervisions = [
        SupervisionSegment(f"x-{n}", "x", n / 2, 0.4, text=text, speaker=speaker)
        for n, (speaker, text) in enumerate(speakers)
    ]
    custom = {} if target_rate is None else {"target_audio": recording(target_rate)}
    return MonoCut(
        "x", 0, seconds, 0, supervisions, recording=recording(16000), custom=custom
    )


def write_foreign(cut, folder):
    fields = dict.fromkeys(("recording", "target_audio"), "flac")
    folder.mkdir()
    with LhotseWriter(folder, fields, shard_size=10) as writer:
        writer.write(cut)
    return folder


def test_role_names_and_time_stamps_of_nemo_are_understood(tmp_path):
    cut = foreign_cut(
        [("User", "<|0|> Hey <|3|> <|3|> you <|5|>"), ("Assistant", "Hi")]
    )
    (recording,) = read_shar(write_foreign(cut, tmp_path / "shar"))
    turns = recording.conversation.turns
    assert [(t.role, t.text) for t in turns] == [("user", "Hey you"), ("agent", "Hi")]
    assert (turns[1].start, turns[1].end) == (0.5, 0.9)
    assert recording.agent.sample_rate == 24000
    assert len(recording.agent.read()) == 24000
    assert recording.speaker == "x" and recording.source == "unknown"


@pytest.mark.parametrize(
    "cut, message",
    [
        (foreign_cut([("Robot", "Hi")]), "cut x: supervision x-0: the speaker is 'Rob"),
        (foreign_cut([("agent", "")]), "conversation x, turn 0: the agent's turn at"),
        (foreign_cut([("user", "Hi")], target_rate=None), "cut x: it has no target_a"),
        (foreign_cut([("user", "a")] * 3), "turn 2: it ends at 1.4 s, after the end"),
    ],
)
def test_faulty_cuts_are_refused(tmp_path, cut, message):
    folder = write_foreign(cut, tmp_path / "shar")
    with pytest.raises(ValueError, match=message) as caught:
        list(read_shar(folder))
    assert str(folder) in str(caught.value)


def test_folder_without_target_audio_is_refused(data, tmp_path):
    write(data, tmp_path / "shar")
    (tmp_path / "shar" / "target_audio.000000.tar").unlink()
    with pytest.raises(ValueError, match="shar has no shards of target_audio"):
        read_shar(tmp_path / "shar")


@pytest.mark.parametrize("name", ["recording.000000.tar", "cuts.000000.jsonl.gz"])
def test_damaged_shard_is_refused(data, tmp_path, name):
    write(data, tmp_path / "shar")
    path = tmp_path / "shar" / name
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="shar is damaged after "):
        list(read_shar(tmp_path / "shar"))


def test_cuts_that_are_not_utf_8_are_refused(data, tmp_path):
    write(data, tmp_path / "shar")
    path = tmp_path / "shar" / "cuts.000000.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "\xe4"}\n'))
    with pytest.raises(ValueError, match="shar is damaged after its beginning"):
        list(read_shar(tmp_path / "shar"))


def test_missing_lhotse_is_told_with_the_remedy(data, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lhotse.shar", None)
    monkeypatch.setitem(sys.modules, "lhotse", None)
    with pytest.raises(ValueError, match=r"pip install 'espnet2-duplex\[formats\]'"):
        SharWriter(tmp_path / "shar")
