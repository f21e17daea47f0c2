// Workers of every runtime behind one face: Node's, Deno's and Bun's worker_threads, and the web's.
type Listener = (message: unknown) => void;

export interface TeamWorker {
  post(message: unknown): void;
  /** Called with each message, and with the reason when the worker fails or ends. */
  listen(message: Listener, ended: (reason: string) => void): void;
  stop(): void;
}

interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: string, listener: (value: never) => void): void;
  unref(): void;
  terminate(): unknown;
}
interface WebWorker {
  postMessage(message: unknown): void;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: { readonly message?: string }) => void) | null;
  terminate(): void;
}
interface Globals {
  readonly process?: { getBuiltinModule?(name: string): unknown };
  readonly Worker?: unknown;
  readonly SharedArrayBuffer?: unknown;
  readonly crossOriginIsolated?: boolean;
  readonly navigator?: { readonly hardwareConcurrency?: number };
}
const globals = globalThis as Globals;

declare const Worker: new (url: URL, options: { type: "module" }) => WebWorker;

/** A built-in module where there are such, without a word that a bundler would follow. */
const builtin = <T>(name: string): T | undefined => globals.process?.getBuiltinModule?.(name) as T | undefined;
const nodeThreads = () =>
  builtin<{ readonly Worker: new (url: URL, options: object) => NodeWorker }>("node:worker_threads");

/** Why threads cannot be had here, or undefined. */
export function threadRefusal(): string | undefined {
  if (globals.SharedArrayBuffer === undefined) {
    return globals.crossOriginIsolated === false
      ? "the page is not cross-origin isolated (it needs the headers COOP and COEP)"
      : "this engine has no SharedArrayBuffer";
  }
  if (nodeThreads()?.Worker !== undefined) return undefined;
  if (globals.Worker === undefined) return "this engine has no workers";
  // Without isolation some engines make shared memory and then refuse to post it.
  if (globals.crossOriginIsolated === false) {
    return "the page is not cross-origin isolated (it needs the headers COOP and COEP)";
  }
  return undefined;
}

/** Processors that threads can use. */
export function processors(): number {
  const os = builtin<{ availableParallelism?(): number }>("node:os");
  return os?.availableParallelism?.() ?? globals.navigator?.hardwareConcurrency ?? 1;
}

const pause = globals.SharedArrayBuffer === undefined ? null : new Int32Array(new SharedArrayBuffer(4));

/**
 * Gives the processor to others for a moment, so that a worker which waits for it can go on. Not in pages, whose main thread
 * must not block.
 */
export function giveWay(): void {
  if (pause !== null && nodeThreads() !== undefined) Atomics.wait(pause, 0, 0, 0.1);
}

/** Starts a worker that does not keep a process alive. */
export function newWorker(): TeamWorker {
  const threads = nodeThreads();
  if (threads?.Worker !== undefined) {
    // Options of the process, such as --input-type, are not for the worker.
    const worker = new threads.Worker(new URL("./thread.js", import.meta.url), { execArgv: [] });
    return {
      post: (message) => worker.postMessage(message),
      listen(message, ended) {
        worker.on("message", message as Listener);
        worker.on("error", (error) => ended(String(error)));
        worker.on("exit", () => ended("it ended"));
        worker.unref(); // a listener holds the process, so that this comes last
      },
      stop: () => void worker.terminate(),
    };
  }
  // Written out, so that bundlers see the file and place it. build.mjs puts it beside the output.
  const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
  return {
    post: (message) => worker.postMessage(message),
    listen(message, ended) {
      worker.onmessage = ({ data }) => message(data);
      worker.onerror = ({ message: reason }) => ended(reason ?? "its file cannot be loaded");
    },
    stop: () => worker.terminate(),
  };
}
