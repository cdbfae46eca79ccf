"""Judges on signals whose scores are known, and the errors of those that are absent."""

import builtins

import numpy as np
import pytest

from espnet2_duplex.metrics.asr.interface import AsrOptions
from espnet2_duplex.metrics.speech.judges import JudgeOptions, judge_makers, make_judge
from espnet2_duplex.metrics.speech.quality import LogMelDistance, Sample
from espnet2_duplex.metrics.speech.speaker_similarity import SpeakerSimilarity, cosine
from espnet2_duplex.metrics.speech.squim import Squim

RATE = 16000
NO_ASR = JudgeOptions(asr=None)


def noise(seconds=1.0, seed=0):
    """Noise whose level goes up and down like that of syllables."""
    samples = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    times = np.arange(len(samples)) / RATE
    return (0.1 * samples * (1 + np.sin(2 * np.pi * 4 * times))).astype(np.float32)


def identical(speech):
    return Sample(speech, speech, speech)


@pytest.mark.parametrize(
    "judge, key, best, tolerance",
    [
        ("log_mel", "mel_l1", 0.0, 0.0),
        ("stoi", "stoi", 1.0, 1e-6),
        ("pesq", "pesq", 4.64, 0.01),  # the scale's end
        ("resemblyzer", "secs", 1.0, 1e-6),
    ],
)
def test_identical_speech_has_the_best_score(judge, key, best, tolerance):
    scores = make_judge(judge, NO_ASR)(identical(noise()))
    assert scores[key] == pytest.approx(best, abs=tolerance)


@pytest.mark.parametrize("judge", ["pesq", "resemblyzer"])
def test_silence_has_no_score(judge):
    speech = noise()
    scores = make_judge(judge, NO_ASR)(Sample(np.zeros_like(speech), speech, speech))
    assert set(scores.values()) == {None}


def test_intelligibility_of_a_click_is_undefined():
    assert make_judge("stoi", NO_ASR)(identical(noise(0.2))) == {"stoi": None}


def test_log_mel_distance_of_half_the_level_is_the_logarithm_of_two():
    speech = noise()
    scores = LogMelDistance()(Sample(speech / 2, speech, speech))
    assert scores["mel_l1"] == pytest.approx(np.log(2), abs=1e-4)


def test_dnsmos_hears_noise_and_gives_the_same_score_again():
    judge = make_judge("dnsmos", NO_ASR)
    sample = identical(noise(9.1))  # one window of the network
    scores = judge(sample)
    assert set(scores) == {
        f"dnsmos_{kind}" for kind in ("overall", "signal", "background", "p808")
    }
    assert all(1 <= score < 3 for score in scores.values())
    assert judge(sample) == scores


def test_similarity_is_the_cosine_of_embeddings():
    judge = SpeakerSimilarity(lambda speech: speech)
    sample = Sample(
        *(np.array(v, dtype=np.float32) for v in ([3, 4], [4, 3], [-4, -3]))
    )
    scores = judge(sample)
    assert scores["secs"] == pytest.approx(24 / 25)
    assert scores["secs_other"] == pytest.approx(-24 / 25)


def test_cosine_does_not_depend_on_length():
    assert cosine(np.array([1.0, 0]), np.array([7.0, 7])) == pytest.approx(0.5**0.5)


def test_names_of_judges_follow_the_options():
    options = JudgeOptions(AsrOptions("tiny"), "none", pesq=False)
    assert set(judge_makers(options)) == {
        "log_mel",
        "stoi",
        "resemblyzer",
        "whisper tiny 15 s",
    }
    assert {"dnsmos", "squim"} < set(judge_makers(JudgeOptions(None, "squim")))


@pytest.mark.parametrize("options", [{"mos": "ears"}, {"speaker_encoder": "ears"}])
def test_unknown_judge_is_named_in_the_error(options):
    with pytest.raises(ValueError, match="'ears'; expected one of"):
        judge_makers(JudgeOptions(None, **options))


def test_missing_package_is_named_with_its_remedy(monkeypatch):
    real_import = builtins.__import__

    def without_pesq(name, *arguments, **options):
        if name == "pesq":
            raise ModuleNotFoundError("No module named 'pesq'", name="pesq")
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_pesq)
    with pytest.raises(ValueError, match="package 'pesq'.*--no_pesq"):
        make_judge("pesq", NO_ASR)


def test_squim_without_its_weights_says_where_they_belong(monkeypatch):
    from torchaudio.pipelines import SQUIM_OBJECTIVE

    def unreachable(self):
        raise OSError("no network")

    monkeypatch.setattr(type(SQUIM_OBJECTIVE), "get_model", unreachable)
    with pytest.raises(ValueError, match="no network.*torchaudio/models"):
        make_judge("squim", JudgeOptions(None, "squim"))


def test_squim_compares_with_the_other_sentence(monkeypatch):
    from torchaudio.pipelines import SQUIM_OBJECTIVE, SQUIM_SUBJECTIVE

    def objective(speech):
        return [speech.sum(), speech.sum() * 2, speech.sum() * 3]

    def subjective(speech, reference):
        return (speech - reference).sum()

    for bundle, model in ((SQUIM_OBJECTIVE, objective), (SQUIM_SUBJECTIVE, subjective)):
        monkeypatch.setattr(type(bundle), "get_model", lambda self, model=model: model)
    one = np.ones(1, dtype=np.float32)
    assert Squim()(Sample(one, one * 9, one * 4)) == {
        "squim_mos": -3.0,
        "squim_stoi": 1.0,
        "squim_pesq": 2.0,
        "squim_si_sdr": 3.0,
    }
