// The pictures of the README: `pictures.mjs FOLDER`, by `scripts/check-viewer --pictures`.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { open } from "./lib/browser.mjs";
import { ours, seed, serve } from "./lib/server.mjs";

const folder = process.argv[2] ?? ".";
const QUESTIONS = [
  "Where is order 9999?",
  "Do you have jasmine?",
  "Can I exchange tea that I have opened?",
  "Where is my order 1042, and do you still have jasmine?",
];

const server = await serve();
const browser = await open({ viewport: { width: 1280, height: 760 } });
try {
  await seed(server);
  const home = server.home;
  await ours(home, "streams");
  const shop = join(process.env.TRACEABLE_EXAMPLES ?? "", "quickstart");
  for (const question of QUESTIONS) {
    await promisify(execFile)(shop, ["--exit", question], { env: { ...process.env, TRACEABLE_HOME: home } });
  }
  const page = await browser.context.newPage();
  await page.goto(server.url);
  await page.locator("#rows tr", { hasText: QUESTIONS.at(-1) }).filter({ hasText: "on its way" }).waitFor();
  await page.goto(server.url);
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, "viewer-runs.png") });
  await page.locator("#rows a.whole").first().click();
  await page.locator("#window [role=row]").nth(4).waitFor();
  await page.locator("#beside [data-role=assistant]").first().waitFor();
  await page.screenshot({ path: join(folder, "viewer-trace.png") });
} finally {
  await browser.close();
  await server.stop();
}
