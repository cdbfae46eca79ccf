"""Runs the three scripts of stage 3 on a small corpus of tones."""

import hashlib

import collect_set
import draw_conversations

from espnet2_duplex.jsonl import write_jsonl, write_text

RATES = {"user": 16000, "agent": 22050}


CORPUS = """
simulation:
  defaults:
    num_conversations: 24
    num_exchanges: {1: 0.5, 2: 0.5}
    user_pauses: {share: 0.5}
    user_channel:
      level: {share: 1.0}
      noise: {share: 0.5}
  sets:
    train:
    test: {num_conversations: 4}
"""


def spoken(make_wav, folder, speaker, set, count=4):
    """Rows of spoken.jsonl, their wavs beside them."""
    rows = []
    for n in range(count):
        turns = []
        for role, seconds in (("user", 0.5 + 0.1 * n), ("agent", 0.9 + 0.2 * n)):
            wav = folder / f"wavs/{speaker}_{role}_{n}.wav"
            make_wav(wav, seconds, RATES[role], seed=n)
            turns.append({"role": role, "text": f"{role} {n}", "wav": str(wav)})
        rows.append(
            {
                "id": f"{speaker}_{n}",
                "set": set,
                "source": "qa",
                "speaker": speaker,
                "turns": turns,
            }
        )
    return rows


class Stage3:
    """Runs the scripts on a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "corpus.yaml"
        self.options = ["--config", str(self.config), "--local", str(folder / "local")]

    def draw(self):
        draw_conversations.main(self.options)

    def job(self, name, out, job=1, num_jobs=1):
        """Command line of one rendering job."""
        jobs = ["--job", str(job), "--num_jobs", str(num_jobs)]
        return [*self.options, "--set", name, "--out", str(out), *jobs]

    def collect(self, name, rendered):
        out = self.folder / "data" / name
        collect_set.main(
            [
                *self.options,
                *("--set", name, "--rendered", str(rendered), "--out", str(out)),
            ]
        )
        return out


def begin_stage3(tmp_path, make_wav):
    """A corpus of three voices, ready to be drawn."""
    stage3 = Stage3(tmp_path)
    write_text(stage3.config, CORPUS)
    rows = [
        *spoken(make_wav, tmp_path, "ann", "train"),
        *spoken(make_wav, tmp_path, "bob", "train"),
        *spoken(make_wav, tmp_path, "cid", "test"),
    ]
    write_jsonl(tmp_path / "local/spoken.jsonl", rows)
    return stage3


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
