// Module: names found by walking fields, modes, state dicts, freezing, texts, and the paths of errors.
import { describe, expect, test } from "vitest";
import { DataLoader, TensorDataset } from "../../src/data/index.js";
import { memory, noGrad, ones, randn, scope, steps, type Tensor, tensor, zeros } from "../../src/index.js";
import { buffer, Flatten, Linear, Module, Parameter, ReLU, Sequential, Sigmoid, Tanh } from "../../src/nn/index.js";
import { Bag, Block, message } from "./nets.js";

const names = (module: Module): string[] => Array.from(module.namedParameters(), ([name]) => name);
describe("names", () => {
  test("Sequential's are positions, fields' are fields", () => {
    const model = new Bag({ layers: new Sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1, { bias: false })) });
    expect(names(model)).toEqual(["layers.0.weight", "layers.0.bias", "layers.2.weight"]);
    expect(Array.from(model.namedModules(), ([name]) => name)).toEqual([
      "",
      "layers",
      "layers.0",
      "layers.1",
      "layers.2",
    ]);
    expect(Array.from(model.namedChildren(), ([name]) => name)).toEqual(["layers"]);
    expect(names(new Sequential(new Linear(1, 1)))).toEqual(["0.weight", "0.bias"]);
    expect(names(new Linear(1, 1))).toEqual(["weight", "bias"]);
  });

  test("arrays, Maps and plain objects are walked at any depth; a module's own tensors come before its children's", () => {
    const model = new Bag({
      blocks: [new Linear(1, 1), [new Linear(1, 1, { bias: false })]],
      heads: new Map<unknown, unknown>([
        ["a", new Linear(1, 1, { bias: false })],
        [7, { deep: new Linear(1, 1, { bias: false }) }],
      ]),
      table: { w: new Parameter(zeros([2])), list: [new Parameter(zeros([1]))] },
      scale: new Parameter(zeros([])),
    });
    expect(names(model)).toEqual([
      "table.w",
      "table.list.0",
      "scale",
      "blocks.0.weight",
      "blocks.0.bias",
      "blocks.1.0.weight",
      "heads.a.weight",
      "heads.7.deep.weight",
    ]);
  });

  test("plain tensors, private fields, nulls, functions and instances of other classes are no part of the model", () => {
    class Other {
      weight = new Parameter(zeros([1]));
    }
    class Odd extends Module {
      #hidden = new Linear(1, 1);
      plain = zeros([3]);
      nothing = null;
      missing = undefined;
      other = new Other();
      numbers = new Float32Array(4);
      act = (x: Tensor) => x.relu();
      forward(x: Tensor): Tensor {
        return this.#hidden.forward(x);
      }
    }
    expect(names(new Odd())).toEqual([]);
    expect(Object.keys(new Odd().stateDict())).toEqual([]);
  });

  test("any field name is free for layers, also `path`", () => {
    const model = new Bag({ path: new Linear(1, 1), located: new Linear(1, 1) });
    expect(names(model)).toEqual(["path.weight", "path.bias", "located.weight", "located.bias"]);
    model.toString();
    expect(model.path).toBeInstanceOf(Linear);
  });

  test("a shared parameter is listed once, under its first name, but saved under every name, as in PyTorch", () => {
    const shared = new Linear(2, 2);
    const tied = new Linear(2, 2);
    tied.weight = shared.weight;
    const model = new Bag({ a: shared, b: shared, c: tied });
    expect(names(model)).toEqual(["a.weight", "a.bias", "c.bias"]);
    expect(model.parameters().length).toBe(3);
    expect(model.modules().length).toBe(3);
    const state = model.stateDict();
    expect(Object.keys(state)).toEqual(["a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias"]);
    expect(state["b.weight"]).toBe(state["a.weight"]);
    const twin = new Linear(2, 2);
    expect(new Bag({ a: twin, b: twin, c: new Linear(2, 2) }).loadStateDict(state)).toEqual({
      missing: [],
      unexpected: [],
    });
    expect(twin.weight.toArray()).toEqual(shared.weight.toArray());
  });

  test("cycles end: a child that knows its parent, an object that holds itself", () => {
    const parent = new Bag();
    const child = new Bag({ parent, fc: new Linear(1, 1) });
    const loop: Record<string, unknown> = { weight: new Parameter(zeros([1])) };
    loop.self = loop;
    Object.assign(parent, { child, loop });
    expect(names(parent)).toEqual(["loop.weight", "child.fc.weight", "child.fc.bias"]);
    expect(Object.keys(parent.stateDict())).toEqual(["loop.weight", "child.fc.weight", "child.fc.bias"]);
  });

  test("buffers have names of their own and are saved if persistent", () => {
    const model = new Bag({
      mean: buffer(zeros([2])),
      seen: buffer(zeros([], { dtype: "i32" })),
      cache: buffer(ones([3]), { persistent: false }),
      fc: new Linear(1, 1),
    });
    expect(Array.from(model.namedBuffers(), ([name]) => name)).toEqual(["mean", "seen", "cache"]);
    expect(model.buffers().map((b) => b.requiresGrad)).toEqual([false, false, false]);
    expect(names(model)).toEqual(["fc.weight", "fc.bias"]);
    expect(Object.keys(model.stateDict())).toEqual(["mean", "seen", "fc.weight", "fc.bias"]);
    expect(() => buffer(zeros([1]), { persistant: false } as never)).toThrow(/unknown option "persistant"/);
  });
});

