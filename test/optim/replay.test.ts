// Replays test/optim/replay.json: every optimizer and schedule on three problems, against PyTorch 1.13 in float64.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { crossEntropy, matmul, mseLoss, type Tensor, tensor } from "../../src/index.js";
import * as optim from "../../src/optim/index.js";
import { strongWolfe } from "../../src/optim/wolfe.js";
import { steps } from "../../src/tape/index.js";
import { strict } from "../build.js";

interface Flat {
  shape: number[];
  data: number[];
}
interface Trace {
  name: string;
  problem: string;
  options: Record<string, unknown>;
  losses: number[];
  rates: number[];
  momenta?: number[];
  params: Record<string, Flat[]>;
}
interface Saved {
  state: Record<string, Record<string, Flat | number>>;
  param_groups: Record<string, unknown>[];
  params: Flat[];
}

const golden = JSON.parse(readFileSync(new URL("./replay.json", import.meta.url), "utf8")) as {
  data: Record<string, Flat> & { labels: number[] };
  optimizers: Trace[];
  schedules: Trace[];
  resumed: (Trace & { saved: Saved })[];
  wolfe: { c: number[]; x: number; first: number; d: number; t: number; loss: number; count: number }[];
};
const { data } = golden;
const make = (x: Flat, requiresGrad = false): Tensor => tensor(x.data, { shape: x.shape, requiresGrad });
const constants = Object.fromEntries(["a", "b", "net_a"].map((name) => [name, make(data[name]!)]));
const labels = tensor(data.labels, { dtype: "i32" });

const problems: Record<string, { names: string[]; loss: (params: Tensor[]) => Tensor }> = {
  valley: {
    names: ["x", "y"],
    loss: ([x, y]) =>
      x!
        .neg()
        .add(1)
        .square()
        .sum()
        .add(y!.sub(x!.mul(x!)).square().sum().mul(3)),
  },
  lines: {
    names: ["w", "c"],
    loss: ([w, c]) => mseLoss(matmul(constants.a!, w!.transpose(0, 1)).add(c!), constants.b!),
  },
  net: {
    names: ["net_u", "net_c", "net_v"],
    loss: ([u, c, v]) => {
      const hidden = matmul(constants.net_a!, u!.transpose(0, 1)).add(c!).tanh();
      const penalty = u!.square().sum().add(v!.square().sum());
      return crossEntropy(matmul(hidden, v!.transpose(0, 1)), labels).add(penalty.mul(0.01));
    },
  },
};

interface AnyOptimizer {
  zeroGrad(): void;
  step(closure: () => Tensor): Tensor;
  paramGroups: { lr: number; momentum: number }[];
  loadStateDict(state: optim.OptimizerState): void;
}
type Constructors = Record<string, new (first: unknown, options: unknown) => unknown>;
const classes = optim as unknown as Constructors;
const optimizerOf = (name: string, params: Tensor[], options: object) =>
  new classes[name]!(params, options) as AnyOptimizer;

/** Greatest error of values, relative to 1 or the reference. */
const error = (got: ArrayLike<number>, want: readonly number[]): number =>
  want.reduce((top, w, i) => Math.max(top, Math.abs(got[i]! - w) / Math.max(1, Math.abs(w))), 0);

function replay(
  trace: Trace,
  optimizer: (params: Tensor[]) => AnyOptimizer,
  afterStep: (loss: number, optimizer: AnyOptimizer, step: number) => void = () => {},
  { from = 0, start }: { from?: number; start?: Flat[] } = {},
) {
  const { names, loss } = problems[trace.problem]!;
  const params = (start ?? names.map((name) => data[name]!)).map((x) => make(x, true));
  const opt = optimizer(params);
  const last = Math.max(...Object.keys(trace.params).map(Number));
  const losses: number[] = [];
  const errors: number[] = [];
  for (const i of steps(last - from)) {
    const step = from + i + 1;
    const value = opt.step(() => {
      opt.zeroGrad();
      const l = loss(params);
      l.backward();
      return l;
    });
    afterStep(value.item(), opt, step);
    if (step <= 25 || step % 25 === 0) losses.push(value.item());
    const wanted = trace.params[step];
    if (wanted) for (const [j, w] of wanted.entries()) errors.push(error(params[j]!.toTypedArray(), w.data));
  }
  expect(losses.length).toBe(trace.losses.length - from);
  return Math.max(error(losses, trace.losses.slice(from)), ...errors);
}

const titled = <T extends Trace>(traces: T[]): [string, T][] =>
  traces.map((t) => [`${t.name} on ${t.problem} ${JSON.stringify(t.options ?? {})}`, t]);

