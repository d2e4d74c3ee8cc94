// Texts that attack who reads them, in every field, on every screen, in every export: nothing runs, nothing is asked of
// anybody else, and nothing that a spreadsheet or a terminal would obey leaves.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { looking, watched } from "./lib/browser.mjs";
import { serve, traceable } from "./lib/server.mjs";
import { id, stamp } from "./lib/traces.mjs";

const TEXTS_IN_A_TRACE = 12;

let traces;
const viewer = looking(async () => {
  const corpus = JSON.parse(await readFile(new URL("../../traceable-server/tests/hostile/corpus.json", import.meta.url), "utf8"));
  assert.ok(corpus.length >= 300);
  traces = [];
  for (let at = 0; at < corpus.length; at += TEXTS_IN_A_TRACE) traces.push(corpus.slice(at, at + TEXTS_IN_A_TRACE));
  const server = await serve();
  const send = async (path, body) => {
    const headers = { "content-type": "application/json" };
    const answer = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
    assert.ok(answer.ok, `${answer.status}: ${await answer.text()}`);
  };
  for (const [n, texts] of traces.entries()) {
    await send("/runs/batch", { post: runs(n, texts) });
    for (const [k, text] of texts.entries()) {
      const key = text.slice(0, 60) || "empty";
      await send("/feedback", { id: id(1000 + n, k), run_id: id(n, k), key, value: text, comment: text });
    }
  }
  return server;
});

const named = (text) => text || "empty";

/** A trace with a run for each text, which stands there wherever a text can. */
function runs(n, texts) {
  const began = Date.UTC(2026, 0, 5, 12, n);
  const place = (k) => stamp(new Date(began + k), id(n, k));
  return texts.map((text, k) => {
    const message = (role, more = {}) => ({ role, content: text, ...more });
    const kind = ["chain", "llm", "tool", "retriever"][k === 0 ? 0 : 1 + (k % 3)];
    const call = { id: text, type: "function", function: { name: text, arguments: JSON.stringify({ [text]: text }) } };
    const inputs =
      kind === "llm"
        ? {
            messages: [
              message("system"),
              message("user", { content: [{ type: "text", text }, { type: "image_url", image_url: { url: text } }] }),
              message("assistant", { tool_calls: [call] }),
              message("tool", { tool_call_id: text }),
              message(text),
            ],
          }
        : { [text]: text, question: text };
    const outputs =
      kind === "llm"
        ? message("assistant", { tool_calls: [call], reasoning_content: text })
        : kind === "retriever"
          ? { documents: [{ page_content: text, metadata: { source: text, [text]: text } }] }
          : { answer: text, [text]: { [text]: [text] } };
    return {
      id: id(n, k),
      trace_id: id(n, 0),
      parent_run_id: k === 0 ? null : id(n, 0),
      dotted_order: k === 0 ? place(0) : `${place(0)}.${place(k)}`,
      name: named(text),
      run_type: kind,
      start_time: new Date(began + k).toISOString(),
      end_time: new Date(began + k + 5).toISOString(),
      inputs,
      outputs,
      error: k % 4 === 3 ? text : null,
      tags: [text],
      events: [{ name: text, time: new Date(began + k).toISOString(), kwargs: { [text]: text } }],
      session_name: `p ${named(text)}`.slice(0, 100),
      extra: {
        metadata: {
          [text]: text,
          ls_model_name: text,
          ls_provider: text,
          thread_id: named(texts[0]),
          user_id: named(text),
          environment: text,
          revision_id: text,
          ls_invocation_params: { [text]: text },
        },
        runtime: { sdk: text, [text]: text },
      },
    };
  });
}

