// Keys: single letters, and pairs such as `g r`. Pages add their own; `?` shows them all.
import { element } from "./dom.js";

/** What a key does: a word of explanation and an action, or more keys that may follow.
 * @typedef {[string, (event: KeyboardEvent) => void]} Action
 * @typedef {{ doc: string } & { [key: string]: Action | string }} More */

/** @type {Record<string, Action | More>} */
const known = {};
/** @type {More | undefined} */
let waiting;

/** Adds keys.
 * @param {Record<string, Action | More>} more */
export function keys(more) {
  Object.assign(known, more);
}

/** Whether what is typed belongs to a field.
 * @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const among = waiting ?? known;
  waiting = undefined;
  const found = /** @type {Action | More | undefined} */ (Object.hasOwn(among, event.key) ? among[event.key] : undefined);
  if (!found || typeof found === "string") return;
  event.preventDefault();
  if (Array.isArray(found)) found[1](event);
  else waiting = found;
});

keys({ "?": ["show the keys", help] });

function help() {
  /** @type {[string, string][]} */
  const rows = Object.entries(known).flatMap(([key, does]) => {
    if (Array.isArray(does)) return [/** @type {[string, string]} */ ([key, does[0]])];
    return Object.entries(does).flatMap(([next, action]) =>
      Array.isArray(action) ? [/** @type {[string, string]} */ ([`${key} ${next}`, action[0]])] : [],
    );
  });
  const list = element("dl", {}, ...rows.flatMap(([key, doc]) => [element("dt", {}, element("kbd", {}, key)), element("dd", {}, doc)]));
  const close = element("button", { type: "button" }, "Close");
  const dialog = /** @type {HTMLDialogElement} */ (element("dialog", { class: "keys", "aria-label": "Keys" }, list, close));
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
