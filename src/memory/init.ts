// What a program may say about the kernels and the heap before it begins; and which kernels run.
import { checkInteger, checkOptions, describe, rangeError, typeError } from "../error.js";
import { type Address, fastRefusal, kernels, loadBuild, startKernels } from "../kernels/index.js";
import { addressable, heap, heapEnd } from "./heap.js";

/** Settings of {@link init}. */
export interface InitOptions {
  /**
   * The kernels with fused multiply-add (relaxed SIMD): faster, and reproducible only on one kind of machine and engine. An
   * address says where `fast.wasm` lies, when a bundler does not place it. False goes back to the strict ones.
   */
  readonly fast?: boolean | Address;
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
let reason: string | undefined;

/**
 * Optional settings; without them the library starts by itself at first use. Resolves when the kernels asked for are in
 * place: await it when `fast` is. `module` and `maxBytes` hold as soon as it returns. Tensors that are there already
 * stay as they are. Where the engine cannot run the fast kernels, the strict ones stay, and {@link backend} says why.
 *
 * @throws TypeError or RangeError, before anything changes, when an option is not valid, `module` is not one of this version,
 *   or `maxBytes` is less than what is in use. Rejects when the file of the fast kernels cannot be had.
 * @example
 * import { backend, init } from "gradine";
 * await init({ fast: true, maxBytes: 256 * 2 ** 20 });
 * console.log(backend()); // { build: "fast", threads: 1 }
 */
export function init(options: InitOptions = {}): Promise<void> {
  checkOptions("init", options, ["fast", "module", "maxBytes"]);
  const { fast, module, maxBytes } = options;
  if (fast !== undefined && module !== undefined) {
    throw typeError("init", "fast and module exclude each other", "The module is a build already.");
  }
  if (fast !== undefined && typeof fast !== "boolean" && typeof fast !== "string" && typeof fast?.href !== "string") {
    throw typeError("init", `fast must be true, false or an address: got ${describe(fast)}`);
  }
  if (maxBytes !== undefined) {
    checkInteger("init", "maxBytes", maxBytes, 1, addressable);
    if (maxBytes < heapEnd()) {
      throw rangeError("init", `maxBytes ${maxBytes} is below the ${heapEnd()} bytes already in use`);
    }
  }
  if (module !== undefined) take(module);
  if (maxBytes !== undefined) heap.limit = maxBytes;
  return fast === undefined ? Promise.resolve() : chooseBuild(fast);
}

/** Runs on this module from now on. */
function take(module: object): void {
  try {
    startKernels(module as WebAssembly.Module);
  } catch (error) {
    throw typeError("init", `module cannot be used (${String(error)})`, "Compile gradine/wasm or gradine/wasm/fast.");
  }
}

async function chooseBuild(fast: boolean | Address): Promise<void> {
  reason = fast === false ? undefined : fastRefusal();
  const wanted = fast === false || reason !== undefined ? "strict" : "fast";
  if (wanted === backend().build) return;
  if (wanted === "strict") startKernels();
  else startKernels(await loadBuild("fast", typeof fast === "boolean" ? undefined : fast));
}

/** Which kernels compute, in how many threads, and why when it is not what `init` was asked for. */
export function backend(): Backend {
  const build = kernels !== undefined && (kernels.features() & 1) !== 0 ? "fast" : "strict";
  return { build, threads: 1, ...(reason !== undefined && { reason }) };
}
