// Rows of the activation functions.
import {
  binaryStep,
  elu,
  Generator,
  gelu,
  glu,
  gumbelSoftmax,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  leakyRelu,
  logSigmoid,
  maxout,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmin,
  softplus,
  softsign,
  tanh,
} from "../../src/index.js";
import { map, mul, reduce, reshape, softmax, take, zipAll } from "../reference.js";
import type { Row } from "./case.js";
import { unary } from "./elementwise.js";
import { erf } from "./special.js";

const within = (v: number, low: number, high: number): number => (v > high ? high : v < low ? low : v);
const expLinear = (v: number, alpha: number, scale: number): number => scale * (v > 0 ? v : alpha * Math.expm1(v));
const smooth = (v: number): number => (v > 20 ? v : Math.log1p(Math.exp(v)));
const wide = { low: -6, high: 6 };
const noZero = { ...wide, avoid: [0] };
const soft = 1e-6;
// One for all calls: its state stays in memory.
const generator = new Generator(3);

export const rows: readonly Row[] = [
  {
    op: "relu",
    inputs: [{ shape: [3, 5], avoid: [0] }],
    run: (x) => relu(x!),
    // What is not below 0 comes out as it is: NaN and -0 too, as in PyTorch.
    reference: (x) => map(x!, (v) => (v < 0 ? 0 : v)),
    tolerance: 0,
    elementwise: true,
  },
  {
    op: "sigmoid",
    inputs: [{ shape: [3, 5], low: -5, high: 5 }],
    run: (x) => sigmoid(x!),
    reference: (x) => map(x!, (v) => 1 / (1 + Math.exp(-v))),
    elementwise: true,
  },
  {
    op: "tanh",
    inputs: [{ shape: [3, 5], low: -5, high: 5 }],
    run: (x) => tanh(x!),
    reference: (x) => map(x!, Math.tanh),
    elementwise: true,
  },
  {
    op: "relu",
    name: "i32",
    inputs: [{ shape: [7], dtype: "i32", low: -5, high: 5 }],
    run: (x) => relu(x!),
    reference: (x) => map(x!, (v) => Math.max(v, 0)),
    tolerance: 0,
    gradient: "none",
  },
  {
    op: "sigmoid",
    name: "i32",
    inputs: [{ shape: [7], dtype: "i32", low: -5, high: 5 }],
    run: (x) => sigmoid(x!),
    reference: (x) => map(x!, (v) => 1 / (1 + Math.exp(-v))),
    gradient: "none",
  },
  { ...unary("identity", identity, (v) => v, {}, 0), gradient: "none", reason: "it gives its input" },
  unary("binaryStep", binaryStep, (v) => (Number.isNaN(v) ? v : Number(v >= 0)), noZero, 0),
  unary("relu6", relu6, (v) => within(v, 0, 6), { low: -3, high: 9, avoid: [0, 6] }, 0),
  unary("hardtanh", hardtanh, (v) => within(v, -1, 1), { avoid: [-1, 1] }, 0),
  unary(
    "hardtanh",
    (x) => hardtanh(x, { minVal: -0.5, maxVal: 1.5 }),
    (v) => within(v, -0.5, 1.5),
    { avoid: [-0.5, 1.5] },
    0,
  ),
  unary("leakyRelu", leakyRelu, (v) => (v > 0 ? v : v * 0.01), noZero, soft),
  unary(
    "leakyRelu",
    (x) => leakyRelu(x, { negativeSlope: 0.3 }),
    (v) => (v > 0 ? v : v * 0.3),
    noZero,
    soft,
  ),
  unary("elu", elu, (v) => expLinear(v, 1, 1), noZero, soft),
  unary(
    "elu",
    (x) => elu(x, { alpha: 0.6 }),
    (v) => expLinear(v, 0.6, 1),
    noZero,
    soft,
  ),
  unary("selu", selu, (v) => expLinear(v, 1.6732632423543772, 1.0507009873554805), noZero, soft),
  unary("softplus", softplus, smooth, wide, soft),
  unary(
    "softplus",
    (x) => softplus(x, { beta: 2.5, threshold: 4 }),
    (v) => (v * 2.5 > 4 ? v : Math.log1p(Math.exp(2.5 * v)) / 2.5),
    {
      low: -2,
      high: 4,
      avoid: [1.6],
    },
  ),
  unary("logSigmoid", logSigmoid, (v) => Math.min(v, 0) - Math.log1p(Math.exp(-Math.abs(v))), wide, soft),
  unary("softsign", softsign, (v) => v / (1 + Math.abs(v)), noZero, soft),
  unary("gelu", gelu, (v) => 0.5 * v * (1 + erf(v * Math.SQRT1_2)), wide, soft),
  unary(
    "gelu",
    (x) => gelu(x, { approximate: "tanh" }),
    (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
    wide,
    soft,
  ),
  unary("silu", silu, (v) => v / (1 + Math.exp(-v)), wide, soft),
  unary("mish", mish, (v) => v * Math.tanh(smooth(v)), wide, soft),
  unary("hardsigmoid", hardsigmoid, (v) => within(v + 3, 0, 6) / 6, { ...wide, avoid: [-3, 3] }, soft),
  unary("hardswish", hardswish, (v) => v * (within(v + 3, 0, 6) / 6), { ...wide, avoid: [-3, 3] }, soft),
  ...(
    [
      [[3, 4, 2], [4]],
      [[3, 4], [1]],
      [[5], []],
      [[2, 3], [3]],
      [[0, 3], [3]],
    ] as const
  ).map(
    ([shape, weight]): Row => ({
      op: "prelu",
      inputs: [{ shape, avoid: [0] }, { shape: weight }],
      run: (x, w) => prelu(x!, w!),
      reference: (x, w) => {
        const spread = w!.data.length === 1 ? [] : shape.map((size: number, i: number) => (i === 1 ? size : 1));
        return zipAll([x!, reshape(w!, spread)], (v, slope) => (v! > 0 ? v! : v! * slope!));
      },
    }),
  ),
  ...(
    [
      [[4], 0],
      [[3, 6], -1],
      [[2, 4, 3], 1],
    ] as const
  ).map(
    ([shape, dim]): Row => ({
      op: "glu",
      name: `dim ${dim}`,
      inputs: [{ shape }],
      run: (x) => glu(x!, dim),
      reference: (x) => {
        const half = shape.at(dim)! / 2;
        const positions = Array.from({ length: half }, (_, i) => i);
        const gate = map(
          take(
            x!,
            dim,
            positions.map((i) => i + half),
          ),
          (v) => 1 / (1 + Math.exp(-v)),
        );
        return mul(take(x!, dim, positions), gate);
      },
    }),
  ),
  {
    op: "maxout",
    inputs: [{ shape: [4, 6], distinct: true, low: -3, high: 3 }],
    run: (x) => maxout(x!, 3),
    reference: (x) => reduce(reshape(x!, [4, 2, 3]), 2, false, (values) => Math.max(...values)),
    tolerance: 0,
  },
  {
    op: "maxout",
    name: "dim 1",
    inputs: [{ shape: [2, 4, 3], distinct: true, low: -3, high: 3 }],
    run: (x) => maxout(x!, 2, { dim: 1 }),
    reference: (x) => reduce(reshape(x!, [2, 2, 2, 3]), 2, false, (values) => Math.max(...values)),
    tolerance: 0,
  },
  ...[0, -1].map(
    (dim): Row => ({
      op: "softmin",
      name: `dim ${dim}`,
      inputs: [{ shape: [3, 5] }],
      run: (x) => softmin(x!, dim),
      reference: (x) =>
        softmax(
          map(x!, (v) => -v),
          dim,
        ),
    }),
  ),
  {
    // Of draws that are certain: 60 stands against noise of at most 20.
    op: "gumbelSoftmax",
    name: "hard, certain",
    inputs: [{ shape: [3, 4], values: [60, 0, 0, 0, 0, 0, 0, 60, 0, 60, 0, 0] }],
    run: (x) => gumbelSoftmax(x!, { hard: true, generator }),
    reference: (x) => map(x!, (v) => v / 60),
    gradient: "none",
    reason: "the gradient is that of the soft draw, in test/ops/creation.test.ts",
  },
];
