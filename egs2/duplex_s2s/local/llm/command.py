"""The options and the end that all commands with a language model share."""

import argparse
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from llm.opening import PACKAGED, open_llm
from llm.parts import Parts
from llm.runner import Item, Job, merge, run
from llm.writing import STYLES, Sampling
from shares import add_share_options

from espnet2_duplex.chat.backend import Backend, is_endpoint

LOCAL = Path(__file__).resolve().parents[1]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which model, how it writes, and the job's share."""
    sampling = Sampling()
    parser.add_argument("--out", type=Path, required=True, help="JSON lines")
    parser.add_argument("--seed", type=int, default=0)
    add_share_options(parser)
    parser.add_argument(
        "--merge", action="store_true", help="only make the output of all jobs' parts"
    )
    parser.add_argument(
        "--llm",
        default=PACKAGED,
        help="smollm2, an endpoint's URL (http://host/v1), a folder or a hub name",
    )
    parser.add_argument("--llm_model", help="the model's name at the endpoint")
    parser.add_argument("--licence", help="of the model's texts, if it is not known")
    parser.add_argument("--downloads", type=Path, default=Path("downloads"))
    parser.add_argument(
        "--style",
        choices=STYLES,
        help="write whole texts or turn by turn; default: turns, at endpoints whole",
    )
    parser.add_argument("--prompts", type=Path, help="prompt file of one's own")
    parser.add_argument("--temperature", type=float, default=sampling.temperature)
    parser.add_argument(
        "--answer_temperature", type=float, default=sampling.answer_temperature
    )
    parser.add_argument("--max_attempts", type=int, default=10, help="of one text")
    parser.add_argument("--chunk_size", type=int, default=32, help="texts in a batch")


def style_of(args: argparse.Namespace) -> str:
    """The chosen style, or the one that suits the model."""
    return args.style or ("whole" if is_endpoint(args.llm) else "turns")


def sampling_of(args: argparse.Namespace) -> Sampling:
    return Sampling(args.temperature, args.answer_temperature)


def digest(*paths: Path | None) -> str:
    """Of the contents of files that the texts depend on."""
    contents = [path.read_bytes() for path in paths if path is not None]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]


def write_all(
    args: argparse.Namespace,
    inputs: Sequence[Path | None],
    num_texts: int,
    make_items: Callable[[Backend], Sequence[Item]],
) -> None:
    """Write this job's share, or, with --merge or as the only job, the output.

    Args:
        inputs: files that the texts depend on.
        num_texts: of all jobs.
        make_items: the items from the model, whose name and licence go into the rows.
    """
    parts = Parts(args.out)
    if not args.merge:
        job = Job(args.job, args.num_jobs)
        parts.check_settings(settings_of(args, inputs))
        backend = open_llm(args.llm, model=args.llm_model, downloads=args.downloads)
        run(
            make_items(backend), backend, parts, job, args.chunk_size, args.max_attempts
        )
    if args.merge or args.num_jobs == 1:
        merge(parts, num_texts, args.out)
        print(f"the texts are in {args.out}", flush=True)


def settings_of(args: argparse.Namespace, inputs: Sequence[Path | None]) -> dict:
    """All that the texts depend on; how many they are only says which are made."""
    names = (
        "seed llm llm_model licence temperature answer_temperature max_attempts "
        "chunk_size".split()
    )
    return {name: getattr(args, name) for name in names} | {
        "style": style_of(args),
        "inputs": digest(*inputs),
    }
