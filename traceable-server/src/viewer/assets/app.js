// What every page does: keys, and the choice of a project.
import { part } from "./dom.js";
import { keys } from "./keys.js";

keys({
  g: {
    doc: "go to …",
    r: ["runs", () => go("/")],
    t: ["threads", () => go("/threads")],
    u: ["users", () => go("/users")],
    d: ["dashboard", () => go("/stats")],
    s: ["setup", () => go("/setup")],
  },
});

/** Goes to a page, by the link that the bar has to it, which carries the selection along.
 * @param {string} path */
function go(path) {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("header nav a"));
  [...links].find((link) => link.pathname === path)?.click();
}

// The choice is asked for when it is opened.
const choice = /** @type {HTMLElement | null} */ (document.querySelector("[data-part]"));
const around = choice?.closest("details");
around?.addEventListener("toggle", async () => {
  const url = choice?.dataset.part;
  if (around.open && choice && url) choice.replaceChildren(await part(url, "choice"));
});
addEventListener("click", ({ target }) => {
  if (around?.open && target instanceof Node && !around.contains(target)) around.open = false;
});
