// What a page costs: bytes, requests, elements, memory, frames; also of traces of a hundred thousand runs.
import assert from "node:assert/strict";
import { join } from "node:path";
import { elements, looking, picture } from "./lib/browser.mjs";
import { seed, serve, traceable } from "./lib/server.mjs";
import { id, stamp, write } from "./lib/traces.mjs";

const SIZES = [1_000, 10_000, 100_000];

const viewer = looking(async () => {
  const server = await serve(async (home) => {
    for (const [n, count] of SIZES.entries()) {
      const file = join(home, `${count}.jsonl`);
      await write(file, n, count);
      await traceable(home, "import", file);
    }
  });
  await seed(server);
  return server;
});
const { at, look: costs } = viewer;

costs("the first page is light, and asks nobody else", async (page) => {
  const client = await viewer.browser.context.newCDPSession(page);
  await client.send("Network.enable");
  await client.send("Network.setCacheDisabled", { cacheDisabled: true });
  let bytes = 0;
  let requests = 0;
  client.on("Network.requestWillBeSent", ({ type }) => {
    // The stream of events is no part of the page, and never ends.
    if (type !== "EventSource") requests += 1;
  });
  client.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  await at(page, "/");
  await page.locator("#rows a.whole").first().waitFor();
  await page.waitForLoadState("load");
  console.log(`first page: ${bytes} bytes, ${requests} requests, ${await elements(page)} elements`);
  assert.ok(bytes > 1_000 && bytes < 60_000, `${bytes} bytes`);
  assert.ok(requests < 10, `${requests} requests`);
});

costs("the newest prompt and answer are one click away", async (page) => {
  await at(page, "/");
  await page.locator("#rows a.whole", { hasText: "agent" }).first().click();
  const said = page.locator("#beside");
  assert.ok(await said.locator("[data-role=user]").filter({ hasText: "lighthouse" }).first().isVisible());
  assert.ok(await said.locator("[data-role=assistant]").filter({ hasText: "Order 1044" }).first().isVisible());
});

for (const [n, count] of SIZES.entries()) {
  costs(`a trace of ${count} runs is whole and light`, async (page) => {
    const began = performance.now();
    await at(page, `/t/${id(n, 0)}`);
    const rows = page.locator("#window [role=row]:visible");
    // It opens at the last call of a model.
    await rows.filter({ hasText: `-${count - 1}` }).waitFor();
    assert.ok(await page.locator("#rows .pinned").filter({ hasText: "big" }).isVisible(), "the root is always there");
    const shown = performance.now() - began;
    const made = await elements(page);
    const heap = await page.evaluate(() => performance.memory.usedJSHeapSize);
    assert.ok(made < 1_500, `${made} elements`);
    assert.ok(heap < 60_000_000, `${heap} bytes of heap`);
    // The root and the last row are reached by a key.
    await page.locator("#grid").focus();
    await page.keyboard.press("Home");
    await rows.filter({ hasText: "big" }).first().waitFor();
    await page.keyboard.press("End");
    await rows.filter({ hasText: `-${count - 1}` }).waitFor();
    await page.keyboard.press("Home");
    const frames = await page.evaluate(async () => {
      const view = document.querySelector("#grid");
      const times = [];
      let last = await new Promise(requestAnimationFrame);
      for (let step = 0; step < 60; step += 1) {
        view.scrollTop = (view.scrollHeight * ((step * 7) % 60)) / 60;
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
      }
      return times.sort((a, b) => a - b);
    });
    const p95 = frames[Math.floor(frames.length * 0.95)];
    assert.ok((await elements(page)) < 1_500);
    console.log(`${count} runs: ${Math.round(shown)} ms, ${made} elements, ${Math.round(heap / 1e6)} MB, frame p95 ${Math.round(p95)} ms`);
    await picture(page, `runs-${count}`);
  });
}

costs("a new trace is on the page soon after its commit", async (page) => {
  await at(page, "/");
  await page.locator("#rows a.whole").first().waitFor();
  const run = { id: id(9, 1), trace_id: id(9, 1), dotted_order: "", name: "in-time", run_type: "chain", inputs: { question: "?" } };
  const now = new Date();
  run.start_time = now.toISOString();
  run.end_time = new Date(now.getTime() + 1).toISOString();
  run.dotted_order = stamp(now, run.id);
  const answer = await page.request.post(`${viewer.server.url}/runs`, { data: run });
  assert.ok(answer.ok(), await answer.text());
  const committed = performance.now();
  await page.locator("#rows a.whole", { hasText: "in-time" }).waitFor();
  console.log(`on the page ${Math.round(performance.now() - committed)} ms after its commit`);
});
