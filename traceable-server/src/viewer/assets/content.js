// What was said: pieces that come when they are asked for, and copies.
import { part } from "./dom.js";

/** What stands in the place of a link while and after its piece is asked for.
 * @type {Record<string, (link: Element) => Element | null>} */
const places = { more: (link) => link, message: (link) => link.closest(".message") };

addEventListener("click", async (event) => {
  const from = event.target instanceof Element ? event.target : null;
  const link = from?.closest("a[data-part]");
  if (link instanceof HTMLAnchorElement && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const name = link.dataset.part ?? "";
    const place = places[name]?.(link);
    if (!place) return;
    event.preventDefault();
    if (link.getAttribute("aria-busy")) return;
    link.setAttribute("aria-busy", "true");
    try {
      place.replaceWith(await part(link.href, name));
    } catch {
      link.removeAttribute("aria-busy");
      link.append(" (the server does not answer)");
    }
  }
  const button = from?.closest("button[data-copy]");
  if (button) await copy(button, textOf(button));
});

/** @param {Element} button */
function textOf(button) {
  const near = button.closest("figure") ?? button.closest("[data-copied]");
  return near?.querySelector("pre")?.textContent ?? "";
}

/** Copies a text and says so on the button.
 * @param {Element} button
 * @param {string | Promise<string>} text */
export async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(await text);
    button.textContent = "copied";
  } catch {
    button.textContent = "the browser does not let me";
  }
  setTimeout(() => (button.textContent = before), 2000);
}
