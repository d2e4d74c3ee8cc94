// Lists: new rows come in by themselves, and keys walk over them.
import { part } from "./dom.js";
import { keys } from "./keys.js";
import { gently, listen } from "./live.js";

/** How far down a page may be scrolled so that new rows still come in at its top. */
const TOP = 40;

const chip = document.getElementById("chip");
/** @type {string | undefined} */
let chosen;

/** @returns {HTMLElement | null} */
const body = () => document.getElementById("rows");

/** @returns {HTMLElement[]} */
const rows = () => [...(body()?.children ?? [])].filter((row) => row instanceof HTMLElement);

/** @param {Element} row */
const link = (row) => /** @type {HTMLAnchorElement | null} */ (row.querySelector("a.whole"));

/** Whether new rows may move what is looked at. */
function isAtTop() {
  return body()?.dataset.live === "first" && scrollY <= TOP;
}

const refresh = gently(async () => {
  const old = body();
  if (!old) return;
  const fresh = (await part(location.href, "rows")).querySelector("tbody");
  if (!fresh) return location.reload();
  if (isAtTop()) merge(old, fresh, true);
  else {
    merge(old, fresh, false);
    await tell(old);
  }
}, 250);

/** Counts anew what stands beside the list. */
const count = gently(async () => {
  const beside = document.querySelector("#facets nav");
  if (beside) beside.replaceChildren(...(await part(location.href, "facets")).childNodes);
}, 5000);

/** Takes over rows. Those that are the same stay as they are; without `isWhole` none come or go.
 * @param {HTMLElement} old
 * @param {HTMLElement} fresh
 * @param {boolean} isWhole */
function merge(old, fresh, isWhole) {
  const known = new Map(rows().map((row) => [row.dataset.id, row]));
  const focused = document.activeElement?.closest("tr")?.dataset.id;
  /** @type {Element | null} */
  let place = old.firstElementChild;
  for (const row of [...fresh.children].filter((row) => row instanceof HTMLElement)) {
    const before = known.get(row.dataset.id);
    known.delete(row.dataset.id);
    if (before && same(before, row)) {
      if (isWhole && before !== place) old.insertBefore(before, place);
      else if (isWhole) place = before.nextElementSibling;
    } else if (before) {
      if (place === before) place = before.nextElementSibling;
      if (isWhole) {
        before.remove();
        old.insertBefore(row, place);
      } else before.replaceWith(row);
      mark(row, false);
    } else if (isWhole) {
      old.insertBefore(row, place);
      mark(row, true);
    }
  }
  if (!isWhole) return;
  for (const row of known.values()) row.remove();
  if (old.querySelector(".new")) count();
  if (fresh.dataset.newest) old.dataset.newest = fresh.dataset.newest;
  chip?.replaceChildren();
  if (old.firstChild) document.querySelector(".nothing")?.remove();
  if (focused) rows().filter((row) => row.dataset.id === focused).forEach((row) => link(row)?.focus());
}

/** Whether two rows say the same, but for how long ago it was and what is marked here.
 * @param {HTMLElement} one
 * @param {HTMLElement} other */
function same(one, other) {
  const bare = (/** @type {HTMLElement} */ row) => {
    const copy = /** @type {HTMLElement} */ (row.cloneNode(true));
    copy.classList.remove("new", "picked");
    delete copy.dataset.chosen;
    if (copy.className === "") copy.removeAttribute("class");
    for (const time of copy.querySelectorAll("time")) time.textContent = "";
    return copy;
  };
  return bare(one).isEqualNode(bare(other));
}

/** @param {HTMLElement} row
 * @param {boolean} isNew */
function mark(row, isNew) {
  if (isNew) row.classList.add("new");
  if (picked.has(row.dataset.id ?? "")) row.classList.add("picked");
  if (row.dataset.id === chosen) row.dataset.chosen = "";
}

/** Says how many rows are newer than what is shown.
 * @param {HTMLElement} list */
async function tell(list) {
  if (!chip || !list.dataset.newest) return;
  const url = new URL(location.href);
  url.searchParams.delete("after");
  url.searchParams.set("before", list.dataset.newest);
  chip.replaceChildren(await part(url.href, "new"));
}

chip?.addEventListener("click", (event) => {
  if (body()?.dataset.live !== "first") return;
  event.preventDefault();
  scrollTo({ top: 0 });
  refresh();
});
addEventListener("scrollend", () => {
  if (chip?.firstChild && isAtTop()) refresh();
});

/** Goes so many rows down, and remembers the place.
 * @param {number} by */
function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.id === chosen);
  const row = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!row) return;
  delete all[at]?.dataset.chosen;
  row.dataset.chosen = "";
  chosen = row.dataset.id;
  link(row)?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/** Runs to compare. @type {Set<string>} */
const picked = new Set();

function pick() {
  const row = rows().find((row) => row.dataset.id === chosen);
  const id = row?.dataset.id;
  if (!row || !id) return;
  if (row.classList.toggle("picked")) picked.add(id);
  else picked.delete(id);
  const [a, b] = picked;
  if (a && b) location.assign(`/compare?a=${a}&b=${b}`);
}

/** @param {string} rel */
const turn = (rel) => /** @type {HTMLAnchorElement | null} */ (document.querySelector(`a[rel=${rel}]`))?.click();

keys({
  j: ["next row", () => step(1)],
  k: ["previous row", () => step(-1)],
  Enter: ["open the row", (event) => {
    const row = rows().find((row) => row.dataset.id === chosen);
    const target = event.target instanceof HTMLElement ? event.target.closest("a, button, summary") : null;
    if (target instanceof HTMLElement) target.click();
    else if (row) link(row)?.click();
  }],
  n: ["next page", () => turn("next")],
  p: ["previous page", () => turn("prev")],
});
if (document.querySelector("table.log")) keys({ x: ["pick two to compare", pick] });

// On a narrow screen the side bar would stand before the list.
const side = document.getElementById("facets");
if (side instanceof HTMLDetailsElement && matchMedia("(width < 64rem)").matches) side.open = false;

listen(refresh, refresh, { since: body()?.dataset.n });
