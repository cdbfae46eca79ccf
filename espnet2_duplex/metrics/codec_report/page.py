"""The results of codecs as one HTML file: table, every sentence's scores, sound.

Everything is inside the file (sound as FLAC, which is lossless), so that it can be
sent and opened from disk.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import soundfile

from espnet2_duplex.metrics.codec_report.page_style import SCRIPT, STYLE
from espnet2_duplex.metrics.codec_report.table import (
    PAPER_NOTE,
    CodecTable,
    make_table,
)
from espnet2_duplex.metrics.page_parts import (
    Heading,
    Table,
    data_url,
    note,
    render_frame,
    render_meanings,
    render_table,
    rows_with_paper,
    section,
)

SPECTROGRAM_HEIGHT, PIXELS_PER_SECOND = 110, 110
FFT_SIZE = 512
FLOOR_DB, CEILING_DB = -85.0, -15.0
STRIP_WIDTH, STRIP_ROW = 400, 38
STRIPS = (("dnsmos_p808", "P.808"), ("secs", "SECS"), ("stoi", "STOI"))
JPEG_QUALITY = 72
HEADLINE = (
    "{num} sentences, {seconds:.0f} s. Every codec encodes and decodes each recording; "
    "the same judges hear recording and reconstruction."
)
LISTEN = (
    "{num} sentences: those that came out worst, in the middle and best, by character "
    "errors and then by P.808. Click into a spectrogram (0 Hz to half the sample rate) "
    "to play from there."
)


@dataclass(frozen=True)
class Clip:
    """One system's rendering of a sentence.

    Attributes:
        system: its name.
        caption: scores, in words.
        speech: (S,) float, full scale 1.
        sample_rate: in Hz.
    """

    system: str
    caption: str
    speech: np.ndarray
    sample_rate: int


@dataclass(frozen=True)
class Example:
    """A sentence to listen to.

    Attributes:
        reason: why it was chosen.
        id: of the sentence.
        text: what is said.
        clips: of the recording and of each codec.
    """

    reason: str
    id: str
    text: str
    clips: Sequence[Clip]


def render_page(
    results: Mapping,
    values: Mapping[str, Mapping[str, Sequence[float]]],
    examples: Sequence[Example],
    max_bytes: int,
) -> str:
    """The page; the last examples are left out where it would grow above `max_bytes`.

    Args:
        results: content of results.json.
        values: score -> system -> its value in every sentence where it is defined.
        examples: the most telling first.
        max_bytes: of the page, which is ASCII but for texts.
    """
    shown, size = [], 0
    for example in examples:
        html = _example(example)
        size += len(html)
        if size > max_bytes:
            break
        shown.append(html)
    strips = "".join(
        _strip(title, values[key]) for key, title in STRIPS if key in values
    )
    dots = note("One dot is one sentence; the bar is the mean.")
    content = (
        _scores(make_table(results["systems"])),
        section("Sentence by sentence", f'{dots}<div class="strips">{strips}</div>'),
        section("Listen", note(LISTEN.format(num=len(shown))) + "".join(shown)),
    )
    headline = HEADLINE.format(num=results["num_sentences"], seconds=results["seconds"])
    title = f"Codecs on {results['set']}"
    return render_frame(title, headline, "\n".join(content), STYLE, SCRIPT)


def spectrogram(speech: np.ndarray, sample_rate: int) -> np.ndarray:
    """Levels (H, W) in 0..1, high frequencies first, over a range of 70 dB.

    Args:
        speech: (S,) float, full scale 1.
        sample_rate: in Hz.
    """
    width = max(1, round(len(speech) / sample_rate * PIXELS_PER_SECOND))
    padded = np.pad(speech, FFT_SIZE // 2)
    starts = np.linspace(0, len(padded) - FFT_SIZE, width).round().astype(int)
    frames = padded[starts[:, None] + np.arange(FFT_SIZE)]  # (W, N)
    window = np.hanning(FFT_SIZE)
    power = np.abs(np.fft.rfft(frames * window) / window.sum() * 2) ** 2
    levels = 10 * np.log10(np.maximum(power.T[1:][::-1], 1e-12))  # (N / 2, W)
    rows = np.linspace(0, len(levels), SPECTROGRAM_HEIGHT + 1).astype(int)[:-1]
    pooled = np.maximum.reduceat(levels, rows, axis=0)
    return ((pooled - FLOOR_DB) / (CEILING_DB - FLOOR_DB)).clip(0, 1)


def _scores(table: CodecTable) -> str:
    headings = [Heading("codec")]
    headings += [Heading(column.heading, column.meaning) for column in table.columns]
    ours, paper = (
        [(name, *map(_lines, cells)) for name, cells in rows]
        for rows in (table.rows, table.paper_rows)
    )
    shown = Table(tuple(headings), rows_with_paper(ours, paper))
    parts = render_table(shown, "scores of codecs"), note(PAPER_NOTE)
    return section("Scores", "".join(parts) + render_meanings(headings))


def _lines(cell: str) -> str:
    """A difference goes below its value, its interval below that."""
    value, bracket, rest = cell.partition(" (")
    if not bracket:
        return value
    difference, _, interval = rest.removesuffix(")").partition(" [")
    return f"{value}\n{difference}\n[{interval}"


def _strip(title: str, values: Mapping[str, Sequence[float]]) -> str:
    """Dots on a line per system, as SVG; recordings beside themselves say nothing."""
    values = {name: found for name, found in values.items() if np.ptp(found) > 1e-6}
    if not values:
        return ""
    every = [value for found in values.values() for value in found]
    low, high = min(every), max(every)
    scale = (STRIP_WIDTH - 20) / max(high - low, 1e-9)
    rng = np.random.default_rng(0)  # spreads the dots, the same way every time
    parts = []
    for row, (system, found) in enumerate(values.items()):
        middle = STRIP_ROW * row + 30
        parts.append(f'<text x="0" y="{middle - 12}">{escape(system)}</text>')
        for value, shift in zip(found, rng.uniform(-7, 7, len(found))):
            x = 10 + (value - low) * scale
            parts.append(f'<circle cx="{x:.1f}" cy="{middle + shift:.1f}" r="2.4"/>')
        x = 10 + (float(np.mean(found)) - low) * scale
        parts.append(f'<path d="M{x:.1f} {middle - 10}v20"/>')
    height = STRIP_ROW * len(values) + 34
    parts.append(f'<text x="10" y="{height - 4}">{low:.2f}</text>')
    parts.append(
        f'<text x="{STRIP_WIDTH - 10}" y="{height - 4}" text-anchor="end">'
        f"{high:.2f}</text>"
    )
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {STRIP_WIDTH} {height}">{"".join(parts)}</svg></figure>'
    )


def _example(example: Example) -> str:
    clips = "".join(_clip(clip) for clip in example.clips)
    return (
        f'<article><h3><span class="tag">{escape(example.reason)}</span> '
        f"{escape(example.text)} <small>{escape(example.id)}</small></h3>"
        f'<div class="clips">{clips}</div></article>\n'
    )


def _clip(clip: Clip) -> str:
    picture = _jpeg(spectrogram(clip.speech, clip.sample_rate))
    return (
        f'<div class="clip"><b>{escape(clip.system)}</b>'
        f'<div class="picture"><img alt="spectrogram of {escape(clip.system)}" '
        f'src="{data_url("image/jpeg", picture)}"><i></i></div>'
        f'<audio controls preload="none" '
        f'src="{data_url("audio/flac", _flac(clip))}"></audio>'
        f"<p>{escape(clip.caption)}</p></div>"
    )


def _jpeg(levels: np.ndarray) -> bytes:
    from matplotlib.image import imsave

    file = io.BytesIO()
    imsave(
        file,
        levels,
        vmin=0,
        vmax=1,
        cmap="magma",
        format="jpg",
        pil_kwargs={"quality": JPEG_QUALITY},
    )
    return file.getvalue()


def _flac(clip: Clip) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, clip.speech, clip.sample_rate, format="FLAC")
    return file.getvalue()
