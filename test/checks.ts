// What is checked of a row: its forward values, its gradients, what it leaves in memory, and what it refuses.
import { expect } from "vitest";
import { grad, memory, noGrad, scope, type Tensor, tensor } from "../src/index.js";
import type { Ref, Row } from "./cases/case.js";
import { handOver, isDifferentiated, randomFrom, seedOf, storedOf, tensorsOf, titleOf } from "./rows.js";

const listOf = <T>(x: T | readonly T[]): readonly T[] => (Array.isArray(x) ? (x as readonly T[]) : [x as T]);
export const runRow = (row: Row, inputs: readonly Tensor[]): readonly Tensor[] => listOf(row.run(...inputs));
export const referenceOf = (row: Row, refs: readonly Ref[]): readonly Ref[] => listOf(row.reference(...refs));

const largest = 3.4028234663852886e38;
/** Infinity as the largest number: a result may overflow where the reference just does not. */
const clamped = (x: number): number => Math.max(-largest, Math.min(largest, x));

/** Why `got` is not `want` within the tolerance (0: the same number rounded to f32, and the same zero), or undefined. */
export function mismatch(got: number, want: number, tolerance: number): string | undefined {
  const rounded = Math.fround(want);
  const good =
    Object.is(got, rounded) ||
    (tolerance > 0 && Math.abs(clamped(got) - clamped(rounded)) <= tolerance * Math.max(1, Math.abs(clamped(rounded))));
  return good
    ? undefined
    : `is ${Object.is(got, -0) ? "-0" : got}, the reference ${Object.is(rounded, -0) ? "-0" : rounded}`;
}

/** Compares the results of a row with its reference: shapes and every element. */
export function expectForward(row: Row, outputs: readonly Tensor[], references: readonly Ref[]): void {
  expect(outputs.length, "number of results").toBe(references.length);
  outputs.forEach((y, r) => {
    const want = references[r]!;
    expect([...y.shape], `shape of result ${r}`).toEqual([...want.shape]);
    const got = y.toTypedArray();
    for (let i = 0; i < got.length; i++) {
      const why = mismatch(got[i]!, want.data[i]!, row.tolerance ?? 1e-5);
      if (why !== undefined) throw new Error(`${row.op}: element ${i} of result ${r} [${y.shape}] ${why}`);
    }
  });
}

/** The forward pass, and that it leaves its inputs as they were. */
export function checkForward(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    const stored = storedOf(row, refs);
    const before = stored.map((x) => x.toTypedArray());
    expectForward(row, runRow(row, handOver(row, stored)), referenceOf(row, refs));
    for (let i = row.writes ?? 0; i < stored.length; i++) {
      expect(stored[i]!.toTypedArray(), `input ${i} after the op`).toEqual(before[i]);
    }
  });
}

const addScaled = (x: Ref, direction: Float64Array, step: number): Ref => ({
  shape: x.shape,
  data: x.data.map((value, i) => value + step * direction[i]!),
});

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** What the gradient checks of one row share: cotangents, directions, and differences of the float64 reference. */
class Differences {
  readonly eps: number;
  /** Inputs that are differentiated, and results that have a gradient, by position. */
  readonly inputs: readonly number[];
  readonly results: readonly number[];
  /** Cotangents of the results, and a direction for each input, in [-1, 1) and exact in f32. */
  readonly cotangents: readonly Float64Array[];
  readonly directions: readonly Float64Array[];
  private readonly row: Row;
  private readonly refs: readonly Ref[];
  private readonly random: () => number;

  constructor(row: Row, refs: readonly Ref[], results: readonly number[]) {
    this.row = row;
    this.refs = refs;
    this.eps = row.eps ?? 1e-3;
    this.random = randomFrom(seedOf(`${titleOf(row)} gradient`));
    this.inputs = row.inputs.map((_, i) => i).filter((i) => isDifferentiated(row.inputs[i]!));
    this.results = results;
    const outputs = referenceOf(row, refs);
    this.cotangents = results.map((r) => this.draw(outputs[r]!.data.length));
    this.directions = this.inputs.map((i) => this.draw(refs[i]!.data.length));
  }

  draw(n: number): Float64Array {
    return Float64Array.from({ length: n }, () => Math.fround(2 * this.random() - 1));
  }

  /** The results at inputs moved by `step` times a direction, and beside that by `steps2` times another. */
  private moved(moves: readonly (readonly [directions: readonly Float64Array[], step: number])[]): Float64Array[] {
    let refs = [...this.refs];
    for (const [directions, step] of moves) {
      refs = refs.map((x, i) => {
        const k = this.inputs.indexOf(i);
        return k < 0 ? x : addScaled(x, directions[k]!, step);
      });
    }
    const outputs = referenceOf(this.row, refs);
    return this.results.map((r) => outputs[r]!.data);
  }