describe("modes", () => {
  test("train and eval reach every module, once, and give the model", () => {
    const model = new Bag({ a: [new Sequential(new Linear(1, 1), new ReLU())], m: new Map([["x", new Tanh()]]) });
    expect(model.eval()).toBe(model);
    expect(model.modules().map((m) => m.training)).toEqual([false, false, false, false, false]);
    expect(model.train()).toBe(model);
    expect(model.modules().every((m) => m.training)).toBe(true);
    expect(model.train(false).training).toBe(false);
  });

  test("apply visits every module once and gives the model", () => {
    const shared = new ReLU();
    const model = new Sequential(new Linear(1, 1), shared, new Sequential(shared, new Linear(1, 1)));
    const seen: string[] = [];
    expect(model.apply((m) => void seen.push(m.constructor.name))).toBe(model);
    expect(seen.sort()).toEqual(["Linear", "Linear", "ReLU", "Sequential", "Sequential"]);
  });

  test("requiresGrad(false) freezes: no gradient, none recorded when all are frozen; true thaws", () => {
    const model = new Sequential(new Linear(2, 3), new Tanh(), new Linear(3, 1));
    const [first, , last] = model.layers as [Linear, Tanh, Linear];
    expect(first.requiresGrad(false)).toBe(first);
    model
      .forward(ones([4, 2]))
      .sum()
      .backward();
    expect([first.weight.grad, first.bias!.grad]).toEqual([null, null]);
    expect(last.weight.grad).not.toBeNull();
    expect(model.requiresGrad(false).forward(ones([4, 2])).requiresGrad).toBe(false);
    model.requiresGrad().zeroGrad();
    expect(model.parameters().map((p) => p.grad)).toEqual([null, null, null, null]);
    model
      .forward(ones([4, 2]))
      .sum()
      .backward();
    expect(model.parameters().every((p) => p.grad !== null)).toBe(true);
    const grads = model.parameters().map((p) => p.grad!);
    model.zeroGrad();
    expect(grads.every((g) => g.released)).toBe(true);
  });
});

