// What all optimizers share: groups, state that belongs to its parameter, saving, errors that change nothing.
import { describe, expect, test } from "vitest";
import { manualSeed, memory, noGrad, randn, scope, steps, type Tensor, tensor, zeros } from "../../src/index.js";
import { Linear, Parameter, ReLU, Sequential } from "../../src/nn/index.js";
import { Adam, AdamW, type Optimizer, SGD } from "../../src/optim/index.js";

type Make = (params: never, options?: object) => Optimizer<{ lr: number }>;
const kinds: [string, Make][] = [
  ["SGD with momentum", (params, options) => new SGD(params, { lr: 0.125, momentum: 0.5, ...options }) as never],
  ["Adam", (params, options) => new Adam(params, { lr: 0.125, ...options }) as never],
  ["Adam with amsgrad", (params, options) => new Adam(params, { lr: 0.125, amsgrad: true, ...options }) as never],
  ["AdamW", (params, options) => new AdamW(params, { lr: 0.125, ...options }) as never],
];

const bits = (x: Tensor): number[] => [...new Int32Array(x.toTypedArray().buffer)];
const leaf = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

/** Sets gradients of its own: a different one each time it is called with another `seed`. */
function give(params: readonly Tensor[], seed: number): void {
  for (const [i, p] of params.entries()) {
    p.grad = tensor(
      Float32Array.from({ length: p.numel }, (_, k) => (((7 * seed + 3 * k + i) % 11) - 5) / 8),
      { shape: p.shape },
    );
  }
}