  /** v · the results. */
  private weighed(moves: Parameters<Differences["moved"]>[0]): number {
    return this.moved(moves).reduce((sum, y, r) => sum + dot(y, this.cotangents[r]!), 0);
  }

  /** Derivative of v · f along `directions`. */
  first(directions: readonly Float64Array[]): number {
    return (this.weighed([[directions, this.eps]]) - this.weighed([[directions, -this.eps]])) / (2 * this.eps);
  }

  /** Derivative of (u · gradient of v · f) along `directions`, where u is `this.directions`. */
  second(directions: readonly Float64Array[]): number {
    const corner = (a: number, b: number) =>
      this.weighed([
        [this.directions, a * this.eps],
        [directions, b * this.eps],
      ]);
    return (corner(1, 1) - corner(-1, 1) - corner(1, -1) + corner(-1, -1)) / (4 * this.eps * this.eps);
  }

  /** Derivative of the results along u: the gradient of (u · gradient of v · f) by v. */
  tangents(): Float64Array[] {
    const above = this.moved([[this.directions, this.eps]]);
    const below = this.moved([[this.directions, -this.eps]]);
    return above.map((y, r) => y.map((value, i) => (value - below[r]![i]!) / (2 * this.eps)));
  }

  /** Directions along single elements: all of a small input, a few of a large one. */
  *elements(most: number): Generator<{ input: number; k: number; element: number; directions: Float64Array[] }> {
    for (let k = 0; k < this.inputs.length; k++) {
      const n = this.refs[this.inputs[k]!]!.data.length;
      for (let j = 0; j < Math.min(n, most); j++) {
        const element = n <= most ? j : Math.floor(this.random() * n);
        const directions = this.inputs.map((i) => new Float64Array(this.refs[i]!.data.length));
        directions[k]![element] = 1;
        yield { input: this.inputs[k]!, k, element, directions };
      }
    }
  }
}

function expectClose(got: number, want: number, tolerance: number, scale: number, what: string): void {
  if (Math.abs(got - want) <= tolerance * Math.max(1, scale)) return;
  throw new Error(`${what}: the gradient is ${got}, differences give ${want} (tolerance ${tolerance})`);
}

/** The values of gradients; zeros where an input takes no part. */
const valuesOfGradients = (gradients: readonly (Tensor | null)[], sizes: readonly number[]): Float64Array[] =>
  gradients.map((g, i) => (g === null ? new Float64Array(sizes[i]!) : Float64Array.from(g.toTypedArray())));

/** Compares gradients with differences: along a random direction (which all elements enter) and element by element. */
function compare(
  d: Differences,
  gradients: readonly Float64Array[],
  numeric: (directions: readonly Float64Array[]) => number,
  tolerance: number,
  most: number,
  what: string,
): void {
  const random = gradients.map((g) => d.draw(g.length));
  const along = gradients.reduce((sum, g, k) => sum + dot(g, random[k]!), 0);
  const size = Math.sqrt(gradients.reduce((sum, g) => sum + dot(g, g), 0));
  expectClose(along, numeric(random), tolerance, size, `${what} along a random direction`);
  for (const { input, k, element, directions } of d.elements(most)) {
    const want = numeric(directions);
    expectClose(
      gradients[k]![element]!,
      want,
      tolerance,
      Math.abs(want),
      `${what}, input ${input}, element ${element}`,
    );
  }
}

/** Which results carry gradients when the row's inputs require them. */
const differentiable = (outputs: readonly Tensor[]): number[] =>
  outputs.map((_, r) => r).filter((r) => outputs[r]!.requiresGrad);

const isLarge = (refs: readonly Ref[]): boolean => refs.reduce((n, x) => n + x.data.length, 0) > 1000;

/** The gradient of a plain walk. */
export function checkFirst(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    const inputs = tensorsOf(row, refs, true);
    const outputs = runRow(row, inputs);
    const results = differentiable(outputs);
    expect(results.length, "no result requires a gradient").toBeGreaterThan(0);
    const d = new Differences(row, refs, results);
    const leaves = d.inputs.map((i) => inputs[i]!);
    const gradOutputs = results.map((r, k) => tensor(d.cotangents[k]!, { shape: outputs[r]!.shape }));
    const roots = results.map((r) => outputs[r]!);
    const got = grad(roots, leaves, { gradOutputs, allowUnused: true });
    got.forEach((g, k) => {
      if (g !== null)
        expect([...g.shape], `shape of the gradient of input ${d.inputs[k]}`).toEqual([...leaves[k]!.shape]);
    });
    const gradients = valuesOfGradients(
      got,
      leaves.map((x) => x.numel),
    );
    const tolerance = row.gradientTolerance ?? 1e-4;
    compare(d, gradients, (u) => d.first(u), tolerance, isLarge(refs) ? 6 : 24, `${row.op} first`);
  });
}

