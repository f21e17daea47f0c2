// Rows of extremes, remainders, powers and interpolation.
import { addcmul, lerp, maximum, minimum, pow, remainder, type Tensor } from "../../src/index.js";
import { map, zip, zipAll } from "../reference.js";
import type { Input, Row } from "./case.js";
import { type Binary, binaryRows, integerRows, patterns } from "./elementwise.js";
import { modulo, power } from "./special.js";

/** The patterns that differ in the kernel. */
const some = patterns.filter(([name]) =>
  ["same shape", "row", "column on the left", "scalar tensor", "inner axes", "six axes", "empty"].includes(name),
);
// Operands on two grids, so that no two are closer than 0.25 to a kink.
const left: Partial<Input> = { avoid: [-1.5, -0.5, 0.5, 1.5, 1.7], margin: 0.24 };
const right: Partial<Input> = { avoid: [-2, -1, 0, 1, 1.7, 2], margin: 0.24 };
const extremes: readonly Binary[] = [
  { op: "maximum", call: maximum, of: Math.max, left, right },
  { op: "minimum", call: minimum, of: Math.min, left, right },
];
const positive: Partial<Input> = { low: 0.3, high: 3 };
const powers: Binary = { op: "pow", call: pow, of: power, left: positive, right: { low: -2, high: 2.5 } };

/** x to a number, which the gradient treats apart. */
const toNumber = (exponent: number, input: Partial<Input> = {}): Row => ({
  op: "pow",
  name: `to ${exponent}`,
  inputs: [{ shape: [2, 7], ...input }],
  run: (x) => pow(x!, exponent),
  reference: (x) => map(x!, (v) => power(v, exponent)),
  elementwise: true,
});

const mixed = (op: string, call: (a: Tensor, b: Tensor) => Tensor, of: Binary["of"]): Row => ({
  op,
  name: "f32 and i32",
  inputs: [
    { shape: [2, 5], avoid: [-2, -1, 0, 1, 2], margin: 0.2 },
    { shape: [5], dtype: "i32", low: 1, high: 4 },
  ],
  run: (a, b) => call(a!, b!),
  reference: (a, b) => zip(a!, b!, of),
});

