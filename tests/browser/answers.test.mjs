// What a page asks its server for, and what it does with an answer that is none.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { open, watched } from "./lib/browser.mjs";
import { serve } from "./lib/server.mjs";

const id = (n) => `019b0000-0000-7000-8000-00000000000${n}`;

let server;
let browser;
before(async () => {
  server = await serve();
  browser = await open();
  const run = (n) => ({
    end: {
      id: id(n), trace_id: id(1), parent_id: n === 1 ? null : id(1), name: `step ${n}`, run_type: "chain", status: "ok",
      start_time: 1.76e18 + n * 1e9, end_time: 1.76e18 + n * 2e9, outputs: { output: `answer ${n}` },
    },
  });
  const headers = { "content-type": "application/json" };
  const sent = await fetch(`${server.url}/api/traceable/v1/changes`, { method: "POST", headers, body: JSON.stringify([1, 2, 3].map(run)) });
  assert.equal(sent.status, 200);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a trace is asked for its tree once", async () => {
  const { page, fine } = await watched(browser, server.url);
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const listens = page.waitForRequest(/\/events\?/);
  await page.goto(`${server.url}/t/${id(1)}`);
  await page.locator("#window [role=row]", { hasText: "step 3" }).waitFor();
  await listens;
  // What the stream answers first is there when this change comes.
  const tags = `${server.url}/api/traceable/v1/runs/${id(1)}/tags`;
  const again = page.waitForRequest(/\/skeleton$/);
  const before = asked.filter((path) => path.endsWith("/skeleton")).length;
  await page.request.post(tags, { data: { add: ["seen"] } });
  await again;
  assert.equal(before, 1);
  assert.equal(asked.filter((path) => path.endsWith("/skeleton")).length, 2);
  await fine();
  await page.close();
});

test("the request of a call stands folded below it", async () => {
  const { page, fine } = await watched(browser, server.url);
  const run = (n, parent, name, run_type) => ({
    end: { id: id(n), trace_id: id(5), parent_id: parent && id(parent), name, run_type, status: "ok", start_time: 1.76e18 + n * 1e9, end_time: 1.76e18 + n * 2e9 },
  });
  const runs = [run(5, null, "agent", "chain"), run(6, 5, "chat", "llm"), run(7, 6, "POST", "http"), run(8, 5, "find", "tool"), run(9, 8, "GET", "http")];
  await page.request.post(`${server.url}/api/traceable/v1/changes`, { data: runs });
  await page.goto(`${server.url}/t/${id(5)}`);
  const names = () => page.locator("#window [role=row]:visible .name b").allInnerTexts();
  await page.locator("#window [role=row]", { hasText: "GET" }).waitFor();
  assert.deepEqual(await names(), ["agent", "chat", "find", "GET"]);
  await page.locator("#window [role=row]", { hasText: "chat" }).locator(".twist").click();
  assert.deepEqual(await names(), ["agent", "chat", "POST", "find", "GET"]);
  // Whoever was sent its address sees it.
  await page.goto(`${server.url}/t/${id(5)}?run=${id(7)}`);
  await page.locator('#window [role=row][aria-selected="true"]', { hasText: "POST" }).waitFor();
  await fine();
  await page.close();
});

test("a part that fails leaves the page as it is, and says so", async () => {
  const { page } = await watched(browser, server.url);
  await page.goto(`${server.url}/t/${id(1)}?run=${id(1)}`);
  await page.locator("#window [role=row]", { hasText: "step 2" }).waitFor();
  const isPart = (request) => request.headers()["x-part"] === "beside";
  await page.route("**/t/*", (route) => (isPart(route.request()) ? route.fulfill({ status: 404, body: "<main><h1>Not Found</h1></main>" }) : route.continue()));
  await page.locator("#window [role=row]", { hasText: "step 3" }).click();
  await page.getByRole("status").filter({ hasText: "the server answers 404" }).waitFor();
  assert.match(await page.locator("#beside").innerText(), /answer 1/);
  await page.unroute("**/t/*");
  await page.locator("#window [role=row]", { hasText: "step 2" }).click();
  await page.locator("#beside", { hasText: "answer 2" }).waitFor();
  assert.equal(await page.locator("#said").innerText(), "");
  await page.close();
});
