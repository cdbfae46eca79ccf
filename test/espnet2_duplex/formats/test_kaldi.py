import json
import os
from operator import length_hint
from pathlib import Path

import numpy as np
import pytest
import soundfile

from espnet2_duplex.conversation import ROLES
from espnet2_duplex.data_folder import read_table, write_table
from espnet2_duplex.formats.kaldi import KaldiOptions, KaldiWriter, read_kaldi
from espnet2_duplex.formats.registry import convert


def edit(folder, name, key, value):
    write_table(folder / name, {**read_table(folder / name), key: value})


def edit_turn(folder, index, **fields):
    turns = json.loads(read_table(folder / "turns")["a"])
    turns[index] |= fields
    edit(folder, "turns", "a", json.dumps(turns))


def refusal(folder):
    with pytest.raises(ValueError) as caught:
        list(read_kaldi(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_events_and_sources_may_be_absent(data):
    (data / "events").unlink()
    (data / "utt2source").unlink()
    recording = next(read_kaldi(data))
    assert recording.events == () and recording.source == "unknown"


def test_no_samples_are_read_before_they_are_asked_for(data):
    recordings = list(read_kaldi(data))
    for key in ("a", "b.1", "c"):
        (data / f"{key}.user.wav").unlink()
    assert recordings[0].user.num_samples == 38400
    with pytest.raises(ValueError, match="a.user.wav does not exist"):
        recordings[0].user.read()


def test_fitting_wavs_stay_where_they_are(data, tmp_path):
    out = tmp_path / "out"
    convert(read_kaldi(data), KaldiWriter(out))
    assert read_table(out / "user.scp") == read_table(data / "user.scp")
    assert not (out / "wav").exists()


def test_only_the_stream_with_another_rate_is_written(data, tmp_path):
    out = tmp_path / "out"
    convert(read_kaldi(data), KaldiWriter(out, KaldiOptions(agent_rate=24000)))
    info = soundfile.info(read_table(out / "agent.scp")["a"])
    assert (info.samplerate, info.frames, info.subtype) == (24000, 57600, "PCM_16")
    assert read_table(out / "user.scp") == read_table(data / "user.scp")


def test_second_run_rewrites_only_what_has_another_source(data, tmp_path):
    out, options = tmp_path / "out", KaldiOptions(audio="copy")
    convert(read_kaldi(data), KaldiWriter(out, options))
    paths = {key: out / "wav" / f"{key}_user.wav" for key in ("a", "c")}
    before = {key: path.stat().st_mtime_ns for key, path in paths.items()}
    source = data / "c.user.wav"
    soundfile.write(source, np.zeros(38400), 16000)
    os.utime(source, ns=(before["c"] - 10**10,) * 2)  # older than what was written
    convert(read_kaldi(data), KaldiWriter(out, options))
    assert paths["a"].stat().st_mtime_ns == before["a"]
    assert not soundfile.read(paths["c"])[0].any()


def test_another_corpus_with_the_same_ids_and_lengths_replaces_the_sound(
    make_data, tmp_path
):
    out, options = tmp_path / "out", KaldiOptions(audio="copy")
    first, second = make_data(tmp_path / "A"), make_data(tmp_path / "B")
    soundfile.write(second / "a.agent.wav", np.full(52920, 0.5), 22050)
    for path in second.glob("*.wav"):
        os.utime(path, ns=(0, 10**9))
    for data in (first, second):
        convert(read_kaldi(data), KaldiWriter(out, options))
    assert (soundfile.read(out / "wav" / "a_agent.wav")[0] == 0.5).all()


def test_wavs_of_conversations_that_no_longer_come_are_removed(data, tmp_path):
    out, options = tmp_path / "out", KaldiOptions(audio="copy")
    convert(read_kaldi(data), KaldiWriter(out, options))
    convert(list(read_kaldi(data))[1:], KaldiWriter(out, options))
    names = {path.name for path in (out / "wav").iterdir()}
    assert names == {f"{key}_{role}.wav" for key in ("b.1", "c") for role in ROLES}


def test_wavs_of_the_run_before_stay_where_the_new_tables_name_them(data, tmp_path):
    out = tmp_path / "out"
    convert(read_kaldi(data), KaldiWriter(out, KaldiOptions(audio="copy")))
    table = read_table(out / "user.scp")
    for name in ("user.scp", "agent.scp"):
        (data / name).write_bytes((out / name).read_bytes())
    convert(read_kaldi(data), KaldiWriter(out))
    assert read_table(out / "user.scp") == table
    assert all(Path(path).is_file() for path in table.values())


def test_tables_may_have_tabs(data):
    for name in ("user.scp", "turns", "utt2spk"):
        path = data / name
        path.write_text(path.read_text().replace(" ", "\t", 1))
    recording = next(read_kaldi(data))
    assert (recording.id, recording.speaker) == ("a", "speaker_a")
    assert recording.conversation.turns[0].text == "What is  tea?"


def test_readers_that_know_it_tell_how_many_conversations_come(data):
    assert length_hint(read_kaldi(data)) == 3


def test_folder_that_is_no_data_folder_is_refused(tmp_path):
    assert "has no user.scp; name a data folder" in refusal(tmp_path)
    assert "stage" not in refusal(tmp_path / "nowhere")


def test_a_file_cut_short_by_a_stopped_run_is_written_again(data, tmp_path):
    out, options = tmp_path / "out", KaldiOptions(audio="copy")
    convert(read_kaldi(data), KaldiWriter(out, options))
    path = out / "wav" / "a_user.wav"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    convert(read_kaldi(data), KaldiWriter(out, options))
    assert path.read_bytes() == whole


def test_missing_wav_is_named(data):
    (data / "a.agent.wav").unlink()
    assert f"{data}/a.agent.wav does not exist" in refusal(data)
    assert "conversation a" in refusal(data)


def test_streams_of_different_length_are_refused(data):
    soundfile.write(data / "a.user.wav", np.zeros(16000), 16000)
    found = refusal(data)
    assert "conversation a: the user's wav lasts 1.04 s and the agent's 2.40" in found


def test_stereo_file_is_refused(data):
    soundfile.write(data / "a.user.wav", np.zeros((38400, 2)), 16000)
    assert "a.user.wav has 2 channel(s); expected one (mono)" in refusal(data)


def test_turn_after_the_end_of_the_wavs_is_refused(data):
    edit_turn(data, 3, end=2.5)
    assert "conversation a, turn 3: it ends at 2.5 s, after the end" in refusal(data)


def test_empty_text_of_the_agent_is_refused(data):
    edit_turn(data, 1, text=" ")
    assert "conversation a, turn 1: the agent's turn at 1.0 s has no" in refusal(data)


def test_unknown_text_of_the_user_passes(data):
    edit_turn(data, 0, text="")
    assert next(read_kaldi(data)).conversation.turns[0].text == ""


def test_overlapping_turns_of_one_role_are_refused(data):
    edit_turn(data, 2, start=0.5)
    assert "conversation a, turn 2" in refusal(data)
    edit_turn(data, 2, start=1.5)
    edit_turn(data, 3, start=1.6)
    assert "the agent's turn ahead of it has ended" in refusal(data)


def test_unknown_role_is_refused(data):
    edit_turn(data, 0, role="host")
    assert "conversation a, turn 0: the role is 'host'" in refusal(data)


def test_ids_must_be_in_all_files(data):
    edit(data, "turns", "d", "[]")
    assert "user.scp lacks the conversation d" in refusal(data)


def test_duplicate_id_is_refused(data):
    with open(data / "turns", "a") as file:
        file.write("a []\n")
    assert f"{data}/turns, line 4 has the key a again" in refusal(data)


def test_text_that_is_not_utf_8_is_refused(data):
    with open(data / "turns", "ab") as file:
        file.write("d Getränk\n".encode("latin-1"))
    assert f"{data}/turns, line 4 has the byte 0xe4" in refusal(data)


@pytest.mark.parametrize(
    "events, message",
    [
        ("[{", "its events are no valid JSON"),
        ('[{"kind": "sneeze", "start": 0, "end": 1}]', "expected an object with kind"),
        ('[{"kind": "noise", "start": "x", "end": 1}]', "expected an object with kind"),
        ('[{"start": 0, "end": 1}]', "expected an object with kind"),
    ],
)
def test_faulty_events_are_refused(data, events, message):
    edit(data, "events", "a", events)
    assert "conversation a" in refusal(data) and message in refusal(data)


def test_command_in_the_scp_is_refused(data):
    edit(data, "user.scp", "a", "sph2pipe a.sph |")
    assert "its wav is the command 'sph2pipe a.sph |'" in refusal(data)


def test_samples_that_are_no_numbers_are_refused(data):
    soundfile.write(data / "a.user.wav", np.full(38400, np.nan), 16000, "FLOAT")
    with pytest.raises(ValueError, match="a.user.wav has 38400 samples that are not"):
        next(read_kaldi(data)).user.read()
