// Each rule of the threads: the parts it makes, run in any order, leave the same memory as the whole call, bit for bit. No
// threads here; the calls run one after another on the debug build.
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { decode } from "../../src/kernels/decode.js";
import { wasm } from "../../src/kernels/generated/debug.js";
import type { Kernels } from "../../src/kernels/generated/kernels.js";
import { signatures } from "../../src/kernels/generated/signatures.js";
import { instantiate } from "../../src/kernels/instantiate.js";
import { convPlan } from "../../src/kernels/threads/convolve.js";
import { type AllKernels, cutAt, type Rule, type Team } from "../../src/kernels/threads/rule.js";
import { rules } from "../../src/kernels/threads/rules.js";
import { build } from "../build.js";
import { root } from "../source.js";
import { random } from "./harness.js";

const shared = build !== "strict";
const memory = new WebAssembly.Memory({ initial: 128, maximum: 65536, shared });
const code = shared ? new Uint8Array(readFileSync(`${root}src/kernels/generated/${build}-threads.wasm`)) : decode(wasm);
const kernels = instantiate(code, memory) as AllKernels;
const words = new Uint32Array(memory.buffer);
const floats = new Float32Array(memory.buffer);

const start = 65536;
const roomAt = 6 << 20;
let top = start;
let scratches: [from: number, to: number][] = [];
let draw = random(1);

/** An integer in [low, high]. */
const int = (low: number, high: number) => Math.floor(draw(low, high + 1));
const flag = () => int(0, 1);

function block(bytes: number): number {
  const at = top;
  top += Math.ceil(bytes / 64) * 64 + 64; // a gap that nothing may write to
  if (top > roomAt) throw new Error("a case is too large");
  return at;
}

/** n numbers, now and then a special one where `special`. */
function f(n: number, low = -3, high = 3, special = true): number {
  const at = block(4 * n);
  for (let i = 0; i < n; i++) {
    const odd = special && int(0, 99) === 0;
    floats[at / 4 + i] = odd ? [Number.NaN, Infinity, -Infinity, -0, 1e-40][int(0, 4)]! : draw(low, high);
  }
  return at;
}

/** n numbers without NaN and the like, greater than 0. */
const positive = (n: number) => f(n, 0.1, 3, false);

/** n integers in [low, high]. */
function ints(n: number, low: number, high: number): number {
  const at = block(4 * n);
  for (let i = 0; i < n; i++) words[at / 4 + i] = int(low, high);
  return at;
}

/** Memory whose contents mean nothing afterwards. */
function scratch(bytes: number): number {
  const at = block(bytes);
  scratches.push([at, at + bytes]);
  return at;
}

/** A generator whose counter is about to carry into its upper half. */
function generator(): number {
  const at = ints(8, 0, 2 ** 32 - 1);
  words[at / 4 + 2] = 2 ** 32 - int(1, 600);
  words[at / 4 + 3] = int(0, 1) ? 2 ** 32 - 1 : 7;
  return at;
}

const orNull = (make: () => number) => (flag() ? make() : 0);
const product = (sizes: number[]) => sizes.reduce((a, b) => a * b, 1);

const map = () => {
  const n = int(0, 90);
  const x = f(n);
  return [x, flag() ? x : f(n), n];
};
const twoOperands = () => {
  const n = int(0, 90);
  return [f(n), f(n), f(n), n];
};
/** For activations of several passes, whose result must not be an operand. */
const apart = () => {
  const n = int(0, 90);
  return [f(n), f(n), n];
};
const withScalars = (make: () => number[], ...scalars: (() => number)[]) => {
  return () => [...make(), ...scalars.map((scalar) => scalar())];
};
const three = () => [int(0, 9), int(1, 40), int(1, 3) === 1 ? int(2, 40) : 1] as const;
const reduction = () => {
  const [outer, n, inner] = three();
  return [f(outer * n * inner), f(outer * inner), outer, n, inner];
};
const sameShape = (operands: number) => () => {
  const [outer, n, inner] = three();
  return [...Array.from({ length: operands }, () => f(outer * n * inner)), outer, n, inner];
};

