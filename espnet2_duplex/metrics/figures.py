"""Scores to look at: latencies of a set, and single conversations (as in Fig. 3)."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from espnet2_duplex.atomic import replacing
from espnet2_duplex.conversation import Turn
from espnet2_duplex.metrics.activity import SAMPLE_RATE, Segment
from espnet2_duplex.metrics.recordings import Recording
from espnet2_duplex.metrics.turn_taking import TurnTakingCounts

USER_COLOR, AGENT_COLOR = "tab:blue", "tab:orange"
CHARACTERS_PER_SECOND = 14  # of text that fit above a waveform
MAX_TEXT_LINES = 2
INCHES_PER_SECOND = 0.9
BIN_SECONDS = 0.08  # one frame


def draw_latencies(path: Path, title: str, counts: TurnTakingCounts) -> None:
    """Histograms of the response and of the stop after a barge-in, as a PNG.

    Args:
        path: of the PNG.
        title: name of the set.
        counts: of the set.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    response = counts.response
    _histogram(left, response.latencies.seconds, "every turn", AGENT_COLOR)
    _histogram(left, response.first_latencies.seconds, "first turn", USER_COLOR)
    left.set(title="Response", xlabel="seconds after the user's end")
    barge_in = counts.barge_in
    _histogram(right, barge_in.all_latencies.seconds, "all events", AGENT_COLOR)
    _histogram(right, barge_in.success_latencies.seconds, "in time", USER_COLOR)
    right.set(title="Stop after a barge-in", xlabel="seconds after the user's onset")
    for axes in (left, right):
        axes.set_ylabel("events")
        axes.legend(loc="upper right")
    figure.suptitle(title)
    _save(figure, path)


def draw_conversation(
    path: Path,
    recording: Recording,
    user_speech: np.ndarray,
    agent_segments: Sequence[Segment],
) -> None:
    """Two waveforms on one time axis, with turns and texts above them, as a PNG.

    Args:
        path: of the PNG.
        recording: the agent's side.
        user_speech: (S,) at 16 kHz.
        agent_segments: where the agent speaks; shaded.
    """
    from matplotlib.figure import Figure

    width = min(40.0, max(8.0, INCHES_PER_SECOND * recording.duration))
    figure = Figure(figsize=(width, 4.2), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True)
    _waveform(top, user_speech, "user", USER_COLOR)
    _waveform(bottom, recording.speech, "agent", AGENT_COLOR)
    for turn in recording.user_turns:
        _label(top, turn, USER_COLOR)
        bottom.axvline(turn.start, color=USER_COLOR, linestyle="--", linewidth=1)
    for turn in recording.written_turns:
        _label(bottom, turn, AGENT_COLOR)
    for segment in agent_segments:
        bottom.axvspan(segment.start, segment.end, color=AGENT_COLOR, alpha=0.15)
    bottom.set(xlabel="seconds", xlim=(0, recording.duration))
    figure.suptitle(f"{recording.id} (dashed: the user begins)", fontsize=9)
    _save(figure, path)


def _histogram(axes, seconds: Sequence[float], label: str, color: str) -> None:
    """Bars of one frame's width, so that two histograms of one axis can be compared."""
    first = np.floor(min(seconds, default=0.0) / BIN_SECONDS)
    last = np.ceil(max(seconds, default=0.0) / BIN_SECONDS)
    edges = np.arange(first, last + 2) * BIN_SECONDS
    axes.hist(
        seconds,
        bins=edges,
        histtype="step",
        linewidth=1.5,
        color=color,
        label=f"{label} ({len(seconds)})",
    )


def _waveform(axes, speech: np.ndarray, label: str, color: str) -> None:
    """The envelope: highest and lowest sample of every 5 ms."""
    hop = SAMPLE_RATE // 200
    padded = np.pad(speech, (0, -len(speech) % hop)).reshape(-1, hop)
    times = np.arange(len(padded)) * hop / SAMPLE_RATE
    axes.fill_between(times, padded.min(axis=1), padded.max(axis=1), color=color)
    axes.set(ylabel=label, yticks=[], ylim=(-1.05, 2.4))
    axes.spines[["top", "right", "left"]].set_visible(False)


def _label(axes, turn: Turn, color: str) -> None:
    """A bar over the turn, and as much of its text as fits."""
    axes.plot([turn.start, turn.end], [1.15, 1.15], color=color, linewidth=3)
    room = max(8, int((turn.end - turn.start) * CHARACTERS_PER_SECOND))
    lines = textwrap.wrap(turn.text, room, max_lines=MAX_TEXT_LINES, placeholder="…")
    text = "\n".join(lines)
    # "$" would start a formula.
    axes.text(turn.start, 1.3, text.replace("$", r"\$"), fontsize=8, va="bottom")


def _save(figure, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)
