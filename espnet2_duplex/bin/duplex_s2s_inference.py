#!/usr/bin/env python3
"""Decode with a trained duplex model: from Python, or a whole set from the shell."""

import argparse
import logging
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Union

import numpy as np
import torch
import torchaudio
from espnet2.legacy.utils.cli_utils import get_commandline_args
from espnet2.utils.types import str_or_none
from tqdm import tqdm

from espnet2_duplex.bin.cli import run_cli
from espnet2_duplex.bin.conversation_folders import (
    not_decoded,
    select_wavs,
    write_folder,
)
from espnet2_duplex.bin.pack import check_files, fetch_packed
from espnet2_duplex.codec.loading import load_codec
from espnet2_duplex.conversation import Turn
from espnet2_duplex.dataset_checks import check_speech, load_speech
from espnet2_duplex.session import (
    DuplexSession,
    DuplexStepper,
    Sampling,
    turns_from_text_ids,
)
from espnet2_duplex.tokenizer import load_tokenizer


@dataclass(frozen=True)
class DuplexOutput:
    """The agent's side of one conversation."""

    speech: np.ndarray  # (M,) float32 at `fs_agent`
    turns: list[Turn]
    text_ids: np.ndarray  # (T,) int64, token t was emitted in step t
    codes: np.ndarray  # (T, K) int64, as decoded


class DuplexSpeech2Speech:
    """A trained model, ready to listen and talk.

    Args:
        train_config: `config.yaml` of the training.
        model_file: Checkpoint.
        device: "cpu", "cuda", ...
        seed: Of the sampling.
        text_temperature: 0 decodes greedily.
        speech_temperature: 0 decodes greedily.
        top_k: Candidates kept when sampling; 0 keeps all.

    Raises:
        ValueError: If a file that the model needs is missing.

    Examples:
        >>> s2s = DuplexSpeech2Speech.from_pretrained("packed.zip")  # doctest: +SKIP
        >>> out = s2s(speech, tail_seconds=3.0)  # doctest: +SKIP
        >>> session = s2s.session()  # doctest: +SKIP
        >>> frame = session.step(speech[:1280])  # doctest: +SKIP
    """

    def __init__(
        self,
        train_config: Union[Path, str],
        model_file: Union[Path, str],
        device: str = "cpu",
        seed: int = 0,
        text_temperature: float = 0.0,
        speech_temperature: float = 0.0,
        top_k: int = 0,
    ):
        # Imported here, so that `--help` and the checks below need no training code.
        from espnet2_duplex.tasks.duplex_s2s import DuplexS2STask

        check_files(train_config, model_file)
        torch.manual_seed(seed)
        model, args = DuplexS2STask.build_model_from_file(
            str(train_config), str(model_file), device
        )
        model.eval()
        codec = load_codec(args.codec_config, args.codec_model, device)
        self.tokenizer = load_tokenizer(args.token_type, args.bpemodel)
        self.stepper = DuplexStepper(
            encoder=model.encoder,
            adapter=model.adapter,
            duplex_lm=model.duplex_lm,
            codec=codec,
            text_ids=self.tokenizer.ids,
            delays=args.delays,
            sampling=Sampling(text_temperature, speech_temperature, top_k),
        )

    @staticmethod
    def from_pretrained(model_tag: Optional[str] = None, **kwargs):
        """Build from a packed model: a local archive or a name on the hub.

        Args:
            model_tag: Path of a `.zip`, or `user/name` on the Hugging Face hub.
            kwargs: For the constructor.

        Raises:
            ValueError: If the archive is damaged or nothing is known by that name.
        """
        if model_tag is not None:
            kwargs.update(fetch_packed(model_tag))
        return DuplexSpeech2Speech(**kwargs)

    @property
    def fs_user(self) -> int:
        """Sample rate that the model hears, in Hz."""
        return self.stepper.encoder.sample_rate

    @property
    def fs_agent(self) -> int:
        """Sample rate at which the model speaks, in Hz."""
        return self.stepper.codec.sample_rate

    @property
    def latency(self) -> float:
        """Declared algorithmic latency in seconds: one frame and the look-ahead."""
        return self.stepper.latency_seconds

    def session(self) -> DuplexSession:
        """A new conversation to be fed frame by frame."""
        return DuplexSession(self.stepper, self.tokenizer)

    def __call__(self, speech: np.ndarray, tail_seconds: float = 0.0) -> DuplexOutput:
        """The agent's side of a recorded user channel, as a session would give it.

        Args:
            speech: (N,) float at `fs_user`.
            tail_seconds: Silence to add, so that the agent can finish.

        Raises:
            ValueError: If `speech` is not one finite, non-empty channel.
        """
        return self.decode_batch([speech], tail_seconds)[0]

    def decode_batch(
        self, speeches: Sequence[np.ndarray], tail_seconds: float = 0.0
    ) -> list[DuplexOutput]:
        """Several conversations in lockstep; shorter ones hear silence at their end."""
        speeches = [np.asarray(speech) for speech in speeches]
        num_frames = [self._num_frames(speech, tail_seconds) for speech in speeches]
        frame_samples = self.stepper.frame_samples
        padded = torch.zeros(len(speeches), max(num_frames) * frame_samples)
        for row, speech in zip(padded, speeches):
            row[: len(speech)] = torch.as_tensor(speech)
        state = self.stepper.init_state(len(speeches))
        outputs = []
        for frame in padded.to(self.stepper.device).split(frame_samples, dim=1):
            output, state = self.stepper.step(frame, state)
            outputs.append(output)
        speech = torch.cat([o.speech for o in outputs], dim=1).cpu().numpy()
        text_ids = torch.stack([o.text_ids for o in outputs], dim=1).cpu().numpy()
        codes = torch.stack([o.codes for o in outputs], dim=1).cpu().numpy()
        return [
            self._collect(speech[b], text_ids[b, :n], codes[b, :n])
            for b, n in enumerate(num_frames)
        ]

    def _num_frames(self, speech: np.ndarray, tail_seconds: float) -> int:
        check_speech("the speech", speech, self.fs_user, self.fs_user)
        if tail_seconds < 0:
            raise ValueError(f"tail_seconds is {tail_seconds}; expected 0 or more")
        clock = self.stepper.clock
        return clock.num_frames(len(speech), self.fs_user) + clock.ceil_frames(
            tail_seconds
        )

    def _collect(self, speech, text_ids, codes) -> DuplexOutput:
        samples = len(text_ids) * self.stepper.codec.samples_per_frame
        turns = turns_from_text_ids(
            text_ids.tolist(), self.tokenizer, self.stepper.clock
        )
        return DuplexOutput(speech[:samples], turns, text_ids, codes)