/** The gradient of a recorded walk, and the gradients of u · that gradient by the inputs and by the cotangents. */
export function checkSecond(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    const inputs = tensorsOf(row, refs, true);
    const outputs = runRow(row, inputs);
    const results = differentiable(outputs);
    const d = new Differences(row, refs, results);
    const leaves = d.inputs.map((i) => inputs[i]!);
    const cotangents = results.map((r, k) =>
      tensor(d.cotangents[k]!, { shape: outputs[r]!.shape, requiresGrad: true }),
    );
    const roots = results.map((r) => outputs[r]!);
    const first = grad(roots, leaves, { gradOutputs: cotangents, createGraph: true, allowUnused: true });
    const sizes = leaves.map((x) => x.numel);
    const most = isLarge(refs) ? 4 : 12;
    const tolerance = row.gradientTolerance ?? 1e-4;
    compare(d, valuesOfGradients(first, sizes), (u) => d.first(u), tolerance, most, `${row.op} first, recorded`);

    // A gradient that requires none does not depend on the cotangent: it must be 0.
    const walked = first.map((g, k) => ({ g, k })).filter(({ g }) => g?.requiresGrad);
    let second: (Tensor | null)[] = [...leaves, ...cotangents].map(() => null);
    if (walked.length > 0) {
      const gradOutputs = walked.map(({ g, k }) => tensor(d.directions[k]!, { shape: g!.shape }));
      second = grad(
        walked.map(({ g }) => g!),
        [...leaves, ...cotangents],
        { gradOutputs, allowUnused: true },
      );
    }
    const bound = 10 * tolerance;
    const bySizes = [...sizes, ...cotangents.map((v) => v.numel)];
    const values = valuesOfGradients(second, bySizes);
    compare(d, values.slice(0, leaves.length), (u) => d.second(u), bound, most, `${row.op} second`);
    const tangents = d.tangents();
    values.slice(leaves.length).forEach((got, r) => {
      for (let i = 0; i < got.length; i++) {
        const want = tangents[r]![i]!;
        expectClose(got[i]!, want, bound, Math.abs(want), `${row.op} second, by cotangent ${r}, element ${i}`);
      }
    });
  });
}

/** An op that cannot be differentiated twice says so, by name, instead of giving a wrong number. */
export function checkRefusesSecond(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    const inputs = tensorsOf(row, refs, true);
    const leaves = inputs.filter((x) => x.requiresGrad);
    expect(() => {
      const outputs = runRow(row, inputs).filter((y) => y.requiresGrad);
      const gradOutputs = outputs.map((y) =>
        tensor(new Float32Array(y.numel).fill(0.5), { shape: y.shape, requiresGrad: true }),
      );
      const first = grad(outputs, leaves, { gradOutputs, createGraph: true, allowUnused: true });
      const roots = first.filter((g): g is Tensor => g?.requiresGrad ?? false);
      grad(roots, leaves, {
        gradOutputs: roots.map((g) => tensor(new Float32Array(g.numel).fill(1), { shape: g.shape })),
      });
    }).toThrow(new RegExp(`\\b${row.op}\\b`));
  });
}

const usage = (): string => {
  const { tensors, bytes } = memory();
  return `${tensors} tensors, ${bytes} bytes`;
};

/** Runs `step` in a bare loop, no scope around it, and expects the same usage after each of the later rounds. */
function expectConstant(what: string, step: () => void): void {
  const usages: string[] = [];
  for (let i = 0; i < 5; i++) {
    step();
    usages.push(usage());
  }
  // The first two rounds make lasting scratch memory and release what ran before.
  expect(usages.slice(2), `${what}: live memory after rounds 3 to 5`).toEqual(new Array(3).fill(usages[1]));
}

/** Gives back results that belong to their holder: those that no graph releases, and that are not inputs. */
function disposeHeld(outputs: readonly Tensor[], inputs: readonly Tensor[]): void {
  for (const y of outputs) if (!y.requiresGrad && !inputs.includes(y)) y.dispose();
}

