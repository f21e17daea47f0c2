// The peers, each in a process of its own: libraries neither warm nor pollute one another's compiler, and one that needs
// another engine (a newer Node, Python) is a candidate like any other.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { decode, encode } from "./wire.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const module = (file) => [here("./host.mjs"), new URL(`./peers/${file}`, import.meta.url).href];
const node24 = here("./node_modules/node-24/bin/node");

/** How each candidate is started, and its environment where that matters. */
const PEERS = {
  gradine: { command: process.execPath, args: module("gradine.mjs") },
  "gradine-2": { command: process.execPath, args: module("gradine.mjs"), env: { THREADS: "2" } },
  "tfjs-wasm": { command: process.execPath, args: module("tfjs.mjs"), env: { BACKEND: "wasm" } },
  "tfjs-cpu": { command: process.execPath, args: module("tfjs.mjs"), env: { BACKEND: "cpu" } },
  "brain.js": { command: process.execPath, args: module("brain.mjs") },
  "ort-web": { command: process.execPath, args: module("ort.mjs"), env: { BUILD: "onnxruntime-web" } },
  "ort-node": { command: process.execPath, args: module("ort.mjs"), env: { BUILD: "onnxruntime-node" } },
  // jax-js reads `navigator` when it starts, which Node has from 21 on.
  "jax-js": { command: node24, args: module("jax.mjs") },
  // Debian's Python by its full path, for another one first in PATH has no python3-torch; PYTHON names a different one.
  // One thread means both of PyTorch's pools; its BLAS listens to the environment only.
  torch: {
    command: process.env.PYTHON ?? "/usr/bin/python3",
    args: [here("./peers/torch_peer.py")],
    env: { OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1" },
  },
};

const running = new Map();

/** The candidate of that name set to a task: { name, version, check(), run(repetitions) }. Rejects with the peer's reason. */
export async function open(name, spec) {
  if (!running.has(name)) running.set(name, start(PEERS[name]));
  const call = running.get(name);
  const { version } = await call("open", spec);
  return { name, version, check: () => call("check"), run: (repetitions) => call("run", repetitions) };
}

/** Ends all peers: a closed stdin is their signal. */
export function closeAll() {
  for (const call of running.values()) call.end();
  running.clear();
}

function start({ command, args, env }) {
  const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const waiting = new Map();
  let ids = 0;
  let stderr = "";
  let ended;
  const fail = (reason) => {
    ended = reason;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  child.stderr.on("data", (text) => {
    stderr = (stderr + text).slice(-2000);
  });
  child.on("error", (error) => fail(error.message));
  child.on("close", () =>
    fail(/^\w*(?:Error|Exception).*$/m.exec(stderr)?.[0] ?? `the process ended: ${stderr.trim()}`),
  );
  // A process that is gone cannot take its message; "close" reports it.
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdio[3] }).on("line", (line) => {
    const { id, result, error } = decode(line);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  const call = (method, params) =>
    new Promise((resolve, reject) => {
      if (ended) return reject(new Error(ended));
      waiting.set(++ids, { resolve, reject });
      child.stdin.write(encode({ id: ids, method, params }));
    });
  call.end = () => child.stdin.end();
  return call;
}
