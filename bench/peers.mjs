// The candidates: each library in a process of its own, so that none warms or pollutes another's compiler, and one that
// needs another engine (a newer Node, Python, a browser) is a candidate like any other.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { startPage } from "./browser.mjs";
import { build } from "./machine.mjs";
import { startAnew, startProcess } from "./process.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const node20 = process.execPath;
const node24 = here("./node_modules/node-24/bin/node");

/** A module of peers/ in Node; `settings` are handed to its `start`. */
const inNode = (file, library, settings = {}, command = node20) => ({
  begin: () => startProcess({ command, args: [here("./host.mjs"), new URL(`./peers/${file}`, import.meta.url).href] }),
  library: () => `${library()}${command === node24 ? " (Node 24)" : ""}`,
  settings,
});
const inChromium = (file, library, settings = {}) => ({ begin: () => startPage(file), library, settings });
/** A program of peers/cold/, started anew for each sample. jax-js asks for Node 24, so all of them run on that. */
const cold = (file, library) => ({
  begin: () => startAnew({ command: node24, args: [here(`./peers/cold/${file}`)] }),
  library: () => `${library()} (Node 24)`,
});

const versionOf = (manifest) => JSON.parse(readFileSync(here(manifest), "utf8")).version;
const gradine = () => `gradine ${versionOf("../package.json")} (build ${build()})`;
const installed = (name) => () => `${name} ${versionOf(`./node_modules/${name}/package.json`)}`;
const tfjs = installed("@tensorflow/tfjs");
const jax = installed("@jax-js/jax");

// Debian's Python by its full path, for another one first in PATH has no python3-torch; PYTHON names a different one.
// One thread means both of PyTorch's pools; its BLAS listens to the environment only.
const torch = (settings) => ({
  begin: () =>
    startProcess({
      command: process.env.PYTHON ?? "/usr/bin/python3",
      args: [here("./peers/torch_peer.py")],
      env: { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" },
    }),
  settings,
});

const PEERS = {
  gradine: inNode("gradine.mjs", gradine),
  "gradine fast": inNode("gradine.mjs", gradine, { init: { fast: true } }, node24),
  "gradine 2 threads": inNode("gradine.mjs", gradine, { init: { threads: 2 } }),
  "gradine composed": inNode("gradine.mjs", gradine, { composed: true }),
  "tfjs-wasm": inNode("tfjs.mjs", tfjs, { backend: "wasm" }),
  "tfjs-cpu": inNode("tfjs.mjs", tfjs, { backend: "cpu" }),
  "brain.js": inNode("brain.mjs", installed("brain.js")),
  "ort-web": inNode("ort.mjs", installed("onnxruntime-web"), { build: "onnxruntime-web" }),
  "ort-node": inNode("ort.mjs", installed("onnxruntime-node"), { build: "onnxruntime-node" }),
  // jax-js reads `navigator` when it starts, which Node has from 21 on.
  "jax-js": inNode("jax.mjs", jax, {}, node24),
  torch: torch({ double: false }),
  "torch float64": torch({ double: true }),
  "gradine in Chromium": inChromium("gradine.mjs", gradine),
  "tfjs-wasm in Chromium": inChromium("tfjs.mjs", tfjs, { backend: "wasm" }),
  "empty process": cold("empty.mjs", () => "an empty process"),
  "gradine from cold": cold("gradine.mjs", gradine),
  "gradine layers from cold": cold("gradine-layers.mjs", gradine),
  "jax-js from cold": cold("jax.mjs", jax),
  "tfjs-wasm from cold": cold("tfjs.mjs", installed("@tensorflow/tfjs-core")),
};

const running = new Map();

/** The candidate of that name set to a task: { name, version, check(), run(repetitions) }. Rejects with the peer's reason. */
export async function open(name, spec) {
  // One that broke down at an earlier task gets another chance; one that cannot start does not.
  const known = await running.get(name);
  if (!known || known.ended?.()) running.set(name, launch(PEERS[name]));
  const { call, version } = await running.get(name);
  await call("open", spec);
  return { name, version, check: () => call("check"), run: (repetitions) => call("run", repetitions) };
}

async function launch({ begin, library, settings }) {
  const peer = await begin();
  try {
    const reply = await peer.call("start", settings);
    // PyTorch is no package of this folder: it tells its version itself.
    const version = [library?.() ?? reply, peer.version].filter(Boolean).join(" in ");
    return { ...peer, version };
  } catch (error) {
    await peer.end(); // nothing else would, and a process that waits keeps the bench alive
    throw error;
  }
}

/** Ends all peers. */
export async function closeAll() {
  for (const peer of running.values()) await peer.then(({ end }) => end()).catch(() => {});
  running.clear();
}
