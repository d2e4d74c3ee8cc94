// What goes on: changes, as the server commits them, and time. A hidden page does not listen; when it is looked at again
// it catches up.

import { say } from "./dom.js";

/** What the server tells.
 * @typedef {{ n: number, traces: string[], running: string[], more: boolean }} Changed */

/** Calls `changed` when something has, and `reset` when it is not known any more what.
 * @param {(changed: Changed) => void} changed
 * @param {() => void} reset
 * @param {{ trace?: string, since?: string }} [only] changes of one trace; changes behind what the page shows, by the
 * number that the server wrote into it */
export function listen(changed, reset, only = {}) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {number | string | undefined} */
  let seen = only.since;
  let pause = 1000;

  function open() {
    if (source || document.hidden) return;
    const url = new URL("/api/traceable/v1/events", location.href);
    if (only.trace) url.searchParams.set("trace", only.trace);
    if (seen !== undefined) url.searchParams.set("since", String(seen));
    const made = new EventSource(url);
    source = made;
    on(made, "ready", () => {
      // The page may be older than the connection.
      if (seen === undefined) reset();
      pause = 1000;
    });
    on(made, "changed", (data) => changed(/** @type {Changed} */ (data)));
    on(made, "reset", reset);
    made.addEventListener("error", () => {
      // A browser tries again by itself, except when the server has said no.
      if (made.readyState !== EventSource.CLOSED) return;
      close();
      setTimeout(open, pause);
      pause = Math.min(pause * 2, 30000);
    });
  }

  function close() {
    source?.close();
    source = undefined;
  }

  /** @param {EventSource} from
   * @param {string} name
   * @param {(data: { n: number }) => void} does */
  function on(from, name, does) {
    from.addEventListener(name, (event) => {
      const data = /** @type {{ n: number }} */ (JSON.parse(/** @type {MessageEvent<string>} */ (event).data));
      does(data);
      seen = data.n;
    });
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}

/** Does something soon, and not again before `pause` milliseconds have gone by and it is done.
 * @param {() => Promise<void>} does
 * @param {number} pause
 * @returns {() => void} */
export function gently(does, pause) {
  let isBusy = false;
  let isWanted = false;
  return async function want() {
    isWanted = true;
    if (isBusy) return;
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      // What fails now is asked for again at the next change.
      await does().then(() => say(), (error) => say("This page is not up to date", error));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    isBusy = false;
  };
}

/** How long, as the server writes it.
 * @param {number} seconds */
function short(seconds) {
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

/** Keeps times true: how long ago something was, how long it goes on already. */
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
