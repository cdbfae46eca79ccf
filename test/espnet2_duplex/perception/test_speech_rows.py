"""Rows of speech that an encoder is trained on."""

import numpy as np
import pytest
import soundfile
import torch

from espnet2_duplex.perception.speech_rows import RowSettings, SpeechRows
from espnet2_duplex.perception.utterances import Utterance, read_manifest
from espnet2_duplex.simulation.user_channel.settings import Noise, Room, UserChannel
from espnet2_duplex.simulation.yaml_fields import changed

ROWS = dict(batch_seconds=4.0, row_seconds=(1.5, 2.0))


@pytest.fixture
def utterances(corpus):
    return read_manifest(corpus / "wav.scp", corpus / "text")


def test_manifest_keeps_untranscribed_utterances(utterances):
    assert [u.text for u in utterances] == ["yes", "no no", None]


def test_manifest_line_without_a_path_is_named(corpus):
    (corpus / "wav.scp").write_text("a x.wav\nb\n")
    with pytest.raises(ValueError, match="wav.scp, line 2 reads 'b'; expected a key"):
        read_manifest(corpus / "wav.scp")


def test_wav_at_another_rate_is_refused(corpus):
    soundfile.write(corpus / "a.wav", np.zeros(100), 8000)
    with pytest.raises(ValueError, match="a.wav: mono speech at 16000 Hz expected"):
        Utterance("a", str(corpus / "a.wav"), None).read()


def test_batch_is_a_function_of_seed_and_step(utterances):
    settings = RowSettings(**ROWS)
    first, again = (SpeechRows(utterances, settings, seed=1) for _ in range(2))
    again.batch(0)
    batch, same = first.batch(5), again.batch(5)
    torch.testing.assert_close(same.speech, batch.speech, atol=0, rtol=0)
    assert same.texts == batch.texts
    assert batch.speech.shape[1] % 1280 == 0
    other = SpeechRows(utterances, settings, seed=2).batch(5).speech
    assert other.shape != batch.speech.shape or not torch.equal(other, batch.speech)


def test_silence_before_the_first_utterance_is_told(utterances):
    settings = RowSettings(**ROWS, noise_db=(-200.0, -200.0))
    batch = SpeechRows(utterances, settings, seed=0).batch(1)
    for row, first in zip(batch.undisturbed.abs(), batch.first_samples):
        assert row[:first].max() < 1e-9 < row[first : first + 100].max()


def test_without_a_channel_the_student_hears_what_the_teacher_hears(utterances):
    batch = SpeechRows(utterances, RowSettings(**ROWS), seed=0).batch(0)
    assert torch.equal(batch.speech, batch.undisturbed)


def test_the_channel_disturbs_the_student_alone(utterances):
    channel = UserChannel(noise=Noise(share=1.0, snr_range_db=(10, 10)))
    plain, noisy = (
        SpeechRows(utterances, RowSettings(**ROWS, user_channel=c), seed=0).batch(0)
        for c in (UserChannel(), channel)
    )
    assert torch.equal(plain.undisturbed[0], noisy.undisturbed[0])
    speech = plain.undisturbed[0]
    spoken = speech.abs() > 0.02  # clips of noise at 0.1, the microphone's below 0.01
    noise = (noisy.speech - noisy.undisturbed)[0]
    snr_db = 10 * torch.log10(speech[spoken].square().mean() / noise.square().mean())
    assert abs(snr_db - 10) < 1


def test_rooms_that_are_not_there_are_named_before_training(utterances):
    settings = RowSettings(user_channel=UserChannel(room=Room(share=0.5)))
    with pytest.raises(ValueError, match="the bank has no rooms"):
        SpeechRows(utterances, settings, seed=0)


def test_row_has_the_texts_of_all_its_utterances_or_none(utterances):
    rows = SpeechRows(utterances, RowSettings(**ROWS), seed=0)
    texts = [text for step in range(20) for text in rows.batch(step).texts]
    words = {"yes", "no"}
    assert None in texts and "no no" in texts
    assert all(set(text.split()) <= words for text in texts if text)


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"speeds": [1, 1]}, "rows_conf has the unknown name speeds; known are batch"),
        ({"speed": 1}, r"rows_conf.speed is 1; write a range, \[low, high\]"),
        ({"speed": [0, 1]}, r"rows_conf: speed is \[0.0, 1.0\]; start at 0.1"),
        ({"row_seconds": [5, 70]}, "and batch_seconds 64; rows last 0.5 s or more"),
        ({"row_seconds": [0.01, 5]}, "rows last 0.5 s or more"),
        (
            {"user_channel": {"noise": {"share": 2}}},
            "rows_conf.user_channel.noise.share is 2; a share is from 0 to 1",
        ),
    ],
)
def test_setting_that_cannot_be_meant_is_named(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        changed(RowSettings(), values, "rows_conf")
