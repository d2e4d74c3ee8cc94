// The search bar: proposals while it is typed, and what is wrong before it is sent.
import { part } from "./dom.js";
import { keys } from "./keys.js";

const input = /** @type {HTMLInputElement} */ (document.getElementById("q"));
const list = /** @type {HTMLElement} */ (document.getElementById("proposals"));
const wrong = /** @type {HTMLElement} */ (document.getElementById("wrong"));
const form = /** @type {HTMLFormElement} */ (input.form);

/** Which part of the text a proposal takes the place of. */
let span = [0, 0];
let at = -1;
let asked = new AbortController();

const options = () => /** @type {HTMLElement[]} */ ([...list.children]);

/** @param {boolean} isOpen */
function show(isOpen) {
  list.hidden = !isOpen || list.children.length === 0;
  input.setAttribute("aria-expanded", String(!list.hidden));
  if (list.hidden) choose(-1);
}

/** @param {number} which */
function choose(which) {
  at = which;
  for (const [n, option] of options().entries()) option.setAttribute("aria-selected", String(n === at));
  const option = options()[at];
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
}

async function propose() {
  asked.abort();
  asked = new AbortController();
  const url = new URL("/complete", location.href);
  for (const [name, value] of new FormData(form)) url.searchParams.set(name, String(value));
  url.searchParams.set("at", String(input.selectionStart ?? input.value.length));
  url.searchParams.set("path", new URL(form.action).pathname);
  const answer = await part(url.href, "proposals", asked.signal);
  const found = answer.querySelector("ul");
  if (!found) return;
  span = [Number(found.dataset.from), Number(found.dataset.to)];
  list.replaceChildren(...found.children);
  const complaint = answer.querySelector(".complaint");
  wrong.replaceChildren(...(complaint ? [complaint] : []));
  input.toggleAttribute("aria-invalid", complaint !== null);
  show(document.activeElement === input);
  choose(-1);
}

/** What was asked for meanwhile is no error. */
const ask = () => propose().catch(() => {});

/** @param {HTMLElement} option */
function take(option) {
  const text = option.dataset.text ?? "";
  const isOpen = /[:.]$/.test(text);
  input.setRangeText(isOpen ? text : `${text} `, span[0], span[1], "end");
  input.focus();
  ask();
}

input.addEventListener("input", ask);
input.addEventListener("focus", ask);
input.addEventListener("blur", () => show(false));
input.addEventListener("keydown", (event) => {
  const many = options().length;
  const option = options()[at];
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (list.hidden) show(true);
    else choose(event.key === "ArrowDown" ? (at + 1) % many : (at < 1 ? many : at) - 1);
  } else if ((event.key === "Enter" || event.key === "Tab") && option && !list.hidden) take(option);
  else if (event.key === "Escape" && !list.hidden) show(false);
  else if (event.key === "Escape") input.blur();
  else return;
  event.preventDefault();
});
list.addEventListener("mousedown", (event) => {
  const option = event.target instanceof Element ? event.target.closest("li") : null;
  event.preventDefault();
  if (option) take(option);
});
form.addEventListener("submit", (event) => {
  // What is wrong is shown where it stands; the list stays.
  if (wrong.querySelector(".complaint")) event.preventDefault();
});

keys({ "/": ["search", () => input.select()] });
