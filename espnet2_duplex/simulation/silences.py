"""Draw the silences of a conversation: within the user's turns and between turns."""

import math
import random
from collections.abc import Sequence

from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.simulation.script import SpokenTurn
from espnet2_duplex.simulation.section_settings import BargeIn, UserPauses
from espnet2_duplex.simulation.settings import Settings
from espnet2_duplex.simulation.tally import Tally
from espnet2_duplex.simulation.timeline import impatient_pauses
from espnet2_duplex.simulation.turn_times import Utterance
from espnet2_duplex.simulation.utterances import (
    Spoken,
    join_neighbours,
    quiet_moment,
)
from espnet2_duplex.simulation.yaml_fields import Range
from espnet2_duplex.timing import microseconds, whole_microseconds


def draw_seconds(rng: random.Random, bounds: Range) -> float:
    """Uniform over a range, in whole milliseconds."""
    return round(rng.uniform(*bounds), 3)


def draw_utterances(
    rng: random.Random,
    turns: Sequence[SpokenTurn],
    settings: UserPauses,
    sample_rate: int,
    tally: Tally,
) -> list[Spoken]:
    """Utterances of alternating roles, some of the user's with a pause in them.

    Turns whose times are given get none, and neither do those before a turn whose start
    is given: the pause would move their end into that turn.

    Args:
        rng: draws.
        turns: in order; neighbours of one role become one, with a silence between.
        settings: how often and how long.
        sample_rate: of the users' wavs, in Hz.
        tally: gets the pauses that were wanted.
    """

    def draw_joint() -> float:
        return draw_seconds(rng, settings.joint_seconds)

    spoken = join_neighbours(turns, draw_joint)
    starts = [one.utterance.start for one in spoken]
    nexts = [*starts[1:], None]
    is_free = [one is None and two is None for one, two in zip(starts, nexts)]
    return [
        _with_pause(rng, one, settings, sample_rate, tally) if free else one
        for one, free in zip(spoken, is_free)
    ]


def _with_pause(
    rng: random.Random,
    spoken: Spoken,
    settings: UserPauses,
    sample_rate: int,
    tally: Tally,
) -> Spoken:
    is_candidate = spoken.utterance.role == "user" and len(spoken.parts) == 1
    if not is_candidate or rng.random() >= settings.share:
        return spoken
    seconds = draw_seconds(rng, settings.seconds)
    speech = load_speech(spoken.parts[0].wav, sample_rate)
    moment = quiet_moment(speech, sample_rate)
    if moment is None or moment >= spoken.utterance.seconds:
        tally.note("pauses in user turns", "the turn is nowhere quiet enough")
        return spoken
    tally.note("pauses in user turns")
    return spoken.with_pause(moment, seconds)


def draw_pauses(
    rng: random.Random, spoken: Sequence[Spoken], settings: Settings, source: str
) -> list[float]:
    """Silence before each user turn that follows an agent's; negative: a barge-in.

    A drawn barge-in always cuts the answer: its onset leaves `cut_seconds` of it and
    more. An impatient user's may come later, where the answer ends by itself (Sec. 5.2
    halves the silence, whatever is left of the answer). An answer whose end is given
    is not cut, so no user barges in there.

    Args:
        rng: draws.
        spoken: utterances of alternating roles.
        settings: how long, and how often the user barges in.
        source: dataset of the conversation.
    """
    timing = settings.turn_taking
    answers = [
        before.utterance
        for before, after in zip(spoken, spoken[1:])
        if after.utterance.role == "user"
    ]
    share = settings.barge_in.share_of(source)
    pauses = [
        _draw_pause(rng, answer, share, timing.pause_seconds, settings.barge_in)
        for answer in answers
    ]
    if not timing.impatient:
        return pauses
    # An agent who spoke first has no user turn before it whose silence is halved.
    first = int(spoken[0].utterance.role == "agent")
    halved = impatient_pauses(
        [answer.seconds for answer in answers[first:]],
        pauses[first:],
        heard_seconds=settings.barge_in.heard_seconds,
        gap_seconds=timing.gap_seconds,
    )
    return [
        pause if answer.is_timed else hurried
        for answer, pause, hurried in zip(answers, pauses, pauses[:first] + halved)
    ]


def _draw_pause(
    rng: random.Random,
    answer: Utterance,
    share: float,
    bounds: Range,
    settings: BargeIn,
) -> float:
    """Silence after an answer, within the bounds or, with a share, a barge-in.

    All is drawn in any case, so that another share leaves other draws as they are.
    """
    pause = draw_seconds(rng, bounds)
    heard, cut = settings.heard_seconds, settings.cut_seconds
    # Rounded down, so that rounding leaves no less of the answer than is cut.
    latest = max(heard, math.floor(1000 * (answer.seconds - cut)) / 1000)
    onset = min(draw_seconds(rng, (heard, latest)), latest)
    is_wanted = rng.random() < share
    is_cut = microseconds(answer.seconds - onset) >= microseconds(cut)
    if not is_wanted or not is_cut or answer.is_timed:
        return pause
    return whole_microseconds(onset - answer.seconds)
