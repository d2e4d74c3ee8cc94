// What every viewer of traces must have, each under the name by which the field lists it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { looking, picture } from "./lib/browser.mjs";
import { ours, seed, serve } from "./lib/server.mjs";

const MUSTS = [
  "run list with input and output preview columns",
  "typed search bar with completion",
  "full text over inputs and outputs",
  "tree",
  "waterfall",
  "transcript",
  "chat messages by role, tool calls, tool results",
  "Markdown, text and JSON switch",
  "JSON inside strings unescaped",
  "images, audio, files",
  "tokens and cost per run and rolled up",
  "time to first token",
  "streaming chunks on a time axis",
  "errors shown in the tree, filter by error",
  "threads page",
  "environment, release and version filter",
  "score, feedback and note from the page",
  "dashboard",
  "live tail",
  "export from the page",
  "keyboard",
  "deep links to a run inside a trace",
  "dark mode",
];

const viewer = looking(async () => {
  const server = await serve((home) => ours(home, "streams"));
  await seed(server);
  return server;
});
const { at, look: must } = viewer;

/** Opens the newest trace of a name. */
async function openTrace(page, name, query = `name:${name}`) {
  await at(page, `/?q=${encodeURIComponent(query)}`);
  await page.locator("#rows a.whole").first().click();
  await page.locator("main.trace").waitFor();
}

const row = (page, name) => page.locator("#window [role=row]:visible").filter({ hasText: name });
const pane = (page) => page.locator("#beside");

test("each must has a test", async () => {
  const text = await readFile(new URL(import.meta.url), "utf8");
  for (const name of MUSTS) assert.ok(text.includes(`must("${name}"`), `no test is called: ${name}`);
});

must("run list with input and output preview columns", async (page) => {
  await at(page, "/");
  const first = page.locator("#rows tr").first();
  assert.match(await first.locator(".title").innerText(), /agent/);
  assert.match(await first.locator(".asked").innerText(), /Has the lighthouse lamp been sent\?/);
  assert.match(await first.locator(".answered").innerText(), /is on its way/);
  assert.equal(await page.locator("#rows tr").count(), 11);
  await picture(page, "runs");
});

must("typed search bar with completion", async (page) => {
  await at(page, "/");
  const bar = page.getByRole("combobox", { name: "Search" });
  await bar.pressSequentially("mod");
  const proposals = page.getByRole("option");
  await proposals.filter({ hasText: "model" }).first().waitFor();
  await bar.fill("");
  await bar.pressSequentially("tree.model:clau");
  await proposals.filter({ hasText: "claude-sonnet-4" }).first().click();
  await bar.press("Enter");
  await page.waitForURL(/claude/);
  assert.equal(await page.locator("#rows tr").count(), 1);
  await bar.fill("modle:x");
  await bar.press("Enter");
  await page.locator("#wrong").filter({ hasText: "model" }).waitFor();
  await picture(page, "wrong-query");
});

must("full text over inputs and outputs", async (page) => {
  await at(page, "/?q=lighthouse");
  assert.equal(await page.locator("#rows tr").count(), 1);
  await at(page, `/?q=${encodeURIComponent('output:"found it" -lighthouse')}`);
  assert.equal(await page.locator("#rows tr").count(), 0);
  await at(page, `/?q=${encodeURIComponent('output:"not find it"')}`);
  assert.match(await page.locator("#rows").innerText(), /careless/);
});

must("tree", async (page) => {
  await openTrace(page, "agent");
  const rows = page.locator("#window [role=row]:visible");
  await rows.nth(4).waitFor();
  assert.deepEqual(
    (await rows.allInnerTexts()).map((text) => /agent|chat|find_order|search_notes/.exec(text)?.[0]),
    ["agent", "chat", "find_order", "search_notes", "chat"],
  );
  assert.equal(await rows.first().getAttribute("aria-level"), "1");
  assert.equal(await rows.nth(1).getAttribute("aria-level"), "2");
  await page.locator("#grid").focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowLeft");
  await row(page, "find_order").waitFor({ state: "hidden" });
  await page.keyboard.press("ArrowRight");
  await row(page, "find_order").waitFor();
});

