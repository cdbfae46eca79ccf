"""Write the data folder of one set of conversations, in parallel and atomically."""

import os
import shutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Dict, List, Sequence

import numpy as np
import soundfile
from data_files import write_speakers, write_table
from draw_conversations import Layout
from rendering import Room, render
from tqdm import tqdm
from voices import AGENT_RATE, USER_RATE

from espnet2_duplex.conversation import turns_to_json

CHUNK = 16  # conversations a worker takes at once


def write_wavs(layout: Layout, room: Room, seed: int, out: Path) -> None:
    """Render one conversation into `<out>/<id>_{user,agent}.wav`, 16 bit."""
    user, agent = render(layout, room, seed)
    for name, stream, rate in (
        ("user", user, USER_RATE),
        ("agent", agent, AGENT_RATE),
    ):
        pcm = np.round(stream * 32767).astype(np.int16)
        path = out / f"{layout.conversation.id}_{name}.wav"
        soundfile.write(path, pcm, rate, subtype="PCM_16")


def write_wavs_in_parallel(
    layouts: Sequence[Layout],
    seed: int,
    out: Path,
    num_jobs: int,
) -> None:
    """`write_wavs` for all layouts, with a progress bar."""
    work = partial(write_wavs, room=Room(), seed=seed, out=out)
    title = out.parent.name.strip(".").partition(".")[0]
    if num_jobs == 1 or len(layouts) <= CHUNK:
        for layout in tqdm(layouts, title):
            work(layout)
        return
    with ProcessPoolExecutor(num_jobs) as pool:
        done = pool.map(work, layouts, chunksize=CHUNK)
        for _ in tqdm(done, title, len(layouts)):
            pass


def set_tables(layouts: Sequence[Layout], folder: Path) -> Dict[str, Dict[str, str]]:
    """The set's text files, name -> table; `folder` is where the wavs will be."""
    tables: Dict[str, Dict[str, str]] = {
        name: {} for name in ("user.scp", "agent.scp", "turns", "utt2dur")
    }
    for layout in layouts:
        conversation = layout.conversation
        key = conversation.id
        tables["user.scp"][key] = f"{folder}/wav/{key}_user.wav"
        tables["agent.scp"][key] = f"{folder}/wav/{key}_agent.wav"
        tables["turns"][key] = turns_to_json(conversation.turns)
        tables["utt2dur"][key] = f"{conversation.duration:.2f}"
    return tables


def write_set(
    folder: Path,
    layouts: List[Layout],
    seed: int,
    num_jobs: int,
) -> None:
    """Write `<folder>` anew; what was there stays until the new one is complete.

    Args:
        folder: of the set.
        layouts: its conversations.
        seed: of levels and noise.
        num_jobs: processes.
    """
    partial_folder = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    (partial_folder / "wav").mkdir(parents=True)
    try:
        write_wavs_in_parallel(layouts, seed, partial_folder / "wav", num_jobs)
        for name, table in set_tables(layouts, folder).items():
            write_table(partial_folder / name, table)
        speakers = {layout.conversation.id: layout.speaker for layout in layouts}
        write_speakers(partial_folder, speakers)
        replace_folder(partial_folder, folder)
    finally:
        shutil.rmtree(partial_folder, ignore_errors=True)
    seconds = sum(layout.conversation.duration for layout in layouts)
    print(f"{folder}: {len(layouts)} conversations, {seconds:.0f} s", flush=True)


def replace_folder(new: Path, folder: Path) -> None:
    """Put `new` where `folder` is, by renaming."""
    old = folder.with_name(f".{folder.name}.{os.getpid()}.replaced")
    if folder.exists():
        os.replace(folder, old)
    os.replace(new, folder)
    shutil.rmtree(old, ignore_errors=True)