test("nothing in a run is more than text, on any screen", async () => {
  // A text may look like a file that was lifted out of a body, and is not there.
  const { page, fine } = await watched(viewer.browser, viewer.server.url, /\/blobs\//);
  const say = encodeURIComponent;
  for (const [n, texts] of traces.entries()) {
    const trace = `/t/${id(n, 0)}`;
    const thread = say(named(texts[0]));
    // A segment of dots is another address.
    const hasThread = !/^\.{1,2}$/.test(named(texts[0]));
    const at = [`/?of=runs&q=${say(`trace:${id(n, 0)}`)}`, `${trace}?view=transcript`, `/compare?a=${id(n, 1)}&b=${id(n, 2)}`];
    for (const path of hasThread ? [...at, `/threads/${thread}`] : at) {
      await page.goto(viewer.server.url + path);
      await page.locator("main").waitFor();
    }
    for (const run of [0, 1, 2, 3].filter((k) => k < texts.length)) {
      await page.goto(`${viewer.server.url}${trace}?run=${id(n, run)}`);
      await page.locator(`#beside article.run[data-run="${id(n, run)}"]`).waitFor();
      await page.locator("#window [role=row]").first().waitFor();
    }
    // All that is folded.
    await page.evaluate(() => {
      for (const each of document.querySelectorAll("details")) each.open = true;
    });
    try {
      await fine();
    } catch (error) {
      throw new Error(`${JSON.stringify(texts)}: ${error.message}`);
    }
  }
  for (const path of ["/", "/?of=runs", "/threads", "/users", "/stats", "/stats?by=tag", "/stats?by=user", "/setup"]) {
    await page.goto(viewer.server.url + path);
    await page.locator("main").waitFor();
    await fine();
  }
  await page.close();
});

test("a trace as one file asks nobody for anything", async () => {
  for (const [n, texts] of traces.entries()) {
    const answer = await fetch(`${viewer.server.url}/t/${id(n, 0)}/file`);
    assert.equal(answer.status, 200);
    const file = join(viewer.server.home, `${n}.html`);
    await writeFile(file, Buffer.from(await answer.arrayBuffer()));
    const url = pathToFileURL(file).href;
    const { page, fine } = await watched(viewer.browser, url.slice(0, url.lastIndexOf("/")));
    await page.goto(url);
    await page.evaluate(() => {
      for (const each of document.querySelectorAll("details")) each.open = true;
    });
    assert.equal(await page.locator("script").count(), 0, JSON.stringify(texts));
    await fine();
    await page.close();
  }
});

/** Rows of a CSV text. */
function rows(text) {
  const found = [[]];
  for (const [, cell, end] of text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r?\n|$)/g)) {
    found.at(-1).push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end !== ",") found.push([]);
  }
  return found;
}

test("what leaves is obeyed by no spreadsheet, and is whole", async () => {
  const all = traces.flat();
  const take = async (format) => (await fetch(`${viewer.server.url}/api/traceable/v1/export?format=${format}&of=runs`)).text();
  const csv = rows(await take("csv"));
  const cells = csv.flat();
  assert.ok(csv.length >= all.length, `${csv.length} rows`);
  const obeyed = cells.filter((cell) => /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)));
  assert.deepEqual(obeyed, []);
  const lines = (await take("jsonl")).trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(lines.length, all.length);
  const names = new Set(lines.map((line) => line.name));
  for (const text of all.filter((text) => text.trim())) assert.ok(names.has(text), `the name ${JSON.stringify(text)} is another`);
  // A key that is the prototype's is a key like others.
  const shadow = lines.find((line) => line.name === "__proto__");
  if (shadow) assert.equal(Object.getOwnPropertyNames(shadow.extra.metadata).includes("__proto__"), true);
  for (const format of ["otlp", "openai", "dataset", "chrome"]) {
    const text = await take(format);
    for (const line of format === "chrome" ? [text] : text.trim().split("\n")) if (line) JSON.parse(line);
  }
});

test("a terminal obeys nothing that a run says", async () => {
  const said = [
    await traceable(viewer.server.home, "ls", "--limit", "500"),
    ...(await Promise.all(traces.map((_, n) => traceable(viewer.server.home, "show", id(n, 0))))),
  ];
  for (const text of said) {
    const obeyed = text.match(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    assert.equal(obeyed, null, JSON.stringify(text.slice(Math.max(0, (obeyed?.index ?? 0) - 80), (obeyed?.index ?? 0) + 20)));
  }
});
