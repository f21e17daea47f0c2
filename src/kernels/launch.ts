// The one launch point: `kernels` is the table every call goes through, `memory` the heap the kernels work on.

import type { Kernels } from "./generated/kernels.js";
import { wasm } from "./generated/strict.js";
import { bytesFromHex, instantiate } from "./instantiate.js";

const pageBytes = 65536;
const maxPages = 65536;

/** The kernel table; undefined until {@link startKernels}, which the allocator calls before the first block. */
export let kernels: Kernels;
/** The heap; grown by the allocator alone. */
export let memory: WebAssembly.Memory;

const newMemory = () => new WebAssembly.Memory({ initial: 16, maximum: maxPages });

/**
 * Instantiates synchronously the inlined strict build, or `module`; importing the package does none of this. When kernels
 * run already, the new ones take over their heap where it lies: the builds differ in code alone.
 */
export function startKernels(module?: WebAssembly.Module): void {
  const code = module ?? bytesFromHex(wasm);
  if (kernels !== undefined) checkConstants(code);
  const heap = memory ?? newMemory();
  const next = instantiate(code, heap);
  if (next.features === undefined) throw new RangeError("it has no kernels");
  kernels = next;
  memory = heap;
}

/**
 * Refuses a module whose constants, which lie below the tensors, are not those in place: a module of another version. Kernels
 * that were captured before (by a recorded graph) then go on to work as well.
 */
function checkConstants(code: WebAssembly.Module | Uint8Array<ArrayBuffer>): void {
  const trial = newMemory();
  const end = instantiate(code, trial).heapBase();
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
  const table = kernels;
  const traced: Record<string, unknown> = {};
  for (const [name, kernel] of Object.entries(table)) {
    traced[name] = (...args: number[]) => {
      calls.push([name, ...args]);
      return (kernel as (...args: number[]) => number)(...args);
    };
  }
  kernels = traced as unknown as Kernels;
  try {
    fn();
  } finally {
    kernels = table;
  }
  return calls;
}
