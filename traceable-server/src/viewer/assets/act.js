// What one does with a run or a conversation: the buttons of `section.actions`, as requests in JSON. A button shows at once
// that it was pressed; what the server then says is shown where one acted, and the section comes anew from the server.
import { part } from "./dom.js";
import { copy } from "./content.js";

/** @typedef {{ method: string, url: string, body?: unknown }} Request */

const API = "/api/traceable/v1";

/** What is asked of the server for a button or a form; nothing for those that ask for nothing.
 * @type {Record<string, (from: HTMLElement, section: HTMLElement, fields: FormData) => Request>} */
const requests = {
  thumb: (from, section) => {
    const given = from.dataset.given;
    if (given) return { method: "DELETE", url: `${API}/scores/${given}` };
    const other = section.querySelector("[data-act=thumb][data-given]");
    const id = other instanceof HTMLElement ? other.dataset.given : undefined;
    return score(section, { key: "thumbs", score: Number(from.dataset.score), id });
  },
  note: (_, section, fields) => score(section, { key: "note", comment: text(fields, "comment") }),
  score: (_, section, fields) => {
    const said = text(fields, "score");
    const number = Number(said.replace(",", "."));
    const value = Number.isFinite(number) ? { score: number } : { label: said };
    return score(section, { key: text(fields, "key"), comment: text(fields, "comment") || undefined, ...value });
  },
  unscore: (from) => ({ method: "DELETE", url: `${API}/scores/${from.dataset.score}` }),
  tag: (_, section, fields) => tags(section, { add: [text(fields, "tag")] }),
  untag: (from, section) => tags(section, { remove: [from.dataset.tag] }),
  delete: (from) => {
    const { method = "POST", url = "", body } = from.dataset;
    return { method, url, body: body ? JSON.parse(body) : undefined };
  },
};

/** @param {FormData} fields
 * @param {string} name */
const text = (fields, name) => String(fields.get(name) ?? "").trim();

/** @param {HTMLElement} section
 * @param {Record<string, unknown>} said
 * @returns {Request} */
function score(section, said) {
  const { kind = "run", id } = section.dataset;
  return { method: "POST", url: `${API}/scores`, body: { [kind]: id, ...said } };
}

/** @param {HTMLElement} section
 * @param {unknown} change
 * @returns {Request} */
function tags(section, change) {
  const list = /** @type {HTMLElement | null} */ (section.querySelector(".tags"));
  return { method: "POST", url: list?.dataset.url ?? "", body: change };
}

/** @param {Request} request */
async function ask({ method, url, body }) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (answer.ok) return;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.detail ?? `the server answers ${answer.status}`);
}

/** Does what a button or a form is for.
 * @param {HTMLElement} from
 * @param {FormData} fields */
async function act(from, fields) {
  const section = /** @type {HTMLElement | null} */ (from.closest("section.actions"));
  const request = section && requests[from.dataset.act ?? ""]?.(from, section, fields);
  if (!section || !request || section.getAttribute("aria-busy")) return;
  const trouble = /** @type {HTMLElement} */ (section.querySelector(".trouble"));
  trouble.hidden = true;
  section.setAttribute("aria-busy", "true");
  const before = from.getAttribute("aria-pressed");
  if (before) from.setAttribute("aria-pressed", before === "true" ? "false" : "true");
  try {
    await ask(request);
    if (from.dataset.act === "delete") return location.assign(section.dataset.kind === "thread" ? "/threads" : "/");
    section.replaceWith(await part(section.dataset.self ?? "", "actions"));
  } catch (error) {
    if (before) from.setAttribute("aria-pressed", before);
    trouble.textContent = `It was not done: ${error instanceof Error ? error.message : error}`;
    trouble.hidden = false;
  } finally {
    section.removeAttribute("aria-busy");
  }
}

addEventListener("click", (event) => {
  const from = event.target instanceof Element ? event.target.closest("[data-act]") : null;
  if (from instanceof HTMLAnchorElement && from.dataset.act === "copy" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const fetched = fetch(from.href).then((answer) => (answer.ok ? answer.text() : Promise.reject(answer.status)));
    copy(from, fetched);
  } else if (from instanceof HTMLButtonElement) act(from, new FormData());
});

addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || !form.dataset.act) return;
  event.preventDefault();
  act(form, new FormData(form));
});
