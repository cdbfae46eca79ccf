"""Words and looks of the page of a corpus."""

DEFINITIONS = {
    "hours": "of conversation. A turn counts as speech from its start to its end, with "
    "the pauses in it; silence is what no turn covers.",
    "exchange": "a user turn that an agent turn follows.",
    "gap": "start of an agent turn minus the end of the latest user turn that ended "
    "before it (paper: 0.64 s). An agent turn that begins while the user speaks, or "
    "after another agent turn, has none.",
    "heard gap": "first sound of the answer minus the last sound of the user before it, "
    "in the audio: within 45 dB of the loudest 10 ms of the stream. It is longer than the "
    "gap, as clips begin and end with silence.",
    "pause": "the same as the gap, but from the agent's end to the user's next turn.",
    "overlap": "a stretch in which a user and an agent turn are both active.",
    "barge-in": "a user turn whose onset lies inside an agent turn.",
    "cut": "end of that agent turn minus the onset, of barge-ins that cut the agent: "
    "they end it 0.64 s after the onset (Sec. 4.2), to half a frame or what --limit says. "
    "One at the agent's own end begins so late that the turn ends before it can be cut; "
    "after a late one the agent goes on for longer.",
    "agent interrupts": "an agent turn that begins inside a user turn.",
    "in-turn pause, backchannel, noise": "as the events of the data folder say; "
    "backchannels are no turns and no barge-ins.",
    "words a second": "of user turns, and of agent turns that no barge-in cuts.",
    "dropped tokens": "text tokens of an agent turn that found no frame between its BOS "
    "and its EOS, one token a frame. A turn that is cut keeps its whole text, so its "
    "tokens are dropped by design; other turns are counted by themselves as well.",
}
STYLE = """
th,td{padding:.4rem .4rem}
tbody th.label{white-space:normal;min-width:8.5rem}
.plots img{width:100%;height:auto}
.wide img{width:100%;max-width:980px;height:auto}
.scroll{margin-top:1rem}
@media (prefers-color-scheme:dark){img{padding:.3rem;background:#fff;border-radius:6px}}
"""