/** a, b, y, sizes and strides of a broadcast: axes where an operand is repeated have stride 0. */
const broadcast = () => {
  const sizes = [flag() ? 1 : int(1, 5), flag() ? 1 : int(1, 5), int(1, 3) === 1 ? 1 : int(1, 9), int(1, 80)];
  const strides = () => {
    const own: number[] = [];
    let step = 1;
    for (let axis = 3; axis >= 0; axis--) {
      const repeated = int(0, 3) === 0;
      own[axis] = repeated ? 0 : step;
      if (!repeated) step *= sizes[axis]!;
    }
    return own;
  };
  return [f(product(sizes)), f(product(sizes)), f(product(sizes)), ...sizes, ...strides(), ...strides()];
};

/** x and y permuted at will; y sometimes with overlapping elements. */
const strided = () => {
  const sizes = Array.from({ length: 4 }, () => (int(0, 2) === 0 ? 1 : int(1, 7)));
  if (flag()) sizes[int(0, 3)] = int(1, 60);
  const strides = () => {
    const order = [0, 1, 2, 3].sort(() => draw());
    const own: number[] = [];
    let step = 1;
    for (const axis of order) {
      own[axis] = int(0, 7) === 0 ? 1 : step;
      step *= sizes[axis]!;
    }
    return own;
  };
  return [f(product(sizes) * 4), f(product(sizes) * 4), ...sizes, ...strides(), ...strides()];
};

const matmul = () => {
  const size = () => [1, 2, 3, 5, 8, 17, 24, 33, 64, 70, 129][int(0, 10)]!;
  const [m, n, k] = [size(), size(), int(0, 3) === 0 ? 300 : size()];
  const [at, bt] = [flag(), flag()];
  const items = int(0, 2) === 0 ? int(2, 7) : 1;
  const [aStride, bStride] = [flag() ? m * k : 0, flag() ? k * n : 0];
  const work = scratch(kernels.matmulScratch(m, n, k, at, bt));
  const [a, b, y] = [f(items * m * k, -1, 1, false), f(items * k * n, -1, 1, false), f(items * m * n)];
  return [a, b, y, orNull(() => f(n)), work, items, m, n, k, aStride, bStride, at, bt, flag()];
};

/** A convolution; its plan is made through the rule that notes it. */
const convolve = () => {
  const op = int(0, 2);
  const batch = flag() ? 1 : int(2, 5);
  const groups = flag() ? 1 : int(2, 5);
  const [channels, filters] = [int(1, 5), flag() ? int(8, 20) : int(1, 5)];
  const kernel = [1, int(1, 3), int(1, 3)];
  const stride = [1, int(1, 2), int(1, 2)];
  const pad = kernel.map((size, axis) => (axis === 0 ? 0 : int(0, size - 1)));
  const input = [1, int(3, 9), flag() ? int(3, 9) : int(24, 30)];
  const output = input.map((size, axis) => Math.floor((size + 2 * pad[axis]! - kernel[axis]!) / stride[axis]!) + 1);
  const sizes = [batch, groups, channels, filters, ...input, ...output, ...kernel, ...stride, ...pad, 1, 1, 1];
  const plan = scratch(1 << 17);
  (convPlan as (kernel: unknown, ...args: number[]) => number)(kernels.convPlan, plan, op, ...sizes);
  const x = f(batch * groups * channels * product(input));
  const y = f(batch * groups * filters * product(output));
  const w = f(groups * filters * channels * product(kernel));
  const [a, b, to] = [
    [x, w, y],
    [y, w, x],
    [x, y, w],
  ][op] as [number, number, number];
  const bias = op === 2 ? 0 : orNull(() => f(groups * (op === 0 ? filters : channels)));
  return [plan, a, b, bias, to];
};

