"""Frame, looks and behaviour of the codec page."""

STYLE = """
:root{--ink:#1c2430;--dim:#667085;--line:#dfe3ea;--back:#f6f7f9;--card:#fff;
--accent:#2f6f8f}
*{box-sizing:border-box}
body{margin:0 auto;padding:2rem 1.5rem 4rem;max-width:1320px;color:var(--ink);
background:var(--back);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
h1{margin:0;font-size:1.7rem}
h2{margin:0 0 .6rem;font-size:1.15rem}
h3{margin:0 0 .6rem;font-size:1rem;font-weight:600}
h3 small{color:var(--dim);font-weight:400}
header p,.note,.clip p{color:var(--dim)}
.note{margin:.6rem 0;max-width:80ch;font-size:.9rem}
section{margin-top:1.4rem;padding:1.2rem 1.4rem;background:var(--card);
border:1px solid var(--line);border-radius:10px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.86rem;font-variant-numeric:tabular-nums}
th,td{padding:.4rem .6rem;text-align:right;border-bottom:1px solid var(--line);
vertical-align:top;white-space:nowrap}
thead th{color:var(--dim);font-weight:600;white-space:normal;vertical-align:bottom}
tr>th:first-child{position:sticky;left:0;background:var(--card);text-align:left}
td small{display:block;color:var(--dim);font-size:.78em}
tbody.ours th{font-weight:600}
tbody.paper th,tbody.paper td{color:var(--dim);font-weight:400;font-style:italic}
tbody.paper tr:first-child>*{border-top:2px solid var(--line)}
summary{color:var(--accent);cursor:pointer;font-size:.9rem}
li{font-size:.9rem}
.strips{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:1rem}
figure{margin:0}
figcaption{font-weight:600;font-size:.9rem}
svg{width:100%;max-width:460px;height:auto}
svg text{fill:var(--dim);font-size:12px}
svg circle{fill:var(--accent);fill-opacity:.45}
svg path{stroke:var(--ink);stroke-width:3}
article{padding:1rem 0;border-top:1px solid var(--line)}
.tag{margin-right:.3rem;padding:.1rem .5rem;border-radius:9px;background:#e6f0f4;
color:var(--accent);font-size:.75rem;font-weight:600}
.clips{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));
gap:1rem}
.clip p{margin:.2rem 0 0;font-size:.82rem}
.picture{position:relative;margin:.25rem 0;cursor:pointer;line-height:0}
.picture img{width:100%;height:110px;border-radius:6px}
.picture i{position:absolute;top:0;bottom:0;left:0;width:2px;background:#fff;opacity:0}
audio{width:100%;height:34px}
"""

# A click into a picture plays from there; one sound at a time; a line follows it.
SCRIPT = """
for (const clip of document.querySelectorAll(".clip")) {
  const sound = clip.querySelector("audio");
  const picture = clip.querySelector(".picture");
  const line = clip.querySelector("i");
  const follow = () => {
    line.style.left = 100 * sound.currentTime / (sound.duration || 1) + "%";
    line.style.opacity = sound.currentTime ? .9 : 0;
    if (!sound.paused) requestAnimationFrame(follow);
  };
  sound.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio"))
      if (other !== sound) other.pause();
    follow();
  });
  sound.addEventListener("seeked", follow);
  picture.addEventListener("click", (event) => {
    const share = event.offsetX / picture.clientWidth;
    const jump = () => { sound.currentTime = share * sound.duration; sound.play(); };
    if (sound.readyState) return jump();
    sound.addEventListener("loadedmetadata", jump, {once: true});
    sound.load();
  });
}
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
<p>{num_sentences} sentences, {seconds:.0f} s. Every codec encodes and decodes each
recording; the same judges hear recording and reconstruction.</p>
</header>
<section><h2>Scores</h2>
{table}
<p class="note">{note}</p>
<details><summary>What the columns mean</summary><ul>{meanings}</ul></details>
</section>
<section><h2>Sentence by sentence</h2>
<p class="note">One dot is one sentence; the bar is the mean.</p>
<div class="strips">{strips}</div></section>
<section><h2>Listen</h2>
<p class="note">{num_examples} sentences: those that came out worst, in the middle and
best, by character errors and then by P.808. Click into a spectrogram (0 Hz to half the
sample rate) to play from there.</p>
{examples}
</section>
<script>{script}</script>
</body>
</html>
"""
