// How each kernel's calls are cut: the table of all that can be. What is not here runs as it is: sums to a single value,
// writes to places that an index names, steps that depend on each other.
import type { Kernels } from "../generated/kernels.js";
import { attention, attentionGrad } from "./attention.js";
import { convolve } from "./convolve.js";
import { matmul } from "./matmul.js";
import { moments, normalizeGrad } from "./normalize.js";
import { optimizer } from "./optimizer.js";
import { draw, dropout } from "./random.js";
import { along, cutAlong, eachPart, type RuleOf } from "./rule.js";
import { broadcast, strided } from "./strided.js";

type Rules = { readonly [K in keyof Kernels]?: RuleOf<K> };

/** Nanoseconds an element of ops that move memory, of those that compute a polynomial, and of several passes. */
const short = 0.1;
const long = 0.8;
const passes = 1.5;

/** Elements of a cache line: no two threads write to one. */
const grain = 16;
const two = [4, 4];
const three = [4, 4, 4];

/** y = f(x) over n elements. */
const map = <K extends keyof Kernels>(kernel: K, ns: number) =>
  cutAlong<[x: number, y: number, n: number, ...parameters: number[]]>(kernel, 2, {
    work: (_x, _y, n) => n * ns,
    steps: () => two,
    grain,
  });

/** y = f(a, b) over n elements. */
const zip = <K extends keyof Kernels>(kernel: K, ns: number) =>
  cutAlong<[a: number, b: number, y: number, n: number, ...parameters: number[]]>(kernel, 3, {
    work: (_a, _b, _y, n) => n * ns,
    steps: () => three,
    grain,
  });

/** y[outer, inner] from x[outer, n, inner]. */
const reduction = (kernel: keyof Kernels, ns: number) =>
  cutAlong<[x: number, y: number, outer: number, n: number, inner: number, ...rest: number[]]>(kernel, 2, {
    work: (_x, _y, outer, n, inner) => outer * n * inner * ns,
    steps: (_x, _y, _outer, n, inner) => [4 * n * inner, 4 * inner],
  });

/** y[outer, n, inner] from x of the same shape, along n. */
const rows = (kernel: keyof Kernels, ns: number) =>
  cutAlong<[x: number, y: number, outer: number, n: number, inner: number]>(kernel, 2, {
    work: (_x, _y, outer, n, inner) => outer * n * inner * ns,
    steps: (_x, _y, _outer, n, inner) => [4 * n * inner, 4 * n * inner],
  });

/** The same with two operands. */
const rowsGrad = (kernel: keyof Kernels, ns: number) =>
  cutAlong<[gy: number, y: number, gx: number, outer: number, n: number, inner: number]>(kernel, 3, {
    work: (_gy, _y, _gx, outer, n, inner) => outer * n * inner * ns,
    steps: (_gy, _y, _gx, _outer, n, inner) => [4 * n * inner, 4 * n * inner, 4 * n * inner],
  });

const sumRows = reduction("sum", 0.06);

/** One sum of rows: its columns are divided, sixteen at a time as the kernel does. */
const sum: RuleOf<"sum"> = {
  work: sumRows.work,
  cut(team, args, parts) {
    const [x, y, outer, n, inner, scale] = args;
    if (outer !== 1) return sumRows.cut(team, args, parts);
    if (inner < 32) return undefined;
    eachPart(parts, inner, 16, (from, to) => {
      team.add("sumPart", [x + 4 * from, y + 4 * from, n, to - from, inner, scale]);
    });
    team.run();
    return 0;
  },
};

/** Where there is but one outer slice, the other rule. */
function either<K extends "gather" | "indexSelect">(outer: RuleOf<K>, inner: RuleOf<K>): RuleOf<K> {
  return { work: outer.work, cut: (team, args, parts) => (args[3] === 1 ? inner : outer).cut(team, args, parts) };
}

const gatherOuter = along("gather", 3, {
  work: (_x, _index, _y, outer, _n, m, inner) => outer * m * inner * 1.5,
  steps: (_x, _index, _y, _outer, n, m, inner) => [4 * n * inner, 4 * m * inner, 4 * m * inner],
  positions: (_x, _index, _y, _outer, _n, m, inner) => m * inner,
});
const gatherRows = along("gather", 5, {
  work: gatherOuter.work,
  steps: (_x, _index, _y, _outer, _n, _m, inner) => [0, 4 * inner, 4 * inner],
  positions: (_x, _index, _y, _outer, _n, _m, inner) => inner,
});

// All parts of an outer axis have the same indices, and so the same first bad one.
const selectOuter = along("indexSelect", 3, {
  work: (_x, _index, _y, outer, _n, m, inner) => outer * m * (5 + inner * 0.1),
  steps: (_x, _index, _y, _outer, n, m, inner) => [4 * n * inner, 0, 4 * m * inner],
  positions: () => 0,
});
const selectRows = along("indexSelect", 5, {
  work: selectOuter.work,
  steps: (_x, _index, _y, _outer, _n, _m, inner) => [0, 4, 4 * inner],
  positions: () => 1,
});

