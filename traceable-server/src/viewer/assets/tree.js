// The runs of a trace as a tree over time. Whatever their number, only the rows in sight are elements.
import { element } from "./dom.js";

/** A trace as columns, in the order of the tree. Times are nanoseconds.
 * @typedef {{ root: number | null, span: number, open: number, numbers: number[], depths: number[], names: number[],
 *   all_names: string[], types: number[], all_types: string[], starts: number[], durations: (number | null)[],
 *   first_tokens: (number | null)[], statuses: string[], tokens: (number | null)[], costs: (number | null)[] }} Skeleton */

const HEIGHT = 26;
/** Browsers draw nothing that is taller than some 17 million pixels. */
const TALLEST = 15e6;
const LEVELS = 24;
/** Calls that a library may have noted a request over HTTP below. */
const CALLS = ["llm", "embedding", "retriever", "reranker"];
const KINDS = ["llm", "chain", "tool", "retriever", "embedding", "agent"];

export class Tree {
  /** @type {Skeleton | undefined} */ data;
  /** The row behind the last one below each row. */
  ends = new Int32Array();
  /** The rows that no fold hides. */
  shown = new Int32Array();
  /** Numbers of runs that are folded. @type {Set<number>} */ folded = new Set();
  /** Calls with nothing below but a request that went well, which says nothing that they do not say: folded at first.
   * @type {Set<number>} */ requests = new Set();
  /** The number of the chosen run. @type {number | undefined} */ chosen;
  /** @type {{ names: Set<number>, types: Set<number>, rows: number[] } | undefined} */ found;
  /** The time that is drawn. */ from = 0;
  to = 1;
  isZoomed = false;
  /** @type {HTMLElement[]} */ slots = [];
  /** The first root once more, over the rows, while it is out of sight. */ pinned = blank();