describe.each(kinds)("%s", (_, make) => {
  test("an element's steps do not depend on what else is trained: freeze, thaw, groups added later", () => {
    // `alone` gets exactly the updates that `p` gets beside others, which come, go and are frozen meanwhile.
    const [p, q, r] = [leaf([1, -2, 3]), leaf([0.5, 0.25]), leaf([4])];
    const alone = leaf([1, -2, 3]);
    const together = make([p, q] as never);
    const single = make([alone] as never);
    for (let step = 0; step < 12; step++) {
      together.zeroGrad();
      single.zeroGrad();
      if (step === 3) q.requiresGrad = false;
      if (step === 8) q.requiresGrad = true;
      if (step === 5) together.addParamGroup({ params: [r], lr: 0.5 });
      const frozen = step >= 6 && step < 9;
      if (!frozen) give([p], step);
      if (!frozen) give([alone], step);
      if (q.requiresGrad) give([q], step);
      if (step > 5) give([r], step);
      together.step();
      single.step();
    }
    expect(bits(p)).toEqual(bits(alone));
    expect(together.state.get(p)!.step!.item()).toBe(9);
    expect(together.state.get(q)!.step!.item()).toBe(7);
    expect(together.state.get(r)!.step!.item()).toBe(6);
  });

  test("a parameter frozen by requiresGrad is left alone, and goes on with its own moments", () => {
    manualSeed(0);
    const model = new Sequential(new Linear(3, 4), new ReLU(), new Linear(4, 1));
    const [first, last] = [model.layers[0]!, model.layers[2]!];
    const optimizer = make(model.parameters() as never);
    const x = randn([8, 3]);
    const step = () => {
      optimizer.zeroGrad();
      model.forward(x).square().mean().backward();
      optimizer.step();
    };
    step();
    first.requiresGrad(false);
    const frozen = first.parameters().map(bits);
    const moving = last.parameters().map(bits);
    step();
    step();
    expect(first.parameters().map(bits)).toEqual(frozen);
    expect(last.parameters().map(bits)).not.toEqual(moving);
    first.requiresGrad(true);
    step();
    expect(first.parameters().map(bits)).not.toEqual(frozen);
    const counts = model.parameters().map((p) => optimizer.state.get(p)!.step!.item());
    expect(counts).toEqual([2, 2, 4, 4]);
  });

  test("saved and loaded, it goes on with the same bits", () => {
    const params = [leaf([1, -2, 3, 0.5, 7]), leaf([0.5])];
    const optimizer = make([{ params: [params[0]] }, { params: [params[1]], lr: 0.25 }] as never);
    const run = (o: typeof optimizer, p: readonly Tensor[], from: number, to: number) => {
      for (let step = from; step < to; step++) {
        give(p, step);
        o.step();
      }
    };
    run(optimizer, params, 0, 7);
    // Through copies of the values and JSON for the rest, as a checkpoint does it.
    const saved = optimizer.stateDict();
    const copies = params.map((p) => tensor(p, { requiresGrad: true }));
    const resumed = make([{ params: [copies[0]] }, { params: [copies[1]] }] as never, { lr: 0.75 });
    resumed.loadStateDict(saved);
    expect(resumed.paramGroups.map((g) => g.lr)).toEqual([0.125, 0.25]);
    run(optimizer, params, 7, 20);
    run(resumed, copies, 7, 20);
    expect(copies.map(bits)).toEqual(params.map(bits));
    // Not shared with the saved one: the same steps again, from the same start.
    expect(resumed.state.get(copies[0]!)).not.toBe(optimizer.state.get(params[0]!));
  });

  test("takes its own state back", () => {
    const [p, q] = [leaf([1, -2, 3]), leaf([1, -2, 3])];
    const [a, b] = [make([p] as never), make([q] as never)];
    for (let step = 0; step < 10; step++) {
      give([p, q], step);
      q.grad = tensor(p.grad!);
      if (step === 5) a.loadStateDict(a.stateDict());
      a.step();
      b.step();
    }
    expect(bits(p)).toEqual(bits(q));
  });

  test("state made in a loop's iteration, in a scope or in noGrad stays", () => {
    const [p, q] = [leaf([1, -2, 3]), leaf([1, -2, 3])];
    const [inside, outside] = [make([p] as never), make([q] as never)];
    for (const step of steps(4)) {
      give([p], step);
      if (step % 2 === 0) scope(() => inside.step());
      else noGrad(() => inside.step());
    }
    for (let step = 0; step < 4; step++) {
      give([q], step);
      outside.step();
    }
    expect(bits(p)).toEqual(bits(q));
  });

  test("an error in loadStateDict changes nothing", () => {
    const [p, q] = [leaf([1, -2, 3]), leaf([4, 5])];
    const optimizer = make([{ params: [p] }, { params: [q], lr: 0.5 }] as never);
    give([p, q], 1);
    optimizer.step();
    const good = optimizer.stateDict();
    const states = () =>
      [p, q].map((x) => Object.entries(optimizer.state.get(x)!).map(([name, t]) => [name, t.toArray()]));
    const before = JSON.stringify([states(), optimizer.paramGroups.map(({ params: _p, ...o }) => o)]);
    const name = Object.keys(good.state[1]!).find((key) => key !== "step")!;
    const bad = (own: object) => ({ ...good, state: { ...good.state, 1: { ...good.state[1], ...own } } });
    const released = zeros([2]);
    released.dispose();
    const attempts: [unknown, RegExp][] = [
      [undefined, /loadStateDict: takes what stateDict\(\) gave: got undefined/],
      [{}, /loadStateDict: takes what stateDict\(\) gave/],
      [{ state: {}, paramGroups: [{ lr: 1 }] }, /loadStateDict: takes what stateDict\(\) gave/],
      [{ ...good, paramGroups: good.paramGroups.slice(1) }, /groups differ: saved \[1\] .*here \[1,1\]/],
      [bad({ [name]: zeros([3]) }), new RegExp(`${name} of parameter 1 must be .*\\[2\\].*got f32 \\[3\\]`)],
      [bad({ [name]: zeros([2], { dtype: "i32" }) }), /must be .*f32.*got i32 \[2\]/],
      [bad({ [name]: [0, 0] }), /got \[0,0\]/],
      [bad({ [name]: released }), /released/],
      [bad({ step: -1 }), /step of parameter 1 .*got -1/],
      [bad({ step: 1.5 }), /step of parameter 1 .*got 1.5/],
      [bad({ step: "3" }), /step of parameter 1 .*got "3"/],
      [bad({ mystery: zeros([2]) }), /unknown.*"mystery"/],
      [{ ...good, state: { ...good.state, 7: {} } }, /no parameter 7/],
      [
        { ...good, paramGroups: [{ ...good.paramGroups[0]!, lr: Number.NaN }, good.paramGroups[1]] },
        /lr must be .*NaN/,
      ],
      [
        { ...good, paramGroups: [good.paramGroups[0], { ...good.paramGroups[1]!, speed: 1 }] },
        /unknown option "speed"/,
      ],
    ];
    const bytes = memory().bytes;
    for (const [state, message] of attempts) {
      expect(() => optimizer.loadStateDict(state as never), String(message)).toThrow(message);
      expect(JSON.stringify([states(), optimizer.paramGroups.map(({ params: _p, ...o }) => o)])).toBe(before);
    }
    // `attempts` itself made tensors; the calls made none.
    expect(memory().bytes).toBe(bytes);
    optimizer.loadStateDict(good);
    expect(JSON.stringify([states(), optimizer.paramGroups.map(({ params: _p, ...o }) => o)])).toBe(before);
  });

  test("options may change between steps", () => {
    const p = leaf([1, -2, 3]);
    const optimizer = make([p] as never);
    give([p], 1);
    optimizer.paramGroups[0]!.lr = 0;
    const before = bits(p);
    optimizer.step();
    expect(bits(p)).toEqual(before);
    optimizer.paramGroups[0]!.lr = Number.NaN;
    expect(() => optimizer.step()).toThrow(/lr must be .*NaN/);
    expect(bits(p)).toEqual(before);
    expect(optimizer.state.get(p)!.step!.item()).toBe(1);
  });

  test.each([Number.NaN, -1, Number.POSITIVE_INFINITY, "0.1", null])("refuses lr = %j", (lr) => {
    const p = leaf([1]);
    expect(() => make([p] as never, { lr })).toThrow(/: lr must be/);
    expect(() => make([{ params: [p], lr }] as never)).toThrow(/: lr must be/);
    const optimizer = make([p] as never);
    expect(() => optimizer.addParamGroup({ params: [leaf([2])], lr: lr as never })).toThrow(/: lr must be/);
    expect(optimizer.paramGroups.length).toBe(1);
  });

  test("refuses what it cannot train, naming it", () => {
    const p = leaf([1, 2]);
    const result = p.mul(2);
    const released = zeros([3]);
    released.dispose();
    const attempts: [unknown, RegExp][] = [
      [[], /got no parameters/],
      [[{ params: [] }], /a group without parameters/],
      [undefined, /takes tensors or groups in an array: got undefined/],
      [p, /takes .*got a Tensor/],
      [[p, 3], /got 3/],
      [[p, { params: [leaf([1])] }], /must be tensors: got a Object \(parameter 1\)/],
      [[["weight", p]], /takes tensors, or groups .*got undefined/],
      [[null], /takes tensors, or groups .*got undefined/],
      [[p, p], /parameter 1 is in two groups, or twice in one: tensor \[2\]/],
      [[{ params: [p] }, { params: [p] }], /parameter 0 is in two groups/],
      [[result], /parameter 0 is the result of an op, and only leaves can be optimized: mul \[2\]/],
      [[zeros([2], { dtype: "i32" })], /must be f32: got i32/],
      [[released], /parameter 0 was released: zeros \[3\]/],
      [[{ params: [p], speed: 2 }], /unknown option "speed"/],
      [[{ params: 5 }], /params.*got 5/],
    ];
    for (const [params, message] of attempts) expect(() => make(params as never), String(message)).toThrow(message);
    expect(() => make([p] as never, { leraningRate: 1 })).toThrow(/unknown option "leraningRate".*Known options: lr/);
    // A list that is refused half-way is not half-taken.
    const optimizer = make([p] as never);
    expect(() => optimizer.addParamGroup({ params: [leaf([3]), p] })).toThrow(/two groups/);
    expect(optimizer.paramGroups.length).toBe(1);
    result.dispose();
  });

  test("constant memory, and no memory kept by steps that throw", () => {
    const p = new Parameter(zeros([4]));
    const optimizer = make([p] as never);
    give([p], 0);
    optimizer.step();
    const { bytes } = memory();
    for (let step = 0; step < 50; step++) {
      give([p], step);
      optimizer.step();
    }
    expect(memory().bytes).toBe(bytes);
  });
});

