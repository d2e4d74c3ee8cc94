// Servers of `traceable`, each with a home of its own, and what fills them.
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/check-viewer`);
  return value;
}

/** Starts a server. `prepare` is given its home before it starts. */
export async function serve(prepare = async (_home) => {}) {
  const home = await mkdtemp(join(tmpdir(), "traceable-viewer-"));
  await prepare(home);
  const child = spawn(needed("TRACEABLE_BIN"), ["--home", home, "serve", "--listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const url = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.on("data", (more) => {
      text += more;
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
      if (found) resolve(found[0]);
    });
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}: ${text}`)));
  });
  return {
    url,
    home,
    async stop() {
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGTERM");
      await ended;
      await rm(home, { recursive: true, force: true });
    },
  };
}

/** Fills a server by the SDKs of LangSmith and OpenTelemetry. */
export async function seed(server, ...more) {
  const program = new URL("../../peers/viewer_seed.py", import.meta.url).pathname;
  await run(needed("TRACEABLE_TEST_PYTHON"), ["-W", "ignore", program, server.url, ...more]);
}

/** Runs a command of `traceable` on a home. */
export async function traceable(home, ...args) {
  const { stdout } = await run(needed("TRACEABLE_BIN"), ["--home", home, ...args], { maxBuffer: 1 << 28 });
  return stdout;
}

/** Our own SDK into a home, with no server between: the quickstart's agent and its streams. */
export async function ours(home, example) {
  await run(join(needed("TRACEABLE_EXAMPLES"), example), [], { env: { ...process.env, TRACEABLE_HOME: home } });
}