describe("optimizers", () => {
  test.each(titled(golden.optimizers))("%s", (_, trace) => {
    const worst = replay(trace, (params) => optimizerOf(trace.name, params, trace.options));
    if (process.env.SHOW_ERRORS) console.log(trace.name, trace.problem, worst.toExponential(1));
    // L-BFGS magnifies roundings most, those of the fast kernels another tenfold.
    expect(worst).toBeLessThan(trace.name === "LBFGS" ? (strict ? 1e-4 : 1e-3) : 1e-5);
  });
});

/** LambdaLR's function, and SequentialLR's parts, which JSON cannot hold. */
function scheduleOf(trace: Trace, optimizer: AnyOptimizer) {
  if (trace.name === "SequentialLR") {
    return new optim.SequentialLR(optimizer, {
      schedulers: [
        new optim.LinearLR(optimizer, { startFactor: 0.1, totalIters: 15 }),
        new optim.CosineAnnealingLR(optimizer, { tMax: 60, etaMin: 0.001 }),
        new optim.ExponentialLR(optimizer, { gamma: 0.97 }),
      ],
      milestones: [15, 75],
    });
  }
  const options = trace.name === "LambdaLR" ? { lrLambda: (t: number) => 1 / (1 + 0.05 * t) } : { ...trace.options };
  return new classes[trace.name]!(optimizer, options) as { step(value?: number): void };
}

describe("schedules", () => {
  test.each(titled(golden.schedules))("%s", (_, trace) => {
    let schedule: { step(value: number): void } | undefined;
    const worst = replay(
      trace,
      (params) => {
        const optimizer = optimizerOf("SGD", params, { lr: 0.02, momentum: 0.8 });
        schedule = scheduleOf(trace, optimizer) as { step(value: number): void };
        return optimizer;
      },
      (loss, { paramGroups: [group] }, step) => {
        expect(Math.abs(group!.lr - trace.rates[step - 1]!)).toBeLessThan(1e-10);
        if (trace.momenta) expect(Math.abs(group!.momentum - trace.momenta[step - 1]!)).toBeLessThan(1e-10);
        schedule!.step(loss);
      },
    );
    expect(worst).toBeLessThan(1e-5);
  });

  test("goes on from its state dict", () => {
    const build = () => {
      const optimizer = optimizerOf("SGD", [tensor([1], { requiresGrad: true })], { lr: 0.1, momentum: 0.9 });
      return new optim.OneCycleLR(optimizer, { maxLr: 0.3, totalSteps: 40 });
    };
    const a = build();
    for (let i = 0; i < 17; i++) a.step();
    const b = build();
    b.loadStateDict(JSON.parse(JSON.stringify(a.stateDict())) as optim.SchedulerState);
    for (let i = 0; i < 20; i++) {
      expect(b.getLastLr()).toEqual(a.getLastLr());
      expect(b.optimizer.paramGroups[0]!.momentum).toBe(a.optimizer.paramGroups[0]!.momentum);
      a.step();
      b.step();
    }
    for (let i = 0; i < 3; i++) a.step();
    expect(() => a.step()).toThrow("OneCycleLR: step 41 is beyond the 40 of the cycle");
  });
});

/** As PyTorch here, in float64: a slope rounded to f32 may turn a decision. */
const double = (value: number) => Float64Array.of(value) as unknown as Float32Array;

test.each(golden.wolfe.map((c) => [JSON.stringify(c), c] as const))(
  "line search %s",
  (_, { c, x, d, first, ...want }) => {
    const [c0, c1, c2, c3] = c as [number, number, number, number];
    const at = (length: number) => {
      const z = x + length * d;
      const slope = 2 * c0 * z + 4 * c1 * z ** 3 + c2 * c3 * Math.cos(c3 * z);
      return { loss: c0 * z * z + c1 * z ** 4 + c2 * Math.sin(c3 * z), gradient: double(slope) };
    };
    const start = at(0);
    const found = strongWolfe(at, first, { ...start, slope: start.gradient[0]! * d }, double(d));
    expect(Math.abs(found.length - want.t)).toBeLessThan(1e-6 * Math.max(1, want.t));
    expect(Math.abs(found.loss - want.loss)).toBeLessThan(1e-6);
    expect(found.evaluations).toBe(want.count);
  },
);

describe("state dicts of PyTorch", () => {
  test.each(titled(golden.resumed))("%s continues after 10 steps", (_, trace) => {
    const { saved } = trace;
    const state = Object.fromEntries(
      Object.entries(saved.state).map(([k, own]) => [
        k,
        Object.fromEntries(Object.entries(own).map(([n, v]) => [n, typeof v === "number" ? v : make(v)])),
      ]),
    );
    const worst = replay(
      trace,
      (params) => {
        const optimizer = optimizerOf(trace.name, params, {});
        optimizer.loadStateDict({ state, param_groups: saved.param_groups } as never);
        return optimizer;
      },
      undefined,
      { from: 10, start: saved.params },
    );
    expect(worst).toBeLessThan(1e-5);
  });
});
