// Layers against PyTorch (test/goldens/nn.py): its state dict loads, and gives its outputs, gradients and buffers.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { grad, scope, Tensor, tensor } from "../../src/index.js";
import * as nn from "../../src/nn/index.js";

type Values = readonly (number | string)[];
interface Packed {
  readonly shape: readonly number[];
  readonly dtype?: "f32" | "i32" | "bool";
  readonly data: Values;
}

interface Case {
  readonly layer: string;
  readonly args: readonly unknown[];
  /** A function of `nn` that is called with the layer, and its options. */
  readonly wrap?: readonly [string, object?];
  readonly train: boolean;
  readonly state: Readonly<Record<string, Packed>>;
  /** Arguments of `forward`; `{ "$": i }` stands for input i, null for undefined. */
  readonly given: readonly unknown[];
  readonly inputs: readonly Packed[];
  readonly outputs: readonly Packed[];
  readonly cotangents: readonly Values[];
  readonly gradients: Readonly<Record<string, Values>>;
  readonly parameters: Readonly<Record<string, Values>>;
  /** Buffers after a pass in training. */
  readonly after?: Readonly<Record<string, Values>>;
  readonly tolerance?: number;
}

const golden = JSON.parse(readFileSync(new URL("../goldens/nn.json", import.meta.url), "utf8")) as { cases: Case[] };
const cases = golden.cases.filter((entry) => entry.layer !== undefined);

const unpack = ({ data, shape, dtype = "f32" }: Packed, requiresGrad = false): Tensor =>
  tensor(data.map(Number), { shape, dtype, requiresGrad });

function fill(value: unknown, inputs: readonly Tensor[]): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item) => fill(item, inputs));
  if (typeof value !== "object") return value;
  const entries = Object.entries(value as object);
  if (entries.length === 1 && entries[0]![0] === "$") return inputs[entries[0]![1] as number];
  return Object.fromEntries(entries.map(([key, item]) => [key, fill(item, inputs)]));
}

const flat = (value: unknown): Tensor[] =>
  value instanceof Tensor ? [value] : Array.isArray(value) ? value.flatMap(flat) : [];

function close(what: string, got: Tensor, want: Values, tolerance: number): void {
  const values = got.toTypedArray();
  expect(values.length, what).toBe(want.length);
  const references = want.map(Number);
  // Relative to the largest of the tensor: sums of a thousand terms lose digits of their small results.
  const size = Math.max(1, ...references.map(Math.abs));
  references.forEach((reference, i) => {
    const same = Math.abs(values[i]! - reference) <= tolerance * size || Object.is(values[i], reference);
    if (!same && !(Number.isNaN(values[i]) && Number.isNaN(reference))) {
      throw new Error(`${what}, element ${i}: is ${values[i]}, PyTorch's is ${reference}`);
    }
  });
}

/** null in options stands for itself where the option may be null. */
const nullable = new Set(["momentum", "dim"]);
function options(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(options);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === null && !nullable.has(key) ? undefined : item]),
  );
}

function replay(golden: Case): void {
  const make = (nn as unknown as Record<string, new (...args: unknown[]) => nn.Module>)[golden.layer]!;
  const layer = new make(...golden.args.map(options));
  if (golden.wrap !== undefined) {
    const wrap = (nn as unknown as Record<string, (layer: nn.Module, options?: object) => void>)[golden.wrap[0]]!;
    wrap(layer, golden.wrap[1]);
  }
  expect(Object.keys(layer.stateDict()).sort()).toEqual(Object.keys(golden.state).sort());
  layer.loadStateDict(Object.fromEntries(Object.entries(golden.state).map(([name, packed]) => [name, unpack(packed)])));
  layer.train(golden.train);
  const tolerance = golden.tolerance ?? 1e-5;
  const inputs = golden.inputs.map((packed, i) => unpack(packed, golden.gradients[i] !== undefined));
  const given = golden.given.map((value) => fill(value, inputs));
  const outputs = flat((layer.forward as (...args: unknown[]) => unknown)(...given));
  expect(outputs.map((y) => y.shape)).toEqual(golden.outputs.map((y) => y.shape));
  outputs.forEach((y, i) => close(`output ${i}`, y, golden.outputs[i]!.data, tolerance));
  const parameters = new Map(layer.namedParameters());
  const targets = [
    ...Object.keys(golden.gradients).map((i) => inputs[Number(i)]!),
    ...Object.keys(golden.parameters).map((name) => parameters.get(name)!),
  ];
  if (targets.length > 0) {
    const gradOutputs = outputs.map((y, i) => tensor(golden.cotangents[i]!.map(Number), { shape: y.shape }));
    const live = outputs.map((y, i) => [y, gradOutputs[i]!] as const).filter(([y]) => y.requiresGrad);
    const gradients = grad(
      live.map(([y]) => y),
      targets,
      { gradOutputs: live.map(([, v]) => v), allowUnused: true },
    );
    const wanted = [...Object.entries(golden.gradients), ...Object.entries(golden.parameters)];
    wanted.forEach(([name, want], i) => {
      const gradient = gradients[i];
      if (gradient) close(`gradient of ${name}`, gradient, want, 5 * tolerance);
      else expect(want.every((value) => value === 0)).toBe(true);
    });
  }
  const buffers = new Map(layer.namedBuffers());
  for (const [name, want] of Object.entries(golden.after ?? {})) {
    close(`${name} after the pass`, buffers.get(name)!, want, tolerance);
  }
}

for (const name of [...new Set(cases.map((golden) => golden.layer))]) {
  describe(name, () => {
    const mine = cases.filter((golden) => golden.layer === name);
    test.each(mine.map((golden, i) => [`${i} ${JSON.stringify(golden.args)}`, golden] as const))("%s", (_, golden) =>
      scope(() => replay(golden)),
    );
  });
}