export const rows: readonly Row[] = [
  // "With itself" would be a tie everywhere: there the gradient is shared, and the sum of the shares is checked.
  ...extremes.flatMap((extreme) => binaryRows(extreme, some)),
  ...integerRows("maximum", maximum, Math.max),
  ...integerRows("minimum", minimum, Math.min),
  mixed("maximum", maximum, Math.max),
  ...binaryRows({ ...powers, tolerance: 1e-6 }, some).filter(({ name }) => name !== "with itself"),
  ...[0, 1, 2, 3, 4].map((exponent) => toNumber(exponent)),
  ...[-1, 0.5, -0.5, 2.5, -2].map((exponent) => toNumber(exponent, positive)),
  {
    op: "pow",
    name: "0 to a tensor",
    inputs: [{ shape: [2, 7], ...positive }],
    run: (x) => pow(0, x!),
    reference: (x) => map(x!, (v) => power(0, v)),
    elementwise: true,
  },
  {
    op: "pow",
    name: "at 0",
    inputs: [
      { shape: [4], values: [0, 0, 2, 3] },
      { shape: [4], values: [2, 3, 0, 2], constant: true },
    ],
    run: (x, e) => pow(x!, e!),
    reference: (x, e) => zip(x!, e!, power),
  },
  {
    op: "pow",
    name: "i32",
    inputs: [
      { shape: [3, 1], dtype: "i32", values: [-3, 1, 7] },
      { shape: [5], dtype: "i32", values: [0, 1, 2, 3, 7] },
    ],
    run: (x, e) => pow(x!, e!),
    reference: (x, e) => zip(x!, e!, power),
    tolerance: 0,
    gradient: "none",
  },
  {
    op: "pow",
    name: "i32 to negative i32",
    inputs: [
      { shape: [5, 1], dtype: "i32", values: [-2, -1, 0, 1, 2] },
      { shape: [2], dtype: "i32", values: [-3, -2] },
    ],
    run: (x, e) => pow(x!, e!),
    reference: (x, e) => zip(x!, e!, (v, k) => (Math.abs(v) === 1 ? v ** k : 0)), // PyTorch's, not mathematics'
    tolerance: 0,
    gradient: "none",
  },
  {
    op: "remainder",
    inputs: [
      { shape: [2, 5], values: [5.25, -5.25, 0.75, -0.75, 2.125, 9.125, -1.875, -2.25, 0.375, 6.5] },
      { shape: [2, 5], values: [2, 2, -1.5, 1.25, -0.875, 2.5, -1.25, 0.8125, 3, -4] },
    ],
    run: (a, b) => remainder(a!, b!),
    reference: (a, b) => zip(a!, b!, modulo),
    tolerance: 0,
  },
  {
    op: "remainder",
    name: "of quotients between 1 and 2",
    inputs: [
      { shape: [3, 4], low: 4.25, high: 4.75 },
      { shape: [3, 4], low: 2.5, high: 4 },
    ],
    run: (a, b) => remainder(a!, b!),
    reference: (a, b) => zip(a!, b!, modulo),
    tolerance: 0,
    elementwise: true,
  },
  {
    op: "remainder",
    name: "broadcast, by a number",
    inputs: [{ shape: [2, 1, 3], values: [5.25, -5.25, 0.75, -0.75, 2.125, 9.125] }],
    run: (a) => remainder(a!, -1.5),
    reference: (a) => map(a!, (v) => modulo(v, -1.5)),
    tolerance: 0,
    elementwise: true,
  },
  {
    op: "remainder",
    name: "of a number",
    inputs: [{ shape: [3], values: [1.5, -0.875, 3.25] }],
    run: (b) => remainder(5, b!),
    reference: (b) => map(b!, (v) => modulo(5, v)),
    tolerance: 0,
    elementwise: true,
  },
  {
    op: "remainder",
    name: "i32",
    inputs: [
      { shape: [6, 1], dtype: "i32", values: [7, -7, 0, 8, -16777215, 16777214] },
      { shape: [5], dtype: "i32", values: [3, -3, 1, -1, 16777213] },
    ],
    run: (a, b) => remainder(a!, b!),
    reference: (a, b) => map(zip(a!, b!, modulo), (v) => v + 0),
    tolerance: 0,
    gradient: "none",
  },
  ...[0.3, 0.5, 1, -0.7].map(
    (weight): Row => ({
      op: "lerp",
      name: `weight ${weight}`,
      inputs: [{ shape: [3, 4] }, { shape: [4] }],
      run: (a, b) => lerp(a!, b!, weight),
      reference: (a, b) => zip(a!, b!, (p, q) => p + weight * (q - p)),
    }),
  ),
  {
    op: "lerp",
    name: "tensor weight",
    inputs: [{ shape: [3, 4] }, { shape: [4] }, { shape: [3, 1], low: -1, high: 1.5, avoid: [-0.5, 0.5] }],
    run: (a, b, w) => lerp(a!, b!, w!),
    reference: (a, b, w) => zipAll([a!, b!, w!], (p, q, t) => p! + t! * (q! - p!)),
  },
  {
    op: "addcmul",
    inputs: [{ shape: [3, 4] }, { shape: [3, 1] }, { shape: [4] }],
    run: (x, a, b) => addcmul(x!, a!, b!),
    reference: (x, a, b) => zipAll([x!, a!, b!], (p, q, r) => p! + q! * r!),
  },
  {
    op: "addcmul",
    name: "value",
    inputs: [{ shape: [4] }, { shape: [2, 4] }, { shape: [4] }],
    run: (x, a, b) => addcmul(x!, a!, b!, { value: -0.5 }),
    reference: (x, a, b) => zipAll([x!, a!, b!], (p, q, r) => p! - 0.5 * q! * r!),
  },
];
