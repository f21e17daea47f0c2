// Containers, hooks, clones, calls with other parameters, lazy sizes, computed weights.
import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropyWithLogits,
  ctcLoss,
  grad,
  logSoftmax,
  manualSeed,
  memory,
  noGrad,
  randn,
  svd,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.js";
import * as nn from "../../src/nn/index.js";
import { SGD } from "../../src/optim/index.js";

const { Linear, Module, ReLU, Sequential } = nn;
const values = (t: Tensor) => [...t.toTypedArray()];

describe("containers", () => {
  test("Sequential: positions, replacing, appending, iterating", () => {
    const model = new Sequential(new Linear(2, 3), new ReLU());
    model.append(new Linear(3, 4));
    expect(model.length).toBe(3);
    expect(model.at(-1)).toBe(model.layers[2]);
    expect([...model].map((layer) => layer.name)).toEqual(["Linear", "ReLU", "Linear"]);
    model.layers[2] = new Linear(3, 1);
    expect(model.forward(randn([5, 2])).shape).toEqual([5, 1]);
    expect(() => model.at(7)).toThrow(/Sequential: has 3 modules: got index 7/);
    expect(() => model.append("x" as never)).toThrow(/layers must be modules: got "x" \(layer 3\)/);
  });

  test("ModuleList and ModuleDict: names, access, no forward of their own", () => {
    class Net extends Module {
      blocks = new nn.ModuleList([new Linear(2, 2), new Linear(2, 2)]);
      heads = new nn.ModuleDict({ a: new Linear(2, 1), b: new Linear(2, 3, { bias: false }) });
      forward(x: Tensor) {
        let y = x;
        for (const block of this.blocks) y = block.forward(y);
        return this.heads.get("b").forward(y);
      }
    }
    const net = new Net();
    expect(net.forward(randn([4, 2])).shape).toEqual([4, 3]);
    expect(Object.keys(net.stateDict())).toEqual([
      "blocks.0.weight",
      "blocks.0.bias",
      "blocks.1.weight",
      "blocks.1.bias",
      "heads.a.weight",
      "heads.a.bias",
      "heads.b.weight",
    ]);
    expect([...net.heads.keys()]).toEqual(["a", "b"]);
    expect(net.heads.has("a") && net.heads.delete("a")).toBe(true);
    expect([...net.heads.entries()].map(([name]) => name)).toEqual(["b"]);
    expect(() => net.heads.get("a")).toThrow(/ModuleDict: has no module "a": it has b/);
    expect(() => net.heads.set("c", 3 as never)).toThrow(TypeError);
    expect(() => net.blocks.forward()).toThrow(/ModuleList: has no forward pass/);
    expect(() => net.heads.forward()).toThrow(/ModuleDict: has no forward pass/);
    expect(String(net)).toContain("(blocks): ModuleList(\n    (0): Linear(");
  });

  test("Parallel gives an array, Concat joins along the channels", () => {
    const x = randn([2, 3, 4, 4]);
    const branches = [new nn.Conv2d(3, 2, 1), new nn.Conv2d(3, 5, 3, { padding: 1 })];
    expect(new nn.Parallel(...branches).forward(x).map((y) => y.shape)).toEqual([
      [2, 2, 4, 4],
      [2, 5, 4, 4],
    ]);
    expect(new nn.Concat(branches).forward(x).shape).toEqual([2, 7, 4, 4]);
    expect(new nn.Concat([new Linear(4, 1), new Linear(4, 2)], { dim: -1 }).forward(randn([3, 4])).shape).toEqual([
      3, 3,
    ]);
  });

  test("Residual: the last normalization's scale may begin at 0", () => {
    const block = new Sequential(
      new nn.Conv2d(2, 2, 1),
      new nn.BatchNorm2d(2),
      new ReLU(),
      new nn.Conv2d(2, 2, 1),
      new nn.BatchNorm2d(2),
    );
    const layer = new nn.Residual(block, undefined, { zeroInit: true });
    const x = randn([2, 2, 3, 3]);
    expect(values(layer.forward(x))).toEqual(values(x));
    expect(values(block.layers[1]!.parameters()[0]!)).toEqual([1, 1]);
    expect(() => new nn.Residual(new Linear(2, 2), undefined, { zeroInit: true })).toThrow(
      /no normalization with a weight/,
    );
  });

  test("errors carry the whole path, however deep", () => {
    class Block extends Module {
      layers = { conv: new nn.Conv2d(3, 4, 3), norm: new nn.GroupNorm(2, 4) };
      forward(x: Tensor) {
        return this.layers.norm.forward(this.layers.conv.forward(x));
      }
    }
    const model = new Sequential(new nn.Identity(), new nn.Residual(new Sequential(new Block())));
    expect(() => model.forward(randn([1, 2, 5, 5]))).toThrow(/^1\.block\.0\.layers\.conv \(Conv2d\): conv2d:.*2.*3/);
    expect(() => model.forward(randn([1, 3, 5, 5]))).toThrow(/^1 \(Residual\): add:/);
  });
});