must("waterfall", async (page) => {
  await openTrace(page, "agent");
  await row(page, "search_notes").waitFor();
  const bar = (name) =>
    row(page, name)
      .first()
      .locator(".time")
      .evaluate((cell) => ["--from", "--to"].map((each) => Number.parseFloat(cell.style.getPropertyValue(each))));
  const [root, tool, notes] = [await bar("agent"), await bar("find_order"), await bar("search_notes")];
  assert.deepEqual(root, [0, 100]);
  assert.ok(0 < tool[0] && tool[0] < tool[1] && tool[1] <= notes[0] && notes[1] < 100, `${tool} ${notes}`);
  await picture(page, "trace");
});

must("transcript", async (page) => {
  await openTrace(page, "agent");
  await page.getByRole("link", { name: "Transcript" }).click();
  const text = pane(page);
  await text.filter({ hasText: "Has the lighthouse lamp been sent?" }).waitFor();
  const said = await text.innerText();
  const order = ["Has the lighthouse lamp been sent?", "find_order", "on its way", "Order 1044"].map((each) => said.indexOf(each));
  assert.ok(order.every((place, n) => place >= 0 && (n === 0 || place > order[n - 1])), `${order}: ${said}`);
  const asked = text.locator("[data-role=user]").filter({ hasText: "Has the lighthouse lamp been sent?" });
  assert.equal(await asked.count(), 1, "what was said before is not said again");
  await picture(page, "transcript");
});

must("chat messages by role, tool calls, tool results", async (page) => {
  await openTrace(page, "agent");
  // The last call of the model is open at once, with its question and its answer.
  const said = pane(page);
  await said.locator("[data-role=user]").filter({ hasText: "Has the lighthouse lamp been sent?" }).waitFor();
  await said.locator("[data-role=assistant]").filter({ hasText: "Order 1044" }).waitFor();
  await said.locator("[data-role=assistant]").filter({ hasText: "find_order" }).waitFor();
  await said.locator("[data-role=tool]").filter({ hasText: "Parcel Post" }).waitFor();
  await row(page, "chat").first().click();
  const rules = said.locator("[data-role=system]");
  await rules.waitFor();
  assert.equal(await said.getByText("Rule 14").isVisible().catch(() => false), false);
  await picture(page, "messages");
});

must("Markdown, text and JSON switch", async (page) => {
  await openTrace(page, "agent");
  const answer = pane(page).locator("[data-role=assistant]").filter({ hasText: "Order 1044" });
  await answer.locator("strong").filter({ hasText: "Order 1044" }).waitFor();
  assert.equal(await answer.locator("table").count(), 1);
  const forms = pane(page).getByRole("navigation", { name: "Show texts as" });
  await forms.getByRole("link", { name: "text" }).click();
  await pane(page).getByText("**Order 1044** is on its way.").waitFor();
  await forms.getByRole("link", { name: "JSON" }).click();
  await pane(page).locator(".json").first().waitFor();
  await pane(page).getByText("finish_reason").first().waitFor();
});

