// What every page does: keys.
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
