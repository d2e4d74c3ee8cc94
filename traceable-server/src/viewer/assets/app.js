// What every page does: keys, and the choice of a project.
import { part, say } from "./dom.js";
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
  if (!around.open || !choice || !url) return;
  // What stands there is a link to the same as a page.
  part(url, "choice").then((made) => choice.replaceChildren(made), (error) => say("The projects cannot be shown", error));
});

/** Closes what is open above the page, unless one is in it. @param {EventTarget | null} within */
function shut(within) {
  for (const menu of document.querySelectorAll("details:is(.menu, .switch)[open]")) {
    if (!(within instanceof Node && menu.contains(within))) menu.removeAttribute("open");
  }
}
addEventListener("click", ({ target }) => shut(target));
addEventListener("keydown", ({ key, target }) => {
  if (key !== "Escape") return;
  const menu = target instanceof Element ? target.closest("details:is(.menu, .switch)") : null;
  shut(null);
  menu?.querySelector("summary")?.focus();
});
