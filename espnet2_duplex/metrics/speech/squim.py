"""Torchaudio-SQUIM, the paper's judge of audio quality (Sec. 6.3).

Its weights come from the network at first use and stay in torch.hub's folder; those of
the subjective model are CC-BY-NC-4.0.
"""

import torch

from espnet2_duplex.metrics.speech.quality import Sample, Scores


class Squim:
    """`squim_mos`, and estimates of STOI, PESQ and SI-SDR (dB) without a reference.

    The subjective model compares with clean speech of any content: the other sentence
    of the same voice, for recordings and reconstructions alike.

    Raises:
        ValueError: the weights cannot be loaded.
    """

    def __init__(self) -> None:
        from torchaudio.pipelines import SQUIM_OBJECTIVE, SQUIM_SUBJECTIVE

        try:
            self._objective = SQUIM_OBJECTIVE.get_model()
            self._subjective = SQUIM_SUBJECTIVE.get_model()
        except OSError as error:
            raise ValueError(
                "--mos squim needs SQUIM's weights, which cannot be downloaded "
                f"({error}); put squim_objective_dns2020.pth and "
                "squim_subjective_bvcc_daps.pth into "
                f"{torch.hub.get_dir()}/torchaudio/models, or give --mos dnsmos"
            ) from error

    @torch.no_grad()
    def __call__(self, sample: Sample) -> Scores:
        """Judge `speech`."""
        speech = torch.from_numpy(sample.speech)[None]
        stoi, pesq, si_sdr = self._objective(speech)
        mos = self._subjective(speech, torch.from_numpy(sample.other)[None])
        return {
            "squim_mos": float(mos),
            "squim_stoi": float(stoi),
            "squim_pesq": float(pesq),
            "squim_si_sdr": float(si_sdr),
        }