describe("hooks", () => {
  test("see inputs and outputs, replace them, and go", () => {
    const layer = new Linear(2, 2, { bias: false });
    nn.init.eye(layer.weight);
    const seen: unknown[] = [];
    const removePre = layer.registerForwardPreHook((module, [x]) => {
      seen.push(module);
      return [(x as Tensor).mul(2)];
    });
    const remove = layer.registerForwardHook((_, [x], y) => {
      seen.push((x as Tensor).toArray());
      return (y as Tensor).add(1);
    });
    expect(layer.forward(tensor([[1, 2]])).toArray()).toEqual([[3, 5]]);
    expect(seen).toEqual([layer, [[2, 4]]]);
    removePre();
    expect(layer.forward(tensor([[1, 2]])).toArray()).toEqual([[2, 3]]);
    remove();
    remove();
    expect(layer.forward(tensor([[1, 2]])).toArray()).toEqual([[1, 2]]);
    expect(Object.hasOwn(layer, "forward")).toBe(false);
  });

  test("run within a model, for layers of several inputs too", () => {
    const attention = new nn.MultiheadAttention(4, 2);
    let shapes: unknown;
    attention.registerForwardHook((_, inputs, output) => {
      shapes = [inputs.length, (output as Tensor[])[0]!.shape];
    });
    const x = randn([3, 2, 4]);
    attention.forward(x, x, x, { needWeights: false });
    expect(shapes).toEqual([4, [3, 2, 4]]);
  });
});

describe("clone", () => {
  test("is deep: parameters, buffers, options, sharing, and what is frozen", () => {
    const shared = new Linear(3, 3);
    const model = new Sequential(
      shared,
      new nn.BatchNorm1d(3),
      shared,
      new nn.Dropout(0.3),
      new nn.LSTMCell(3, 2) as never,
    );
    shared.weight.requiresGrad = false;
    model.layers[1]!.eval();
    const copy = model.clone();
    expect(Object.keys(copy.stateDict())).toEqual(Object.keys(model.stateDict()));
    expect(copy.layers[0]).toBe(copy.layers[2]);
    expect(copy.layers[0]).not.toBe(shared);
    expect((copy.layers[0] as nn.Module & { weight: Tensor }).weight.requiresGrad).toBe(false);
    expect(copy.modules().map((m) => m.training)).toEqual(model.modules().map((m) => m.training));
    expect(String(copy)).toBe(String(model));
    noGrad(() => void copy.parameters()[0]!.fill(9));
    expect(shared.weight.toTypedArray().includes(9)).toBe(false);
    const before = shared.weight.toTypedArray().join();
    expect(copy.parameters().length).toBe(model.parameters().length);
    new SGD(copy.parameters(), { lr: 1 }).step();
    expect(shared.weight.toTypedArray().join()).toBe(before);
  });

  test("a TransformerEncoder's layers are copies", () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 });
    const encoder = new nn.TransformerEncoder(layer, 2);
    const [a, b] = [0, 1].map((i) => encoder.stateDict()[`layers.${i}.linear1.weight`]!);
    expect(values(a!)).toEqual(values(layer.linear1.weight));
    expect(a).not.toBe(b);
  });
});

