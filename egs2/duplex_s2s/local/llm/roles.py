"""Role confusion: a speaker who says what the other one should say."""

import re

LABEL = re.compile(r"\b(user|agent|assistant|human|question|answer|topic)\s*:", re.I)
AS_A_ROLE = re.compile(r"\bas (a|an|the|your) (user|agent|assistant|human)\b", re.I)
# Talk about the task or the model instead of the subject.
META = re.compile(
    r"\b(as an? (\w+ )?(ai|language model)|language model|ai|chatbot|smollm|hugging "
    r"face|this (conversation|dialogue)|(first|second|next) (line|turn)|the (prompt|"
    r"transcript|passage|user|agent)|the answer is|(i am|i'm) a (machine|computer|bot|program|human|"
    r"person)|sorry for)\b",
    re.I,
)
# An agent has no life to tell of: with one it has taken the user's part.
OWN_LIFE = re.compile(
    r"\b(my|me|mine|we|our|us)\b|\bi('d|'ll)? (?!(also )?(would|recommend|suggest|think|"
    r"can|could|hope|believe|see|understand|know|advise|agree|say|don't|love that)\b)\w|"
    r"\bi'(m|ve) (?!(happy|glad|sure|afraid|not)\b)\w",
    re.I,
)
USER_BEGINNING = re.compile(
    r"(i|i'm|i've|i'd|i'll|my|we|we're|our|that|that's|this|thanks|thank|great|oh|okay|"
    r"ok|wow|really|please|tell|explain|help|let|good|nice|hello|hi|so|right|hm|no|yes|"
    r"sounds|interesting)\b",
    re.I,
)
AGENT_PHRASES = re.compile(
    r"\b(how can i (help|assist)|(glad|happy) to (help|assist)|can i help you|let me "
    r"know|feel free|here are|i can help|you can (also|use|try))\b",
    re.I,
)
# Questions about the agent's life make it invent one.
TO_A_PERSON = re.compile(
    r"\b(your|you're|you've|you'll|yours|yourself|are you|were you|you (are|were|play))\b",
    re.I,
)
USER_PHRASES = re.compile(
    r"^(can|could|would|will) you\b|\bcan you (tell|help)\b", re.I
)
SENTENCE = re.compile(r"[^.?!]+[.?!]")


def has_label(text: str) -> bool:
    """A label, or a role by its name, stands in the text."""
    return bool(LABEL.search(text) or AS_A_ROLE.search(text))


def is_unlike_a_user(text: str) -> bool:
    """The user answers the own question, offers help, or asks after the agent's life."""
    if AGENT_PHRASES.search(text) or TO_A_PERSON.search(text):
        return True
    sentences = SENTENCE.findall(text)
    asked = [n for n, sentence in enumerate(sentences) if sentence.endswith("?")]
    if not asked:
        return not USER_BEGINNING.match(text)
    after = sentences[asked[0] + 1 :]
    return any(not sentence.endswith("?") for sentence in after)


def is_unlike_an_agent(text: str) -> bool:
    """The agent only asks, asks the user for help, or tells of a life of its own."""
    sentences = SENTENCE.findall(text)
    only_asks = bool(sentences) and all(s.endswith("?") for s in sentences)
    return only_asks or bool(OWN_LIFE.search(text) or USER_PHRASES.search(text))
