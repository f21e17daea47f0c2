// Replays the cases that PyTorch computed (test/goldens/*.json; see the README there) through the public API.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as gradine from "../src/index.js";
import { grad, scope, Tensor, tensor } from "../src/index.js";

interface Packed {
  readonly shape: readonly number[];
  readonly dtype?: "i32" | "bool";
  /** What JSON cannot say is a string: "NaN", "Infinity", "-Infinity". */
  readonly data: readonly (number | string)[];
}

interface Case {
  readonly op: string;
  /** The call's arguments; `{ "$": i }` stands for input i, null for undefined. */
  readonly args: readonly unknown[];
  readonly inputs: readonly Packed[];
  readonly outputs: readonly Packed[];
  /** One for each result that has a gradient; gradients by the number of the input. */
  readonly cotangents?: readonly (readonly number[])[];
  readonly gradients?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly tolerance?: number;
}

/** Ops by name. */
const calls = new Map<string, unknown>(Object.entries(gradine));

const forwardTolerance = 2e-5;
const gradientTolerance = 1e-4;

const folder = new URL("goldens/", import.meta.url);
const families = readdirSync(folder)
  .filter((name) => name.endsWith(".json") && name !== "nn.json") // layers: test/nn/goldens.test.ts
  .map((name) => ({
    name: name.slice(0, -5),
    cases: (JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { cases: Case[] }).cases,
  }));

/** The arguments with tensors in place of their numbers; a trailing null is left out. */
function argsOf(args: unknown, inputs: readonly Tensor[]): unknown {
  if (args === null) return undefined;
  if (Array.isArray(args)) return args.map((item) => argsOf(item, inputs));
  if (typeof args !== "object") return args;
  const entries = Object.entries(args as object);
  if (entries.length === 1 && entries[0]![0] === "$") return inputs[entries[0]![1] as number];
  return Object.fromEntries(entries.map(([key, value]) => [key, argsOf(value, inputs)]));
}

/** The tensors of a result: itself, an array's, or an object's in the order of its fields. */
function tensorsIn(result: unknown): Tensor[] {
  if (result instanceof Tensor) return [result];
  return Object.values(result as object).flatMap(tensorsIn);
}

function expectValues(
  got: ArrayLike<number>,
  want: readonly (number | string)[],
  tolerance: number,
  what: string,
): void {
  expect(got.length, what).toBe(want.length);
  for (let i = 0; i < got.length; i++) {
    const reference = Number(want[i]);
    const close = Math.abs(got[i]! - reference) <= tolerance * Math.max(1, Math.abs(reference));
    if (!close && !Object.is(got[i], reference)) {
      throw new Error(`${what}, element ${i}: is ${got[i]}, PyTorch's is ${reference}`);
    }
  }
}

function replay(golden: Case): void {
  const inputs = golden.inputs.map((x, i) =>
    tensor(x.data.map(Number), {
      shape: x.shape,
      dtype: x.dtype ?? "f32",
      requiresGrad: golden.gradients?.[i] !== undefined,
    }),
  );
  const call = calls.get(golden.op) as (...args: unknown[]) => unknown;
  const outputs = tensorsIn(call(...(argsOf(golden.args, inputs) as unknown[])));
  expect(outputs.length, "number of results").toBe(golden.outputs.length);
  golden.outputs.forEach((want, r) => {
    expect([...outputs[r]!.shape], `shape of result ${r}`).toEqual(want.shape);
    expect(outputs[r]!.dtype, `dtype of result ${r}`).toBe(want.dtype ?? "f32");
    expectValues(outputs[r]!.toTypedArray(), want.data, golden.tolerance ?? forwardTolerance, `result ${r}`);
  });
  if (golden.gradients === undefined) return;
  const roots = outputs.filter((y) => y.requiresGrad);
  expect(roots.length, "results with a gradient").toBe(golden.cotangents!.length);
  const numbers = Object.keys(golden.gradients).map(Number);
  const gradients = grad(
    roots,
    numbers.map((i) => inputs[i]!),
    {
      gradOutputs: roots.map((y, r) => tensor([...golden.cotangents![r]!], { shape: y.shape })),
      allowUnused: true,
    },
  );
  numbers.forEach((i, k) => {
    const got = gradients[k]?.toTypedArray() ?? new Float32Array(inputs[i]!.numel);
    const bound = Math.max(golden.tolerance ?? 0, gradientTolerance);
    expectValues(got, golden.gradients![i]!, bound, `gradient of input ${i}`);
  });
}

describe.each(families)("$name as PyTorch computes it", ({ cases }) => {
  const seen = new Map<string, number>();
  for (const golden of cases) {
    const number = (seen.get(golden.op) ?? 0) + 1;
    seen.set(golden.op, number);
    const rest = golden.args.filter((arg) => typeof arg !== "object" || !arg || !("$" in arg));
    const shapes = golden.inputs.map((x) => `[${x.shape}]`).join(" ");
    test(`${golden.op} ${number}: ${shapes} ${rest.map((arg) => JSON.stringify(arg)).join(" ")}`, () => {
      scope(() => replay(golden));
    });
  }
});