const attentionSizes = () => {
  const [batch, L, S, E, V] = [int(1, 9), int(1, 70), int(1, 20), int(1, 9), int(1, 9)];
  const kind = int(0, 2);
  const maskRepeat = int(1, 3);
  const maskCount = int(1, 4);
  const maskRows = flag();
  const mask =
    kind === 0 ? 0 : kind === 1 ? ints(maskCount * L * S, 0, 1) : f(maskCount * (maskRows ? L : 1) * S, -1, 1, false);
  const sizes = [batch, L, S, E, V, kind, maskRepeat, maskCount, maskRows, flag()];
  return { batch, L, S, E, V, mask, sizes };
};
const plain = (n: number) => f(n, -1, 1, false);
const saved = () => {
  const at = block(64);
  words.copyWithin(at / 4, generator() / 4, generator() / 4);
  scratches.push([at + 32, at + 64]);
  return at;
};
const attention = () => {
  const { batch, L, S, E, V, mask, sizes } = attentionSizes();
  const [q, k, v, y] = [plain(batch * L * E), plain(batch * S * E), plain(batch * S * V), f(batch * L * V)];
  const [state, kept] = flag() ? [generator(), saved()] : [0, 0];
  const work = scratch(kernels.attentionScratch(E, V));
  return [q, k, v, mask, y, f(batch * L), state, kept, work, ...sizes, 0.7, kept ? 0.3 : 0];
};
const attentionGrad = () => {
  const { batch, L, S, E, V, mask, sizes } = attentionSizes();
  const [q, k, v] = [batch * L * E, batch * S * E, batch * S * V] as const;
  const kept = orNull(saved);
  const operands = [plain(batch * L * V), plain(q), plain(k), plain(v), mask, plain(batch * L * V), plain(batch * L)];
  const work = scratch(kernels.attentionScratch(E, V));
  return [...operands, kept, f(q), f(k), f(v), work, ...sizes, 0.7, kept ? 0.3 : 0];
};

/** Records of an optimizer, some of them empty. */
const table = (scalars: boolean) => {
  const count = int(1, 6);
  const at = block(32 * count);
  for (let i = 0; i < count; i++) {
    const n = int(0, 4) === 0 ? 0 : int(1, 150);
    const scalar = scalars ? positive(1) : 0;
    words.set([f(n), f(n), positive(n), positive(n), positive(n), ints(1, 0, 5), n, scalar], at / 4 + 8 * i);
  }
  return [at, count];
};

const cell = (widths: readonly number[], ...last: (() => number)[]) => {
  return () => {
    const [batch, hidden, t] = [int(0, 9), int(1, 20), int(0, 3)];
    const operands = widths.map((width) => f(batch * width * hidden));
    return [...operands, orNull(() => ints(batch, 0, 4)), batch, hidden, t, ...last.map((make) => make())];
  };
};