/** Steps of matrices of `widths` times `hidden` columns, and of the lengths behind them. */
function cell(hidden: number, widths: readonly number[]): number[] {
  return [...widths.map((width) => 4 * width * hidden), 4];
}

/** A table of functions of the kernels' names. */
const named = <K extends keyof Kernels, R>(names: readonly K[], make: (name: K) => R): { [N in K]: R } =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as { [N in K]: R };

export const rules: Rules = {
  // x, y, n
  ...named(
    [
      "abs",
      "ceil",
      "floor",
      "neg",
      "reciprocal",
      "relu",
      "round",
      "sign",
      "sqrt",
      "square",
      "binaryStep",
      "intToFloat",
    ],
    (name) => map(name, short),
  ),
  ...named(["clamp", "hardsigmoid", "hardswish", "leakyRelu", "rsqrt"], (name) => map(name, short)),
  ...named(["floatToBool", "floatToInt", "intToBool"], (name) => map(name, 0.5)),
  ...named(["exp", "log", "sigmoid", "tanh", "atan", "erf", "expm1", "log1p"], (name) => map(name, long)),
  ...named(["cos", "sin", "elu", "gelu", "geluTanh", "mish", "silu", "softplus"], (name) => map(name, passes)),
  // gy, y, gx, n
  ...named(
    ["reluGrad", "sigmoidGrad", "tanhGrad", "clampGrad", "hardsigmoidGrad", "hardswishGrad", "hardtanhGrad"],
    (name) => zip(name, short),
  ),
  ...named(["leakyReluGrad", "equalMask"], (name) => zip(name, short)),
  ...named(["eluGrad", "geluGrad", "geluTanhGrad", "mishGrad", "siluGrad", "softplusGrad"], (name) =>
    zip(name, passes),
  ),
  fill: along("fill", 2, { work: (_y, _value, n) => n * 0.06, steps: () => [4], grain }),
  fillInt: along("fillInt", 2, { work: (_y, _value, n) => n * 0.06, steps: () => [4], grain }),
  ...named(["add", "sub", "mul", "div"], (name) => broadcast(name, 0, 0.13)),
  combine: broadcast("combine", 1, 0.4),
  copyStrided: strided("copyStrided", 0.25),
  addStrided: strided("addStrided", 0.25),

  ...named(["softmax", "logSoftmax"], (name) => rows(name, 1.2)),
  softmaxGrad: rowsGrad("softmaxGrad", 0.25),
  logSoftmaxGrad: rowsGrad("logSoftmaxGrad", 1),
  sum,
  ...named(["amax", "amin"], (name) => reduction(name, 0.1)),
  ...named(["argmax", "argmin"], (name) => reduction(name, 0.2)),
  scan: along("scan", 2, {
    work: (_x, _y, outer, n, inner) => outer * n * inner,
    steps: (_x, _y, _outer, n, inner, _what, _reverse, last) => [4 * n * inner, last ? 4 * inner : 4 * n * inner],
  }),
  sort: along("sort", 4, {
    work: (_x, _values, _indices, _scratch, outer, n, inner) => outer * n * inner * 20,
    steps: (_x, _values, _indices, _scratch, _outer, n, inner, k) => [4 * n * inner, 4 * k * inner, 4 * k * inner],
    scratch: [3, (team, _x, _values, _indices, _scratch, _outer, n) => team.kernels.sortScratch(n)],
  }),

  crossEntropy: along("crossEntropy", 5, {
    work: (_x, _target, _isFloat, _losses, _lse, count, classes) => count * (20 + classes),
    steps: (_x, _target, _isFloat, _losses, _lse, _rows, classes) => [4 * classes, 4, 0, 4, 4],
    positions: () => 1,
  }),
  crossEntropyGrad: along("crossEntropyGrad", 8, {
    work: (_x, _target, _isFloat, _lse, _g, _gStride, _scale, _gx, count, classes) => count * (20 + classes),
    steps: (_x, _target, _isFloat, _lse, _g, gStride, _scale, _gx, _rows, classes) => [
      4 * classes,
      4,
      0,
      4,
      4 * gStride,
      0,
      0,
      4 * classes,
    ],
  }),
  mseGrad: along("mseGrad", 5, { work: (_a, _b, _g, _scale, _ga, n) => n * 0.15, steps: () => [4, 4, 0, 0, 4], grain }),
  oneHot: along("oneHot", 3, {
    work: (_x, _isFloat, _y, n, classes) => n * (5 + classes * 0.06),
    steps: (_x, _isFloat, _y, _n, classes) => [4, 0, 4 * classes],
    positions: () => 1,
  }),
  gather: either(gatherOuter, gatherRows),
  indexSelect: either(selectOuter, selectRows),
  resample: along("resample", 4, {
    work: (_x, _index, _weight, _y, outer, _n, m, inner, taps) => outer * m * taps * (5 + inner * 0.25),
    steps: (_x, _index, _weight, _y, _outer, n, m, inner, _taps, adjoint) =>
      adjoint ? [4 * m * inner, 0, 0, 4 * n * inner] : [4 * n * inner, 0, 0, 4 * m * inner],
  }),
  maxPool: along("maxPool", 5, {
    work: (_x, _y, _i, _r, _c, planes, _h, _w, outHeight, outWidth, kernelHeight, kernelWidth) =>
      planes * outHeight * outWidth * kernelHeight * kernelWidth * 0.7,
    steps: (_x, _y, _i, _r, _c, _planes, height, width, outHeight, outWidth) => [
      4 * height * width,
      4 * outHeight * outWidth,
      4 * outHeight * outWidth,
    ],
  }),
  maxPoolPairs: along("maxPoolPairs", 3, {
    work: (_x, _y, _indices, planes, height, width) => planes * height * width * 0.2,
    steps: (_x, _y, _indices, _planes, height, width, outHeight, outWidth) => [
      4 * height * width,
      4 * outHeight * outWidth,
      4 * outHeight * outWidth,
    ],
  }),
  maxPoolPairsGrad: along("maxPoolPairsGrad", 3, {
    work: (_gy, _indices, _gx, planes, height, width) => planes * height * width * 0.2,
    steps: (_gy, _indices, _gx, _planes, height, width, outHeight, outWidth) => [
      4 * outHeight * outWidth,
      4 * outHeight * outWidth,
      4 * height * width,
    ],
  }),

  moments,
  normalize: along("normalize", 6, {
    work: (_x, _mean, _rstd, _w, _b, _y, N, C, _D, L) => N * C * L * 0.2,
    steps: (_x, _mean, _rstd, _w, _b, _y, _N, C, D, L, byBatch) => {
      const statistics = byBatch ? 0 : (4 * C) / D;
      return [4 * C * L, statistics, statistics, 0, 0, 4 * C * L];
    },
  }),
  normalizeGrad,

  // A row of the batch is one unit: four gates of `hidden` numbers for an LSTM, three for a GRU.
  lstmForward: along("lstmForward", 6, {
    work: (_gates, _cPrev, _hPrev, _c, _h, _lengths, batch, hidden) => batch * hidden * 5,
    steps: (_gates, _cPrev, _hPrev, _c, _h, _lengths, _batch, hidden) => cell(hidden, [4, 1, 1, 1, 1]),
  }),
  lstmBackward: along("lstmBackward", 8, {
    work: (_g, _cP, _c, _gy, _dh, _dc, _dg, _lengths, batch, hidden) => batch * hidden * 4,
    steps: (_g, _cP, _c, _gy, _dh, _dc, _dg, _lengths, _batch, hidden) => cell(hidden, [4, 1, 1, 1, 1, 1, 4]),
  }),
  gruForward: along("gruForward", 6, {
    work: (_gates, _inner, _hPrev, _h, _innerN, _lengths, batch, hidden) => batch * hidden * 4,
    steps: (_gates, _inner, _hPrev, _h, _innerN, _lengths, _batch, hidden) => cell(hidden, [3, 3, 1, 1, 1]),
  }),
  gruBackward: along("gruBackward", 8, {
    work: (_g, _iN, _hP, _gy, _dh, _dg, _di, _lengths, batch, hidden) => batch * hidden * 3,
    steps: (_g, _iN, _hP, _gy, _dh, _dg, _di, _lengths, _batch, hidden) => cell(hidden, [3, 1, 1, 1, 1, 3, 3]),
  }),
  rnnForward: along("rnnForward", 3, {
    work: (_h, _hPrev, _lengths, batch, hidden) => batch * hidden,
    steps: (_h, _hPrev, _lengths, _batch, hidden) => cell(hidden, [1, 1]),
  }),
  rnnBackward: along("rnnBackward", 5, {
    work: (_h, _gy, _dh, _dgates, _lengths, batch, hidden) => batch * hidden * 0.5,
    steps: (_h, _gy, _dh, _dgates, _lengths, _batch, hidden) => cell(hidden, [1, 1, 1, 1]),
  }),

  matmul,
  convolve,
  attention,
  attentionGrad,
  dropout,
  ...named(["uniform", "normal", "bernoulli", "randint"], (name) => draw(name)),
  adam: optimizer("adam", 0.6),
  sgd: optimizer("sgd", 0.2),
  optimize: optimizer("optimize", 1),
};
