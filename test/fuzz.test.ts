// Random programs of 1 to 6 ops: values and gradients against float64, within a bound that is propagated through the
// program itself (see fuzz/program.ts: Noise). FUZZ_PROGRAMS=10000 runs more, FUZZ_SEED=n one alone.
import { describe, expect, test } from "vitest";
import { grad, scope, type Tensor, tensor } from "../src/index.js";
import { drawProgram, evaluate, isFloat, leavesOf, Noise, type Program, textOf } from "./fuzz/program.js";
import type { Ref } from "./reference.js";
import { randomFrom } from "./rows.js";

const only = process.env.FUZZ_SEED;
const programs = Number(process.env.FUZZ_PROGRAMS ?? 400);

/** Noise of two units in the last place, three draws of it; eight times what it does is the bound. */
const noiseSize = 2 ** -23;
const draws = 3;
const safety = 8;
/** Beside that: this much of max(1, |reference|). */
const floor = 2e-6;
/** Half the step of the differences (of float64), and how many single elements are checked beside one random direction. */
const eps = 1e-4;
const elements = 10;

/** Runs the program on tensors. */
function run(program: Program, requiresGrad: boolean): { leaves: Map<number, Tensor>; result: Tensor } {
  const leaves = new Map<number, Tensor>();
  const values: Tensor[] = [];
  program.nodes.forEach((node, i) => {
    if ("leaf" in node) {
      const dtype = node.dtype ?? "f32";
      const x = tensor(node.leaf.data, {
        shape: node.leaf.shape,
        dtype,
        requiresGrad: requiresGrad && dtype === "f32",
      });
      leaves.set(i, x);
      values.push(x);
    } else values.push(node.step.run(...node.operands.map((k) => values[k]!)));
  });
  return { leaves, result: values[values.length - 1]! };
}

function expectWithin(got: number, want: number, noisy: readonly number[], what: string): void {
  const spread = Math.max(...noisy.map((v) => Math.abs(v - want)));
  const bound = safety * spread + floor * Math.max(1, Math.abs(want));
  if (!(Math.abs(got - want) <= bound)) throw new Error(`${what} is ${got}, the reference ${want} (bound ${bound})`);
}

function checkProgram(program: Program): void {
  const none = new Map<number, Ref>();
  const random = randomFrom(program.seed + 1);
  const noises = Array.from({ length: draws }, (_, k) => new Noise(program.seed * draws + k, noiseSize));
  const { leaves, result } = run(program, true);

  const want = evaluate(program, none);
  const noisy = noises.map((noise) => evaluate(program, none, noise).data);
  expect([...result.shape]).toEqual([...want.shape]);
  const got = result.toTypedArray();
  got.forEach((value, i) => {
    expectWithin(
      value,
      want.data[i]!,
      noisy.map((y) => y[i]!),
      `element ${i}`,
    );
  });
  // The same bits a second time, without the tape.
  expect(run(program, false).result.toTypedArray(), "a second run").toEqual(got);

  const cotangent = Float64Array.from(got, () => Math.fround(2 * random() - 1));
  const floats = leavesOf(program).filter((i) => isFloat(program.nodes[i]!));
  const gradients = grad(
    result,
    floats.map((i) => leaves.get(i)!),
    { gradOutputs: tensor(cotangent, { shape: want.shape }), allowUnused: true },
  ).map((g, k) => g?.toTypedArray() ?? new Float32Array(leaves.get(floats[k]!)!.numel));

  /** Derivative of cotangent · result along a direction, given for each leaf. */
  const derivative = (directions: ReadonlyMap<number, Float64Array>, noise?: Noise): number => {
    const at = (step: number): number => {
      const moved = new Map<number, Ref>();
      for (const [i, direction] of directions) {
        const { leaf } = program.nodes[i] as { leaf: Ref };
        moved.set(i, { shape: leaf.shape, data: leaf.data.map((v, j) => v + step * direction[j]!) });
      }
      return evaluate(program, moved, noise).data.reduce((sum, v, j) => sum + v * cotangent[j]!, 0);
    };
    return (at(eps) - at(-eps)) / (2 * eps);
  };
  const check = (directions: ReadonlyMap<number, Float64Array>, what: string): void => {
    let along = 0;
    floats.forEach((i, k) => {
      directions.get(i)?.forEach((u, j) => {
        along += u * gradients[k]![j]!;
      });
    });
    const spread = noises.map((noise) => derivative(directions, noise));
    expectWithin(along, derivative(directions), spread, what);
  };
  check(
    new Map(floats.map((i, k) => [i, Float64Array.from(gradients[k]!, () => 2 * random() - 1)])),
    "the gradient along a random direction",
  );
  const single = floats.flatMap((i, k) => Array.from(gradients[k]!, (_, j) => [i, j] as const));
  for (let n = 0; n < Math.min(elements, single.length); n++) {
    const [i, j] = single.length <= elements ? single[n]! : single[Math.floor(random() * single.length)]!;
    const direction = new Float64Array(leaves.get(i)!.numel);
    direction[j] = 1;
    check(new Map([[i, direction]]), `the gradient of v${i}, element ${j},`);
  }
}

function checkSeed(seed: number): void {
  const program = drawProgram(seed);
  try {
    scope(() => checkProgram(program));
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${textOf(program)}`, { cause: error });
  }
}

describe("random programs", () => {
  if (only !== undefined) test(`seed ${only}`, () => checkSeed(Number(only)));
  else {
    const batch = 50;
    for (let from = 0; from < programs; from += batch) {
      test(`seeds ${from} to ${from + batch - 1}`, { timeout: 120_000 }, () => {
        for (let seed = from; seed < Math.min(from + batch, programs); seed++) checkSeed(seed);
      });
    }
  }

  test("every generator is drawn", () => {
    const drawn = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      for (const node of drawProgram(seed).nodes) if ("step" in node) drawn.add(node.step.text.split("(")[0]!);
    }
    expect(drawn.size, [...drawn].join(" ")).toBeGreaterThan(30);
  });
});