describe("state dicts", () => {
  const make = () => new Sequential(new Linear(3, 2), new ReLU(), new Linear(2, 1));

  test("holds the tensors themselves; loading copies values, keeps the parameters and what they require", () => {
    const [a, b] = [make(), make()];
    const state = a.stateDict();
    expect(state["0.weight"]).toBe((a.layers[0] as Linear).weight);
    const own = b.parameters();
    b.layers[0]!.requiresGrad(false);
    expect(b.loadStateDict(state)).toEqual({ missing: [], unexpected: [] });
    expect(b.parameters()).toEqual(own);
    expect(own.map((p) => p.requiresGrad)).toEqual([false, false, true, true]);
    expect(own.map((p) => p.toArray())).toEqual(a.parameters().map((p) => p.toArray()));
    noGrad(() => a.parameters()[0]!.fill(7));
    expect(own[0]!.toArray()).not.toEqual(a.parameters()[0]!.toArray());
    const before = a.parameters().map((p) => p.toArray());
    a.loadStateDict(a.stateDict()); // its own
    expect(a.parameters().map((p) => p.toArray())).toEqual(before);
  });

  test("one error lists all that is missing, unexpected, mis-shaped, of another kind; nothing is changed", () => {
    const model = make();
    const before = model.parameters().map((p) => p.toArray());
    const { "0.weight": weight, "0.bias": bias, "2.weight": head } = model.stateDict() as Record<string, Tensor>;
    const state = {
      "0.weight": noGrad(() => weight!.mul(2)),
      "0.bias": zeros(bias!.shape, { dtype: "i32" }),
      "2.weight": zeros([2, 1]),
      "9.weight": zeros([1]),
      constructor: zeros([1]),
    };
    expect(head!.shape).toEqual([1, 2]);
    expect(message(() => model.loadStateDict(state as never))).toBe(
      "loadStateDict: the state does not fit Sequential: missing: 2.bias; unexpected: 9.weight, constructor; " +
        "0.bias: i32 [2] where f32 [2] belongs; 2.weight: f32 [2,1] where f32 [1,2] belongs. Nothing was changed.",
    );
    expect(model.parameters().map((p) => p.toArray())).toEqual(before);
    expect(message(() => model.loadStateDict({ ...model.stateDict(), "2.bias": [0] } as never))).toMatch(
      /2.bias: not a tensor but \[0\]/,
    );
    const gone = zeros([2]);
    gone.dispose();
    expect(message(() => model.loadStateDict({ ...model.stateDict(), "0.bias": gone }))).toMatch(/0.bias.*released/);
    expect(model.parameters().map((p) => p.toArray())).toEqual(before);
    expect(() => model.loadStateDict(null as never)).toThrow(/loadStateDict: takes \{ name: tensor \}: got null/);
    expect(() => model.loadStateDict({}, { strickt: false } as never)).toThrow(/unknown option "strickt"/);
  });

  test("not strict: takes what fits, says what was left out, still refuses wrong shapes", () => {
    const model = make();
    const bias = model.stateDict()["2.bias"]!.toArray();
    expect(model.loadStateDict({ "0.bias": ones([2]), extra: zeros([1]) }, { strict: false })).toEqual({
      missing: ["0.weight", "2.weight", "2.bias"],
      unexpected: ["extra"],
    });
    expect(model.stateDict()["0.bias"]!.toArray()).toEqual([1, 1]);
    expect(model.stateDict()["2.bias"]!.toArray()).toEqual(bias);
    expect(() => model.loadStateDict({ "0.bias": ones([3]) }, { strict: false })).toThrow(/f32 \[3\] where f32 \[2\]/);
    expect(model.stateDict()["0.bias"]!.toArray()).toEqual([1, 1]);
  });

  test("loading between forward and backward is an in-place write, which backward refuses", () => {
    const model = make();
    const loss = model.forward(ones([1, 3])).sum();
    model.loadStateDict(make().stateDict());
    expect(() => loss.backward()).toThrow(/in place/);
  });
});

