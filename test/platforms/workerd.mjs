// Cloudflare's runtime, from its npm package: serves one worker, and asks it once.
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

/** A port that was free a moment ago. */
const freePort = () =>
  new Promise((done) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });

/** The JSON that a worker (an ES module with a default `fetch`) answers; it may import `wasm`, a file of `folder`. */
export async function runInWorkerd({ command, code, folder, wasm }) {
  if (!existsSync(command)) throw new Error(`${command} does not exist (npm ci in test/platforms)`);
  const port = await freePort();
  writeFileSync(join(folder, "worker.js"), code);
  // From 2025-06-01 on, wasm may be compiled from bytes while a module is first evaluated.
  const module = wasm === undefined ? "" : `, (name = "${wasm}", wasm = embed "${wasm}")`;
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]);
const worker :Workerd.Worker = (compatibilityDate = "2026-10-01", modules = [(name = "worker.js", esModule = embed "worker.js")${module}]);
`,
  );
  // The command may be a script that starts the program: a group of their own, so that both end together.
  const child = spawn(command, ["serve", join(folder, "config.capnp")], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let log = "";
  child.stdout.on("data", (data) => (log += data));
  child.stderr.on("data", (data) => (log += data));
  const exited = new Promise((done) => child.on("close", done));
  let running = true;
  exited.then(() => {
    running = false;
  });
  child.on("error", (error) => (log += error.message));
  try {
    for (const deadline = Date.now() + 30_000; running && Date.now() < deadline; ) {
      const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20_000) }).catch(
        () => undefined,
      );
      if (response?.ok) return { version: "compatibility date 2026-10-01", result: await response.json() };
      if (response) throw new Error(`status ${response.status}: ${await response.text()}\n${log.slice(0, 2000)}`);
      await new Promise((done) => setTimeout(done, 100));
    }
    throw new Error(`workerd did not answer: ${log.slice(0, 2000)}`);
  } finally {
    if (running && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    await exited;
  }
}