describe("functionalCall", () => {
  test("gives gradients with respect to the parameters given, and leaves the model alone", () => {
    manualSeed(1);
    const model = new Sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1));
    const x = randn([4, 2]);
    const before = model.forward(x).toArray();
    const weight = randn([3, 2], { requiresGrad: true });
    const y = nn.functionalCall(model, { "0.weight": weight }, x);
    expect(grad(y.sum(), weight)[0]!.shape).toEqual([3, 2]);
    expect(model.forward(x).toArray()).toEqual(before);
    // One step of gradient descent within the graph: the meta-gradient with respect to the first parameters.
    const inner = Object.fromEntries(model.namedParameters());
    const names = Object.keys(inner);
    const g = grad(model.forward(x).square().mean(), Object.values(inner), { createGraph: true });
    const stepped = Object.fromEntries(names.map((name, i) => [name, inner[name]!.sub(g[i]!.mul(0.1))]));
    nn.functionalCall(model, stepped, x).square().mean().backward();
    expect(model.parameters().every((p) => p.grad !== null)).toBe(true);
  });

  test("a shared tensor is replaced at all its places; buffers too; errors leave everything", () => {
    class Tied extends Module {
      a = new Linear(2, 2, { bias: false });
      b = new Linear(2, 2, { bias: false });
      shift = nn.buffer(zeros([2]));
      forward(x: Tensor) {
        return this.b.forward(this.a.forward(x)).add(this.shift);
      }
    }
    const tied = new Tied();
    tied.b.weight = tied.a.weight;
    const two = tensor([
      [2, 0],
      [0, 2],
    ]);
    expect(nn.functionalCall(tied, { "a.weight": two, shift: tensor([1, 1]) }, tensor([[1, 1]])).toArray()).toEqual([
      [5, 5],
    ]);
    expect(tied.b.weight).toBe(tied.a.weight);
    expect(() => nn.functionalCall(tied, { c: two }, tensor([[1, 1]]))).toThrow(/Tied has no tensor "c"/);
    expect(() => nn.functionalCall(tied, { "a.weight": zeros([3]) }, tensor([[1, 1]]))).toThrow(
      /must be a tensor of \[2,2\]: got \[3\]/,
    );
    expect(() => nn.functionalCall(tied, { "a.weight": two }, zeros([1, 3]))).toThrow(/linear/);
    expect(tied.a.weight).toBeInstanceOf(nn.Parameter);
  });
});

describe("LazyLinear", () => {
  test("takes its size from the first input, and refuses to be trained before", () => {
    const model = new Sequential(new nn.Flatten(), new nn.LazyLinear(3));
    expect(() => new SGD(model.parameters(), { lr: 0.1 })).toThrow(
      /^1 \(LazyLinear\): LazyLinear: the input size is not known yet/,
    );
    expect(() => model.stateDict()).toThrow(/Run one batch/);
    expect(model.eval().forward(randn([2, 2, 5])).shape).toEqual([2, 3]);
    expect(model.parameters().map((p) => p.shape)).toEqual([[3, 10], [3]]);
    expect(() => model.forward(randn([2, 4]))).toThrow(/^1 \(LazyLinear\): linear: x is \[2,4\], weight is \[3,10\]/);
  });
});

describe("weightNorm and spectralNorm", () => {
  test("weightNorm keeps the function, trains g and v, survives clone and is undone", () => {
    manualSeed(2);
    const layer = new Linear(3, 2);
    const x = randn([4, 3]);
    const before = values(layer.forward(x));
    nn.weightNorm(layer);
    values(layer.forward(x)).forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 6));
    expect([...layer.namedParameters()].map(([name]) => name)).toEqual(["bias", "weight_g", "weight_v"]);
    layer.forward(x).sum().backward();
    expect(layer.parameters().every((p) => p.grad !== null)).toBe(true);
    const copy = layer.clone();
    noGrad(() => void copy.stateDict().weight_g!.fill(0));
    expect(values(copy.forward(zeros([1, 3])))).toEqual(values(layer.bias!));
    expect(values(copy.forward(x))).not.toEqual(values(layer.forward(x)));
    nn.removeNorm(layer);
    values(layer.forward(x)).forEach((value, i) => expect(value).toBeCloseTo(before[i]!, 6));
    expect(Object.keys(layer.stateDict()).sort()).toEqual(["bias", "weight"]);
    expect(() => nn.removeNorm(layer)).toThrow(/"weight" is not computed/);
    expect(() => nn.weightNorm(new ReLU())).toThrow(/ReLU has no parameter "weight"/);
    expect(() => nn.weightNorm(nn.weightNorm(new Linear(2, 2)))).toThrow(/computed already/);
  });

  test("weightNorm of a recurrent layer's matrix", () => {
    const layer = nn.weightNorm(new nn.LSTM(3, 2), { name: "weight_hh_l0" });
    layer
      .forward(randn([4, 2, 3]))[0]
      .sum()
      .backward();
    expect(Object.keys(layer.stateDict())).toContain("weight_hh_l0_g");
    expect(layer.parameters().every((p) => p.grad !== null)).toBe(true);
  });

  test("spectralNorm finds the largest singular value", () => {
    manualSeed(3);
    const layer = nn.spectralNorm(new Linear(6, 4));
    const x = randn([2, 6]);
    for (let i = 0; i < 60; i++) layer.forward(x);
    layer.eval();
    expect(svd(layer.weight.detach()).s.toTypedArray()[0]).toBeCloseTo(1, 4);
    const state = layer.stateDict();
    const u = values(state.weight_u!).join();
    layer.forward(x);
    expect(values(state.weight_u!).join()).toBe(u);
    expect(() => nn.spectralNorm(new Linear(2, 2), { dim: 2 })).toThrow(/spectralNorm: dim/);
  });
});

