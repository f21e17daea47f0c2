// Trains the network of train.js on every platform and compares the bits of its weights: with each other, and with those
// recorded in train.sha256. Then that of threads.js on one thread, and where there are threads on two and four. A platform that cannot be had is a failure. Needs dist/ (npm run build), npm ci in this
// folder, Node 20, and Debian's chromium and firefox-esr (or CHROMIUM and FIREFOX with their paths).
//   node test/platforms/run.mjs            compares
//   node test/platforms/run.mjs --record   records the bits of this machine's Node instead
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { Checks } from "../../scripts/checks.mjs";
import { runInBrowser } from "./browser.mjs";
import { runInContext } from "./context.mjs";
import { runInWorkerd } from "./workerd.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const recorded = join(here, "train.sha256");
const installed = (path) => join(here, "node_modules", path);

// A project that has the package installed, so that Node, Deno and Bun resolve it as they would for a user.
const project = mkdtempSync(join(tmpdir(), "gradine-platforms-"));
const installation = join(project, "node_modules/gradine");
mkdirSync(installation, { recursive: true });
cpSync(join(root, "package.json"), join(installation, "package.json"));
cpSync(join(root, "dist"), join(installation, "dist"), { recursive: true });
cpSync(join(here, "train.js"), join(project, "train.js"));
writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", dependencies: { gradine: "*" } }));
cpSync(join(here, "threads.js"), join(project, "threads.js"));
writeFileSync(
  join(project, "print.js"),
  'import { train } from "./train.js";\nconsole.log(JSON.stringify(train()));\n',
);
writeFileSync(
  join(project, "print-threads.js"),
  'import { train } from "./threads.js";\nconsole.log(JSON.stringify(await train(Number(process.argv[2]))));\n',
);

/** One file with the program and the library; `format` as esbuild has it. */
async function bundle(contents, format) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: project },
    bundle: true,
    format,
    globalName: "program",
    platform: "neutral",
    target: "es2022",
    external: ["*.wasm"],
    write: false,
  });
  return outputFiles[0].text;
}

/** Standard output of a command that is given a minute. */
function output(command, args) {
  if (!existsSync(command)) throw new Error(`${command} does not exist (npm ci in test/platforms)`);
  return new Promise((done, fail) => {
    const child = spawn(command, args, { cwd: project, stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 });
    let [out, err] = ["", ""];
    child.stdout.on("data", (data) => (out += data));
    child.stderr.on("data", (data) => (err += data));
    child.on("error", fail);
    child.on("close", (status, signal) => {
      if (status === 0) done(out);
      else fail(new Error(`status ${status ?? signal}\n${err.slice(0, 2000)}`));
    });
  });
}

/** The program's result from Node, after making sure that it is the Node asked for. */
async function node(major, command) {
  const version = (await output(command, ["--version"])).trim();
  if (!version.startsWith(`v${major}.`)) throw new Error(`Node ${major} is wanted, ${command} is ${version}`);
  return { version, result: JSON.parse(await output(command, ["print.js"])) };
}

async function other(command, args) {
  const version = (await output(command, ["--version"])).trim().split("\n")[0];
  return { version, result: JSON.parse(await output(command, args)) };
}

const browser = (name, paths, more) => {
  const executablePath = paths.find((path) => path !== undefined && existsSync(path));
  if (executablePath === undefined) throw new Error(`${name} is not installed (apt-get install chromium firefox-esr)`);
  return runInBrowser({ name, executablePath, program: join(here, "train.js"), dist: join(root, "dist"), ...more });
};

const chromium = [process.env.CHROMIUM, "/usr/bin/chromium"];
const firefox = [process.env.FIREFOX, "/usr/bin/firefox-esr", "/usr/bin/firefox"];

