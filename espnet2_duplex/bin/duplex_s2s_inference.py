#!/usr/bin/env python3
"""Decode with a trained duplex model: from Python, or a whole set from the shell."""

import argparse
import json
import logging
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Optional, Sequence, Union

import numpy as np
import soundfile
import torch
from espnet2.legacy.utils.cli_utils import get_commandline_args
from espnet2.utils.types import str_or_none
from tqdm import tqdm

from espnet2_duplex.arks import read_scp
from espnet2_duplex.bin.cli import run_cli
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


def write_conversation(
    folder: Path, user: np.ndarray, output: DuplexOutput, s2s: DuplexSpeech2Speech
) -> None:
    """Write input.wav, output.wav (same rate and length) and output.json at once."""
    import torchaudio

    agent = torch.from_numpy(output.speech)
    agent = torchaudio.functional.resample(agent, s2s.fs_agent, s2s.fs_user).numpy()
    agent = np.pad(agent, (0, max(0, len(user) - len(agent))))[: len(user)]
    temporary = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    soundfile.write(temporary / "input.wav", user, s2s.fs_user)
    soundfile.write(temporary / "output.wav", agent.clip(-1, 1), s2s.fs_user)
    description = {
        "turns": [turn.to_dict() for turn in output.turns],
        "latency": s2s.latency,
    }
    text = json.dumps(description, indent=1, ensure_ascii=False)
    (temporary / "output.json").write_text(text + "\n", encoding="utf-8")
    os.replace(temporary, folder)


def batches(
    items: Sequence[tuple[str, str]], batch_size: int
) -> Iterator[Sequence[tuple[str, str]]]:
    for start in range(0, len(items), batch_size):
        yield items[start : start + batch_size]


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
    todo = pending(output_dir, data_path_and_name_and_type, key_file)
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
    with tqdm(total=len(todo), unit="conversation", desc=Path(output_dir).name) as bar:
        for batch in batches(todo, batch_size):
            users = [load_speech(Path(path), s2s.fs_user) for _, path in batch]
            for (name, _), user, output in zip(
                batch, users, s2s.decode_batch(users, tail_seconds)
            ):
                tail = np.zeros(round(tail_seconds * s2s.fs_user), dtype=np.float32)
                user = np.concatenate([user, tail])
                write_conversation(Path(output_dir) / name, user, output, s2s)
                bar.update()


def pending(
    output_dir: str,
    data_path_and_name_and_type: Sequence[tuple[str, str, str]],
    key_file: Optional[str],
) -> list[tuple[str, str]]:
    """(id, user wav) of the conversations that are not decoded yet."""
    paths = [
        path
        for path, name, kind in data_path_and_name_and_type
        if (name, kind) == ("user_speech", "sound")
    ]
    if len(paths) != 1:
        raise ValueError(
            "data_path_and_name_and_type must name the user's wav files once, as in "
            "data/test_qa/user.scp,user_speech,sound"
        )
    scp = read_scp(paths[0])
    keys = list(scp) if key_file is None else read_keys(key_file)
    unknown = [key for key in keys if key not in scp]
    if unknown:
        raise ValueError(
            f"{key_file} has {unknown[0]!r}, which {paths[0]} lacks; make both from the "
            "same set"
        )
    done = {path.parent.name for path in Path(output_dir).glob("*/output.json")}
    return [(key, scp[key]) for key in keys if key not in done]


def read_keys(key_file: str) -> list[str]:
    """The first word of every line, as in ESPnet: a list of ids or an scp serve."""
    lines = Path(key_file).read_text(encoding="utf-8").splitlines()
    return [line.split()[0] for line in lines if line.strip()]


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
