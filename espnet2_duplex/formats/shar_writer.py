"""Writes Lhotse Shar, shard by shard; each is there as a whole or not at all."""

import hashlib
import json
import math
import os
import shutil
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path

from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.shar import FIELDS, SharOptions, import_lhotse
from espnet2_duplex.formats.sounds import Sound, read_stream
from espnet2_duplex.formats.target_record import TargetRecord, origin_of
from espnet2_duplex.sound_files import encode_sound
from espnet2_duplex.timing import MICROSECONDS_PER_SECOND, microseconds


class SharWriter:
    """Writes conversations as Shar.

    A shard of an earlier run stays if it was made from the same labels and sound;
    shards with higher numbers than this run needs are removed at the end. What belongs
    to the writing lies beside the folder, in ``.<name>.sources`` and, while it runs,
    ``.<name>.partial``.

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
        self._folder = Path(os.path.abspath(folder))
        self._options = options
        beside = self._folder.with_name(f".{self._folder.name}")
        self._record = TargetRecord(
            self._folder, beside.with_name(f"{beside.name}.sources")
        )
        self._partial = beside.with_name(f"{beside.name}.partial")
        shutil.rmtree(self._partial, ignore_errors=True)  # of a run that was killed
        self._shard = 0  # number of the current one
        self._begin_shard()
        self._problems: list[str] = []

    def add(self, recording: DuplexRecording) -> None:
        """Put a conversation into the current shard.

        Raises:
            ValueError: its sound cannot be read, or that of an earlier one of the
                shard, which is read only now; the others are in the shard.
        """
        row = self._row(recording)
        index = len(self._rows)
        if self._writer is None and self._old[index : index + 1] == [row]:
            self._kept.append(recording)
            self._rows.append(row)
        else:
            self._write_kept()
            self._write(recording)
        if len(self._rows) == self._options.shard_size:
            self._end_shard()
        self._raise_problems()

    def finish(self) -> None:
        """End the last shard.

        Raises:
            ValueError: as for :meth:`add`; all else is written.
        """
        self._end_shard()
        for field in ("cuts", *FIELDS):
            for path in self._folder.glob(f"{field}.[0-9]*"):
                if int(path.name.split(".")[1]) >= self._shard:
                    path.unlink()
        self._record.finish()
        self._raise_problems()

    def _begin_shard(self) -> None:
        self._rows: list[str] = []  # of the conversations in it
        self._kept: list[DuplexRecording] = []  # those that the old shard has too
        self._old = self._old_rows()
        self._writer = None  # of a shard that must be written

    def _old_rows(self) -> list[str]:
        cuts, *sounds = (
            self._record.origin(self._path(field)) for field in ("cuts", *FIELDS)
        )
        same = sounds == [self._options.encoding] * len(FIELDS)
        return cuts if same and isinstance(cuts, list) else []

    def _path(self, field: str) -> Path:
        suffix = "jsonl.gz" if field == "cuts" else "tar"
        return self._folder / f"{field}.{self._shard:06d}.{suffix}"

    def _write_kept(self) -> None:
        """Begin a new shard with the conversations that the old one could have kept."""
        if self._writer is not None:
            return
        self._partial.mkdir(parents=True)
        self._writer = self._lhotse.shar.SharWriter(
            self._partial,
            fields=dict.fromkeys(FIELDS, self._options.encoding),
            shard_size=None,
            shard_suffix=f".{self._shard:06d}",
        )
        self._writer.__enter__()
        kept, self._kept, self._rows = self._kept, [], []
        for recording in kept:
            self._write(recording)

    def _write(self, recording: DuplexRecording) -> None:
        cut = self._cut(recording)
        try:
            cut.recording = self._with_audio(cut.recording, recording.user)
            cut.target_audio = self._with_audio(cut.target_audio, recording.agent)
        except ValueError as problem:
            self._problems.append(str(problem))
            return
        self._writer.write(cut)
        self._rows.append(self._row(recording))

    def _raise_problems(self) -> None:
        problems, self._problems = self._problems, []
        if problems:
            raise ValueError(" ".join(problems))

    def _end_shard(self) -> None:
        if self._writer is None and len(self._rows) < len(self._old):
            self._write_kept()
        if self._writer is not None:
            self._writer.close()
        if self._rows:
            # The cuts last, so that a shard which has them has all.
            for field in (*FIELDS, "cuts"):
                path = self._path(field)
                if self._writer is not None:
                    self._folder.mkdir(parents=True, exist_ok=True)
                    os.replace(self._partial / path.name, path)
                is_cuts = field == "cuts"
                self._record.add(
                    path, self._rows if is_cuts else self._options.encoding
                )
            self._shard += 1
        shutil.rmtree(self._partial, ignore_errors=True)
        self._begin_shard()

    def _row(self, recording: DuplexRecording) -> str:
        """Digest of all that a conversation in a shard depends on."""
        sounds = recording.user, recording.agent
        rates = self._rates(recording)
        content = [recording.id, recording.labels(), origin_of(sounds, rates)]
        text = json.dumps(content, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _rates(self, recording: DuplexRecording) -> list[int]:
        """Of user and agent in the shard, in Hz."""
        user, agent = recording.user, recording.agent
        return [
            self._options.user_rate or user.sample_rate,
            self._options.agent_rate or agent.sample_rate,
        ]

    def _cut(self, recording: DuplexRecording):
        """The cut without its sound."""
        user_rate, agent_rate = self._rates(recording)
        sounds = recording.user, recording.agent
        seconds = max(Fraction(s.num_samples, s.sample_rate) for s in sounds)
        # Upward, so that no sample of either stream is behind the end of the cut.
        user = self._manifest(recording.id, user_rate, math.ceil(seconds * user_rate))
        count = self._lhotse.utils.compute_num_samples
        agent = self._manifest(
            recording.id, agent_rate, count(user.duration, agent_rate)
        )
        custom = {
            "target_audio": agent,
            "user_speaker": recording.speaker,
            "source": recording.source,
            "events": [asdict(event) for event in recording.events],
        }
        return self._lhotse.MonoCut(
            id=recording.id,
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

    def _manifest(self, id: str, rate: int, num_samples: int):
        return self._lhotse.Recording(
            id=id,
            sources=[],
            sampling_rate=rate,
            num_samples=num_samples,
            duration=num_samples / rate,
            channel_ids=[0],
        )

    def _with_audio(self, manifest, sound: Sound):
        samples = read_stream(sound, manifest.sampling_rate, manifest.num_samples)
        content = encode_sound(samples, manifest.sampling_rate, "WAV")
        source = self._lhotse.AudioSource("memory", [0], content)
        return self._lhotse.utils.fastcopy(manifest, sources=[source])
