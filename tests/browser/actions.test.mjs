// What one does on the pages, beside judging, and what the pages do by themselves while somebody looks.
import assert from "node:assert/strict";
import { looking, picture } from "./lib/browser.mjs";
import { seed, serve } from "./lib/server.mjs";
import { id, stamp } from "./lib/traces.mjs";

const viewer = looking(() => serve());
const { at, look: does } = viewer;

/** Takes a run in as LangSmith's SDK sends it. */
async function send(method, path, run) {
  const answer = await fetch(viewer.server.url + path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(run),
  });
  assert.ok(answer.ok, `${answer.status}: ${await answer.text()}`);
}

/** A run of its own trace. */
function run(n, more) {
  const began = new Date();
  return {
    id: id(n, 0),
    trace_id: id(n, 0),
    dotted_order: stamp(began, id(n, 0)),
    name: `run-${n}`,
    run_type: "llm",
    start_time: began.toISOString(),
    inputs: { messages: [{ role: "user", content: "Which way is north?" }] },
    ...more,
  };
}
const ended = (more) => ({ end_time: new Date().toISOString(), outputs: { role: "assistant", content: "Up." }, ...more });

/** What the page has put onto the clipboard. */
async function copied(page, choice) {
  await page.evaluate(() => navigator.clipboard.writeText(""));
  const actions = page.getByRole("region", { name: "Do" });
  await actions.locator("summary", { hasText: "Copy" }).click();
  await actions.getByRole("link", { name: choice }).click();
  await page.waitForFunction(async () => (await navigator.clipboard.readText()) !== "");
  await page.keyboard.press("Escape");
  return page.evaluate(() => navigator.clipboard.readText());
}

// First, while nothing was traced yet.
does("an empty store shows how to set up, and turns when the first trace comes", async (page) => {
  await at(page, "/");
  await page.locator("main").filter({ hasText: "LANGSMITH_ENDPOINT" }).or(page.getByRole("link", { name: "Setup" })).first().waitFor();
  await at(page, `/setup`);
  await page.getByText("LANGSMITH_ENDPOINT").first().waitFor();
  await page.locator("#waiting").waitFor();
  await picture(page, "setup-empty");
  await send("POST", "/runs", run(1, ended()));
  await page.locator("#waiting").getByRole("link", { name: "Look at it" }).click();
  await page.locator("#beside").filter({ hasText: "Which way is north?" }).waitFor();
});

does("a run is copied as Markdown, JSON, curl and a line for fine-tuning", async (page) => {
  await at(page, `/t/${id(1, 0)}`);
  await page.locator("#beside article.run").waitFor();
  assert.match(await copied(page, /^Markdown/), /Which way is north\?[\s\S]*Up\./);
  const whole = JSON.parse((await copied(page, "JSON of this run")).trim());
  assert.equal(whole.inputs.messages[0].content, "Which way is north?");
  const curl = await copied(page, /curl/);
  assert.match(curl, /^curl .*chat\/completions/);
  assert.match(curl, /Which way is north\?/);
  const line = JSON.parse((await copied(page, /fine-tuning/)).trim());
  assert.deepEqual(line.messages.map(({ role }) => role), ["user", "assistant"]);
});

does("a run that goes on shows its answer as it grows, and then its end", async (page) => {
  const nanos = Date.now() * 1e6;
  const of = { id: id(2, 0), trace_id: id(2, 0) };
  const said = (content) => ({ role: "assistant", content });
  const tell = (change) => send("POST", "/api/traceable/v1/changes", [change]);
  const inputs = { messages: [{ role: "user", content: "Which way is north?" }] };
  const run = { ...of, name: "goes-on", run_type: "llm", start_time: nanos, status: "pending", inputs };
  await tell({ start: run });
  await at(page, `/t/${id(2, 0)}`);
  await page.locator("#beside article.run[data-open]").waitFor();
  await page.evaluate(() => {
    document.body.dataset.same = "page";
  });
  for (const [chunks, text] of [[2, "North"], [3, "North is"]]) {
    await tell({ progress: { ...of, time: nanos + chunks * 1e6, chunks, outputs: said(text) } });
    await page.locator("#beside").filter({ hasText: text }).waitFor();
  }
  await tell({ end: { ...run, end_time: nanos + 9e6, status: "ok", outputs: said("North is up.") } });
  await page.locator("#beside").filter({ hasText: "North is up." }).waitFor();
  await page.locator("#beside article.run:not([data-open])").waitFor();
  assert.equal(await page.evaluate(() => document.body.dataset.same), "page", "without loading the page again");
});

