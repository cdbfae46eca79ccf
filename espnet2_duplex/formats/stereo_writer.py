"""Writes two-channel recordings of calls, with their transcripts beside them."""

from pathlib import Path

from espnet2_duplex.formats.files import write_json
from espnet2_duplex.formats.recording import DuplexRecording
from espnet2_duplex.formats.stereo_calls import StereoOptions
from espnet2_duplex.formats.target_record import TargetRecord
from espnet2_duplex.formats.wavs import write_channels


class StereoWriter:
    """Writes ``<id>.wav`` and ``<id>.json``.

    A wav of an earlier run stays if it was made from the same sound.

    Args:
        folder: of the calls.
        options: channel of the agent and rate.
    """

    def __init__(self, folder: Path, options: StereoOptions = StereoOptions()) -> None:
        self._folder = Path(folder)
        self._options = options
        self._record = TargetRecord(self._folder)

    def add(self, recording: DuplexRecording) -> None:
        """Write wav and transcript of a conversation."""
        rates = recording.user.sample_rate, recording.agent.sample_rate
        rate = self._options.sample_rate or max(rates)
        sounds = [recording.agent, recording.user]
        if self._options.agent_channel == "right":
            sounds.reverse()
        # The transcript first: a call without one would be listened to.
        transcript = self._folder / f"{recording.id}.json"
        write_json(transcript, recording.labels())
        self._record.add(transcript)
        wav = transcript.with_name(f"{recording.id}.wav")
        write_channels(wav, sounds, rate, self._record)

    def finish(self) -> None:
        """Remove what this run has not written."""
        self._record.finish()