describe("parameters live with their module", () => {
  test("made in steps(), a loader's loop, scope() or noGrad()", () => {
    const made: Module[] = [];
    for (const _ of steps(3)) made.push(new Sequential(new Linear(2, 2), new ReLU()));
    for (const _ of new DataLoader(new TensorDataset(zeros([3, 1])))) made.push(new Linear(2, 2));
    scope(() => void made.push(new Linear(2, 2)));
    noGrad(() => void made.push(new Bag({ fc: new Linear(2, 2), mean: buffer(zeros([2, 2])) })));
    for (const _ of steps(3)) randn([2, 2]); // takes whatever was given back
    for (const module of made) {
      for (const p of module.parameters()) {
        expect(p.released).toBe(false);
        expect(p.requiresGrad).toBe(true);
      }
      expect(module.buffers().every((b) => b.toTypedArray().every((v) => v === 0))).toBe(true);
      module.forward(zeros([1, 2])).sum();
    }
    const all = made.flatMap((m) => m.parameters());
    expect(new Set(all.map((p) => p.storage)).size).toBe(all.length);
  });

  test("a Parameter shares the memory of its tensor, which may be released", () => {
    let weight: Parameter | undefined;
    for (const _ of steps(2)) weight ??= new Parameter(tensor([1, 2, 3]));
    expect(weight!.toArray()).toEqual([1, 2, 3]);
    expect(new Parameter(zeros([2]), { requiresGrad: false }).requiresGrad).toBe(false);
  });

  test("what cannot be one is refused, and nothing is held", () => {
    const labels = zeros([1000], { dtype: "i32" });
    const { bytes } = memory();
    expect(() => new Parameter(labels)).toThrow(TypeError);
    expect(() => new Parameter(labels)).toThrow(/Parameter: .*f32.*i32 \[1000\]/);
    expect(() => new Parameter([1, 2] as never)).toThrow(/Parameter: takes a tensor: got \[1,2\]/);
    expect(() => new Parameter(zeros([]), { requires_grad: false } as never)).toThrow(/unknown option "requires_grad"/);
    expect(() => buffer(5 as never)).toThrow(/buffer: takes a tensor: got 5/);
    labels.dispose();
    expect(memory().bytes).toBeLessThan(bytes - 3000);
    const gone = zeros([2]);
    gone.dispose();
    expect(() => new Parameter(gone)).toThrow(/Parameter: .*released/);
    expect(() => buffer(labels)).toThrow(/buffer: .*released/);
  });
});

describe("texts", () => {
  test("toString is PyTorch's, with our option names", () => {
    const model = new Bag({
      net: new Sequential(new Flatten(), new Linear(4, 2), new Sigmoid()),
      blocks: [new Block(2)],
    });
    expect(String(model)).toBe(
      `Bag(
  (net): Sequential(
    (0): Flatten(startDim=1, endDim=-1)
    (1): Linear(inFeatures=4, outFeatures=2, bias=true)
    (2): Sigmoid()
  )
  (blocks.0): Block(
    (inner): Linear(inFeatures=2, outFeatures=2, bias=true)
  )
)`,
    );
  });

  test("summary lists layers, output shapes and parameters, and leaves the model as it was", () => {
    const model = new Sequential(new Flatten(), new Linear(64, 32), new ReLU(), new Block(32), new Linear(32, 10));
    model.layers[1]!.requiresGrad(false);
    model.layers[2]!.eval();
    model.forward(zeros([2, 8, 8])).dispose(); // makes the matrix product's scratch, which stays
    const { bytes, tensors } = memory();
    expect(model.summary([2, 8, 8])).toBe(
      `layer        type        output  parameters  multiply-adds    bytes
-----------  ----------  ------  ----------  -------------  -------
Sequential   Sequential  [2,10]       3,466          6,784  13.9 kB
  0          Flatten     [2,64]           0
  1          Linear      [2,32]       2,080          4,096   8.3 kB
  2          ReLU        [2,32]           0
  3          Block       [2,32]
    3.inner  Linear      [2,32]       1,056          2,048   4.2 kB
  4          Linear      [2,10]         330            640   1.3 kB
3,466 parameters (1,386 trained), 13.9 kB; 6,784 multiply-adds and 1.4 kB of outputs a pass`,
    );
    expect(memory()).toMatchObject({ bytes, tensors });
    expect(model.modules().map((m) => m.training)).toEqual([true, true, true, false, true, true, true]);
    expect(model.modules().every((m) => !Object.hasOwn(m, "forward"))).toBe(true);
  });

  test("summary keeps a forward that is a field, and survives a model that throws", () => {
    class Arrow extends Module {
      fc = new Linear(3, 2);
      override forward = (x: Tensor): Tensor => this.fc.forward(x);
    }
    const model = new Arrow();
    const { forward } = model;
    expect(model.summary([1, 3])).toContain("[1,2]");
    expect(model.forward).toBe(forward);
    expect(() => model.summary([1, 4])).toThrow(/fc \(Linear\): linear/);
    expect(model.forward).toBe(forward);
    expect(model.training).toBe(true);
    expect(Object.hasOwn(model.fc, "forward")).toBe(false);
  });
});
