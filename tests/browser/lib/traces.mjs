// Big traces, as files for `traceable import`.
import { createWriteStream } from "node:fs";
import { once } from "node:events";

const START = Date.UTC(2026, 0, 5, 12);

/** An id that is in order of its number. */
export function id(trace, n) {
  const hex = (value, digits) => value.toString(16).padStart(digits, "0");
  return `01990000-${hex(trace, 4)}-7000-8000-${hex(n, 12)}`;
}

/** A run's place in the order of its trace. */
export function stamp(time, run) {
  return `${time.toISOString().replace(/[-:.]/g, "").replace("Z", "000Z")}${run}`;
}

/** Writes one trace of `count` runs: a root, a chain for every twenty, model calls below. */
export async function write(path, trace, count, more = {}) {
  const file = createWriteStream(path);
  const time = (ms) => new Date(START + ms).toISOString();
  const said = "The quick brown fox jumps over the lazy dog. ".repeat(18);
  let dotted = [];
  for (let n = 0; n < count; n += 1) {
    const level = n === 0 ? 0 : n % 20 === 1 ? 1 : 2;
    const parent = level === 0 ? null : level === 1 ? 0 : n - ((n - 1) % 20);
    const start = n * 10;
    const end = n === 0 ? count * 10 + 50 : level === 1 ? start + 199 : start + 8;
    dotted = [...dotted.slice(0, level), stamp(new Date(START + start), id(trace, n))];
    const isModel = level === 2;
    const run = {
      id: id(trace, n),
      trace_id: id(trace, 0),
      parent_run_id: parent === null ? null : id(trace, parent),
      dotted_order: dotted.join("."),
      name: n === 0 ? "big" : isModel ? `chat-${n}` : `step-${n}`,
      run_type: isModel ? "llm" : "chain",
      start_time: time(start),
      end_time: time(end),
      inputs: isModel ? { messages: [{ role: "user", content: `Question ${n}` }] } : { n },
      outputs: isModel ? { role: "assistant", content: `Answer ${n}. ${said}` } : { done: true },
      error: n === 777 ? "ValueError: one of many failed" : null,
      extra: { metadata: {} },
      session_name: "big",
      ...(n === 0 ? more : {}),
    };
    if (!file.write(`${JSON.stringify(run)}\n`)) await once(file, "drain");
  }
  file.end();
  await once(file, "finish");
}
