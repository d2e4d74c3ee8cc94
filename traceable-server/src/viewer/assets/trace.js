// The page of a trace: the tree on the left decides what stands on the right.
import { play } from "./chunks.js";
import { part, say } from "./dom.js";
import { keys } from "./keys.js";
import { gently, listen } from "./live.js";
import { Tree } from "./tree.js";

const get = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const main = get("main");
const beside = get("beside");
const base = `/t/${main.dataset.trace}`;

/** What was asked for already, the latest last. @type {Map<string, Promise<DocumentFragment>>} */
const kept = new Map();
const KEPT = 60;

const tree = new Tree(get("grid"), (number) => show(address({ row: String(number) }), "replace"));

/** The address of this page with other parameters of its own. @param {Record<string, string>} own */
function address(own) {
  const url = new URL(location.href);
  url.pathname = base;
  for (const name of ["row", "run", "view", "after"]) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(own)) url.searchParams.set(name, value);
  return url;
}

/** @param {URL} url */
function ask(url) {
  const asked = kept.get(url.search) ?? part(url.href, "beside");
  kept.delete(url.search);
  kept.set(url.search, asked);
  asked.catch(() => kept.delete(url.search));
  for (const oldest of kept.keys()) {
    if (kept.size <= KEPT) break;
    kept.delete(oldest);
  }
  return asked;
}

let asked = 0;

/** Shows a run or the transcript beside the tree.
 * @param {URL} url @param {"replace" | "push" | "keep"} how what becomes of the address */
async function show(url, how) {
  const turn = ++asked;
  const fragment = await ask(url).catch((error) => say("It cannot be shown", error));
  if (turn !== asked || !fragment) return;
  say();
  beside.replaceChildren(fragment.cloneNode(true));
  if (how !== "keep") beside.scrollTop = 0;
  const article = shown();
  const { run } = article?.dataset ?? {};
  const own = run ? address({ run }) : url;
  if (how === "push") history.pushState(null, "", own);
  else if (how === "replace") history.replaceState(null, "", own);
  arrived();
  for (const number of tree.beside()) ask(address({ row: String(number) }));
}

const shown = () => /** @type {HTMLElement | null} */ (beside.querySelector("article"));

/** Makes what has come in work. */
function arrived() {
  const number = Number(shown()?.dataset.number ?? NaN);
  if (number && number !== tree.chosen) tree.select(tree.at(number), true);
  for (const section of beside.querySelectorAll("details[data-section]")) {
    const kept = localStorage.getItem(`section ${section.getAttribute("data-section")}`);
    if (kept) section.toggleAttribute("open", kept === "open");
  }
  play(beside);
  beside.dispatchEvent(new CustomEvent("arrived", { bubbles: true }));
}

beside.addEventListener("click", (event) => {
  const link = /** @type {Element} */ (event.target).closest("a");
  const isPlain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  if (!link || !isPlain || link.origin !== location.origin || link.pathname !== base || link.hasAttribute("download")) return;
  event.preventDefault();
  show(new URL(link.href), "push");
});
addEventListener("popstate", () => show(new URL(location.href), "keep"));

beside.addEventListener("click", (event) => {
  const section = /** @type {Element} */ (event.target).closest("summary")?.parentElement;
  const name = section?.dataset.section;
  if (name) localStorage.setItem(`section ${name}`, section.hasAttribute("open") ? "shut" : "open");
});

// The tree.

/** Shows the trace as it is now. */
const changed = gently(async () => {
  kept.clear();
  const [answer, head] = await Promise.all([fetch(`${base}/skeleton`), part(address({}).href, "head")]);
  if (answer.ok) tree.set(await answer.json());
  get("head").replaceWith(head);
  const number = Number(shown()?.dataset.number ?? NaN);
  if (number && tree.chosen !== number) tree.select(tree.at(number), true);
  main.dataset.open = String(tree.data?.open ?? 0);
  if (shown()?.hasAttribute("data-open")) await show(new URL(location.href), "keep");
}, 300);

const find = /** @type {HTMLInputElement} */ (get("find"));
find.addEventListener("input", () => {
  const found = tree.find(find.value);
  get("found").textContent = found === undefined ? "" : found ? `${found} found` : "none";
});
find.addEventListener("keydown", (event) => {
  if (event.key === "Enter") tree.findNext(event.shiftKey ? -1 : 1);
  else if (event.key === "Escape") {
    find.value = "";
    find.dispatchEvent(new Event("input"));
    tree.grid.focus();
  }
});
const zoom = () => get("zoom").setAttribute("aria-pressed", String(tree.zoom()));
get("zoom").addEventListener("click", zoom);
get("fold").addEventListener("click", () => tree.foldAll());
get("tools").hidden = false;

keys({
  j: ["the next run", () => tree.move(1)],
  k: ["the run before", () => tree.move(-1)],
  f: ["find in the tree", () => find.focus()],
  n: ["the next found", () => tree.findNext(1)],
  N: ["the found before", () => tree.findNext(-1)],
  x: ["fold or unfold all of this name", () => tree.foldAll(tree.at(tree.chosen))],
  z: ["the time of this run alone, or all", zoom],
  t: ["transcript or run", () => {
    const other = beside.querySelector("nav.views a:not([aria-current])");
    if (other instanceof HTMLAnchorElement) other.click();
  }],
});

// The width of the tree.

const grip = /** @type {HTMLElement} */ (document.querySelector(".grip"));

/** @param {number} percent */
function widen(percent) {
  const width = Math.round(Math.max(20, Math.min(80, percent)));
  main.style.setProperty("--tree", `${width}%`);
  grip.setAttribute("aria-valuenow", String(width));
  localStorage.setItem("tree", String(width));
}
widen(Number(localStorage.getItem("tree") ?? 50));
grip.addEventListener("pointerdown", (event) => grip.setPointerCapture(event.pointerId));
grip.addEventListener("pointermove", (event) => {
  const { left, width } = main.getBoundingClientRect();
  if (grip.hasPointerCapture(event.pointerId)) widen(((event.clientX - left) / width) * 100);
});
grip.addEventListener("keydown", (event) => {
  const by = { ArrowLeft: -2, ArrowRight: 2 }[event.key];
  if (by) widen(Number(grip.getAttribute("aria-valuenow")) + by);
});

arrived();
changed();
listen(changed, changed, { trace: main.dataset.trace, since: main.dataset.n });
