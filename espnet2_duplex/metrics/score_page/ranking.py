"""What went wrong in a conversation, and which conversations to look at first."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

PROBLEM = "problem"
NOT_STOPPED = "not stopped"
LATE_STOP = "late stop"
FALSE_ALARM = "false alarm"
UNANSWERED = "unanswered"
DISTURBED = "disturbed by event"
WRONG_TEXT = "wrong text"
SAYS_OTHER = "says other than it writes"
SLOW = "slow"
NO_FAULT = "no fault"
TAGS = {  # worst first
    PROBLEM: "it could not be scored",
    NOT_STOPPED: "the user barged in and the agent spoke to the end of the recording",
    LATE_STOP: "the agent stopped after a barge-in, but not in time",
    FALSE_ALARM: "the agent began while the user was speaking",
    UNANSWERED: "a user turn that left time for an answer got none",
    DISTURBED: "the agent stopped for a backchannel or a noise, answered it, or took the "
    "turn in a pause of the user's",
    WRONG_TEXT: "an answer that the judge marks low or, without a judge, that shares "
    "less than half of its words with the reference",
    SAYS_OTHER: "the transcript shares less than half of its words with the text that "
    "the agent wrote",
    SLOW: "a response that came late",
    NO_FAULT: "none of these",
}
ACTS = ("stopped", "taken", "answered")  # what an agent should not do at an event
WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True)
class FaultLimits:
    """From where on something is a fault.

    Attributes:
        slow_seconds: a response that comes later is slow.
        low_gpt_score: a mark below it is low.
        wrong_share: share of different words above which a text is another one.
    """

    slow_seconds: float = 1.5
    low_gpt_score: float = 5.0
    wrong_share: float = 0.5


@dataclass(frozen=True)
class Fault:
    """Something that went wrong.

    Attributes:
        tag: its kind, one of TAGS.
        weight: how bad it is among faults of its kind; above 0.
        reason: one line.
    """

    tag: str
    weight: float
    reason: str


@dataclass(frozen=True)
class RankedConversation:
    """A conversation and why it stands where it does.

    Attributes:
        set_name: its set.
        fields: its line of conversations.jsonl.
        faults: worst first.
    """

    set_name: str
    fields: Mapping
    faults: tuple[Fault, ...]

    @property
    def id(self) -> str:
        """Of the conversation, unique in its set."""
        return self.fields["id"]

    @property
    def tags(self) -> tuple[str, ...]:
        """Kinds of its faults, worst first; NO_FAULT alone where there is none."""
        return tuple(fault.tag for fault in self.faults) or (NO_FAULT,)


def rank_conversations(
    sets: Mapping[str, Iterable[Mapping]], limits: FaultLimits = FaultLimits()
) -> list[RankedConversation]:
    """All conversations, the worst first.

    The worst kind of fault decides, then its weight, then the next kind; among equals
    the slowest response, then set and id.

    Args:
        sets: name -> lines of conversations.jsonl.
        limits: see there.
    """
    ranked = [
        RankedConversation(name, fields, find_faults(fields, limits))
        for name, conversations in sets.items()
        for fields in conversations
    ]
    return sorted(ranked, key=_badness)


def find_faults(
    fields: Mapping, limits: FaultLimits = FaultLimits()
) -> tuple[Fault, ...]:
    """Faults of a conversation, at most one of each kind, worst kind first.

    Args:
        fields: a line of conversations.jsonl.
        limits: see there.
    """
    if fields["problem"]:
        return (Fault(PROBLEM, 1, fields["problem"]),)
    found = (
        *_barge_in_faults(fields["barge_ins"]),
        _false_alarms(fields["false_alarms"]),
        _unanswered(fields["unanswered"]),
        _disturbed(fields["reactions"]),
        _wrong_text(fields["answers"], limits),
        _says_other(fields["answers"], limits),
        _slow(fields["responses"], limits),
    )
    return tuple(fault for fault in found if fault)


def words(text: str) -> list[str]:
    """Lower-case words without punctuation."""
    return WORD.findall(text.lower())


def share_of_different_words(first: str, second: str) -> float:
    """0 for texts of the same words in the same order, 1 for none in common."""
    return 1 - SequenceMatcher(None, words(first), words(second), False).ratio()


def _badness(ranked: RankedConversation) -> tuple:
    weights = {fault.tag: fault.weight for fault in ranked.faults}
    slowest = max((each["latency"] for each in ranked.fields["responses"]), default=0)
    return (
        *(-weights.get(tag, 0) for tag in TAGS),
        -slowest,
        ranked.set_name,
        ranked.id,
    )


def _barge_in_faults(barge_ins) -> list[Fault]:
    faults = []
    kinds = {
        NOT_STOPPED: [each for each in barge_ins if not each["stopped"]],
        LATE_STOP: [
            each for each in barge_ins if each["stopped"] and not each["in_time"]
        ],
    }
    for tag, events in kinds.items():
        if events:
            worst = max(events, key=lambda each: each["latency"])
            faults.append(
                Fault(
                    tag,
                    len(events) + worst["latency"] / 1000,
                    f"{len(events)} of {len(barge_ins)} barge-ins, worst: "
                    f"{worst['latency']:.2f} s after the onset at {worst['onset']:.2f} s",
                )
            )
    return faults


def _false_alarms(false_alarms) -> Fault | None:
    if not false_alarms:
        return None
    times = ", ".join(f"{each['start']:.2f} s" for each in false_alarms)
    return Fault(FALSE_ALARM, len(false_alarms), f"at {times}")


def _unanswered(user_turns) -> Fault | None:
    if not user_turns:
        return None
    numbers = ", ".join(str(index + 1) for index in user_turns)
    return Fault(UNANSWERED, len(user_turns), f"user turn {numbers}")


def _disturbed(reactions) -> Fault | None:
    done = [(act, each) for each in reactions for act in ACTS if each.get(act)]
    if not done:
        return None
    events = ", ".join(
        f"{act}, {each['kind']} at {each['start']:.2f} s" for act, each in done
    )
    return Fault(DISTURBED, len(done), events)


def _wrong_text(answers, limits: FaultLimits) -> Fault | None:
    """The worst answer that is wrong; one that was never given is another fault."""
    faults = []
    for answer in answers:
        given = answer["written"] or answer["spoken"]
        score = answer["gpt_score"]
        if score is not None and score < limits.low_gpt_score:
            faults.append((1 - score / 10, f"marked {score:g} of 10"))
        elif score is None and given and answer["whole_reference"]:
            references = (answer["reference"], answer["whole_reference"])
            share = min(share_of_different_words(given, each) for each in references)
            if share > limits.wrong_share:
                faults.append((share, f"{100 * share:.0f} % of the words differ"))
    return _worst(WRONG_TEXT, faults)


def _says_other(answers, limits: FaultLimits) -> Fault | None:
    """Where the user interrupts, the agent need not say all that it wrote."""
    faults = []
    for answer in answers:
        if not answer["written"] or not answer["spoken"] or answer["is_interrupted"]:
            continue
        share = share_of_different_words(answer["written"], answer["spoken"])
        if share > limits.wrong_share:
            faults.append((share, f"{100 * share:.0f} % of the words differ"))
    return _worst(SAYS_OTHER, faults)


def _slow(responses, limits: FaultLimits) -> Fault | None:
    late = [
        (each["latency"], f"{each['latency']:.2f} s")
        for each in responses
        if each["latency"] > limits.slow_seconds
    ]
    return _worst(SLOW, late)


def _worst(tag: str, faults: list[tuple[float, str]]) -> Fault | None:
    if not faults:
        return None
    weight, reason = max(faults)
    return Fault(tag, weight, reason)
