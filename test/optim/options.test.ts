// Options, errors, states and averages of the optimizers; their traces stand in traces.test.ts.
import { describe, expect, test } from "vitest";
import * as optim from "../../src/optim/index.js";
import { add, memory, steps, type Tensor, tensor, traceKernels } from "./support.js";

interface AnyOptimizer {
  zeroGrad(): void;
  step(closure: () => Tensor): Tensor;
  stateDict(): optim.OptimizerState;
  loadStateDict(state: optim.OptimizerState): void;
}
const all: [string, object][] = [
  ["SGD", { lr: 0.05, momentum: 0.5 }],
  ["Adam", { lr: 0.05, amsgrad: true }],
  ["AdamW", { lr: 0.05 }],
  ["Adagrad", { lr: 0.1 }],
  ["Adadelta", {}],
  ["RMSprop", { momentum: 0.5, centered: true }],
  ["Adamax", { lr: 0.05 }],
  ["NAdam", { lr: 0.05 }],
  ["RAdam", { lr: 0.05 }],
  ["Lion", { lr: 0.01 }],
  ["Rprop", {}],
  ["Muon", { lr: 0.05 }],
  ["LBFGS", { lr: 0.2, maxIter: 2 }],
];
const make = (name: string, params: unknown, options: object = {}): AnyOptimizer =>
  new (optim as unknown as Record<string, new (params: unknown, options: object) => AnyOptimizer>)[name]!(
    params,
    options,
  );
const start = [
  [1, -2, 0.5],
  [0.3, 0.7, -1],
];

const scale = tensor([1, 2, 3]);

/** Steps down (w − 1)²·(its column's number), summed. */
function descend(w: Tensor, optimizer: AnyOptimizer, count: number): number {
  let last = 0;
  for (const _ of steps(count)) {
    last = optimizer
      .step(() => {
        optimizer.zeroGrad();
        const loss = w.sub(1).square().mul(scale).sum();
        loss.backward();
        return loss;
      })
      .item();
  }
  return last;
}

describe.each(all)("%s", (name, options) => {
  test("descends, and goes on from its state dict with the same bits", () => {
    const w = tensor(start, { requiresGrad: true });
    const optimizer = make(name, [w], options);
    const first = descend(w, optimizer, 1);
    expect(descend(w, optimizer, 6)).toBeLessThan(first);
    const copy = tensor(w, { requiresGrad: true });
    const other = make(name, [copy]);
    other.loadStateDict(optimizer.stateDict());
    for (const [x, o] of [
      [w, optimizer],
      [copy, other],
    ] as const)
      descend(x, o, 5);
    expect(copy.toArray()).toEqual(w.toArray());
  });

  test("memory is constant, and steps issue the same calls", () => {
    const w = tensor(start, { requiresGrad: true });
    const optimizer = make(name, [w], options);
    descend(w, optimizer, 3);
    const before = memory().bytes;
    descend(w, optimizer, 20);
    expect(memory().bytes).toBe(before);
    if (name === "LBFGS") return; // decides by values
    const calls = [1, 2].map(() => traceKernels(() => descend(w, optimizer, 1)).map(([kernel]) => kernel));
    expect(calls[0]).toEqual(calls[1]);
  });

  test("refuses what it cannot use", () => {
    const w = tensor(start, { requiresGrad: true });
    const fails = (params: unknown, given: object, message: string) =>
      expect(() => make(name, params, given)).toThrow(`${name}: ${message}`);
    fails([], {}, "got no parameters");
    fails([w], { lr: Number.NaN }, "lr must be from 0 to Infinity: got NaN");
    fails([w], { lr: -1 }, "lr must be from 0 to Infinity: got -1");
    fails([w], { lr: 0 }, "lr must be above 0: got 0");
    fails([w], { learningRate: 1 }, 'unknown option "learningRate"');
    fails([w, w], {}, "parameter 1 is in two groups, or twice in one: tensor [2,3]");
    fails([{ params: [w] }, { params: [w] }], {}, "parameter 0 is in two groups");
  });
});

test("groups have options of their own", () => {
  const [a, b] = [tensor([1], { requiresGrad: true }), tensor([1], { requiresGrad: true })];
  const optimizer = new optim.Adagrad([{ params: [a] }, { params: [b], lr: 0.5 }], { lr: 0.1 });
  add(a.mul(3), b.mul(3)).sum().backward();
  optimizer.step();
  expect(a.item()).toBeCloseTo(0.9, 6);
  expect(b.item()).toBeCloseTo(0.5, 6);
});