does("a conversation is tagged and judged, and is removed with its traces", async (page) => {
  const metadata = { thread_id: "the-one", user_id: "ada" };
  await send("POST", "/runs", run(3, ended({ extra: { metadata } })));
  await at(page, `/threads/the-one`);
  const actions = page.getByRole("region", { name: "Do" }).first();
  await actions.locator("summary", { hasText: "Tag" }).click();
  await actions.getByLabel("Tag", { exact: true }).fill("kept");
  await actions.locator("form[data-act=tag] button").click();
  await actions.getByRole("list", { name: "Tags" }).filter({ hasText: "kept" }).waitFor();
  await actions.getByRole("button", { name: "Bad" }).click();
  await actions.locator("[aria-pressed=true]", { hasText: "Bad" }).waitFor();
  await at(page, `/threads`);
  await page.locator("#rows").filter({ hasText: "kept" }).waitFor();
  await at(page, `/threads/the-one`);
  await actions.locator("summary", { hasText: "Delete" }).click();
  await actions.getByRole("button", { name: /conversation/ }).click();
  await page.waitForURL(/\/threads$/);
  assert.equal((await page.request.get(`${viewer.server.url}/api/traceable/v1/runs/${id(3, 0)}`)).status(), 404);
});

does("a trace is removed from its page", async (page) => {
  await send("POST", "/runs", run(4, ended()));
  await at(page, `/t/${id(4, 0)}`);
  const actions = page.getByRole("region", { name: "Do" });
  await actions.locator("summary", { hasText: "Delete" }).click();
  await actions.getByRole("button", { name: "Delete the whole trace" }).click();
  await page.waitForURL((url) => url.pathname === "/");
  assert.equal((await page.request.get(`${viewer.server.url}/t/${id(4, 0)}`)).status(), 404);
});

does("two runs stand beside each other", async (page) => {
  await send("POST", "/runs", run(5, ended({ name: "twice", outputs: { role: "assistant", content: "Up and away." } })));
  await send("POST", "/runs", run(6, ended({ name: "twice", outputs: { role: "assistant", content: "Down and away." } })));
  await at(page, `/?q=name:twice`);
  await page.locator("#rows tr").nth(1).waitFor();
  for (const _ of [0, 1]) {
    await page.keyboard.press("j");
    await page.keyboard.press("x");
  }
  await page.waitForURL(/\/compare/);
  const changed = page.locator("main.compare");
  await changed.filter({ hasText: "Up" }).filter({ hasText: "Down" }).waitFor();
  assert.ok((await changed.locator("ins, .added, .new").count()) > 0 || (await changed.getByText("Down").count()) > 0);
  await picture(page, "compare");
});

does("a body of 20 MB opens in pieces and is searched", async (page) => {
  const line = "The sea is wide and the way is long. ";
  const content = `${line.repeat(280_000)}a needle in it ${line.repeat(280_000)}`;
  assert.ok(content.length > 20_000_000);
  await send("POST", "/runs", run(7, ended({ outputs: { role: "assistant", content } })));
  await at(page, `/t/${id(7, 0)}`);
  const answer = page.locator("#beside section.answer");
  await answer.filter({ hasText: "The sea is wide" }).waitFor();
  const shown = (await answer.innerText()).length;
  assert.ok(shown < 250_000, `${shown} characters at once`);
  const more = answer.locator("a.more").first();
  await more.click();
  await page.waitForFunction((before) => document.querySelector("#beside section.answer").innerText.length > before, shown);
  await answer.getByLabel("Find").fill("a needle");
  await answer.getByLabel("Find").press("Enter");
  await page.getByText("needle in it").first().waitFor();
});

does("the tree folds by name, and finds", async (page) => {
  await seed(viewer.server);
  await at(page, `/?q=name:agent`);
  await page.locator("#rows a.whole").first().click();
  const rows = page.locator("#window [role=row]:visible");
  await rows.nth(4).waitFor();
  await page.getByPlaceholder("Find a run by name or kind").fill("search");
  await page.keyboard.press("Enter");
  await page.locator("#beside h2", { hasText: "search_notes" }).waitFor();
});
