"""Looks and behaviour of the page of a run."""

STYLE = """
:root{--user:#2f6f8f;--agent:#c7771a;--good:#2c8a4b;--late:#b06a00;--bad:#c22f3d;
--event:#8a63b8}
@media (prefers-color-scheme:dark){:root{--user:#6fb6d8;--agent:#e8a04a;
--good:#63c684;--late:#e3ac4e;--bad:#ff7a85;--event:#bb9be3}}
.tag{cursor:help}
.reasons,.facts{margin:.1rem 0 .3rem;color:var(--dim);font-size:.86rem}
thead th{min-width:4.8em}
section>.plots+h3,section>.note+h3{margin-top:1.4rem}
figure ul{margin:.1rem 0 0;padding:0;list-style:none;font-size:.84rem;color:var(--dim)}
svg text{fill:var(--dim);font:11px system-ui,-apple-system,"Segoe UI",sans-serif}
svg.plot{width:100%;max-width:520px;height:auto}
svg.conversation{display:block;cursor:pointer}
.axis,.grid,.mark,.mean,.arrow,.onset,.stop,.cursor{fill:none;stroke:var(--dim)}
.axis{stroke-opacity:.5}
.grid{stroke-opacity:.18}
.mark{stroke-dasharray:4 3}
path.mean{stroke:var(--ink);stroke-width:1.6}
circle.mean{fill:var(--ink);stroke:none}
.g-in-time,.g-after-the-user{fill:var(--good)}
.g-late{fill:var(--late)}
.g-not-stopped,.g-early{fill:var(--bad)}
.wave{stroke-width:1;fill:none}
.wave.user,.bar.user{stroke:var(--user);fill:var(--user)}
.wave.agent,.bar.agent{stroke:var(--agent);fill:var(--agent)}
.bar{stroke:none!important}
.bar.event{fill:var(--event)}
.shade{fill:var(--agent);fill-opacity:.13}
svg text.user,svg text.agent{fill:var(--ink)}
svg text.said{font-style:italic}
svg text.side{font-weight:600}
svg text.tick{text-anchor:middle}
.onset{stroke:var(--user);stroke-dasharray:4 3}
.arrow,.stop{stroke-width:1.6}
.good{stroke:var(--good)}.late{stroke:var(--late)}.bad{stroke:var(--bad)}
svg.conversation text{paint-order:stroke;stroke:var(--card);stroke-width:3px;
stroke-linejoin:round}
svg text.label{font-weight:600}
text.good{fill:var(--good)}text.late{fill:var(--late)}text.bad{fill:var(--bad)}
.point.bad{fill:var(--bad)}
.cursor{stroke:var(--ink);stroke-width:1.6;visibility:hidden}
article{content-visibility:auto;contain-intrinsic-size:auto 460px}
article[hidden],tr[hidden]{display:none}
audio{display:block;width:100%;max-width:620px;height:36px;margin:.4rem 0}
.problems th,.problems td,.rest th:nth-child(-n+3),
.rest td:nth-child(-n+3){text-align:left;
white-space:normal}
.texts th.label{position:static;font-weight:400}
.texts th,.texts td{min-width:7rem}
.filter{display:flex;flex-wrap:wrap;gap:.6rem 1.2rem;align-items:center;
margin:.6rem 0 1rem;font-size:.9rem}
select{font:inherit;max-width:100%;padding:.2rem .4rem;color:inherit;
background:var(--back);border:1px solid var(--line);border-radius:6px}
"""

# A click into a picture plays from there; one sound at a time; a line follows it.
SCRIPT = """
for (const article of document.querySelectorAll("article")) {
  const sound = article.querySelector("audio");
  const picture = article.querySelector("svg.conversation");
  const frame = picture.parentElement;
  const cursor = picture.querySelector(".cursor");
  const left = Number(picture.dataset.left), scale = Number(picture.dataset.scale);
  const follow = () => {
    const shift = sound.currentTime * scale;
    cursor.style.visibility = "visible";
    cursor.setAttribute("transform", `translate(${shift.toFixed(1)} 0)`);
    if (sound.paused) return;
    const x = left + shift - frame.scrollLeft;
    if (x < 0 || x > frame.clientWidth) frame.scrollLeft = left + shift - 30;
    requestAnimationFrame(follow);
  };
  sound.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio"))
      if (other !== sound) other.pause();
    follow();
  });
  sound.addEventListener("seeked", follow);
  picture.addEventListener("click", (event) => {
    const x = event.clientX - picture.getBoundingClientRect().left;
    const jump = () => {
      sound.currentTime = Math.max(0, (x - left) / scale);
      sound.play();
    };
    if (sound.readyState) return jump();
    sound.addEventListener("loadedmetadata", jump, {once: true});
    sound.load();
  });
}
const filter = document.querySelector(".filter");
const choose = () => {
  let count = 0;
  const items = document.querySelectorAll("[data-tags]");
  for (const item of items) {
    const set = filter.elements.set.value, tag = filter.elements.tag.value;
    item.hidden = (set && item.dataset.set !== set)
      || (tag && !item.dataset.tags.split("|").includes(tag));
    if (!item.hidden) count++;
    else item.querySelector("audio")?.pause();
  }
  document.querySelector("#shown").textContent = `${count} of ${items.length} shown`;
};
filter.addEventListener("change", choose);
choose();
"""
