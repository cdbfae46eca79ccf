"""Looks and behaviour of the codec page."""

STYLE = """
.strips{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,320px),1fr));
gap:1rem}
svg{width:100%;max-width:460px;height:auto}
svg text{fill:var(--dim);font-size:12px}
svg circle{fill:var(--accent);fill-opacity:.45}
svg path{stroke:var(--ink);stroke-width:3}
.tag{margin-right:.3rem}
.clips{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));
gap:1rem}
.clip p{margin:.2rem 0 0;color:var(--dim);font-size:.82rem}
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
