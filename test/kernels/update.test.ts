// The optimizers' one kernel, and clipping: nothing is written beside the records, and an element's bits do not depend on
// its place. What the formulas give stands in test/optim/.
import { beforeEach, describe, expect, test } from "vitest";
import { block, check, floats, ints, kernels, random, readFloats, reset } from "./harness.js";

beforeEach(reset);

const draw = (n: number, seed: number): number[] => {
  const next = random(seed);
  return Array.from({ length: n }, () => next());
};

const rules: [string, number[]][] = [
  ["Adagrad", [0.01, 0, 0, 0]],
  ["Adadelta", [0.9, 0, 0, 0]],
  ["RMSprop", [0.9, 0, 1, 0.5]],
  ["Adamax", [0.9, 0.99, 0, 0]],
  ["NAdam", [0.9, 0.99, 0.004, 0]],
  ["RAdam", [0.9, 0.9, 0, 0]],
  ["Lion", [0.9, 0.99, 0, 0]],
  ["Rprop", [0.5, 1.2, 1e-6, 50]],
];

/** Three steps on these parameters; the state is 0 at first (Rprop: step sizes of 0.01). */
function run(rule: number, args: number[], values: number[], gradients: number[][]): number[] {
  const n = values.length;
  const [p, g] = [floats(values), block(4 * n)];
  const states = [0, 1, 2].map((i) => floats(Array(n).fill(rule === 7 && i === 1 ? 0.01 : 0)));
  const table = ints([p, g, ...states, ints([0]), n, floats([1])].map(Number));
  for (const gradient of gradients) {
    kernels.copyStrided(floats(gradient), g, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1);
    const [a, b, c, d] = args as [number, number, number, number];
    kernels.optimize(table, 1, rule, 0.05, a, b, c, d, 1e-6, 0.01, 0);
    check();
  }
  return [...readFloats(p, n)];
}

describe.each(rules)("%s", (_, args) => {
  const rule = rules.findIndex(([, own]) => own === args);
  test("lengths 0 to 17, each element as if alone", () => {
    for (let n = 0; n <= 17; n++) {
      const values = [...draw(n, n + 1)];
      const gradients = [1, 2, 3].map((i) => [...draw(n, 50 * i + n)]);
      const all = run(rule, args, values, gradients);
      const alone = values.flatMap((v, i) =>
        run(
          rule,
          args,
          [v],
          gradients.map((g) => [g[i]!]),
        ),
      );
      expect(all).toEqual(alone);
      if (n > 0) expect(all).not.toEqual(values);
      reset();
    }
  });

  test("a gradient of NaN stays in its place", () => {
    const result = run(
      rule,
      args,
      [1, 2, 3, 4, 5],
      [1, 2, 3].map(() => [0.1, Number.NaN, 0.2, 0.3, 0.1]),
    );
    expect(result.map((v) => Number.isNaN(v))).toEqual([false, rule !== 6 && rule !== 7, false, false, false]);
  });
});

test("denormal states become 0", () => {
  const p = floats([1]);
  const [v, u] = [floats([1e-38]), floats([1e-38])];
  const table = ints([p, floats([0]), v, u, v, ints([0]), 1, 0].map(Number));
  kernels.optimize(table, 1, 1, 1, 0.5, 0, 0, 0, 1e-6, 0, 0);
  kernels.optimize(table, 1, 1, 1, 0.5, 0, 0, 0, 1e-6, 0, 0);
  expect([...readFloats(v, 1), ...readFloats(u, 1)]).toEqual([0, 0]);
});

test("clipping writes only what it should", () => {
  for (let n = 0; n <= 17; n++) {
    const values = [...draw(2 * n, n + 7)];
    const [p, g, norm] = [floats(values), floats(values), floats([0])];
    const table = ints([p, g, 0, 0, 0, 0, 2 * n, n === 0 ? 0 : 2].map(Number));
    kernels.clipNorm(table, 1, norm, 2, 0.1);
    for (let rule = 0; rule <= 4; rule++) kernels.adjustRows(table, 1, rule, 0.5, 1e-3);
    check();
    reset();
  }
});
