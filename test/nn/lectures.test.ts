// What courses teach of initialization, normalization and shortcuts, in their own numbers.
import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropyWithLogits,
  crossEntropy,
  Generator,
  grad,
  manualSeed,
  matmul,
  mseLoss,
  noGrad,
  rand,
  randn,
  scope,
  steps,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import {
  BatchNorm1d,
  init,
  Lambda,
  Linear,
  type Module,
  ReLU,
  Residual,
  Sequential,
  Sigmoid,
  Tanh,
} from "../../src/nn/index.js";
import { Adam, SGD } from "../../src/optim/index.js";

/** Standard deviations of ten layers of 500 units for 1,000 unit Gaussian inputs, and the last layer's values. */
function depths(
  initializer: (w: Tensor) => unknown,
  activation: (x: Tensor) => Tensor,
): { std: number[]; last: Float32Array } {
  return scope(() =>
    noGrad(() => {
      manualSeed(7);
      let x = randn([1000, 500]);
      const std: number[] = [];
      for (let i = 0; i < 10; i++) {
        const layer = new Linear(500, 500, { bias: false });
        initializer(layer.weight);
        x = activation(layer.forward(x));
        std.push(x.std().item());
      }
      return { std, last: x.toTypedArray() as Float32Array };
    }),
  );
}

describe("ten layers of 500 units", () => {
  test("tanh, N(0, 0.01²): the signal falls by 4.5 a layer", () => {
    const { std } = depths(
      (w) => init.normal(w, { std: 0.01 }),
      (x) => x.tanh(),
    );
    [0.213, 0.0476, 0.0106, 0.00238].forEach((want, i) => expect(Math.abs(std[i]! / want - 1)).toBeLessThan(0.03));
    expect(std[9]).toBeLessThan(1e-6);
  });

  test("tanh, 1/√n: the signal shrinks slowly", () => {
    const { std } = depths(init.lecunNormal, (x) => x.tanh());
    const lecture = [0.628, 0.486, 0.408, 0.357, 0.321, 0.292, 0.273, 0.255, 0.239, 0.228];
    lecture.forEach((want, i) => expect(Math.abs(std[i]! / want - 1), `layer ${i}`).toBeLessThan(0.03));
  });

  test("tanh, N(0, 1): saturated at ±1", () => {
    const { std, last } = depths(init.normal, (x) => x.tanh());
    expect(std.every((value) => value > 0.95)).toBe(true);
    expect(last.filter((value) => Math.abs(value) > 0.99).length / last.length).toBeGreaterThan(0.85);
  });

  test("relu: 1/n dies away, 2/n keeps its scale", () => {
    const lecun = depths(init.lecunNormal, (x) => x.relu()).std;
    expect(lecun[9]! / lecun[0]!).toBeLessThan(0.08); // about 2^(-9/2)
    const he = depths(init.kaimingNormal, (x) => x.relu()).std;
    expect(he[9]! / he[0]!).toBeGreaterThan(0.7);
    expect(he[9]! / he[0]!).toBeLessThan(1.4);
  });
});

test("1/n_in keeps the variance forward, 1/n_out backward", () =>
  scope(() => {
    manualSeed(2);
    const [nIn, nOut] = [400, 100];
    const x = randn([2000, nIn], { requiresGrad: true });
    const gy = randn([2000, nOut]);
    const through = (std: number) => {
      const w = init.normal(zeros([nOut, nIn]), { std });
      const y = matmul(x, w.transpose(0, 1));
      return [y.var().item(), grad(y, x, { gradOutputs: gy })[0]!.var().item()] as const;
    };
    const forward = through(1 / Math.sqrt(nIn));
    expect(forward[0]).toBeCloseTo(1, 1);
    expect(forward[1]).toBeCloseTo(nOut / nIn, 1);
    const backward = through(1 / Math.sqrt(nOut));
    expect(backward[1]).toBeCloseTo(1, 1);
    expect(backward[0]! / (nIn / nOut)).toBeCloseTo(1, 1);
  }));

test("a 2-2-1 net of equal constants stays symmetric to the bit, whatever the number of steps", () => {
  for (const Optimizer of [SGD, Adam]) {
    const net = new Sequential(new Linear(2, 2), new Sigmoid(), new Linear(2, 1), new Sigmoid());
    const [w, b, v] = net.parameters() as [Tensor, Tensor, Tensor, Tensor];
    // w1 = w3 and w2 = w4 (the weights of the two hidden units), b1 = b2, w5 = w6.
    noGrad(() => {
      w.copy(
        tensor([
          [0.3, -0.2],
          [0.3, -0.2],
        ]),
      );
      b.copy(tensor([0.1, 0.1]));
      v.copy(tensor([[0.7, 0.7]]));
    });
    const optimizer = new Optimizer(net.parameters(), { lr: 0.1 });
    const x = tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    const y = tensor([[0], [1], [1], [0.3]]);
    const before = w.toTypedArray().join();
    for (const _ of steps(500)) {
      optimizer.zeroGrad();
      mseLoss(net.forward(x), y).backward();
      optimizer.step();
    }
    const bits = (t: Tensor) => [...new Int32Array((t.toTypedArray() as Float32Array).buffer)];
    const [w1, w2, w3, w4] = bits(w);
    expect([w3, w4]).toEqual([w1, w2]);
    expect(bits(b)[0]).toBe(bits(b)[1]);
    expect(bits(v)[0]).toBe(bits(v)[1]);
    expect(w.toTypedArray().join()).not.toBe(before);
  }
});

