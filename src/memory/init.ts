// What a program may say about the kernels and the heap before it begins; and which kernels run.
import { checkInteger, checkOptions, describe, rangeError, typeError } from "../error.js";
import {
  type Address,
  fastRefusal,
  isShared,
  kernels,
  loadBuild,
  loadThreads,
  startKernels,
} from "../kernels/index.js";
import { addressable, heap, heapEnd, refreshViews } from "./heap.js";
import { Storage } from "./storage.js";

/** Settings of {@link init}. */
export interface InitOptions {
  /**
   * The kernels with fused multiply-add (relaxed SIMD): faster, and reproducible only on one kind of machine and engine. An
   * address says where `fast.wasm` lies, when a bundler does not place it. False goes back to the strict ones.
   */
  readonly fast?: boolean | Address;
  /**
   * How many threads compute, this one among them; true for as many as there are processors. 1 ends the others. Results are
   * the same bits for any number. Pages need the headers COOP and COEP (`crossOriginIsolated`).
   */
  readonly threads?: number | true;
  /** A compiled `WebAssembly.Module` of `gradine/wasm` or `gradine/wasm/fast`, where the engine forbids compiling bytes. */
  readonly module?: object;
  /** Most bytes the heap may grow to; 4 GiB by default. */
  readonly maxBytes?: number;
}

/** What computes, as {@link backend} tells. */
export interface Backend {
  /** "strict" gives the same bits everywhere, "fast" uses relaxed SIMD. */
  readonly build: "strict" | "fast";
  readonly threads: number;
  /** Why it is not what `init` was asked for. */
  readonly reason?: string;
}

/** Why the engine did not get what was asked for. */
const reasons: { fast?: string | undefined; threads?: string | undefined } = {};
/** The kernels that share work, once they were asked for. */
let crew: Awaited<ReturnType<typeof loadThreads>> | null = null;
/** One `init` after the other. */
let last: Promise<void> = Promise.resolve();

/**
 * Optional settings; without them the library starts by itself at first use. Resolves when the kernels asked for are in
 * place: await it when `fast` or `threads` is given. `module` and `maxBytes` hold as soon as it returns. Tensors that are
 * there already stay as they are. What the engine cannot do is left out, and {@link backend} says why.
 *
 * @throws TypeError or RangeError, before anything changes, when an option is not valid, `module` is not one of this version,
 *   or `maxBytes` is less than what is in use. Rejects when the file of the kernels cannot be had.
 * @example
 * import { backend, init } from "gradine";
 * await init({ fast: true, threads: 2, maxBytes: 256 * 2 ** 20 });
 * console.log(backend()); // { build: "fast", threads: 2 }
 */
export function init(options: InitOptions = {}): Promise<void> {
  checkOptions("init", options, ["fast", "threads", "module", "maxBytes"]);
  const { fast, threads, module, maxBytes } = options;
  if (module !== undefined && (fast !== undefined || threads !== undefined)) {
    const other = fast !== undefined ? "fast" : "threads";
    throw typeError("init", `${other} and module exclude each other`, "The module is a build already.");
  }
  if (fast !== undefined && typeof fast !== "boolean" && typeof fast !== "string" && typeof fast?.href !== "string") {
    throw typeError("init", `fast must be true, false or an address: got ${describe(fast)}`);
  }
  if (threads !== undefined && threads !== true) checkInteger("init", "threads", threads, 1, mostThreads);
  if (maxBytes !== undefined) {
    checkInteger("init", "maxBytes", maxBytes, 1, addressable);
    if (maxBytes < heapEnd()) {
      throw rangeError("init", `maxBytes ${maxBytes} is below the ${heapEnd()} bytes already in use`);
    }
  }
  if (module !== undefined) take(module);
  if (maxBytes !== undefined) heap.limit = maxBytes;
  if (fast === undefined && threads === undefined) return Promise.resolve();
  const choice = last.then(() => choose(fast, threads));
  last = choice.catch(() => {});
  return choice;
}

const mostThreads = 64;

/** Runs on this module from now on. */
function take(module: object): void {
  if (isShared()) throw typeError("init", "a module must come before threads: the heap is shared between them already");
  try {
    startKernels(module as WebAssembly.Module);
  } catch (error) {
    throw typeError("init", `module cannot be used (${String(error)})`, "Compile gradine/wasm or gradine/wasm/fast.");
  }
}

async function choose(fast: InitOptions["fast"], threads: InitOptions["threads"]): Promise<void> {
  const now = backend();
  if (fast !== undefined) reasons.fast = fast === false ? undefined : fastRefusal();
  const build = fast === undefined ? now.build : fast === false || reasons.fast !== undefined ? "strict" : "fast";
  if (threads !== undefined) reasons.threads = undefined;
  const count = await threadsFor(threads ?? now.threads);
  if (count > 1) {
    if (count === now.threads && build === now.build) return;
    reasons.threads = await startThreads(build, count);
    if (reasons.threads === undefined) return;
  }
  crew?.stopThreads();
  if (backend().build === build) return;
  // A heap that is shared needs kernels that share, if only one thread runs them.
  if (isShared()) startKernels(await loadBuild(build === "fast" ? "fast-threads" : "threads"));
  else if (build === "strict") startKernels();
  else startKernels(await loadBuild("fast", typeof fast === "boolean" ? undefined : fast));
}

/** Starts threads, or says why there are none. */
async function startThreads(build: Backend["build"], count: number): Promise<string | undefined> {
  let module: WebAssembly.Module;
  try {
    module = await loadBuild(build === "fast" ? "fast-threads" : "threads");
  } catch (error) {
    return (error as Error).message;
  }
  return crew!.startThreads(module, count, {
    allocate: (bytes) => Storage.take(bytes, "threads", [bytes >> 2]),
    moved: () => {
      if (heap.started) refreshViews();
    },
    lost: (reason) => {
      reasons.threads = reason;
    },
  });
}

/** How many threads there can be of those asked for. */
async function threadsFor(wanted: number | true): Promise<number> {
  if (wanted === 1) return 1;
  crew ??= await loadThreads();
  reasons.threads = crew.threadRefusal();
  if (reasons.threads !== undefined) return 1;
  if (wanted !== true) return wanted;
  const count = Math.min(crew.processors(), mostThreads);
  if (count === 1) reasons.threads = "there is one processor";
  return count;
}

/** Which kernels compute, in how many threads, and why when it is not what `init` was asked for. */
export function backend(): Backend {
  const build = kernels !== undefined && (kernels.features() & 1) !== 0 ? "fast" : "strict";
  const reason = [reasons.fast, reasons.threads].filter((why) => why !== undefined).join("; ");
  return { build, threads: crew?.threads() ?? 1, ...(reason !== "" && { reason }) };
}

/**
 * How many threads compute, this one among them; and why, where `init({ threads })` asked for others than there are.
 *
 * @example
 * import { init, threads } from "gradine";
 * await init({ threads: 2 });
 * const { count, reason } = threads();
 * console.log(reason ?? `${count} threads`); // 2 threads
 */
export function threads(): { readonly count: number; readonly reason?: string } {
  const reason = reasons.threads;
  return { count: backend().threads, ...(reason !== undefined && { reason }) };
}