const scalar = () => draw(0.2, 2);
const cases: Readonly<Record<string, () => number[]>> = {
  abs: map,
  ceil: map,
  floor: map,
  neg: map,
  reciprocal: map,
  relu: map,
  round: map,
  sign: map,
  sqrt: map,
  square: map,
  binaryStep: map,
  intToFloat: map,
  clamp: withScalars(map, () => -1, scalar),
  hardsigmoid: map,
  hardswish: map,
  leakyRelu: withScalars(map, scalar),
  rsqrt: map,
  floatToBool: map,
  floatToInt: map,
  intToBool: map,
  exp: map,
  log: map,
  sigmoid: map,
  tanh: map,
  atan: map,
  erf: map,
  expm1: map,
  log1p: map,
  cos: map,
  sin: map,
  elu: withScalars(apart, scalar, scalar),
  gelu: apart,
  geluTanh: apart,
  mish: apart,
  silu: apart,
  softplus: withScalars(apart, scalar, () => 2),
  reluGrad: twoOperands,
  sigmoidGrad: twoOperands,
  tanhGrad: twoOperands,
  clampGrad: withScalars(twoOperands, () => -1, scalar),
  hardsigmoidGrad: twoOperands,
  hardswishGrad: twoOperands,
  hardtanhGrad: withScalars(twoOperands, () => -1, scalar),
  leakyReluGrad: withScalars(twoOperands, scalar),
  equalMask: twoOperands,
  eluGrad: withScalars(twoOperands, scalar, scalar),
  geluGrad: twoOperands,
  geluTanhGrad: twoOperands,
  mishGrad: twoOperands,
  siluGrad: twoOperands,
  softplusGrad: withScalars(twoOperands, scalar, () => 2),
  fill: () => {
    const n = int(0, 90);
    return [f(n), draw(), n];
  },
  fillInt: () => {
    const n = int(0, 90);
    return [f(n), int(-9, 9), n];
  },
  add: broadcast,
  sub: broadcast,
  mul: broadcast,
  div: broadcast,
  combine: () => {
    const op = int(0, 24);
    const args = broadcast();
    const integers = (op >= 6 && op <= 20) || op > 22;
    if (integers)
      for (let at = args[0]! / 4; at < args[2]! / 4; at++) words[at] = op >= 15 && op < 21 ? flag() : int(-5, 9);
    return [op, ...args];
  },
  copyStrided: strided,
  addStrided: strided,
  softmax: sameShape(2),
  logSoftmax: sameShape(2),
  softmaxGrad: sameShape(3),
  logSoftmaxGrad: sameShape(3),
  sum: () => {
    if (flag()) return [...reduction(), scalar()];
    const [n, inner] = [int(1, 200), int(2, 90)];
    return [f(n * inner), f(inner), 1, n, inner, scalar()];
  },
  amax: reduction,
  amin: reduction,
  argmax: reduction,
  argmin: reduction,
  scan: () => {
    const [outer, n, inner] = three();
    return [f(outer * n * inner), f(outer * n * inner), outer, n, inner, int(0, 5), flag(), flag()];
  },
  sort: () => {
    const [outer, n, inner] = three();
    const k = int(0, n);
    const [values, indices] = [orNull(() => f(outer * k * inner)), orNull(() => f(outer * k * inner))];
    const work = scratch(kernels.sortScratch(n));
    return [f(outer * n * inner), values, indices, work, outer, n, inner, k, int(0, 3)];
  },
  crossEntropy: () => {
    const [rows, classes] = [int(0, 20), int(1, 12)];
    const target = ints(rows, 0, classes - 1);
    if (flag() && rows > 0) words[target / 4 + int(0, rows - 1)] = int(0, 1) ? classes : -100;
    return [f(rows * classes), target, 0, f(rows), f(rows), rows, classes, -100];
  },
  crossEntropyGrad: () => {
    const [rows, classes, gStride] = [int(0, 20), int(1, 12), flag()];
    const target = ints(rows, 0, classes - 1);
    if (rows > 0) words[target / 4] = -100;
    const operands = [f(rows * classes), target, 0, f(rows), f(gStride ? rows : 1), gStride, orNull(() => f(1))];
    return [...operands, f(rows * classes), rows, classes, -100];
  },
  mseGrad: () => {
    const n = int(0, 90);
    return [f(n), f(n), f(1), scalar(), f(n), n];
  },
  oneHot: () => {
    const [n, classes] = [int(0, 20), int(1, 9)];
    return [ints(n, 0, flag() ? classes : classes - 1), 0, f(n * classes), n, classes, 1];
  },
  gather: () => {
    const [outer, n, m, inner] = [flag() ? 1 : int(2, 5), int(1, 9), int(0, 20), int(1, 5)];
    const index = ints(outer * m * inner, 0, int(0, 3) === 0 ? n : n - 1);
    return [f(outer * n * inner), index, f(outer * m * inner), outer, n, m, inner];
  },
  indexSelect: () => {
    const [outer, n, m, inner] = [flag() ? 1 : int(2, 5), int(1, 9), int(0, 20), int(1, 5)];
    const index = ints(m, 0, int(0, 3) === 0 ? n : n - 1);
    return [f(outer * n * inner), index, f(outer * m * inner), outer, n, m, inner];
  },
  resample: () => {
    const [outer, n, m, inner, taps] = [int(0, 6), int(1, 9), int(1, 9), int(1, 6), int(1, 3)];
    const adjoint = flag();
    const [x, y] = adjoint ? [outer * m * inner, outer * n * inner] : [outer * n * inner, outer * m * inner];
    return [f(x), ints(m * taps, 0, n - 1), f(m * taps), f(y), outer, n, m, inner, taps, adjoint];
  },
  maxPool: () => {
    const [planes, height, width, kernel] = [int(0, 7), int(2, 6), int(2, 9), 2];
    const [outHeight, outWidth] = [height - 1, width - 1];
    const padded = (outWidth + 3) & ~3;
    const rows = block(4 * outHeight * kernel);
    const columns = block(4 * kernel * padded);
    for (let h = 0; h < outHeight; h++) words.set([h, h + 1], rows / 4 + 2 * h);
    for (let c = 0; c < kernel; c++) {
      for (let j = 0; j < padded; j++) words[columns / 4 + c * padded + j] = Math.min(j, outWidth - 1) + c;
    }
    const [x, y] = [planes * height * width, planes * outHeight * outWidth];
    const indices = orNull(() => f(y));
    return [f(x), f(y), indices, rows, columns, planes, height, width, outHeight, outWidth, kernel, kernel];
  },
  maxPoolPairs: () => {
    const [planes, height, width] = [int(0, 7), int(2, 7), int(8, 15)];
    const [outHeight, outWidth] = [height >> 1, width >> 1];
    const n = planes * outHeight * outWidth;
    return [f(planes * height * width), f(n), orNull(() => f(n)), planes, height, width, outHeight, outWidth];
  },
  maxPoolPairsGrad: () => {
    const [planes, height, width] = [int(0, 7), int(2, 7), int(8, 15)];
    const [outHeight, outWidth] = [height >> 1, width >> 1];
    const n = planes * outHeight * outWidth;
    return [
      f(n),
      ints(n, 0, height * width - 1),
      f(planes * height * width),
      planes,
      height,
      width,
      outHeight,
      outWidth,
    ];
  },
  moments: () => {
    const [C, L] = [int(1, 40), flag() ? 1 : int(1, 50)];
    const centered = flag();
    const N = centered ? int(1, 9) : 1;
    return [f(N * C * L), f(C), f(C), N, C, L, centered];
  },
  normalize: () => {
    const [N, D, L, byBatch] = [int(1, 9), int(1, 6), flag() ? 1 : int(1, 20), flag()];
    const C = D * int(1, 4);
    const n = N * C * L;
    const statistics = byBatch ? C : (N * C) / D;
    const [w, b] = [orNull(() => f(C)), orNull(() => f(C))];
    // Statistics are given, means of squares, or moments.
    const own = byBatch ? 0 : int(0, 2);
    return [f(n), f(statistics), positive(statistics), w, b, f(n), N, C, byBatch ? 1 : D, L, byBatch, own, 1e-5];
  },
  normalizeGrad: () => {
    const [N, L, byBatch] = [int(1, 90), flag() ? 1 : int(1, 20), flag()];
    const C = int(1, 40);
    const D = byBatch ? 1 : C;
    const n = N * C * L;
    const statistics = byBatch ? C : (N * C) / D;
    const operands = [f(n), f(n), f(statistics), positive(statistics), orNull(() => f(C))];
    return [...operands, f(n), f(C), f(C), N, C, D, L, byBatch, int(0, 2)];
  },
  lstmForward: cell([4, 1, 1, 1, 1]),
  lstmBackward: cell([4, 1, 1, 1, 1, 1, 4]),
  gruForward: cell([3, 3, 1, 1, 1]),
  gruBackward: cell([3, 1, 1, 1, 1, 3, 3]),
  rnnForward: cell([1, 1], flag),
  rnnBackward: cell([1, 1, 1, 1], flag),
  matmul,
  convolve,
  attention,
  attentionGrad,
  dropout: () => {
    const n = int(0, 3) * 2048 + int(0, 4099);
    const state = orNull(generator);
    const kept = block(64);
    scratches.push([kept + 32, kept + 64]);
    words.copyWithin(kept / 4, generator() / 4, top / 4);
    return [state, saved(), f(n), f(n), n, 0.3, 2, 0.1, 0.2];
  },
  uniform: () => [...randomArgs(), -1, 2],
  normal: () => [...randomArgs(), 1, 2],
  bernoulli: () => [...randomArgs(), 0.4],
  randint: () => [...randomArgs(), -3, 40],
  adam: () => [...table(false), 0.01, 0.9, 0.999, 1e-8, 0.1, flag(), flag(), flag()],
  sgd: () => [...table(false), 0.01, flag() ? 0.9 : 0, 0.1, 0.1, flag(), flag()],
  optimize: () => [...table(true), int(0, 7), 0.01, 0.5, 0.9, 0.1, 0.2, 1e-8, 0.01, flag()],
};

