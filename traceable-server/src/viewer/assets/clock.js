// Keeps times true while a page is open: how long ago something was, how long it goes on already.

/** As the server writes it.
 * @param {number} seconds */
function short(seconds) {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

function tick() {
  if (document.hidden) return;
  for (const time of document.querySelectorAll("time.ago, time.since")) {
    const began = Date.parse(time.getAttribute("datetime") ?? "");
    if (Number.isNaN(began)) continue;
    const text = short(Math.max(0, Math.floor((Date.now() - began) / 1000)));
    const shown = time.classList.contains("ago") ? `${text} ago` : text;
    if (time.textContent !== shown) time.textContent = shown;
  }
}

setInterval(tick, 1000);
document.addEventListener("visibilitychange", tick);
