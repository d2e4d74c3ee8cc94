// For everybody: no serious findings of axe, keys alone, narrow windows, no script.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { test } from "node:test";
import { looking, open, picture } from "./lib/browser.mjs";
import { ours, seed, serve } from "./lib/server.mjs";

let axe;
let pages;
const viewer = looking(async () => {
  const server = await serve((home) => ours(home, "streams"));
  await seed(server);
  axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  const list = await (await fetch(server.url)).text();
  const trace = /\/t\/[0-9a-f-]+/.exec(list)[0];
  pages = {
    runs: "/",
    trace,
    transcript: `${trace}?view=transcript`,
    threads: "/threads",
    thread: "/threads/thread-orders",
    users: "/users",
    dashboard: "/stats",
    setup: "/setup",
  };
  return server;
});
const { at, look } = viewer;

for (const scheme of ["light", "dark"]) {
  look(`axe has nothing serious to say of any page, ${scheme}`, async (page) => {
    const found = [];
    await page.emulateMedia({ colorScheme: scheme });
    for (const [name, path] of Object.entries(pages)) {
      await at(page, path);
      await page.waitForLoadState("load");
      // Through the debugger: the policy of the page lets no foreign script in, this one neither.
      await page.evaluate(axe);
      const result = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
      for (const each of result.violations.filter(({ impact }) => impact === "serious" || impact === "critical")) {
        found.push(`${name}: ${each.id}: ${each.nodes.map((node) => node.target.join(" ")).slice(0, 4)}`);
      }
      await picture(page, `${name}-${scheme}`);
    }
    assert.deepEqual(found, []);
  });
}

look("every page fits a window of 380 pixels", async (page) => {
  await page.setViewportSize({ width: 380, height: 800 });
  for (const [name, path] of Object.entries(pages)) {
    await at(page, path);
    await page.waitForLoadState("load");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    await picture(page, `${name}-narrow`);
    assert.ok(wide <= 380, `${name} is ${wide} pixels wide`);
  }
});

test("every page is there without script", async () => {
  const plain = await open({ javaScriptEnabled: false });
  try {
    const page = await plain.context.newPage();
    const words = { runs: "lighthouse", trace: "find_order", transcript: "lighthouse", thread: "lighthouse", dashboard: "p95", users: "ada" };
    for (const [name, word] of Object.entries(words)) {
      await at(page, pages[name]);
      assert.match(await page.locator("body").innerText(), new RegExp(word), name);
    }
    await at(page, pages.trace);
    await page.getByRole("link", { name: "find_order" }).first().click();
    assert.match(await page.locator("#beside").innerText(), /Parcel Post/);
  } finally {
    await plain.close();
  }
});
