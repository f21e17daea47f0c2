// Work that falls apart into members, done by several workers at once: no shared memory, only messages.
import { checkInteger, checkKind, checkOptions, describe, rangeError, typeError } from "../error.js";
import { can } from "./batch.js";
import { interruptSignal } from "./fit.js";
import { type AbortSignalLike, eitherOf } from "./options.js";

/** Work of members that do not depend on each other, such as `baggingTask` gives. */
export interface Task<Part = unknown, Result = unknown> {
  readonly members: number;
  /** Does a member's work; gives plain data, which can cross to another thread. */
  run(member: number, signal: AbortSignalLike): Promise<Part> | Part;
  /** Puts together what the members gave, in their order; fewer than `members` after an abort. */
  join(parts: readonly Part[]): Result;
}

/** Options of `inWorkers`. */
export interface WorkersOptions {
  /** Workers at once; default one a core. With one the work is done here. */
  readonly workers?: number;
  /** Ends the work early, as Ctrl-C does: members under way end as "aborted", no more are begun. */
  readonly signal?: AbortSignalLike;
}

/** A worker: a browser's, Deno's and Bun's, or Node's. */
interface Port {
  post(message: { readonly member?: number; readonly aborted: boolean }): void;
  end(): unknown;
}

/** What a worker says when it is done with its member. */
type Answer = { readonly part: unknown } | { readonly error: string; readonly stack: string };

/** What this file uses of the platforms. */
interface Platform {
  readonly Worker?: new (
    url: unknown,
    options: object,
  ) => {
    postMessage(message: unknown): void;
    terminate(): void;
    onmessage: (event: { data: Answer }) => void;
    onerror: (event: { message?: string; preventDefault?(): void }) => void;
  };
  readonly Blob: new (parts: string[], options: object) => object;
  readonly URL: {
    new (url: string): object;
    createObjectURL(blob: object): string;
    revokeObjectURL(url: string): void;
  };
  readonly navigator?: { readonly hardwareConcurrency?: number };
}

interface NodeThreads {
  readonly Worker: new (
    url: object,
  ) => {
    postMessage(message: unknown): void;
    terminate(): Promise<unknown>;
    on(event: string, listener: (value: never) => void): unknown;
  };
}

const platform = globalThis as unknown as Platform;
/** Marks the inside of a worker, where another round of workers would be a mistake without end. */
const inside = "gradine:member";

/**
 * The worker's program. It gets a member's number, and whether to abort; it finds the library through the task's module. Node
 * keeps messages until they are listened to; elsewhere nothing is waited for before that.
 */
const program = (module: string, name: string): string => `
globalThis[${JSON.stringify(inside)}] = true;
const port = globalThis.postMessage ? globalThis : (await import("node:worker_threads")).parentPort;
const signal = { aborted: false };
let task;
port.onmessage = async ({ data }) => {
  signal.aborted ||= data.aborted;
  if (data.member === undefined) return;
  try {
    task ??= import(${JSON.stringify(module)});
    port.postMessage({ part: await (await task)[${JSON.stringify(name)}].run(data.member, signal) });
  } catch (error) {
    port.postMessage({ error: String(error?.message ?? error), stack: String(error?.stack) });
  }
};`;

/** A built-in module of Node, under a name that bundlers for pages do not look into. */
const builtIn = (name: string): Promise<unknown> => import(/* @vite-ignore */ `node:${name}`);

/** What starts a worker on this platform: its program, what hears its answers, what is told of its death. */
async function starter(): Promise<
  (module: string, name: string, hear: (answer: Answer) => void, died: (why: string) => void) => Port
> {
  const { Worker, Blob, URL } = platform;
  if (Worker !== undefined)
    return (module, name, hear, died) => {
      const url = URL.createObjectURL(new Blob([program(module, name)], { type: "text/javascript" }));
      const worker = new Worker(url, { type: "module" });
      worker.onmessage = ({ data }) => hear(data);
      worker.onerror = (event) => {
        event.preventDefault?.();
        died(event.message ?? "its worker could not be started");
      };
      const end = () => {
        worker.terminate();
        URL.revokeObjectURL(url);
      };
      return { post: (message) => worker.postMessage(message), end };
    };
  const { Worker: Thread } = (await builtIn("worker_threads")) as NodeThreads;
  return (module, name, hear, died) => {
    const worker = new Thread(new URL(`data:text/javascript,${encodeURIComponent(program(module, name))}`));
    worker.on("message", hear);
    worker.on("error", (error: Error) => died(error.message));
    worker.on("exit", (code: number) => died(`its worker ended with exit code ${code}`));
    return { post: (message) => worker.postMessage(message), end: () => worker.terminate() };
  };
}