test("logistic regression learns from zeros", () => {
  manualSeed(1);
  const model = new Linear(2, 1);
  for (const p of model.parameters()) init.zeros(p);
  const x = randn([200, 2]);
  const y = tensor(Array.from({ length: 200 }, (_, i) => [x.view()[2 * i]! + 2 * x.view()[2 * i + 1]! > 0.3 ? 1 : 0]));
  const optimizer = new SGD(model.parameters(), { lr: 1 });
  let loss = 0;
  for (const _ of steps(200)) {
    optimizer.zeroGrad();
    const value = binaryCrossEntropyWithLogits(model.forward(x), y);
    value.backward();
    optimizer.step();
    loss = value.item();
  }
  expect(loss).toBeLessThan(0.12);
});

test("γ = √Var and β = E make batch normalization the identity", () => {
  manualSeed(3);
  const x = randn([64, 5])
    .mul(tensor([1, 2, 3, 0.5, 10]))
    .add(tensor([0, -3, 7, 1, 100]));
  const norm = new BatchNorm1d(5, { eps: 0 });
  noGrad(() => {
    norm.weight!.copy(x.var(0, { unbiased: false }).sqrt());
    norm.bias!.copy(x.mean(0));
  });
  const y = norm.forward(x).toTypedArray();
  x.toTypedArray().forEach((value, i) =>
    expect(Math.abs(y[i]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value))),
  );
});

test("a residual block with F = 0 passes the gradient unchanged to the bit", () => {
  const block = new Sequential(new Linear(4, 4), new ReLU(), new Linear(4, 4));
  for (const p of block.parameters()) init.zeros(p);
  const x = randn([3, 4], { requiresGrad: true });
  const gy = randn([3, 4]);
  new Residual(block).forward(x).backward(gy);
  expect([...x.grad!.toTypedArray()]).toEqual([...gy.toTypedArray()]);
  // Twenty of them are no different.
  const deep = new Sequential(...Array.from({ length: 20 }, () => new Residual(block.clone())));
  x.grad = null;
  deep.forward(x).backward(gy);
  expect([...x.grad!.toTypedArray()]).toEqual([...gy.toTypedArray()]);
});

test("a plain net of 24 layers trains worse than the residual one of the same depth, over 5 seeds", () => {
  /** Two spirals: a task that a deep net can do and must bend for. */
  const data = (generator: Generator) => {
    const u = rand([256], { generator }).toTypedArray();
    const rows = Array.from(u, (r, i) => {
      const [sign, angle] = [i % 2 === 0 ? 1 : -1, 3.5 * Math.sqrt(r) + 0.3];
      return [(sign * angle * Math.cos(2 * angle)) / 4, (sign * angle * Math.sin(2 * angle)) / 4];
    });
    return {
      x: tensor(rows),
      y: tensor(
        rows.map((_, i) => i % 2),
        { dtype: "i32" },
      ),
    };
  };
  const width = 16;
  const layer = () => new Sequential(new Linear(width, width), new Tanh());
  const train = (make: () => Module, seed: number): number => {
    manualSeed(seed);
    const { x, y } = data(new Generator(seed));
    const body = Array.from({ length: 24 }, make);
    const net = new Sequential(new Linear(2, width), ...body, new Linear(width, 2));
    const optimizer = new Adam(net.parameters(), { lr: 0.003 });
    let last = 0;
    for (const i of steps(150)) {
      optimizer.zeroGrad();
      const loss = crossEntropy(net.forward(x), y);
      loss.backward();
      optimizer.step();
      if (i >= 140) last += loss.item() / 10;
    }
    return last;
  };
  const differences = [1, 2, 3, 4, 5].map((seed) => train(layer, seed) - train(() => new Residual(layer()), seed));
  const mean = differences.reduce((a, b) => a + b) / 5;
  const error = Math.sqrt(differences.reduce((sum, d) => sum + (d - mean) ** 2, 0) / 4 / 5);
  expect(mean).toBeGreaterThan(0.1);
  expect(mean).toBeGreaterThan(3 * error);
}, 120_000);

test("a shortcut that changes the shape is a layer of its own", () => {
  const block = new Residual(new Linear(4, 6), new Linear(4, 6, { bias: false }));
  expect(Object.keys(block.stateDict())).toEqual(["block.weight", "block.bias", "shortcut.weight"]);
  expect(new Residual(new Lambda((x: Tensor) => x.mul(0))).forward(tensor([1, 2])).toArray()).toEqual([1, 2]);
});
