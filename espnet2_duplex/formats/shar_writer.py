"""Writes Lhotse Shar, shard by shard; each is there as a whole or not at all."""

import os
import tarfile
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.shar import FIELDS, SharOptions, import_lhotse
from espnet2_duplex.formats.sounds import Sound, read_stream, seconds_of
from espnet2_duplex.sound_files import encode_sound
from espnet2_duplex.timing import (
    MICROSECONDS_PER_SECOND,
    microseconds,
    nearest_sample,
)


class SharWriter:
    """Writes conversations as Shar.

    A shard of an earlier run stays if its cuts are those that it would get and it is
    not older than the sound they are made from; shards with higher numbers than this
    run needs are removed at the end.

    Args:
        folder: of the shards; nothing else should be in it, as lhotse takes every file
            for a field.
        options: size and encoding.

    Raises:
        ValueError: lhotse is not installed, or an option is not valid.
    """

    def __init__(self, folder: Path, options: SharOptions = SharOptions()) -> None:
        if options.encoding not in ("flac", "wav") or options.shard_size < 1:
            raise ValueError(
                f"{options} cannot be written; expected flac or wav and a shard size "
                "from 1 on"
            )
        self._lhotse = import_lhotse()
        self._folder = Path(folder)
        self._options = options
        self._shard = 0  # number of the current one
        self._kept: list = []  # recordings whose cuts the old shard has
        self._old: list = []  # cuts of the old shard
        self._partial: TemporaryDirectory | None = None  # of the shard being written
        self._writer = None
        self._size = 0  # conversations in the current shard

    def add(self, recording: DuplexRecording) -> None:
        """Put a conversation into the current shard.

        Raises:
            ValueError: its sound cannot be read; the shard is what it was.
        """
        if self._size == 0:
            self._old = self._old_cuts()
        cut = self._cut(recording)
        if self._writer is None and self._is_kept(recording, cut):
            self._kept.append(recording)
        else:
            self._write_kept()
            self._write(recording, cut)
        self._size += 1
        if self._size == self._options.shard_size:
            self._end_shard()

    def finish(self) -> None:
        """End the last shard."""
        if self._size:
            self._end_shard()
        for field in ("cuts", *FIELDS):
            for path in self._folder.glob(f"{field}.[0-9]*"):
                if int(path.name.split(".")[1]) >= self._shard:
                    path.unlink()

    def _is_kept(self, recording: DuplexRecording, cut) -> bool:
        old = self._old[self._size : self._size + 1]
        if not old or _essence(old[0]) != _essence(cut):
            return False
        written = self._path("cuts").stat().st_mtime_ns
        paths = [sound.path for sound in (recording.user, recording.agent)]
        return all(p is None or p.stat().st_mtime_ns <= written for p in paths)

    def _old_cuts(self) -> list:
        paths = [self._path(field) for field in ("cuts", *FIELDS)]
        if not all(path.is_file() for path in paths):
            return []
        for path in paths[1:]:
            with tarfile.open(path) as tar:
                if not tar.next().name.endswith(f".{self._options.encoding}"):
                    return []
        return list(self._lhotse.CutSet.from_jsonl_lazy(paths[0]))

    def _path(self, field: str) -> Path:
        suffix = "jsonl.gz" if field == "cuts" else "tar"
        return self._folder / f"{field}.{self._shard:06d}.{suffix}"

    def _write_kept(self) -> None:
        """Begin a new shard with the recordings that the old one could have kept."""
        if self._writer is None:
            parent = self._folder.parent
            parent.mkdir(parents=True, exist_ok=True)
            self._partial = TemporaryDirectory(prefix=".shar.", dir=parent)
            self._writer = self._lhotse.shar.SharWriter(
                self._partial.name,
                fields=dict.fromkeys(FIELDS, self._options.encoding),
                shard_size=None,
                shard_suffix=f".{self._shard:06d}",
            )
            self._writer.__enter__()
        for recording in self._kept:
            self._write(recording, self._cut(recording))
        self._kept = []

    def _write(self, recording: DuplexRecording, cut) -> None:
        seconds = seconds_of(recording.user, recording.agent)
        cut.recording = self._with_audio(cut.recording, recording.user, seconds)
        target = self._with_audio(cut.target_audio, recording.agent, seconds)
        cut.target_audio = target
        self._writer.write(cut)

    def _end_shard(self) -> None:
        if self._writer is None and len(self._kept) < len(self._old):
            self._write_kept()
        if self._writer is not None:
            self._writer.close()
            self._folder.mkdir(parents=True, exist_ok=True)
            # The cuts last, so that a shard which has them has all.
            for field in (*FIELDS, "cuts"):
                path = self._path(field)
                os.replace(Path(self._partial.name) / path.name, path)
            self._partial.cleanup()
        self._shard, self._size = self._shard + 1, 0
        self._kept, self._writer = [], None

    def _cut(self, recording: DuplexRecording):
        """The cut without its sound."""
        id = recording.id
        seconds = seconds_of(recording.user, recording.agent)
        user, agent = (
            self._manifest(id, rate or sound.sample_rate, seconds)
            for sound, rate in (
                (recording.user, self._options.user_rate),
                (recording.agent, self._options.agent_rate),
            )
        )
        custom = {
            "target_audio": agent,
            "user_speaker": recording.speaker,
            "source": recording.source,
            "events": [asdict(event) for event in recording.events],
        }
        return self._lhotse.MonoCut(
            id=id,
            start=0,
            duration=user.duration,
            channel=0,
            recording=user,
            supervisions=self._supervisions(recording),
            custom=custom,
        )

    def _supervisions(self, recording: DuplexRecording) -> list:
        supervisions = []
        for index, turn in enumerate(recording.conversation.turns):
            length = microseconds(turn.end) - microseconds(turn.start)
            supervisions.append(
                self._lhotse.SupervisionSegment(
                    id=f"{recording.id}-{index:03d}",
                    recording_id=recording.id,
                    start=turn.start,
                    duration=length / MICROSECONDS_PER_SECOND,
                    channel=0,
                    text=turn.text,
                    language=None,
                    speaker=turn.role,
                )
            )
        return supervisions

    def _manifest(self, id: str, rate: int, seconds: float):
        num_samples = nearest_sample(seconds, rate)
        return self._lhotse.Recording(
            id=id,
            sources=[],
            sampling_rate=rate,
            num_samples=num_samples,
            duration=num_samples / rate,
            channel_ids=[0],
        )

    def _with_audio(self, manifest, sound: Sound, seconds: float):
        samples = read_stream(sound, manifest.sampling_rate, seconds)
        content = encode_sound(samples, manifest.sampling_rate, "WAV")
        source = self._lhotse.AudioSource("memory", [0], content)
        return self._lhotse.utils.fastcopy(manifest, sources=[source])


def _essence(cut) -> tuple:
    """All of a cut that does not change by writing it."""
    target = cut.custom["target_audio"]
    recordings = [
        (recording.sampling_rate, recording.num_samples)
        for recording in (cut.recording, target)
    ]
    custom = {k: v for k, v in cut.custom.items() if k != "target_audio"}
    supervisions = [supervision.to_dict() for supervision in cut.supervisions]
    return cut.id, cut.duration, recordings, supervisions, custom
