// The one launch point: `kernels` is the table every call goes through, `memory` the heap the kernels work on.

import type { Kernels } from "./generated/kernels.js";
import { wasm } from "./generated/strict.js";
import { bytesFromText, instantiate } from "./instantiate.js";

const pageBytes = 65536;
const maxPages = 65536;

/** The kernel table; undefined until {@link startKernels}, which the allocator calls before the first block. */
export let kernels: Kernels;
/** The heap; grown by the allocator alone. */
export let memory: WebAssembly.Memory;

let given: WebAssembly.Module | undefined;

/** Uses this compiled module instead of the inlined bytes, where an engine forbids compiling (edge workers). */
export function useModule(module: object): void {
  given = module as WebAssembly.Module;
}

/** Compiles and instantiates synchronously; importing the package does none of this. */
export function startKernels(): void {
  memory = new WebAssembly.Memory({ initial: 16, maximum: maxPages });
  kernels = instantiate(given ?? bytesFromText(wasm), memory);
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