const platforms = {
  "Node 20": () => node(20, process.execPath),
  "Node 22": () => node(22, installed("node-22/bin/node")),
  "Node 24": () => node(24, installed("node-24/bin/node")),
  Deno: () => other(installed(".bin/deno"), ["run", "--no-remote", "--node-modules-dir=manual", "print.js"]),
  Bun: () => other(installed(".bin/bun"), ["print.js"]),
  Chromium: () => browser("chrome", chromium),
  Firefox: () => browser("firefox", firefox),
  workerd: async () => {
    // Top level: workerd compiles wasm while a module is first evaluated, and refuses to in a request.
    const worker = `import { train } from "./train.js";
      const result = JSON.stringify(train());
      export default { fetch: () => new Response(result) };`;
    return runInWorkerd({ command: installed(".bin/workerd"), code: await bundle(worker, "esm"), folder: project });
  },
  // In a request nothing may be compiled: a given module has all kernels, those of the second module too.
  "workerd, init({ module })": async () => {
    cpSync(join(root, "dist/strict.wasm"), join(project, "strict.wasm"));
    const worker = `import module from "./strict.wasm";
      import { avgPool2d, conv2d, init, ones } from "gradine";
      import { train } from "./train.js";
      init({ module });
      const answer = () => {
        const y = avgPool2d(conv2d(ones([1, 1, 4, 4]), ones([1, 1, 3, 3])), 2).item();
        if (y !== 9) throw new Error(\`conv2d gave \${y}\`);
        return JSON.stringify(train());
      };
      export default { fetch: () => new Response(answer()) };`;
    const code = await bundle(worker, "esm");
    return runInWorkerd({ command: installed(".bin/workerd"), code, folder: project, wasm: "strict.wasm" });
  },
  "bare vm context": async () => runInContext(await bundle('export { train } from "./train.js";', "iife")),
};

/** The result of threads.js on so many threads. */
const page = (count) => ({ program: join(here, "threads.js"), call: `train(${count})`, isolated: true });
const print = async (command, args, count) => JSON.parse(await output(command, [...args, "print-threads.js", count]));
const deno = ["run", "--no-remote", "--node-modules-dir=manual", "--allow-read"];
const threaded = {
  "Node 20": (count) => print(process.execPath, [], count),
  "Node 22": (count) => print(installed("node-22/bin/node"), [], count),
  "Node 24": (count) => print(installed("node-24/bin/node"), [], count),
  Deno: (count) => print(installed(".bin/deno"), deno, count),
  Bun: (count) => print(installed(".bin/bun"), [], count),
  Chromium: async (count) => (await browser("chrome", chromium, page(count))).result,
  Firefox: async (count) => (await browser("firefox", firefox, page(count))).result,
};

const hash = (text) => createHash("sha256").update(text).digest("hex");
const checks = new Checks();
let expected =
  process.argv.includes("--record") || !existsSync(recorded) ? undefined : readFileSync(recorded, "utf8").trim();
if (expected === undefined && !process.argv.includes("--record")) {
  await checks.run("recorded weights", () => {
    throw new Error("train.sha256 is missing; node test/platforms/run.mjs --record writes it");
  });
}
for (const [name, run] of Object.entries(platforms)) {
  await checks.run(name, async () => {
    const { version, result } = await run();
    if (!(result.last < 0.5 * result.first)) throw new Error(`the loss went from ${result.first} to ${result.last}`);
    const actual = hash(result.weights);
    if (expected === undefined) {
      expected = actual;
      if (process.argv.includes("--record")) writeFileSync(recorded, `${actual}\n`);
    }
    if (actual !== expected) throw new Error(`${version}: the weights have SHA-256 ${actual}, not ${expected}`);
    return `${actual.slice(0, 16)}  ${version}`;
  });
}
let alone;
await checks.run("Node 20, larger, 1 thread", async () => {
  alone = (await threaded["Node 20"](1)).weights;
  return hash(alone).slice(0, 16);
});
for (const [name, run] of Object.entries(threaded)) {
  await checks.run(`${name}, 2 and 4 threads`, async () => {
    for (const count of [2, 4]) {
      const { threads, reason, weights } = await run(count);
      if (threads !== count) throw new Error(`${threads} threads instead of ${count}: ${reason}`);
      if (weights !== alone) throw new Error(`${count} threads: SHA-256 ${hash(weights)}, alone ${hash(alone)}`);
    }
    return hash(alone).slice(0, 16);
  });
}
rmSync(project, { recursive: true, force: true });
checks.end();