must("JSON inside strings unescaped", async (page) => {
  await openTrace(page, "agent");
  await row(page, "find_order").click();
  const shown = pane(page).locator("[aria-label=Output] .json");
  await shown.getByText("Parcel Post").waitFor();
  assert.doesNotMatch(await shown.innerText(), /\\"/);
  await shown.getByText("carrier").first().waitFor();
});

must("images, audio, files", async (page) => {
  await openTrace(page, "looks_at");
  const image = pane(page).locator("img").first();
  await image.waitFor();
  await page.waitForFunction(() => document.querySelector("#beside img")?.naturalWidth === 24);
  await pane(page).locator("audio").waitFor();
  for (const name of ["paper", "text"]) await pane(page).getByRole("link", { name: new RegExp(name) }).first().waitFor();
  const link = await pane(page).getByRole("link", { name: /text/ }).last().getAttribute("href");
  const file = await page.request.get(new URL(link, viewer.server.url).href);
  assert.match(file.headers()["content-disposition"], /^attachment/);
  await picture(page, "files");
  await openTrace(page, "chat", "name:chat");
  await page.waitForFunction(() => document.querySelector("#beside img")?.naturalWidth === 24);
});

must("tokens and cost per run and rolled up", async (page) => {
  await openTrace(page, "agent");
  await page.locator("#head").filter({ hasText: "$0.0024" }).waitFor();
  await page.locator("#head").filter({ hasText: /600 → 260/ }).waitFor();
  const model = row(page, "chat").first();
  assert.match(await model.innerText(), /420[\s\S]*\$0\.0012/);
  await at(page, "/");
  assert.match(await page.locator("#rows tr").first().locator(".used").innerText(), /860[\s\S]*\$0\.0024/);
});

must("time to first token", async (page) => {
  await openTrace(page, "tell");
  await page.locator("#head").filter({ hasText: /first/i }).waitFor();
  await pane(page).filter({ hasText: /first (token|chunk)/i }).waitFor();
});

must("streaming chunks on a time axis", async (page) => {
  await openTrace(page, "tell", 'name:tell output:"all but two"');
  const chunks = pane(page).getByRole("region", { name: "Stream" });
  await chunks.locator("svg").first().waitFor();
  assert.match(await chunks.innerText(), /stall/i);
  const slider = chunks.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("Home");
  await page.keyboard.press("ArrowRight");
  assert.equal((await chunks.innerText()).includes("all but two"), false, "the text at an early time is not all of it");
  await page.keyboard.press("End");
  await chunks.filter({ hasText: "all but two" }).waitFor();
  await picture(page, "chunks");
});

must("errors shown in the tree, filter by error", async (page) => {
  await openTrace(page, "careless");
  const failed = row(page, "fails");
  await failed.waitFor();
  assert.match((await failed.getAttribute("class")) ?? "", /bad|error|failed/);
  await failed.click();
  const error = pane(page).getByRole("group", { name: "Error" });
  await error.filter({ hasText: "ValueError" }).waitFor();
  await error.filter({ hasText: "no such order: 7" }).waitFor();
  await picture(page, "error");
  await at(page, `/?q=${encodeURIComponent("tree.has:error")}`);
  assert.equal(await page.locator("#rows tr").count(), 1);
  assert.match(await page.locator("#rows").innerText(), /careless/);
});

must("threads page", async (page) => {
  await at(page, "/threads");
  await page.locator("#rows a.whole", { hasText: "thread-orders" }).click();
  for (const number of [1041, 1042, 1043]) await page.getByText(`Where is my order ${number}?`).first().waitFor();
  await page.getByText("Has the lighthouse lamp been sent?").first().waitFor();
  assert.ok((await page.locator('main a[href*="/t/"]').count()) >= 4);
  await picture(page, "thread");
});

must("environment, release and version filter", async (page) => {
  await at(page, "/?env=staging");
  const names = await page.locator("#rows").innerText();
  assert.match(names, /stream/);
  assert.doesNotMatch(names, /agent/);
  await at(page, "/?q=release%3Av1");
  assert.match(await page.locator("#rows").innerText(), /careless/);
  // The choice goes along to other pages.
  await at(page, "/?env=staging");
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Dashboard" }).click();
  await page.waitForURL(/env=staging/);
});

must("score, feedback and note from the page", async (page) => {
  await openTrace(page, "stream");
  const actions = pane(page).getByRole("region", { name: "Do" });
  const good = actions.getByRole("button", { name: "Good" });
  await good.click();
  await actions.locator("[aria-pressed=true]", { hasText: "Good" }).waitFor();
  const open = (name) => actions.locator("summary", { hasText: name }).click();
  await open("Score");
  await actions.getByLabel("What is judged").fill("tone");
  await actions.getByLabel("Number or word").fill("0.5");
  await actions.getByRole("button", { name: "Give" }).click();
  await actions.getByRole("list", { name: "Feedback" }).filter({ hasText: "tone" }).waitFor();
  await open("Note");
  await actions.getByRole("textbox", { name: "A note" }).or(actions.getByLabel("Note", { exact: true })).first().fill("ask again");
  await actions.locator("form[data-act=note] button").click();
  await actions.getByText("ask again").waitFor();
  await open("Tag");
  await actions.getByLabel("Tag", { exact: true }).fill("looked-at");
  await actions.locator("form[data-act=tag] button").click();
  await actions.getByRole("list", { name: "Tags" }).filter({ hasText: "looked-at" }).waitFor();
  await page.reload();
  const kept = actions.getByRole("list", { name: "Feedback" });
  for (const said of [/tone\s+0\.5/, /ask again/, /thumbs/]) await kept.filter({ hasText: said }).waitFor();
  // What the SDK reads is what the page wrote.
  const id = await pane(page).locator("article.run").getAttribute("data-run");
  const answer = await page.request.get(`${viewer.server.url}/feedback?run=${id}`);
  const keys = (await answer.json()).map(({ key, score }) => `${key}=${score}`);
  assert.ok(keys.includes("tone=0.5") && keys.includes("thumbs=1"), `${keys}`);
  // It can all be taken back.
  for (const name of ["tone", "thumbs"]) {
    await kept.getByRole("button", { name: `Remove ${name}` }).click();
    await kept.filter({ hasNotText: name }).waitFor();
  }
  await actions.getByRole("button", { name: "Remove the tag looked-at" }).click();
  await actions.getByText("looked-at").waitFor({ state: "detached" });
  await picture(page, "judged");
});

must("dashboard", async (page) => {
  await at(page, "/stats");
  const main = page.locator("main");
  for (const word of ["p50", "p95", "p99", "First token", "Tokens", "Cost", "gpt-4o-mini"]) {
    await main.getByText(word).first().waitFor();
  }
  const mark = main.locator("svg a").first();
  await mark.waitFor();
  await picture(page, "dashboard");
  await page.goto(new URL(await mark.getAttribute("href"), viewer.server.url).href);
  assert.ok((await page.locator("#rows tr").count()) > 0, "a mark leads to its runs");
});

must("live tail", async (page) => {
  await at(page, "/");
  await page.locator("#rows tr").first().waitFor();
  await page.evaluate(() => {
    document.body.dataset.same = "page";
  });
  await seed(viewer.server, "one", "came-late");
  await page.locator("#rows a.whole", { hasText: "came-late" }).waitFor();
  assert.equal(await page.evaluate(() => document.body.dataset.same), "page", "without loading the page again");
  // It must not be there for the tests that count.
  await page.request.post(`${viewer.server.url}/api/traceable/v1/delete`, { data: { query: "name:came-late" } });
});

must("export from the page", async (page) => {
  await at(page, "/?q=name%3Aagent");
  await page.getByText("Export", { exact: false }).first().click();
  const links = page.locator('a[href*="/export?"]');
  const formats = await links.evaluateAll((all) => all.map((link) => new URL(link.href).searchParams.get("format")));
  for (const format of ["jsonl", "otlp", "markdown", "csv", "openai"]) {
    assert.ok(formats.some((each) => each?.includes(format)), `${format}: ${formats}`);
  }
  const file = await page.request.get(await links.first().evaluate((link) => link.href));
  assert.match(file.headers()["content-disposition"], /attachment/);
  assert.match(await file.text(), /lighthouse/);
});

must("keyboard", async (page) => {
  await at(page, "/");
  await page.locator("#rows tr").first().waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "q");
  await page.keyboard.press("Escape");
  await page.evaluate(() => /** @type {HTMLElement} */ (document.activeElement)?.blur());
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/t\//);
  await page.locator("#grid [role=row]").nth(1).waitFor();
  const before = page.url();
  await page.keyboard.press("k");
  await page.waitForURL((url) => url.href !== before);
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("d");
  await page.waitForURL(/\/stats/);
});

must("deep links to a run inside a trace", async (page) => {
  await openTrace(page, "agent");
  await row(page, "find_order").click();
  await page.waitForURL(/run=/);
  await pane(page).locator("h2", { hasText: "find_order" }).waitFor();
  const link = page.url();
  await at(page, "/");
  await page.goto(link);
  await pane(page).locator("h2", { hasText: "find_order" }).waitFor();
  assert.equal(await page.locator('#window [role=row][aria-selected="true"]').filter({ hasText: "find_order" }).count(), 1);
});

must("dark mode", async (page) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.emulateMedia({ colorScheme: "light" });
  await at(page, "/");
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  const dark = await ground();
  const brightness = (color) => color.match(/\d+/g).slice(0, 3).reduce((sum, each) => sum + Number(each), 0);
  assert.ok(brightness(light) > 600 && brightness(dark) < 150, `${light} ${dark}`);
  await picture(page, "runs-dark");
  await openTrace(page, "agent");
  await picture(page, "trace-dark");
});
