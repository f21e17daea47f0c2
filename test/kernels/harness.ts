// Runs kernels of the debug build (asserts live; or of the one that GRADINE_BUILD says) on a memory of their own, between canaries: each block is followed
// and preceded by a guard, and `check()` tells whether a kernel wrote outside its operands.
import { readFileSync } from "node:fs";
import { wasm } from "../../src/kernels/generated/debug.js";
import { bytesFromHex, instantiate } from "../../src/kernels/instantiate.js";
import type { Ptr } from "../../src/kernels/ptr.js";
import { build } from "../build.js";
import { root } from "../source.js";

const guardBytes = 64;
const guardByte = 0xa5;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
const file = build === "strict" ? undefined : `${root}src/kernels/generated/${build}.wasm`;
/** The module under test. */
export const code = file === undefined ? bytesFromHex(wasm) : new Uint8Array(readFileSync(file));
/** Whether it checks what it is called with. */
export const asserts = file === undefined;
export const kernels = instantiate(code, memory);
const start = kernels.heapBase() + 1024;
let top = start;
let blocks: { at: number; bytes: number }[] = [];

/** Forgets all blocks; call before each case. */
export function reset(): void {
  top = start;
  blocks = [];
}

/** A block of `bytes` bytes between two guards; `misalign` bytes beyond a 16-byte boundary. */
export function block(bytes: number, misalign = 0): Ptr {
  const at = ((top + guardBytes + 15) & ~15) + misalign;
  const end = at + bytes + guardBytes;
  if (end > memory.buffer.byteLength) memory.grow(Math.ceil((end - memory.buffer.byteLength) / 65536));
  new Uint8Array(memory.buffer).fill(guardByte, at - guardBytes, end);
  blocks.push({ at, bytes });
  top = end;
  return at as unknown as Ptr;
}

/** A block that holds these f32 values. */
export function floats(values: ArrayLike<number>): Ptr {
  const ptr = block(values.length * 4);
  new Float32Array(memory.buffer, ptr as unknown as number, values.length).set(values);
  return ptr;
}

/** A block that holds these i32 values. */
export function ints(values: ArrayLike<number>): Ptr {
  const ptr = block(values.length * 4);
  new Int32Array(memory.buffer, ptr as unknown as number, values.length).set(values);
  return ptr;
}

export const readFloats = (ptr: Ptr, n: number): Float32Array =>
  new Float32Array(memory.buffer, ptr as unknown as number, n).slice();
export const readInts = (ptr: Ptr, n: number): Int32Array =>
  new Int32Array(memory.buffer, ptr as unknown as number, n).slice();

/** Throws when a guard was overwritten. */
export function check(): void {
  const bytes = new Uint8Array(memory.buffer);
  for (const { at, bytes: size } of blocks) {
    for (let i = 0; i < guardBytes; i++) {
      if (bytes[at - 1 - i] !== guardByte) throw new Error(`wrote ${i + 1} bytes before a block of ${size} bytes`);
      if (bytes[at + size + i] !== guardByte) throw new Error(`wrote ${i + 1} bytes after a block of ${size} bytes`);
    }
  }
}

/** Seeded values for tests (mulberry32): uniform in [lo, hi). */
export function random(seed: number): (lo?: number, hi?: number) => number {
  let state = seed >>> 0;
  return (lo = -1, hi = 1) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return lo + (((t ^ (t >>> 14)) >>> 0) / 4294967296) * (hi - lo);
  };
}