async function cores(): Promise<number> {
  const { navigator, Worker } = platform;
  if (navigator?.hardwareConcurrency !== undefined) return navigator.hardwareConcurrency;
  // Node 20 has no navigator; what has neither that nor workers runs one after another.
  if (Worker !== undefined || !("process" in globalThis)) return 1;
  return ((await builtIn("os")) as { availableParallelism(): number }).availableParallelism();
}

/**
 * Does a task's members in parallel workers, each with a heap of its own, and joins them: the same bits as one after another.
 * Closures cannot cross to a worker, so that the task is named: by the module that exports it, which the workers and this
 * thread import, and the export's name. The module is another than the one that calls, and gives the same task wherever it is
 * imported (seed what it draws).
 *
 *     // members.js
 *     export const forest = baggingTask(() => new Linear(2, 1), dataset, { k: 5, fit: (model) => ({ … }) });
 *     // main.js
 *     const { model } = await inWorkers(new URL("./members.js", import.meta.url), "forest");
 *
 * A bundler must leave the module a file of its own. When a member throws or its worker dies, all end, and so does the
 * call, with an error that names the member.
 */
export async function inWorkers<Result = unknown>(
  module: string | { readonly href: string },
  name: string,
  options: WorkersOptions = {},
): Promise<Result> {
  const op = "inWorkers";
  checkOptions(op, options, ["workers", "signal"]);
  const url = typeof module === "string" ? module : module?.href;
  if (typeof url !== "string" || !/^[a-z]{2,}:/.test(url))
    throw typeError(
      op,
      `module must be an absolute URL: got ${describe(module)}`,
      'Give new URL("./file.js", import.meta.url).',
    );
  if (inside in globalThis) throw rangeError(op, "called within a worker", "Keep the call out of the task's module.");
  const task = ((await import(/* @vite-ignore */ url)) as Record<string, Task<unknown, Result>>)[name]!;
  checkKind(op, can(task, "run", "join"), `${name} of ${url} must be a task`, task);
  const members = checkInteger(op, "members", task.members, 1);
  const count = Math.min(members, checkInteger(op, "workers", options.workers ?? (await cores()), 1));
  const parts: unknown[] = [];
  const ports: Port[] = [];
  let timer: ReturnType<typeof setInterval> | undefined;
  const interrupt = interruptSignal();
  const signal = eitherOf(interrupt, options.signal);
  try {
    if (count === 1) {
      do parts.push(await task.run(parts.length, signal));
      while (parts.length < members && !signal.aborted);
      return task.join(parts);
    }
    const start = await starter();
    await new Promise<void>((done, fail) => {
      let [begun, ended] = [0, 0];
      const failed = (member: number, why: string, stack?: string) => {
        const cause = Object.assign(new Error(why), stack && { stack });
        fail(new Error(`${op}: member ${member} of ${name} failed: ${why}`, { cause }));
      };
      for (let i = 0; i < count; i++) {
        let member = 0;
        const next = () => {
          if (begun < members && (begun < count || !signal.aborted))
            port.post({ member: (member = begun++), aborted: signal.aborted });
        };
        const hear = (answer: Answer) => {
          if ("error" in answer) return failed(member, answer.error, answer.stack);
          parts[member] = answer.part;
          next();
          if (++ended === begun) done();
        };
        const port = start(url, name, hear, (why) => failed(member, why));
        ports.push(port);
        next();
      }
      // Asked again and again: an AbortSignalLike need not tell when it changes.
      timer = setInterval(() => {
        if (signal.aborted) for (const port of ports) port.post({ aborted: true });
      }, 20);
    });
  } finally {
    clearInterval(timer);
    interrupt.forget();
    await Promise.all(ports.map((port) => port.end()));
  }
  return task.join(Object.values(parts)); // those that were begun
}