/** Nothing stays behind: in a scope, in a bare loop without gradients, and in one with backward walks. */
export function checkMemory(row: Row, refs: readonly Ref[]): void {
  const held: Tensor[] = [];
  const hold = (list: readonly Tensor[]): readonly Tensor[] => {
    held.push(...list);
    return list;
  };
  try {
    const stored = hold(storedOf(row, refs));
    expectConstant("in a scope", () => {
      scope(() => {
        runRow(row, handOver(row, stored));
      });
    });
    expectConstant("without gradients", () => {
      const inputs = handOver(row, stored);
      disposeHeld(runRow(row, inputs), inputs);
      disposeHeld(inputs, stored);
    });
    if (row.gradient === "none") return;
    const all = row.inputs.map((input, i) => ({ input, i })).filter(({ input }) => isDifferentiated(input));
    // All inputs require gradients, and each alone: temporaries on the side that requires none must go too.
    const choices = [all.map(({ i }) => i), ...(all.length > 1 ? all.map(({ i }) => [i]) : [])];
    for (const chosen of choices) {
      const leaves = hold(storedOf(row, refs));
      for (const i of chosen) leaves[i]!.requiresGrad = true;
      const walk = (createGraph: boolean): void => {
        const inputs = handOver(row, leaves);
        const outputs = runRow(row, inputs);
        const roots = outputs.filter((y) => y.requiresGrad);
        const cotangents = roots.map((y) => tensor(new Float32Array(y.numel).fill(0.5), { shape: y.shape }));
        if (!createGraph) {
          if (roots.length === 1) roots[0]!.backward(cotangents[0]!);
          else {
            // One walk over all: results that share nothing but a leaf would not be consumed by each other's.
            const wanted = leaves.filter((x) => x.requiresGrad);
            for (const g of grad(roots, wanted, { gradOutputs: cotangents, allowUnused: true })) g?.dispose();
          }
        } else {
          const wanted = leaves.filter((x) => x.requiresGrad);
          const first = grad(roots, wanted, { gradOutputs: cotangents, createGraph: true, allowUnused: true });
          const again = first.filter((g): g is Tensor => g?.requiresGrad ?? false);
          // One walk over both, so that all is consumed: a result that its gradient does not depend on stays otherwise.
          const ends = [...again, ...roots];
          const ones = ends.map((y) => tensor(new Float32Array(y.numel).fill(1), { shape: y.shape }));
          const second = grad(ends, wanted, { gradOutputs: ones, allowUnused: true });
          for (const g of [...ones, ...second, ...first]) if (g !== null && !g.requiresGrad) g.dispose();
        }
        for (const v of cotangents) v.dispose();
        disposeHeld(outputs, inputs);
        disposeHeld(inputs, leaves);
        for (const x of leaves) x.grad = null;
      };
      expectConstant(`backward for inputs ${chosen}`, () => walk(false));
      if ((row.gradient ?? "second") === "second") expectConstant(`createGraph for inputs ${chosen}`, () => walk(true));
    }
  } finally {
    for (const x of held) x.dispose();
  }
}

/** Released inputs throw and change nothing; inputs written after the forward pass throw in backward or do not matter. */
export function checkStale(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    for (let i = 0; i < row.inputs.length; i++) {
      const inputs = tensorsOf(row, refs);
      if (inputs[i]!.numel === 1) continue; // one element never goes stale
      if (runRow(row, inputs).includes(inputs[i]!) && !row.writes) continue; // nothing to do, nothing read
      inputs[i]!.dispose();
      const before = usage();
      expect(() => runRow(row, inputs), `with input ${i} released`).toThrow(/released/);
      expect(usage(), `live memory after the error of input ${i}`).toBe(before);
    }
    if (row.gradient === "none") return;
    const walk = (changed: number): Float64Array[] | null => {
      const stored = storedOf(row, refs, true);
      const inputs = handOver(row, stored);
      const leaves = inputs.filter((x) => x.requiresGrad);
      const roots = runRow(row, inputs).filter((y) => y.requiresGrad);
      const gradOutputs = roots.map((y) => tensor(new Float32Array(y.numel).fill(0.5), { shape: y.shape }));
      if (changed >= 0) noGrad(() => stored[changed]!.fill(stored[changed]!.dtype === "f32" ? 7.25 : 0));
      try {
        return valuesOfGradients(
          grad(roots, leaves, { gradOutputs, allowUnused: true }),
          leaves.map((x) => x.numel),
        );
      } catch (error) {
        expect((error as Error).message).toMatch(/changed in place/);
        return null;
      }
    };
    const want = walk(-1);
    for (let i = 0; i < row.inputs.length; i++) {
      const got = walk(i);
      if (got !== null) expect(got, `gradients after input ${i} was written`).toEqual(want);
    }
  });
}

/** An in-place op makes the walk of a graph that saved the old values throw, and refuses tensors that are being recorded. */
export function checkWrite(row: Row, refs: readonly Ref[]): void {
  scope(() => {
    const inputs = tensorsOf(row, refs);
    const x = inputs[0]!;
    if (x.dtype !== "f32") return;
    x.requiresGrad = true;
    const y = x.square().sum();
    expect(() => runRow(row, inputs), "while recording").toThrow(new RegExp(`^${row.op}: .*in place`));
    noGrad(() => runRow(row, inputs));
    expect(() => y.backward(), "after the write").toThrow(/changed in place/);
  });
}
