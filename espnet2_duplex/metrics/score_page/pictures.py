"""A conversation as in Fig. 3 of the paper, as SVG: two waveforms on one time axis.

The user is above, the agent below; texts and bars of turns stand over each waveform,
what happened between them in the middle::

    user texts, bars, waveform
    barge-ins (onset -> stop), responses, false alarms     marks.py
    agent texts (written; said, where it differs), bars, waveform
    seconds
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import ceil

import numpy as np

from espnet2_duplex.metrics.score_page.marks import Timeline, draw_marks
from espnet2_duplex.metrics.score_page.ranking import words

PIXELS_PER_SECOND, MIN_WIDTH, MAX_WIDTH = 62, 760, 3000
LEFT, RIGHT = 12, 12
NUM_COLUMNS = 600  # of a waveform
HALF_WAVE = 26
SOFTEST_PEAK = 0.05  # of full scale
LINE_HEIGHT, MAX_LINES = 13, 2
PIXELS_PER_CHARACTER = 5.9  # at 11 px
USER_TEXT, USER_BAR, USER_WAVE = 4, 34, 66
MARKS_TOP = 96
AGENT_TEXT = 140
TEXT_HEIGHT = LINE_HEIGHT * MAX_LINES + 3


def draw_conversation(
    fields: Mapping, user_speech: np.ndarray, agent_speech: np.ndarray
) -> str:
    """The picture as SVG; its root says where time begins and what a second measures.

    Args:
        fields: a line of conversations.jsonl without a problem.
        user_speech: (S,), full scale 1, over the whole duration.
        agent_speech: likewise, at any rate.
    """
    duration = fields["duration"]
    width = min(max(round(duration * PIXELS_PER_SECOND), MIN_WIDTH), MAX_WIDTH)
    said = differing_utterances(fields)
    agent_bar = AGENT_TEXT + TEXT_HEIGHT * (2 if said else 1) + 4
    agent_wave = agent_bar + 32
    base = agent_wave + HALF_WAVE + 4
    time = Timeline(
        duration, LEFT, width, MARKS_TOP, USER_BAR, agent_bar, agent_wave + HALF_WAVE
    )
    written = fields["written_turns"] or fields["utterances"]
    user_spans = [*fields["user_turns"], *map(_shown_event, fields["events"])]
    parts = [
        *_axis(time, base),
        *_shades(time, fields["utterances"], agent_wave),
        _waveform(time, user_speech, USER_WAVE, "user"),
        _waveform(time, agent_speech, agent_wave, "agent"),
        *_texts(time, user_spans, USER_TEXT, "user"),
        *_bars(time, fields["user_turns"], USER_BAR, "user"),
        *_bars(time, fields["events"], USER_BAR, "event"),
        *_texts(time, written, AGENT_TEXT, "agent"),
        *_texts(time, said, AGENT_TEXT + TEXT_HEIGHT, "said"),
        *_bars(time, written, agent_bar, "agent"),
        *draw_marks(time, fields),
        _side(USER_WAVE, "user"),
        _side(agent_wave, "agent"),
        f'<path class="cursor" d="M{LEFT} 0V{base}"/>',
    ]
    return (
        f'<svg class="conversation" role="img" aria-label="{escape(summary(fields))}" '
        f'width="{width + LEFT + RIGHT}" height="{base + 18}" data-left="{LEFT}" '
        f'data-scale="{time.pixels_per_second:.4f}">{"".join(parts)}</svg>'
    )


def summary(fields: Mapping) -> str:
    """The picture in words, for those who do not see it."""
    barge_ins = ", ".join(
        (
            f"at {each['onset']:.2f} s stopped after {each['latency']:.2f} s"
            if each["stopped"]
            else f"at {each['onset']:.2f} s not stopped"
        )
        for each in fields["barge_ins"]
    )
    return (
        f"Conversation {fields['id']}, {fields['duration']:.1f} s: "
        f"{len(fields['user_turns'])} user turns, barge-ins: {barge_ins or 'none'}, "
        f"false alarms: {len(fields['false_alarms'])}, "
        f"unanswered: {len(fields['unanswered'])}"
    )


def differing_utterances(fields: Mapping) -> list[Mapping]:
    """Utterances of answers in which the words said are not those that were written.

    Where the agent wrote nothing at all there is nothing to differ from.
    """
    if not fields["written_turns"]:
        return []
    other = [
        answer["spoken"]
        for answer in fields["answers"]
        if words(answer["spoken"]) != words(answer["written"])
    ]
    return [
        utterance
        for utterance in fields["utterances"]
        if utterance["text"] and any(utterance["text"] in spoken for spoken in other)
    ]


def envelope(speech: np.ndarray, num_columns: int) -> np.ndarray:
    """Lowest and highest sample of each of (num_columns,) stretches: (2, columns).

    A signal shorter than that has one column a sample.
    """
    if not len(speech):
        return np.zeros((2, 0))
    edges = np.linspace(0, len(speech), min(num_columns, len(speech)) + 1)
    starts = edges[:-1].astype(int)
    lows = np.minimum.reduceat(speech, starts)
    return np.stack([lows, np.maximum.reduceat(speech, starts)])


def _waveform(time: Timeline, speech: np.ndarray, middle: int, side: str) -> str:
    """A vertical stroke per column, whole pixels; silent columns are left out.

    The loudest sample fills the lane, unless all is so soft that it counts as silence.
    """
    lows, highs = envelope(speech, NUM_COLUMNS)
    gain = HALF_WAVE / max(np.abs(speech).max(initial=0), SOFTEST_PEAK)
    tops = np.rint(-highs * gain).astype(int)
    bottoms = np.rint(-lows * gain).astype(int)
    path = "".join(
        f"M{column} {top}V{bottom}"
        for column, (top, bottom) in enumerate(zip(tops.tolist(), bottoms.tolist()))
        if bottom > top
    )
    scale = time.width / max(len(lows), 1)
    end = time.left + time.width
    return (
        f'<path class="axis" d="M{time.left} {middle}H{end}"/>'
        f'<path class="wave {side}" d="{path}" '
        f'transform="translate({time.left + scale / 2:.2f} {middle}) '
        f'scale({scale:.4f} 1)"/>'
    )


def _side(middle: int, side: str) -> str:
    return f'<text class="side {side}" x="{LEFT}" y="{middle - HALF_WAVE + 10}">{side}</text>'


def _bars(
    time: Timeline, spans: Sequence[Mapping], top: int, css_class: str
) -> Iterator[str]:
    for span in spans:
        x, end = time.x(span["start"]), time.x(span["end"])
        text = span["text"] or span.get("kind", "")
        yield (
            f'<rect class="bar {css_class}" x="{x}" y="{top}" '
            f'width="{max(end - x, 2):.1f}" height="5" rx="2">'
            f"<title>{escape(text)}</title></rect>"
        )


def _shades(time: Timeline, spans: Sequence[Mapping], middle: int) -> Iterator[str]:
    """Where the agent speaks."""
    for span in spans:
        x, end = time.x(span["start"]), time.x(span["end"])
        yield (
            f'<rect class="shade" x="{x}" y="{middle - HALF_WAVE}" '
            f'width="{end - x:.1f}" height="{2 * HALF_WAVE}"/>'
        )


def _texts(
    time: Timeline, spans: Sequence[Mapping], top: int, css_class: str
) -> Iterator[str]:
    """As much of each text as fits before the next one; all of it in a tooltip."""
    spans = sorted(spans, key=lambda span: span["start"])
    ends = [time.x(span["start"]) - 6 for span in spans[1:]] + [time.left + time.width]
    for span, end in zip(spans, ends):
        x = time.x(span["start"])
        room = end - x
        width = int(room / PIXELS_PER_CHARACTER)
        if width < 2 or not span["text"].strip():
            continue
        lines = textwrap.wrap(span["text"], width, max_lines=MAX_LINES, placeholder="…")
        shift = LINE_HEIGHT * (MAX_LINES - len(lines))  # the last line is at the bar
        rows = "".join(
            f'<tspan x="0" y="{shift + LINE_HEIGHT * (row + 1) - 3}">{escape(line)}</tspan>'
            for row, line in enumerate(lines)
        )
        yield (
            f'<svg class="clip" x="{x}" y="{top}" width="{room:.1f}" '
            f'height="{TEXT_HEIGHT}"><text class="{css_class}">{rows}'
            f"<title>{escape(span['text'])}</title></text></svg>"
        )


def _shown_event(event: Mapping) -> Mapping:
    """An event's text; its kind where it has none; a pause shows itself."""
    if event["kind"] == "pause":
        return {**event, "text": ""}
    return {**event, "text": f"({event['text'] or event['kind']})"}


def _axis(time: Timeline, base: int) -> Iterator[str]:
    yield f'<path class="axis" d="M{time.left} {base}H{time.left + time.width}"/>'
    step = next(each for each in (1, 2, 5, 10, 30, 60, 300, 3600) if _fits(time, each))
    for second in range(0, ceil(time.duration + 1e-9), step):
        x = time.x(second)
        yield f'<path class="grid" d="M{x} {USER_BAR}V{base + 3}"/>'
        yield f'<text class="tick" x="{x}" y="{base + 14}">{second} s</text>'


def _fits(time: Timeline, step: int) -> bool:
    return step * time.pixels_per_second >= 36 or step == 3600