def inference(
    output_dir: str,
    data_path_and_name_and_type: Sequence[tuple[str, str, str]],
    key_file: Optional[str],
    train_config: Optional[str],
    model_file: Optional[str],
    model_tag: Optional[str],
    batch_size: int,
    ngpu: int,
    seed: int,
    tail_seconds: float,
    text_temperature: float,
    speech_temperature: float,
    top_k: int,
    log_level: Union[int, str],
) -> None:
    """Decode a set into `<output_dir>/<id>/`; what is there already is kept."""
    logging.basicConfig(
        level=log_level,
        format="%(asctime)s (%(module)s:%(lineno)d) %(levelname)s: %(message)s",
    )
    wavs = select_wavs(user_scp(data_path_and_name_and_type), key_file)
    todo = not_decoded(wavs, output_dir)
    s2s = DuplexSpeech2Speech.from_pretrained(
        model_tag=model_tag,
        train_config=train_config,
        model_file=model_file,
        device="cuda" if ngpu else "cpu",
        seed=seed,
        text_temperature=text_temperature,
        speech_temperature=speech_temperature,
        top_k=top_k,
    )
    to_user_rate = torchaudio.transforms.Resample(s2s.fs_agent, s2s.fs_user)
    tail = np.zeros(round(tail_seconds * s2s.fs_user), dtype=np.float32)
    with tqdm(total=len(todo), unit="conversation", desc=Path(output_dir).name) as bar:
        for start in range(0, len(todo), batch_size):
            batch = todo[start : start + batch_size]
            users = [load_speech(Path(path), s2s.fs_user) for _, path in batch]
            outputs = s2s.decode_batch(users, tail_seconds)
            for (name, _), user, output in zip(batch, users, outputs):
                write_folder(
                    Path(output_dir) / name,
                    user=np.concatenate([user, tail]),
                    agent=to_user_rate(torch.from_numpy(output.speech)).numpy(),
                    sample_rate=s2s.fs_user,
                    turns=output.turns,
                    latency_seconds=s2s.latency,
                )
                bar.update()


def user_scp(data_path_and_name_and_type: Sequence[tuple[str, str, str]]) -> str:
    """The one list of user wav files among the triplets.

    Raises:
        ValueError: If there is none, or more than one.
    """
    paths = [
        triplet[0]
        for triplet in data_path_and_name_and_type
        if triplet[1:] == ("user_speech", "sound")
    ]
    if len(paths) != 1:
        raise ValueError(
            "data_path_and_name_and_type must name the user's wav files once, as in "
            "data/test_qa/user.scp,user_speech,sound"
        )
    return paths[0]


def get_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--output_dir", required=True)
    parser.add_argument(
        "--data_path_and_name_and_type",
        type=lambda text: tuple(text.split(",")),
        required=True,
        action="append",
        help="For example data/test_qa/user.scp,user_speech,sound",
    )
    parser.add_argument("--key_file", type=str_or_none, help="Decode only these ids")
    parser.add_argument("--train_config", type=str_or_none)
    parser.add_argument("--model_file", type=str_or_none)
    parser.add_argument(
        "--model_tag", type=str_or_none, help="Packed model or hub name, instead"
    )
    parser.add_argument(
        "--batch_size", type=int, default=16, help="Conversations in lockstep"
    )
    parser.add_argument("--ngpu", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tail_seconds", type=float, default=0.0)
    parser.add_argument("--text_temperature", type=float, default=0.0)
    parser.add_argument("--speech_temperature", type=float, default=0.0)
    parser.add_argument("--top_k", type=int, default=0)
    parser.add_argument(
        "--log_level",
        type=lambda x: x.upper(),
        default="INFO",
        choices=("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"),
    )
    return parser


def main(cmd=None):
    """Decode a set."""
    print(get_commandline_args(), file=sys.stderr)
    inference(**vars(get_parser().parse_args(cmd)))


if __name__ == "__main__":
    sys.exit(run_cli(main))