test("maximize climbs", () => {
  for (const name of ["Adagrad", "Adadelta", "RMSprop", "Adamax", "NAdam", "RAdam", "Lion", "Rprop"]) {
    const [up, down] = [1, -1].map((sign) => {
      const w = tensor([0.5], { requiresGrad: true });
      const optimizer = make(name, [w], { maximize: sign === 1 });
      for (let i = 0; i < 4; i++) {
        optimizer.zeroGrad();
        w.mul(sign).sum().backward();
        (optimizer as unknown as { step(): void }).step();
      }
      return w.item();
    });
    expect(up).toBeGreaterThan(0.5);
    expect(up).toBe(down);
  }
});

test("maximize climbs: what takes matrices, and what takes a closure", () => {
  const ends = (name: string, options: object, sign: 1 | -1) => {
    const w = tensor(start, { requiresGrad: true });
    const optimizer = make(name, [w], { ...options, maximize: sign === -1 });
    let first: number | undefined;
    for (let i = 0; i < 4; i++) {
      const loss = optimizer.step(() => {
        optimizer.zeroGrad();
        const loss = w.sub(1).square().mul(scale).sum().mul(sign);
        loss.backward();
        return loss;
      });
      first ??= loss.item();
    }
    return { w: w.toArray(), first };
  };
  for (const [name, options] of [
    ["Muon", { lr: 0.05 }],
    ["LBFGS", { lr: 0.2, maxIter: 2 }],
    ["LBFGS", { maxIter: 4, lineSearchFn: "strongWolfe" }],
  ] as const) {
    const [down, up] = [ends(name, options, 1), ends(name, options, -1)];
    expect(up.w).toEqual(down.w);
    expect(up.first).toBe(-down.first!);
    expect(down.w).not.toEqual(start);
  }
});

test("Muon takes matrices alone, Rprop etas around 1, LBFGS a closure", () => {
  expect(() => new optim.Muon([tensor([1], { requiresGrad: true })])).toThrow(
    "Muon: takes matrices: got [1] (parameter 0)",
  );
  expect(() => new optim.Rprop([tensor([1])], { etas: [1.1, 1.2] })).toThrow("Rprop: etas must be below and above 1");
  expect(() => new optim.LBFGS([tensor([1])]).step()).toThrow("LBFGS: step() takes a closure");
});

describe("schedules refuse", () => {
  const optimizer = new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 0.1 });
  test.each<[string, object, string]>([
    ["StepLR", {}, "stepSize must be given"],
    ["StepLR", { stepSize: 0 }, "stepSize must be from 1"],
    ["StepLR", { stepSize: 2, gama: 1 }, 'unknown option "gama"'],
    ["ExponentialLR", { gamma: Number.NaN }, "gamma must be finite"],
    ["LinearLR", { startFactor: 0 }, "startFactor must be above 0"],
    ["OneCycleLR", { maxLr: 1 }, "give totalSteps, or epochs and stepsPerEpoch"],
    ["CyclicLR", { baseLr: 0.1, maxLr: 1, mode: "square" }, "mode must be"],
    ["ReduceLROnPlateau", { factor: 1 }, "factor must be between 0 and 1"],
    [
      "SequentialLR",
      { schedulers: [], milestones: [] },
      "there must be a milestone between two schedulers: got 0 for 0",
    ],
  ])("%s %j", (name, options, message) => {
    const classes = optim as unknown as Record<string, new (optimizer: unknown, options: object) => unknown>;
    expect(() => new classes[name]!(optimizer, options)).toThrow(`${name}: ${message}`);
    expect(() => new classes[name]!({}, options)).toThrow(`${name}: takes an optimizer`);
  });
});

describe("WeightAverage", () => {
  test("EMA and SWA", () => {
    const values = [1, 4, 2, 7];
    for (const decay of [0.8, undefined]) {
      const w = tensor([0, 0, 0, 0, 0]);
      const average = new optim.WeightAverage([w], decay === undefined ? {} : { decay });
      let want = 0;
      for (const [i, value] of values.entries()) {
        w.fill(value);
        average.update();
        want =
          i === 0 ? value : decay === undefined ? want + (value - want) / (i + 1) : decay * want + (1 - decay) * value;
      }
      average.swap();
      for (const v of w.toTypedArray()) expect(v).toBeCloseTo(want, 5);
      average.swap();
      expect(w.toArray()).toEqual([7, 7, 7, 7, 7]);
      const again = new optim.WeightAverage([w], decay === undefined ? {} : { decay });
      again.loadStateDict(average.stateDict());
      for (const one of [average, again]) one.update();
      expect(again.stateDict().averages[0]!.toArray()).toEqual(average.stateDict().averages[0]!.toArray());
    }
    expect(() => new optim.WeightAverage([], { decay: 2 })).toThrow("WeightAverage: decay must be from 0 to 1");
  });
});
