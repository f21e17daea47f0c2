// Peers as processes: one that stays and is sent requests, or a new one for every sample.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { decode, encode } from "./wire.mjs";

/** Milliseconds until a process that does not answer is ended. */
const PATIENCE = 120_000;

/** A process that answers requests (serve.mjs): { call(method, params), end() }. */
export function startProcess({ command, args, env }) {
  const child = spawn(command, args, { stdio: ["pipe", "ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  const waiting = new Map();
  let ids = 0;
  let stderr = "";
  let ended;
  const fail = (reason) => {
    ended ??= reason;
    for (const { reject } of waiting.values()) reject(new Error(reason));
    waiting.clear();
  };
  child.stderr.on("data", (text) => {
    stderr = (stderr + text).slice(-2000);
  });
  child.on("error", (error) => fail(error.message));
  child.on("close", (status) => fail(reasonIn(stderr, status)));
  // A process that is gone cannot take its message; "close" reports it.
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdio[3] }).on("line", (line) => {
    const { id, result, error } = decode(line);
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(new Error(error));
  });
  const request = (method, params) =>
    new Promise((resolve, reject) => {
      if (ended) return reject(new Error(ended));
      waiting.set(++ids, { resolve, reject });
      child.stdin.write(`${encode({ id: ids, method, params })}\n`);
    });
  return {
    call(method, params) {
      const timer = setTimeout(() => {
        fail(`no answer to ${method} in ${PATIENCE / 1000} s`);
        child.kill();
      }, PATIENCE);
      return request(method, params).finally(() => clearTimeout(timer));
    },
    ended: () => ended !== undefined,
    // A closed stdin is the signal to end.
    end: () => child.stdin.end(),
  };
}

/** The same for a program whose whole life is the sample: it prints its values as JSON and exits. */
export function startAnew({ command, args }) {
  const once = () =>
    new Promise((resolve, reject) => {
      const start = performance.now();
      const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
      let [out, stderr] = ["", ""];
      child.stdout.on("data", (text) => {
        out += text;
      });
      child.stderr.on("data", (text) => {
        stderr += text;
      });
      child.on("error", reject);
      child.on("close", (status) => {
        if (status === 0) resolve({ ms: performance.now() - start, out });
        else reject(new Error(reasonIn(stderr, status)));
      });
    });
  const methods = {
    start() {},
    open() {},
    check: async () => JSON.parse((await once()).out),
    async run(repetitions) {
      let sum = 0;
      for (let i = 0; i < repetitions; i++) sum += (await once()).ms;
      return sum;
    },
  };
  return { call: async (method, params) => methods[method](params), end() {} };
}

/** The line of a process's last words that names the error. */
const reasonIn = (stderr, status) =>
  /^\w*(?:Error|Exception).*$/m.exec(stderr)?.[0] ?? `the process ended with ${status}: ${stderr.trim()}`;
