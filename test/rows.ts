// Rows made concrete: seeded values of the inputs, as tensors and as references. Tests and bench share it.
import { type Tensor, tensor, transpose } from "../src/index.js";
import type { Input, Ref, Row } from "./cases/case.js";
import { count, transpose as swapAxes } from "./reference.js";

/** Numbers in [0, 1): mulberry32. Independent of the library's own generator. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A seed from a text (FNV-1a), so that a row's values do not depend on the rows around it. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

export const titleOf = (row: Row): string =>
  `${row.op}${row.name ? ` ${row.name}` : ""} ${row.inputs.map((x) => `[${x.shape}]${x.transposed ? "ᵀ" : ""}`).join(" ")}`;

/** The values of an input: those given, or random ones that keep their distances; exact in f32. */
export function valuesOf(input: Input, random: () => number): Ref {
  const { shape, dtype = "f32", avoid = [], margin = 0.05 } = input;
  const n = count(shape);
  if (input.values !== undefined) {
    if (input.values.length !== n) throw new Error(`${input.values.length} values for shape [${shape}]`);
    return { shape, data: Float64Array.from(input.values) };
  }
  const { low = dtype === "f32" ? -2 : 0, high = dtype === "bool" ? 2 : 2 } = input;
  const data = new Float64Array(n);
  if (input.distinct) {
    // A shuffled grid over the range, so that neighbours are (high - low) / n apart.
    const step = (high - low) / Math.max(n, 1);
    if (step < margin && n > 1) throw new Error(`${n} distinct values do not fit [${low}, ${high}) ${margin} apart`);
    for (let i = 0; i < n; i++) data[i] = Math.fround(low + (i + 0.5) * step);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [data[i], data[j]] = [data[j]!, data[i]!];
    }
    return { shape, data };
  }
  for (let i = 0; i < n; i++) {
    let value: number;
    do value = low + (high - low) * random();
    while (avoid.some((point) => Math.abs(value - point) < margin));
    data[i] = dtype === "f32" ? Math.fround(value) : Math.floor(value);
  }
  return { shape, data };
}

/** The values of all inputs of a row. */
export function refsOf(row: Row, seed = 0): Ref[] {
  const random = randomFrom(seedOf(titleOf(row)) + seed);
  return row.inputs.map((input) => valuesOf(input, random));
}

/** Whether an input is differentiated. */
export const isDifferentiated = (input: Input): boolean => (input.dtype ?? "f32") === "f32" && !input.constant;

/** Tensors of these values, as they lie in memory; those that the row differentiates require gradients if asked. */
export function storedOf(row: Row, refs: readonly Ref[], requiresGrad = false): Tensor[] {
  return row.inputs.map((input, i) => {
    const stored = input.transposed ? swapAxes(refs[i]!, -1, -2) : refs[i]!;
    return tensor(stored.data, {
      shape: stored.shape,
      dtype: input.dtype ?? "f32",
      requiresGrad: requiresGrad && isDifferentiated(input),
    });
  });
}

/** What is handed to the op: the stored tensors, or lazy transposes of them. */
export const handOver = (row: Row, stored: readonly Tensor[]): Tensor[] =>
  stored.map((x, i) => (row.inputs[i]!.transposed ? transpose(x, -1, -2) : x));

/** Inputs of these values, ready to be handed over. */
export const tensorsOf = (row: Row, refs: readonly Ref[], requiresGrad = false): Tensor[] =>
  handOver(row, storedOf(row, refs, requiresGrad));
