// A browser, and pages that remember what should not have happened in them.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";

const PROGRAM = process.env.TRACEABLE_CHROMIUM ?? "/usr/bin/chromium";
const QUIET = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-precise-memory-info",
];

/** Opens a browser, with its own folder. */
export async function open(options = {}) {
  const folder = await mkdtemp(join(tmpdir(), "traceable-chromium-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: PROGRAM,
    args: QUIET,
    headless: true,
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(Number(process.env.TRACEABLE_PATIENCE ?? 20) * 1_000);
  return {
    context,
    async close() {
      await context.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** A page that notes dialogs, script errors, reports of the policy, and requests to other hosts. Files whose addresses fit
 * `missing` need not be there. */
export async function watched(browser, origin, missing = /^$/) {
  const page = await browser.context.newPage();
  const wrong = [];
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (message) => {
    const isMissing = message.text().includes("404") && missing.test(message.location().url);
    if (message.type() === "error" && !isMissing) wrong.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob|about):/.test(url)) wrong.push(`request: ${url}`);
  });
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return {
    page,
    /** Fails when something happened that should not have. */
    async fine() {
      assert.equal(await page.evaluate(() => Object.hasOwn(window, "hurt")), false, "a text of a run was run");
      assert.deepEqual(wrong, []);
    },
  };
}

/** A server, made by `fill`, and a browser for all tests of a file. `look` makes a test of one page, which also fails when
 * something happened in it that should not have. The page is closed behind it: browsers open six connections to a server,
 * and each page listens on one. */
export function looking(fill) {
  const viewer = {
    server: undefined,
    browser: undefined,
    look(name, work) {
      test(name, async () => {
        const { page, fine } = await watched(viewer.browser, viewer.server.url);
        try {
          await work(page);
          await fine();
        } finally {
          await page.close();
        }
      });
    },
    /** Goes to a page of the server. */
    at: (page, path) => page.goto(viewer.server.url + path),
  };
  before(async () => {
    viewer.server = await fill();
    viewer.browser = await open();
  });
  after(async () => {
    await viewer.browser?.close();
    await viewer.server?.stop();
  });
  return viewer;
}

/** Keeps a picture of the page where pictures are wanted. */
export async function picture(page, name) {
  const folder = process.env.TRACEABLE_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

/** Elements of the page. */
export function elements(page) {
  return page.evaluate(() => document.querySelectorAll("*").length);
}
