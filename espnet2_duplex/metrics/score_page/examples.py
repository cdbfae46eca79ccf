"""Single conversations of the page: with picture and sound, or as a row of figures."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from espnet2_duplex.metrics.activity import SAMPLE_RATE
from espnet2_duplex.metrics.page_parts import (
    ABSENT,
    Heading,
    Row,
    Table,
    data_url,
    render_table,
)
from espnet2_duplex.metrics.score_page.pictures import draw_conversation
from espnet2_duplex.metrics.score_page.ranking import TAGS, RankedConversation
from espnet2_duplex.metrics.score_page.sound import encode_stereo
from espnet2_duplex.sound_files import read_mono

ROW_HEADINGS = (
    "conversation",
    "set",
    "what is wrong",
    "s",
    "barge-ins",
    "in time",
    "slowest stop s",
    "false alarms",
    "unanswered",
    "first response s",
    "GPT score",
)
TEXT_HEADINGS = (
    Heading("user"),
    Heading("should say", "the reference; of a turn that is cut, all of it"),
    Heading("wrote", "the agent's own text"),
    Heading("said", "transcript of its speech"),
    Heading("GPT score", "0 to 10"),
)
SPEECH_NAMES = {
    "dnsmos_overall": "DNSMOS",
    "dnsmos_p808": "P.808",
    "utmos": "UTMOS",
    "utmosv2": "UTMOSv2",
    "speaker_similarity": "speaker similarity",
}


def render_example(ranked: RankedConversation, folder: Path) -> str:
    """A conversation with its picture, its sound and its texts.

    Args:
        ranked: without a problem.
        folder: with its input.wav and output.wav.

    Raises:
        ValueError: the sound is missing or unreadable.
    """
    user = read_mono(folder / "input.wav", SAMPLE_RATE)
    agent = read_mono(folder / "output.wav", SAMPLE_RATE)
    num_samples = max(len(user), len(agent))
    stereo = np.stack(  # moshi's order: the agent on the left
        [np.pad(side, (0, num_samples - len(side))) for side in (agent, user)], axis=1
    )
    fields = {**ranked.fields, "duration": num_samples / SAMPLE_RATE}
    sound = data_url("audio/mpeg", encode_stereo(stereo, SAMPLE_RATE))
    picture = draw_conversation(fields, stereo[:, 1], stereo[:, 0])
    name = escape(ranked.id)
    return (
        f'<article id="{_anchor(ranked)}" {_filter_data(ranked)}>'
        f"<h3>{_tags(ranked)}{name} <small>{escape(ranked.set_name)}</small></h3>"
        f"{_reasons(ranked)}"
        f'<div class="scroll" tabindex="0" role="region" aria-label="timeline of {name}">'
        f"{picture}</div>"
        f'<audio controls preload="none" aria-label="{name}: agent left, user right" '
        f'src="{sound}"></audio>'
        f"<p class='facts'>{escape(_facts(fields))}</p>{_texts(fields)}</article>\n"
    )


def render_row(ranked: RankedConversation) -> str:
    """A conversation as a row of a table with ROW_HEADINGS."""
    fields = ranked.fields
    barge_ins = fields["barge_ins"]
    stops = [each["latency"] for each in barge_ins]
    scores = _gpt_scores(fields)
    cells = (
        ranked.set_name,
        ", ".join(ranked.tags),
        f"{fields['duration']:.1f}",
        str(len(barge_ins)),
        str(sum(each["in_time"] for each in barge_ins)),
        f"{max(stops):.2f}" if stops else ABSENT,
        str(len(fields["false_alarms"])),
        str(len(fields["unanswered"])),
        _first_response(fields),
        f"{sum(scores) / len(scores):.1f}" if scores else ABSENT,
    )
    data = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return (
        f'<tr id="{_anchor(ranked)}" {_filter_data(ranked)}>'
        f'<th scope="row" class="label">{escape(ranked.id)}</th>{data}</tr>\n'
    )


def _tags(ranked: RankedConversation) -> str:
    return "".join(
        f'<span class="tag" title="{escape(TAGS[tag])}">{tag}</span> '
        for tag in ranked.tags
    )


def _reasons(ranked: RankedConversation) -> str:
    lines = "; ".join(f"{fault.tag}: {fault.reason}" for fault in ranked.faults)
    return f'<p class="reasons">{escape(lines)}</p>' if lines else ""


def _facts(fields: Mapping) -> str:
    parts = [f"{fields['duration']:.1f} s"]
    if _first_response(fields) != ABSENT:
        parts.append(f"first response {_first_response(fields)} s")
    scores = _gpt_scores(fields)
    if scores:
        parts.append(f"GPT score {sum(scores) / len(scores):.1f}")
    parts += [
        f"{SPEECH_NAMES.get(name, name)} {value:.2f}"
        for name, value in (fields["speech"] or {}).items()
        if value is not None
    ]
    return " · ".join(parts)


def _texts(fields: Mapping) -> str:
    """What was said and should have been, turn by turn; closed at first."""
    rows = [Row(tuple(cells)) for cells in _text_rows(fields)]
    table = render_table(Table(TEXT_HEADINGS, tuple(rows)), "texts turn by turn")
    return f'<details class="texts"><summary>Texts</summary>{table}</details>'


def _text_rows(fields: Mapping) -> Iterator[Sequence[str]]:
    answers = {answer["user_turn"]: answer for answer in fields["answers"]}
    turns = dict(enumerate(fields["user_turns"]))
    for index in sorted(turns.keys() | answers.keys(), key=_order):
        answer = answers.get(index, {})
        score = answer.get("gpt_score")
        yield (
            turns[index]["text"] if index in turns else "(before the user)",
            answer.get("whole_reference", ABSENT),
            answer.get("written", ABSENT),
            answer.get("spoken", ABSENT),
            ABSENT if score is None else f"{score:g}",
        )


def _order(user_turn: int | None) -> int:
    """What comes before the first user turn comes first."""
    return -1 if user_turn is None else user_turn


def _first_response(fields: Mapping) -> str:
    for response in fields["responses"]:
        if response["user_turn"] == 0:
            return f"{response['latency']:.2f}"
    return ABSENT


def _gpt_scores(fields: Mapping) -> list[float]:
    scores = (answer["gpt_score"] for answer in fields["answers"])
    return [score for score in scores if score is not None]


def _anchor(ranked: RankedConversation) -> str:
    return escape(f"{ranked.set_name}/{ranked.id}".replace(" ", "_"))


def _filter_data(ranked: RankedConversation) -> str:
    tags = "|".join(ranked.tags)
    return f'data-set="{escape(ranked.set_name)}" data-tags="{escape(tags)}"'
