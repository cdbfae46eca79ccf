"""Draw the silences of a conversation: within the user's turns and between turns."""

import random
from collections.abc import Sequence

from espnet2_duplex.dataset_checks import load_speech
from espnet2_duplex.simulation.script import SpokenTurn
from espnet2_duplex.simulation.settings import BargeIn, Settings, UserPauses
from espnet2_duplex.simulation.timeline import impatient_pauses
from espnet2_duplex.simulation.utterances import (
    Spoken,
    join_neighbours,
    quiet_moment,
)
from espnet2_duplex.simulation.yaml_fields import Range
from espnet2_duplex.timing import whole_microseconds


def draw_seconds(rng: random.Random, bounds: Range) -> float:
    """Uniform over a range, in whole milliseconds."""
    return round(rng.uniform(*bounds), 3)


def draw_utterances(
    rng: random.Random,
    turns: Sequence[SpokenTurn],
    settings: UserPauses,
    sample_rate: int,
) -> list[Spoken]:
    """Utterances of alternating roles, some of the user's with a pause in them.

    Turns whose times are given get none, and neither do those before a turn whose start
    is given: the pause would move their end into that turn.

    Args:
        rng: draws.
        turns: in order; neighbours of one role become one, with a silence between.
        settings: how often and how long.
        sample_rate: of the users' wavs, in Hz.
    """

    def draw_joint() -> float:
        return draw_seconds(rng, settings.joint_seconds)

    spoken = join_neighbours(turns, draw_joint)
    starts = [one.utterance.start for one in spoken]
    nexts = [*starts[1:], None]
    is_free = [one is None and two is None for one, two in zip(starts, nexts)]
    return [
        _with_pause(rng, one, settings, sample_rate) if free else one
        for one, free in zip(spoken, is_free)
    ]


def _with_pause(
    rng: random.Random, spoken: Spoken, settings: UserPauses, sample_rate: int
) -> Spoken:
    is_candidate = spoken.utterance.role == "user" and len(spoken.parts) == 1
    if not is_candidate or rng.random() >= settings.share:
        return spoken
    seconds = draw_seconds(rng, settings.seconds)
    speech = load_speech(spoken.parts[0].wav, sample_rate)
    moment = quiet_moment(speech, sample_rate)
    if moment is None or moment >= spoken.utterance.seconds:
        return spoken
    return spoken.with_pause(moment, seconds)


def draw_pauses(
    rng: random.Random, spoken: Sequence[Spoken], settings: Settings, source: str
) -> list[float]:
    """Silence before each user turn that follows an agent's; negative: a barge-in.

    Args:
        rng: draws.
        spoken: utterances of alternating roles.
        settings: how long, and how often the user barges in.
        source: dataset of the conversation.
    """
    timing = settings.turn_taking
    answers = [
        before.utterance.seconds
        for before, after in zip(spoken, spoken[1:])
        if after.utterance.role == "user"
    ]
    share = settings.barge_in.share_of(source)
    pauses = []
    for answer in answers:
        pause = draw_seconds(rng, timing.pause_seconds)
        onset = _draw_onset(rng, answer, settings.barge_in)
        is_cut = rng.random() < share and onset < answer
        pauses.append(whole_microseconds(onset - answer) if is_cut else pause)
    if not timing.impatient:
        return pauses
    # An agent who spoke first has no user turn before it whose silence is halved.
    skipped = int(spoken[0].utterance.role == "agent")
    return pauses[:skipped] + impatient_pauses(
        answers[skipped:],
        pauses[skipped:],
        heard_seconds=settings.barge_in.heard_seconds,
        gap_seconds=timing.gap_seconds,
    )


def _draw_onset(rng: random.Random, answer_seconds: float, settings: BargeIn) -> float:
    """Where in an answer a user who barges in begins, in seconds."""
    latest = max(settings.heard_seconds, answer_seconds - settings.unheard_seconds)
    return draw_seconds(rng, (settings.heard_seconds, latest))