function randomArgs(): number[] {
  const n = int(0, 3) * 2048 + int(0, 4099);
  return [generator(), f(n), n];
}

/** Runs calls as threads would: through memory, in an order of their own. */
function team(threads: number): Team & { readonly jobs: number } {
  let calls: { kernel: keyof AllKernels; args: readonly number[] }[] = [];
  let results: number[] = [];
  let room = 0;
  let jobs = 0;
  return {
    kernels,
    get jobs() {
      return jobs;
    },
    parts: () => threads,
    add(kernel, args) {
      expect(args.length, `arguments of ${kernel}`).toBe(signatures[kernel]![1].length);
      return calls.push({ kernel, args: args.slice() }) - 1;
    },
    run() {
      expect(calls.length).toBeLessThanOrEqual(2 * threads);
      const order = calls.map((_, i) => i).sort(() => draw());
      results = [];
      for (const i of order) {
        const { kernel, args } = calls[i]!;
        results[i] = (kernels[kernel] as (...args: number[]) => number)(...args);
      }
      calls = [];
      jobs++;
    },
    result: (call) => results[call]!,
    room(bytes) {
      room = bytes;
      if (roomAt + room > memory.buffer.byteLength) throw new Error("a job wants too much room");
      words.fill(0xdeadbeef, roomAt / 4, (roomAt + room) / 4);
      return roomAt;
    },
    words: () => words,
  };
}