describe("losses", () => {
  test("class weights are buffers, saved with the layer; PyTorch's names", () => {
    const loss = new nn.BCEWithLogitsLoss({ posWeight: tensor([1, 3]), weight: tensor([2, 1]) });
    expect(Object.keys(loss.stateDict()).sort()).toEqual(["pos_weight", "weight"]);
    const [x, y] = [
      randn([4, 2]),
      tensor([
        [0, 1],
        [1, 1],
        [0, 0],
        [1, 0],
      ]).to("f32"),
    ];
    const options = { posWeight: tensor([1, 3]), weight: tensor([2, 1]) };
    expect(loss.forward(x, y).item()).toBe(binaryCrossEntropyWithLogits(x, y, options).item());
    expect(() => new nn.MSELoss({ size: 1 } as never)).toThrow(/MSELoss: unknown option "size"/);
  });

  test("CTCLoss is ctcLoss with fixed options", () => {
    manualSeed(9);
    const x = logSoftmax(randn([6, 2, 4]), -1);
    const targets = tensor(
      [
        [1, 2],
        [3, 3],
      ],
      { dtype: "i32" },
    );
    const want = ctcLoss(x, targets, [6, 5], [2, 1], { reduction: "sum" }).item();
    expect(new nn.CTCLoss({ reduction: "sum" }).forward(x, targets, [6, 5], [2, 1]).item()).toBe(want);
  });

  test("what does not fit a Sequential does not compile", () => {
    // @ts-expect-error an LSTM gives [output, state]
    expect(() => new Sequential(new nn.LSTM(2, 3), new Linear(3, 1)).forward(randn([4, 1, 2]))).toThrow(TypeError);
    // @ts-expect-error Parallel gives an array
    expect(new Sequential(new nn.Parallel(new Linear(2, 2))).length).toBe(1);
  });
});

test("layers hold no memory beyond their own in a bare training loop", () => {
  manualSeed(4);
  class Net extends Module {
    embed = new nn.Embedding(10, 8);
    place = new nn.SinusoidalPositions(6, 8);
    encoder = new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 12, batchFirst: true });
    pool = new nn.Sequential(
      new nn.Lambda((x: Tensor) => x.transpose(1, 2)),
      new nn.Conv1d(8, 4, 3, { padding: 1, paddingMode: "reflect" }),
      new nn.BatchNorm1d(4),
    );
    last = new nn.Maxout(24, 3, 2);
    forward(x: Tensor) {
      const y = this.encoder.forward(this.place.forward(this.embed.forward(x)), { isCausal: true });
      return this.last.forward(this.pool.forward(y).flatten(1));
    }
  }
  const net = new Net();
  const optimizer = new SGD(net.parameters(), { lr: 0.01 });
  const loss = new nn.CrossEntropyLoss();
  const [x, y] = [
    tensor(
      [
        [1, 2, 3, 4, 5, 6],
        [2, 2, 0, 9, 1, 1],
      ],
      { dtype: "i32" },
    ),
    tensor([0, 2], { dtype: "i32" }),
  ];
  const used: unknown[] = [];
  for (let i = 0; i < 8; i++) {
    optimizer.zeroGrad();
    loss.forward(net.forward(x), y).backward();
    optimizer.step();
    const { bytes, tensors } = memory();
    used.push(`${bytes} bytes, ${tensors} tensors`);
  }
  expect(used[7]).toBe(used[3]);
});
