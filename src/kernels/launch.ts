// The one launch point: `kernels` and `extra()` are the tables every call goes through, `memory` the heap they work on.
import { decode } from "./decode.js";
import type { CoreKernels, ExtraKernels, Kernels } from "./generated/kernels.js";
import { wasm } from "./generated/strict.js";
import { instantiate } from "./instantiate.js";

const pageBytes = 65536;
const maxPages = 65536;

/** The core's kernels; undefined until {@link startKernels}, which the allocator calls before the first block. */
export let kernels: CoreKernels;
/** The heap; grown by the allocator alone. */
export let memory: WebAssembly.Memory;

let core: CoreKernels; // the instance, whatever `kernels` is
let second: ExtraKernels | undefined;
let wrap = <K>(table: K): K => table;

const newMemory = (shared: boolean) => new WebAssembly.Memory({ initial: 16, maximum: maxPages, shared });

/** Whether other threads can see the heap. */
let shared = false;
export const isShared = (): boolean => shared;

/**
 * Instantiates synchronously the inlined strict build, or `module`; importing the package does none of this. When kernels
 * run already, the new ones take over their heap: the builds differ in code alone. It stays where it is, unless they are
 * the first that share memory (`sharing`): then all of it moves, to the same addresses.
 */
export function startKernels(module?: WebAssembly.Module, sharing = shared): void {
  const code = module ?? decode(wasm);
  if (kernels !== undefined) checkConstants(code, sharing);
  let heap = memory;
  if (memory === undefined || sharing !== shared) {
    heap = newMemory(sharing);
    if (memory !== undefined) {
      heap.grow((memory.buffer.byteLength - heap.buffer.byteLength) / pageBytes);
      new Uint8Array(heap.buffer).set(new Uint8Array(memory.buffer));
    }
  }
  const next = instantiate<CoreKernels>(code, heap);
  if (next.features === undefined) throw new RangeError("it has no kernels");
  kernels = core = next;
  second = module === undefined ? undefined : (core as Kernels);
  memory = heap;
  shared = sharing;
}

/** Puts another table in the place of the kernels, one that calls them. */
export function replaceKernels(table: Kernels): void {
  kernels = second = table;
}

/** The kernels of the second module, whose text extra.ts brings along; compiled at the first call. */
export function secondKernels(text: string): ExtraKernels {
  second ??= wrap(instantiate<ExtraKernels>(decode(text), memory, core));
  return second;
}

/**
 * Refuses a module whose constants, which lie below the tensors, are not those in place: a module of another version. Kernels
 * that were captured before (by a recorded graph) then go on to work as well.
 */
function checkConstants(code: WebAssembly.Module | Uint8Array<ArrayBuffer>, sharing: boolean): void {
  const trial = newMemory(sharing);
  const end = instantiate<CoreKernels>(code, trial).heapBase();
  const [now, then] = [memory, trial].map(({ buffer }) => new Uint8Array(buffer, 0, end));
  if (end !== kernels.heapBase() || !now!.every((byte, i) => byte === then![i]))
    throw new RangeError("its constants are not those of this version of gradine");
}

/** Grows the heap to hold `bytes`; false when the engine refuses. */
export function growMemory(bytes: number): boolean {
  const pages = Math.ceil(bytes / pageBytes) - memory.buffer.byteLength / pageBytes;
  if (pages <= 0) return true;
  try {
    memory.grow(pages);
    return true;
  } catch {
    return false;
  }
}

/** What one kernel call was: its name and its arguments. */
export type KernelCall = readonly [kernel: string, ...args: number[]];

/**
 * Runs `fn` and lists the kernel calls it made: the test of the promise that two steps of a training issue the same
 * calls, and a profile by name.
 */
export function traceKernels(fn: () => void): KernelCall[] {
  const calls: KernelCall[] = [];
  const untraced = new Map<object, object>();
  const trace = <K>(table: K): K => {
    const traced: Record<string, unknown> = {};
    for (const [name, kernel] of Object.entries(table as Record<string, (...args: number[]) => number>)) {
      traced[name] = (...args: number[]) => {
        calls.push([name, ...args]);
        return kernel(...args);
      };
    }
    untraced.set(traced, table as object);
    return traced as K;
  };
  const [table, before] = [kernels, wrap];
  kernels = trace(kernels);
  if (second !== undefined) second = trace(second);
  wrap = trace;
  try {
    fn();
  } finally {
    kernels = table;
    if (second !== undefined) second = untraced.get(second) as ExtraKernels;
    wrap = before;
  }
  return calls;
}