test("the second position takes options, not a rate", () => {
  expect(() => new SGD([leaf([1])], 0.1 as never)).toThrow(/options.*got 0.1/);
});

test("takes parameters from any iterable, once", () => {
  const model = new Linear(2, 2);
  const optimizer = new SGD(new Set(model.parameters()), { lr: 1 });
  expect(optimizer.paramGroups[0]!.params).toEqual(model.parameters());
  const generator = (function* () {
    yield* model.parameters();
  })();
  expect(new SGD([{ params: generator }]).paramGroups[0]!.params.length).toBe(2);
});

test("groups inherit the optimizer's options and keep their own", () => {
  const optimizer = new SGD([{ params: [leaf([1])] }, { params: [leaf([1])], lr: 0.5, weightDecay: 0.25 }], {
    lr: 0.125,
    momentum: 0.5,
  });
  const [a, b] = optimizer.paramGroups;
  expect(a).toMatchObject({ lr: 0.125, momentum: 0.5, weightDecay: 0 });
  expect(b).toMatchObject({ lr: 0.5, momentum: 0.5, weightDecay: 0.25 });
});

test.each([
  [{ momentum: 0, nesterov: true }, /nesterov needs a momentum/],
  [{ momentum: 0.9, nesterov: true, dampening: 0.1 }, /nesterov needs a momentum and no dampening.*dampening is 0.1/],
  [{ momentum: -0.1 }, /momentum must be/],
  [{ weightDecay: -1 }, /weightDecay must be/],
  [{ dampening: Number.NaN }, /dampening must be/],
])("SGD refuses %j", (options, message) => expect(() => new SGD([leaf([1])], options)).toThrow(message));

test.each([
  [{ betas: [0.9] }, /betas must be two numbers/],
  [{ betas: [1, 0.9] }, /betas\[0\] must be/],
  [{ betas: [0.9, Number.NaN] }, /betas\[1\] must be/],
  [{ betas: 0.9 }, /betas must be two numbers: got 0.9/],
  [{ eps: -1 }, /eps must be/],
  [{ weightDecay: Number.POSITIVE_INFINITY }, /weightDecay must be/],
])("Adam refuses %j", (options, message) => {
  expect(() => new Adam([leaf([1])], options as never)).toThrow(message);
  expect(() => new AdamW([leaf([1])], options as never)).toThrow(message);
});
