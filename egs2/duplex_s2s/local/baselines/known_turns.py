"""An upper bound: a system that is told the user's turns.

It knows their texts without a recogniser and their ends without a detector, so its
latency is the gap of the data. With a language model it is GT+LLM of Table 3: "an
optimal cascaded system which feeds every ground-truth user turn to the LLM" (Sec. 6.2).
With the reference it says what the data says, so its figures are the ceiling that the
voice and the recogniser of the scoring leave to any system.
"""

import math

from baselines.answerers import Answerer
from baselines.placing import Placed, agent_side, place
from baselines.sides import AgentSide, Exchange, UserSide
from baselines.voice import Voice

from espnet2_duplex.conversation import CUT_SECONDS, GAP_SECONDS, Turn


class KnownTurns:
    """Answers each ground-truth user turn as the data does (Sec. 4).

    An answer begins `GAP_SECONDS` after its turn's end and is cut `CUT_SECONDS` after
    the next user onset if it still lasts then. A turn that the user follows up within
    the gap is answered together with the next.

    Args:
        answerer: who decides what is said.
        voice: who says it.
    """

    def __init__(self, answerer: Answerer, voice: Voice) -> None:
        self._answerer = answerer
        self._voice = voice

    def take_part(self, user: UserSide) -> AgentSide:
        turns = user.user_turns
        next_onsets = [turn.start for turn in turns[1:]] + [math.inf]
        dialogue: list[Exchange] = []
        answers: list[Placed] = []
        for number, (turn, next_onset) in enumerate(zip(turns, next_onsets)):
            dialogue.append(Exchange(turn.text, ""))
            if next_onset <= turn.end + GAP_SECONDS:
                continue
            limit = min(next_onset + CUT_SECONDS, user.duration)
            answer = self._answer(user, number, turn, dialogue, limit)
            if answer is not None:
                answers.append(answer)
                dialogue[-1] = Exchange(turn.text, answer.said)
        return agent_side(answers, len(user.speech), latency_seconds=0.0)

    def _answer(
        self,
        user: UserSide,
        number: int,
        turn: Turn,
        dialogue: list[Exchange],
        limit: float,
    ) -> Placed | None:
        text = self._answerer.answer(user, number, dialogue).value
        if not text:
            return None
        speech = self._voice.say(text).value
        return place(text, speech, turn.end + GAP_SECONDS, limit)
