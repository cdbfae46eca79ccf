"""Words, frame and looks of the page of a corpus."""

from espnet2_duplex.metrics.codec_report.page_style import STYLE as CODEC_STYLE

DEFINITIONS = {
    "hours": "of conversation. A turn counts as speech from its start to its end, with "
    "the pauses in it; silence is what no turn covers.",
    "exchange": "a user turn that an agent turn follows.",
    "gap": "start of an agent turn minus the end of the latest user turn that ended "
    "before it (paper: 0.64 s). An agent turn that begins while the user speaks, or "
    "after another agent turn, has none.",
    "pause": "the same from the agent's end to the user's next turn.",
    "overlap": "a stretch in which a user and an agent turn are both active.",
    "barge-in": "a user turn whose onset lies inside an agent turn.",
    "cut": "end of that agent turn minus the onset (paper: 0.64 s; less if the agent "
    "would have ended before).",
    "in-turn pause, backchannel, noise": "as the events of the data folder say; "
    "backchannels are no turns and no barge-ins.",
    "words a second": "of agent turns that no user barges into.",
    "dropped tokens": "text tokens of an agent turn that found no frame between its BOS "
    "and its EOS, one token a frame. A turn that is cut keeps its whole text, so its "
    "tokens are dropped by design; other turns are counted by themselves as well.",
}
STYLE = CODEC_STYLE + """
th,td{padding:.4rem .45rem}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(350px,1fr));
gap:1.2rem 1.4rem}
.plots img{width:100%;height:auto}
.wide img{width:100%;max-width:980px;height:auto}
figcaption small{color:var(--dim);font-weight:400}
.key{margin:0 0 .8rem;font-size:.86rem}
.key span{display:inline-block;margin-right:1rem}
.key i{display:inline-block;width:.8em;height:.8em;margin-right:.35em;
border-radius:2px;vertical-align:-.05em}
.texts th,.texts td{text-align:left;white-space:normal}
.scroll{margin-top:1rem}
details{margin:.3rem 0}
dt{font-weight:600;font-size:.9rem}
dd{margin:0 0 .4rem 1rem;font-size:.9rem;max-width:90ch}
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<h1>{title}</h1>
<p>{headline}</p>
</header>
{sections}
</body>
</html>
"""