  /** @param {HTMLElement} grid @param {(number: number) => void} choose called when the user chooses a run */
  constructor(grid, choose) {
    this.grid = grid;
    this.choose = choose;
    this.axis = /** @type {HTMLElement} */ (grid.querySelector("#axis"));
    this.window = /** @type {HTMLElement} */ (grid.querySelector("#window"));
    this.rows = /** @type {HTMLElement} */ (grid.querySelector("#rows"));
    this.pinned.hidden = true;
    this.pinned.removeAttribute("role");
    this.pinned.setAttribute("aria-hidden", "true");
    this.rows.append(this.pinned);
    grid.hidden = false;
    grid.addEventListener("scroll", () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(grid);
    grid.addEventListener("keydown", (event) => this.key(event));
    this.rows.addEventListener("click", (event) => {
      const target = /** @type {Element} */ (event.target);
      const row = target.closest(".row");
      const at = this.shown[Number(row instanceof HTMLElement ? row.dataset.place : NaN)] ?? -1;
      if (at >= 0) target.closest(".twist") ? this.fold(at) : this.select(at);
    });
  }

  /** Takes a trace, or the same one when it has grown. @param {Skeleton} data */
  set(data) {
    this.data = data;
    const { depths } = data;
    this.ends = new Int32Array(depths.length);
    const open = [];
    for (let at = 0; at < depths.length; at++) {
      while (open.length && depths[open[open.length - 1]] >= depths[at]) this.ends[/** @type {number} */ (open.pop())] = at;
      open.push(at);
    }
    for (const at of open) this.ends[at] = depths.length;
    for (const [at, number] of data.numbers.entries()) {
      const type = (/** @type {number} */ row) => data.all_types[data.types[row]];
      const isRequest = this.ends[at] === at + 2 && type(at + 1) === "http" && data.statuses[at + 1] === "ok";
      if (!isRequest || !CALLS.includes(type(at)) || this.requests.has(number)) continue;
      this.requests.add(number);
      this.folded.add(number);
    }
    if (!this.isZoomed) [this.from, this.to] = [0, data.span];
    this.refold();
  }

  /** The row of a run. @param {number | undefined} number */
  at(number) {
    return this.data && number !== undefined ? this.data.numbers.indexOf(number) : -1;
  }

  /** @param {number} at */
  hasChildren(at) {
    return this.ends[at] > at + 1;
  }

  refold() {
    const { data, folded, ends } = this;
    if (!data) return;
    const shown = new Int32Array(ends.length);
    let count = 0;
    for (let at = 0; at < ends.length; at = folded.has(data.numbers[at]) ? ends[at] : at + 1) shown[count++] = at;
    this.shown = shown.subarray(0, count);
    this.grid.setAttribute("aria-rowcount", String(count + 1));
    this.window.style.setProperty("height", `${Math.min(count * HEIGHT, TALLEST)}px`);
    this.draw(true);
    this.label();
  }

  /** How far down the first row in sight begins, and how many pixels of rows one of the bar stands for. */
  scroll() {
    const view = this.grid.clientHeight - this.axis.offsetHeight;
    const all = this.shown.length * HEIGHT;
    const ratio = all > TALLEST ? (all - view) / (TALLEST - view) : 1;
    return { view, ratio, top: this.grid.scrollTop * ratio };
  }

  /** Draws the rows in sight. A row keeps its element while it stays there. @param {boolean} [all] also those that were drawn */
  draw(all) {
    const { shown, slots } = this;
    const { view, top } = this.scroll();
    const wanted = Math.min(shown.length, Math.ceil(view / HEIGHT) + 6);
    if (slots.length < wanted) {
      while (slots.length < wanted) this.rows.append(slots[slots.push(blank()) - 1]);
      all = true;
    }
    const first = Math.max(0, Math.min(Math.floor(top / HEIGHT) - 2, shown.length - wanted));
    for (let slot = 0; slot < slots.length; slot++) {
      const behind = (slot - (first % slots.length) + slots.length) % slots.length;
      const place = first + behind;
      const row = slots[slot];
      row.hidden = place >= shown.length || behind >= wanted;
      if (row.hidden) continue;
      row.style.setProperty("transform", `translateY(${this.grid.scrollTop + place * HEIGHT - top}px)`);
      if (all || row.dataset.place !== String(place)) this.fill(row, place);
    }
    const { pinned } = this;
    const wasHidden = pinned.hidden;
    pinned.hidden = top < 1 || shown.length === 0;
    if (pinned.hidden) return;
    pinned.style.setProperty("transform", `translateY(${this.grid.scrollTop}px)`);
    if (!all && !wasHidden) return;
    this.fill(pinned, 0);
    pinned.removeAttribute("id");
    pinned.classList.add("pinned");
  }

  /** @param {HTMLElement} row @param {number} place */
  fill(row, place) {
    const { data } = this;
    if (!data) return;
    const at = this.shown[place];
    const [name, bar, took, tokens, cost] = /** @type {HTMLElement[]} */ ([...row.children]);
    const [twist, label, kind] = /** @type {HTMLElement[]} */ ([...name.children]);
    const number = data.numbers[at];
    const status = data.statuses[at];
    const type = data.all_types[data.types[at]];
    const isFolded = this.folded.has(number);
    row.dataset.place = String(place);
    row.id = `r${number}`;
    row.className = `row ${status}`;
    row.classList.toggle("found", !!this.found && (this.found.names.has(data.names[at]) || this.found.types.has(data.types[at])));
    set(row, { "aria-level": data.depths[at] + 1, "aria-rowindex": place + 2, "aria-selected": number === this.chosen });
    if (this.hasChildren(at)) row.setAttribute("aria-expanded", String(!isFolded));
    else row.removeAttribute("aria-expanded");
    name.style.setProperty("--depth", String(Math.min(data.depths[at], LEVELS)));
    twist.textContent = this.hasChildren(at) ? (isFolded ? "▸" : "▾") : "";
    label.textContent = label.title = data.all_names[data.names[at]];
    const isLost = data.depths[at] === 0 && number !== data.root;
    const inside = isFolded ? `+${this.ends[at] - at - 1}` : "";
    kind.textContent = [type === "chain" ? "" : type, status === "ok" ? "" : status, isLost ? "no parent" : "", inside].filter(Boolean).join(" · ");
    kind.className = `kind ${KINDS.includes(type) ? type : "other"}`;
    const start = data.starts[at];
    const length = data.durations[at];
    const end = length === null ? data.span : start + length;
    bar.className = `time ${kind.className}`;
    for (const [property, time] of [["--from", start], ["--first", start + (data.first_tokens[at] ?? 0)], ["--to", end]]) {
      bar.style.setProperty(String(property), `${((Number(time) - this.from) / (this.to - this.from)) * 100}%`);
    }
    took.textContent = length === null ? "open" : duration(length);
    tokens.textContent = data.tokens[at] === null ? "" : count(data.tokens[at] ?? 0);
    cost.textContent = data.costs[at] === null ? "" : dollars(data.costs[at] ?? 0);
  }

  /** Chooses a row, and has it in sight. @param {number} at @param {boolean} [isSilent] does not tell */
  select(at, isSilent) {
    if (!this.data || at < 0) return;
    for (let above = at, depth = this.data.depths[at]; depth > 0 && above >= 0; above--) {
      if (this.data.depths[above] < depth) {
        depth = this.data.depths[above];
        this.folded.delete(this.data.numbers[above]);
      }
    }
    this.chosen = this.data.numbers[at];
    this.refold();
    const place = this.shown.indexOf(at);
    const { view, ratio, top } = this.scroll();
    // The root is drawn over the first row in sight.
    if ((place - 1) * HEIGHT < top) this.grid.scrollTop = ((place - 1) * HEIGHT) / ratio;
    else if ((place + 1) * HEIGHT > top + view) this.grid.scrollTop = ((place + 1) * HEIGHT - view) / ratio;
    this.draw();
    this.grid.setAttribute("aria-activedescendant", `r${this.chosen}`);
    if (!isSilent) this.choose(this.chosen);
  }

  /** Goes on by so many rows. @param {number} by */
  move(by) {
    const place = Math.max(0, this.shown.indexOf(this.at(this.chosen)));
    const next = Math.max(0, Math.min(this.shown.length - 1, place + by));
    if (next !== place || this.chosen === undefined) this.select(this.shown[next]);
  }

  /** The numbers of the runs beside the chosen one. */
  beside() {
    const place = this.shown.indexOf(this.at(this.chosen));
    return [place + 1, place - 1].flatMap((place) => this.data?.numbers[this.shown[place] ?? -1] ?? []);
  }

  /** Folds or unfolds what is below a row. @param {number} at @param {boolean} [isFolded] */
  fold(at, isFolded) {
    const number = this.data?.numbers[at];
    if (number === undefined || !this.hasChildren(at)) return;
    if (isFolded ?? !this.folded.has(number)) this.folded.add(number);
    else this.folded.delete(number);
    if (this.folded.has(number) && this.at(this.chosen) > at && this.at(this.chosen) < this.ends[at]) this.select(at);
    this.refold();
  }

  /** Folds all below the roots, or unfolds all. With a row: all of its name. @param {number} [of] */
  foldAll(of) {
    const { data, folded } = this;
    if (!data) return;
    const isOf = (/** @type {number} */ at) => this.hasChildren(at) && (of === undefined ? data.depths[at] > 0 && !this.requests.has(data.numbers[at]) : data.names[at] === data.names[of]);
    const all = [...data.numbers.keys()].filter(isOf);
    const isFolded = all.some((at) => folded.has(data.numbers[at]));
    for (const at of all) isFolded ? folded.delete(data.numbers[at]) : folded.add(data.numbers[at]);
    this.refold();
    let above = this.at(this.chosen);
    while (above >= 0 && !this.shown.includes(above)) above--;
    if (above >= 0) this.select(above, this.chosen === data.numbers[above]);
  }

  /** Marks the rows of which the name or the kind has a text. @param {string} text */
  find(text) {
    const { data } = this;
    const wanted = text.trim().toLowerCase();
    this.found = undefined;
    if (data && wanted) {
      const among = (/** @type {string[]} */ words) => new Set(words.flatMap((word, at) => (word.toLowerCase().includes(wanted) ? at : [])));
      const [names, types] = [among(data.all_names), among(data.all_types)];
      const rows = [...data.numbers.keys()].filter((at) => names.has(data.names[at]) || types.has(data.types[at]));
      this.found = { names, types, rows };
    }
    this.draw(true);
    return this.found?.rows.length;
  }

  /** Goes to the next row that was found, or to the one before. @param {1 | -1} by */
  findNext(by) {
    const rows = this.found?.rows ?? [];
    const here = this.at(this.chosen);
    const next = by > 0 ? (rows.find((at) => at > here) ?? rows[0]) : (rows.findLast((at) => at < here) ?? rows[rows.length - 1]);
    if (next !== undefined) this.select(next);
  }

  /** Draws the time of the chosen run alone, or all again. */
  zoom() {
    const at = this.at(this.chosen);
    if (!this.data || at < 0) return false;
    this.isZoomed = !this.isZoomed;
    this.from = this.isZoomed ? this.data.starts[at] : 0;
    this.to = this.isZoomed ? this.from + Math.max(1, this.data.durations[at] ?? this.data.span - this.from) : this.data.span;
    this.refold();
    return this.isZoomed;
  }

  /** Writes moments along the axis. */
  label() {
    const span = this.to - this.from;
    const size = 10 ** Math.floor(Math.log10(span / 3));
    const most = Math.min(4, this.axis.clientWidth / 60);
    const step = [1, 2, 5, 10].map((n) => n * size).find((step) => span / step <= most) ?? span;
    const ticks = [];
    for (let time = step; time < span * 0.97; time += step) {
      const tick = element("i", {}, duration(time));
      tick.style.setProperty("left", `${(time / span) * 100}%`);
      ticks.push(tick);
    }
    this.axis.replaceChildren(...ticks);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const at = this.at(this.chosen);
    const isFolded = this.chosen !== undefined && this.folded.has(this.chosen);
    const page = Math.max(1, Math.floor(this.scroll().view / HEIGHT) - 1);
    const up = () => {
      let above = at;
      while (above > 0 && (this.data?.depths[above] ?? 0) >= (this.data?.depths[at] ?? 0)) above--;
      if (above !== at) this.select(above);
    };
    /** @type {Record<string, () => void>} */
    const does = {
      ArrowDown: () => this.move(1),
      ArrowUp: () => this.move(-1),
      ArrowRight: () => (isFolded ? this.fold(at, false) : this.hasChildren(at) && this.move(1)),
      ArrowLeft: () => (this.hasChildren(at) && !isFolded ? this.fold(at, true) : up()),
      Home: () => this.select(this.shown[0]),
      End: () => this.select(this.shown[this.shown.length - 1]),
      PageDown: () => this.move(page),
      PageUp: () => this.move(-page),
    };
    if (!Object.hasOwn(does, event.key)) return;
    event.preventDefault();
    does[event.key]();
  }
}

function blank() {
  const cell = (/** @type {string} */ name, /** @type {Node[]} */ ...children) => element("span", { role: "gridcell", class: name }, ...children);
  const name = cell("name", element("span", { class: "twist", "aria-hidden": "true" }), element("b"), element("span"));
  return element("div", { role: "row" }, name, cell("time"), cell("number"), cell("number"), cell("number"));
}

/** @param {Element} on @param {Record<string, string | number | boolean>} attributes */
function set(on, attributes) {
  for (const [name, value] of Object.entries(attributes)) on.setAttribute(name, String(value));
}

/** Three figures of a number. @param {number} n */
const figures = (n) => n.toFixed(n < 9.995 ? 2 : n < 99.95 ? 1 : 0);

/** @param {number} nanos */
export function duration(nanos) {
  const [size, unit] = nanos < 999_500 ? [1e3, "µs"] : nanos < 999.5e6 ? [1e6, "ms"] : [1e9, "s"];
  if (nanos < 59.95e9) return `${figures(nanos / Number(size))} ${unit}`;
  const seconds = Math.round(nanos / 1e9);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}h ${String(minutes).padStart(2, "0")}m` : `${minutes}m ${String(seconds % 60).padStart(2, "0")}s`;
}

/** @param {number} n */
const count = (n) => (n < 10_000 ? String(n) : n < 999_500 ? `${figures(n / 1e3)}k` : `${figures(n / 1e6)}M`);

/** @param {number} amount */
const dollars = (amount) => (amount >= 0.995 ? `$${amount.toFixed(2)}` : amount > 0 && amount < 5e-5 ? "<$0.0001" : `$${Number(amount.toFixed(4))}`);