beforeEach(() => {
  top = start;
  scratches = [];
});

/** Memory from `start` on, without what is scratch; one NaN for all, since engines choose its sign and payload. */
function image(): Uint32Array {
  const copy = words.slice(start / 4, top / 4);
  const numbers = new Float32Array(copy.buffer);
  for (let i = 0; i < copy.length; i++) if (Number.isNaN(numbers[i])) copy[i] = 0x7fc00000;
  for (const [from, to] of scratches) copy.fill(0, (from - start) / 4, Math.ceil((to - start) / 4));
  return copy;
}

describe("parts of a call do what the whole does", () => {
  it.each(Object.keys(rules) as (keyof typeof rules)[])("%s", (kernel) => {
    draw = random(kernel.length * 1000 + kernel.charCodeAt(0));
    let cut = 0;
    // Products have many ways to be cut.
    const rounds = kernel === "convolve" || kernel === "matmul" ? 500 : 120;
    for (let round = 0; round < rounds; round++) {
      top = start;
      scratches = [];
      const args = cases[kernel]!();
      const before = words.slice(start / 4, top / 4);
      const result = (kernels[kernel] as (...args: number[]) => number | undefined)(...args);
      const expected = image();
      words.set(before, start / 4);
      const threads = 2 + (round % 4);
      const crew = team(threads);
      const rule = rules[kernel] as unknown as Rule<number[]>;
      expect(rule.work(...args)).toBeGreaterThanOrEqual(0);
      const answer = rule.cut(crew, args, threads);
      if (answer === undefined) {
        expect(crew.jobs).toBe(0);
        continue;
      }
      cut++;
      const told = `round ${round}: ${kernel}(${args.join(", ")}) in ${threads} parts`;
      expect(answer, told).toBe(result ?? 0);
      // Where an index is bad, the host throws and what was written is dropped.
      if (answer < 0 || result === undefined || kernel === "crossEntropy") {
        if ((result ?? -1) >= 0) continue;
        const actual = image();
        const at = actual.findIndex((word, i) => word !== expected[i]);
        if (at >= 0) {
          const address = start + 4 * at;
          expect.fail(`${told}: ${floats[address / 4]} at ${address}, not ${new Float32Array(expected.buffer)[at]}`);
        }
      }
    }
    expect(cut, "calls that were cut").toBeGreaterThan(10);
  });
});

describe("cutAt", () => {
  it("gives ranges that cover all units, none below the grain", () => {
    for (const count of [1, 5, 16, 17, 31, 32, 100]) {
      for (const grain of [1, 4, 16]) {
        for (const parts of [1, 2, 3, 5]) {
          const cuts = Array.from({ length: parts + 1 }, (_, i) => cutAt(i, parts, count, grain));
          expect(cuts[0]).toBe(0);
          expect(cuts[parts]).toBe(count);
          const sizes = cuts.slice(1).map((to, i) => to - cuts[i]!);
          expect(Math.min(...sizes)).toBeGreaterThanOrEqual(0);
          if (count >= grain) for (const size of sizes) expect(size === 0 || size >= grain).toBe(true);
        }
      }
    }
  });
});

it("every part is a kernel with a number", () => {
  const names = Object.keys(rules) as (keyof Kernels)[];
  for (const name of names) expect(signatures[name]).toBeDefined();
});
