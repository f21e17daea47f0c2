import { describe, expect, it } from "vitest";
import {
  add,
  copy,
  crossEntropy,
  defineOp,
  enableGrad,
  fill,
  grad,
  gradcheck,
  manualSeed,
  matmul,
  memory,
  mseLoss,
  mul,
  noGrad,
  randn,
  relu,
  scope,
  softmax,
  steps,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";
import { traceKernels } from "../../src/kernels/index.js";
import { Linear, Sequential, Tanh } from "../../src/nn/index.js";
import { Adam } from "../../src/optim/index.js";

const leaf = (data: number | number[] | number[][]) => tensor(data, { requiresGrad: true });

describe("backward", () => {
  it("adds up gradients of every path, and over walks", () => {
    const x = leaf([1, 2]);
    x.mul(x).add(x).sum().backward(); // 2x + 1
    expect(x.grad!.toArray()).toEqual([3, 5]);
    x.mul(10).sum().backward();
    expect(x.grad!.toArray()).toEqual([13, 15]);
    x.grad = null;
    expect(x.grad).toBe(null);
  });

  it("takes a cotangent", () => {
    const x = leaf([1, 2]);
    x.mul(3).backward(tensor([1, 10]));
    expect(x.grad!.toArray()).toEqual([3, 30]);
    expect(() => x.mul(3).backward()).toThrow(/one element only: the output is \[2\]/);
    expect(() => x.mul(3).backward(tensor([1]))).toThrow(/must have the output's shape \[2\]: got \[1\]/);
  });

  it("does not alias gradients of inputs that get the same one", () => {
    const a = leaf([1]);
    const b = leaf([1]);
    add(a, b).sum().backward();
    const held = b.grad!;
    a.mul(5).sum().backward();
    expect(a.grad!.toArray()).toEqual([6]);
    expect(held.toArray()).toEqual([1]);
  });

  it("walks a second time only with retainGraph", () => {
    const x = leaf([1, 2]);
    const y = x.mul(x).sum();
    y.backward(undefined, { retainGraph: true });
    y.backward();
    expect(x.grad!.toArray()).toEqual([4, 8]);
    expect(() => y.backward()).toThrow(/walked before .*retainGraph: true/);
    const h = x.mul(2);
    const one = h.mul(h).sum();
    const two = h.sum();
    one.backward();
    expect(() => two.backward()).toThrow(/walked before/);
  });

  it("starts from one, whatever a former walk did with its start", () => {
    const spoil = (gy: Tensor) => noGrad(() => fill(gy, 7));
    const spoiled = defineOp("spoiled", {
      forward: (x: Tensor) => x.mul(2),
      backward: (gy) => {
        spoil(gy);
        return [gy.mul(2)];
      },
    });
    const x = leaf(1);
    const gradient = (make: () => Tensor) => {
      x.grad = null;
      make().backward();
      return x.grad!.item();
    };
    expect(gradient(() => x.mul(3))).toBe(3);
    expect(gradient(() => spoiled(x))).toBe(14);
    expect(gradient(() => x.mul(3))).toBe(3);
    const hooked = x.mul(5);
    hooked.registerHook((g) => {
      spoil(g);
      return undefined;
    });
    expect(gradient(() => hooked)).toBe(35);
    expect(gradient(() => x.mul(3))).toBe(3);
    x.mul(1).registerHook((g) => void g.dispose());
    expect(gradient(() => x.mul(3))).toBe(3);
  });

  it("leaves nothing behind when a gradient throws", () => {
    const w = leaf([1, 2]);
    let broken = true;
    const fragile = defineOp("fragile", {
      forward: (x: Tensor) => x.mul(2),
      backward: (gy) => {
        if (broken) throw new Error("broken");
        return [gy.mul(2)];
      },
    });
    const loss = add(fragile(w), w.mul(w)).sum();
    expect(() => loss.backward()).toThrow("broken");
    expect(w.grad).toBe(null);
    broken = false;
    loss.backward();
    expect(w.grad!.toArray()).toEqual([4, 6]);
  });

  it("a walk within a walk leaves the outer one its gradients", () => {
    const w = leaf([1, 2]);
    const nested = defineOp("nested", {
      forward: (x: Tensor) => x.mul(x),
      backward: (gy) =>
        enableGrad(() => {
          const y = w.mul(w); // shares its leaf with the outer walk
          const [gw] = grad(y, w, { gradOutputs: gy });
          w.mul(3).sum().backward();
          return [gw!];
        }),
    });
    const before = add(nested(w), w.mul(10));
    add(before, w).sum().backward();
    expect(w.grad!.toArray()).toEqual([16, 18]); // 2w + 11, and 3 of the inner walk
  });

  it("walks a graph that a consumed one only touches", () => {
    const x = leaf([1, 2]);
    const w = leaf([3, 4]);
    const a = x.mul(x);
    const b = w.mul(w);
    a.add(b); // joins the two
    a.sum().backward();
    b.sum().backward();
    expect(w.grad!.toArray()).toEqual([6, 8]);
  });

  it("goes through graphs of any depth", () => {
    const x = leaf([1]);
    let y: Tensor = x;
    for (let i = 0; i < 20_000; i++) y = y.add(1);
    y.sum().backward();
    expect(x.grad!.item()).toBe(1);
  });

  it("gives null to what requires no gradient, and an error to a root without one", () => {
    const x = tensor([1]);
    expect(x.grad).toBe(null);
    expect(() => x.mul(2).backward()).toThrow(/requires no gradient: mul \[1\]/);
    expect(() => leaf([1]).detach().sum().backward()).toThrow(/detached/);
  });
});

describe("grad", () => {
  // f'' in float64: sigmoid' (2 + x (1 - 2 sigmoid)); 2 tanh + 4x (1 - tanh^2) - 2 x^2 tanh (1 - tanh^2); (2 + x) e^x
  const x0 = 0.7;
  const s = 1 / (1 + Math.exp(-x0));
  const t = Math.tanh(x0);
  const cases: [string, (x: Tensor) => Tensor, number, number][] = [
    ["x sigmoid(x)", (x) => x.mul(x.sigmoid()), s * (1 - s) * (2 + x0 * (1 - 2 * s)), 0.3912],
    ["x^2 tanh(x)", (x) => x.square().mul(tanh(x)), 2 * t + 4 * x0 * (1 - t * t) - 2 * x0 * x0 * t * (1 - t * t), 2.61],
    ["x e^x", (x) => x.mul(x.exp()), (2 + x0) * Math.exp(x0), 5.437],
  ];
  it.each(cases)("second derivative of %s", (_, f, exact, published) => {
    const x = leaf(x0);
    const [first] = grad(f(x), x, { createGraph: true });
    const [second] = grad(first!, x);
    expect(exact).toBeCloseTo(published, 3);
    expect(second!.item()).toBeCloseTo(exact, 5);
  });

  it("third derivative", () => {
    const x = leaf(2);
    const [a] = grad(x.mul(x).mul(x).mul(x), x, { createGraph: true });
    const [b] = grad(a!, x, { createGraph: true });
    const [c] = grad(b!, x);
    expect([a!.item(), b!.item(), c!.item()]).toEqual([32, 48, 48]);
  });

  it("of several outputs and inputs, results of ops among them", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const z = y.mul(y);
    const [dx, dy] = grad([z.sum(), y.sum()], [x, y]);
    expect(dx!.toArray()).toEqual([10, 18]);
    expect(dy!.toArray()).toEqual([5, 9]);
    expect(x.grad).toBe(null);
  });

  it("tells of unused inputs, before the graph is consumed", () => {
    const x = leaf([1]);
    const other = leaf([1]);
    const y = x.mul(2).sum();
    expect(() => grad(y, [x, other])).toThrow(/do not depend on input 1: tensor \[1\]/);
    const [dx, none] = grad(y, [x, other], { allowUnused: true });
    expect(dx!.item()).toBe(2);
    expect(none).toBe(null);
  });
});

describe("in-place writes", () => {
  it("make backward throw when they changed a saved tensor", () => {
    const w = leaf([1, 2]);
    const loss = w.mul(w).sum();
    noGrad(() => copy(w, tensor([5, 5])));
    expect(() => loss.backward()).toThrow(/mul saved for its gradient was changed in place/);
    expect(w.grad).toBe(null);
    // add saves nothing
    const sum = w.add(1).sum();
    noGrad(() => fill(w, 0));
    sum.backward();
    expect(w.grad!.toArray()).toEqual([1, 1]);
  });

  it("are refused for recorded tensors", () => {
    const w = leaf([1]);
    expect(() => fill(w, 3)).toThrow(/fill: a tensor that requires a gradient cannot be written in place.*noGrad/);
    expect(w.item()).toBe(1);
  });

  it("leave a lazily transposed view as it was", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const t = x.transpose(0, 1);
    x.zero();
    expect(t.toArray()).toEqual([
      [1, 3],
      [2, 4],
    ]);
  });
});

describe("modes and hooks", () => {
  it("noGrad records nothing, enableGrad within it does", () => {
    const x = leaf([1]);
    expect(noGrad(() => x.mul(2)).requiresGrad).toBe(false);
    noGrad(() => {
      expect(enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
    });
    expect(x.mul(2).requiresGrad).toBe(true);
  });

  it("refuse functions that return promises, and free what these made", () => {
    const { tensors } = memory();
    expect(() => noGrad(async () => randn([3]))).toThrow(/noGrad: the function returned a promise/);
    expect(() => scope(() => Promise.resolve(randn([3])))).toThrow(/scope: the function returned a promise/);
    expect(memory().tensors).toBeLessThanOrEqual(tensors + 1);
  });

  it("scope frees all but what it returns, also when it throws", () => {
    randn([1]); // the generator's state
    const before = memory().tensors;
    const kept = scope(() => {
      const x = randn([10]);
      return { sum: x.mul(2).sum(), list: [x.add(1)] };
    });
    expect(memory().tensors).toBe(before + 2);
    expect(() =>
      scope(() => {
        randn([10]);
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(memory().tensors).toBe(before + 2);
    kept.sum.dispose();
    kept.list[0]!.dispose();
  });

  it("hooks see and replace gradients", () => {
    const x = leaf([1, 2]);
    const y = x.mul(2);
    const seen: unknown[] = [];
    const remove = y.registerHook((g) => {
      seen.push(g.toArray());
      return g.mul(10);
    });
    y.sum().backward(undefined, { retainGraph: true });
    expect(seen).toEqual([[1, 1]]);
    expect(x.grad!.toArray()).toEqual([20, 20]);
    remove();
    y.sum().backward();
    expect(x.grad!.toArray()).toEqual([22, 22]);
  });
});

describe("gradcheck", () => {
  it("passes what is right", () => {
    manualSeed(4);
    const a = randn([3, 4], { requiresGrad: true });
    const b = randn([5, 4], { requiresGrad: true });
    expect(gradcheck((p, q) => softmax(matmul(p, q.transpose(0, 1)), -1), [a, b])).toBe(true);
  });

  it("finds a wrong gradient, which a sum would not show for softmax", () => {
    const x = randn([2, 3], { requiresGrad: true });
    // Its gradient is that of softmax, its value is not.
    const wrong = (t: Tensor) => softmax(t, -1).add(t.detach().mul(0.5));
    expect(() => gradcheck(wrong, [x])).toThrow(/input 0 \[2,3\], element \d+: the gradient is .*differences give/);
    expect(gradcheck(wrong, [x], { raise: false })).toBe(false);
  });
});

describe("released tensors", () => {
  it("throw with the op that made them, what released them and the fix; one element never goes stale", () => {
    const lost: Tensor[] = [];
    for (const _ of steps(2)) {
      lost.push(relu(randn([3])));
      lost.push(mul(tensor(3), 2));
    }
    const [vector, scalar] = lost as [Tensor, Tensor];
    expect(() => vector.add(1)).toThrow(
      /tensor \[3\] made by relu was released when steps\(\) advanced\. keep\(\).*detach\(\).*noGrad\(\)/,
    );
    expect(String(vector)).toContain("released");
    expect(scalar.item()).toBe(6);
    expect(scalar.add(1).item()).toBe(7);
  });

  it("using frees at the end of its block", () => {
    const { tensors } = memory();
    {
      using x = randn([4]);
      expect(x.numel).toBe(4);
    }
    expect(memory().tensors).toBe(tensors);
  });
});

it("two steps of a training issue the same kernel calls, apart from addresses", () => {
  manualSeed(1);
  const model = new Sequential(new Linear(3, 8), new Tanh(), new Linear(8, 2));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const x = randn([4, 3]);
  const y = tensor(Int32Array.of(0, 1, 1, 0));
  const step = () => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x), y).add(mseLoss(model.forward(x), randn([4, 2])));
    loss.backward();
    optimizer.step();
  };
  for (let i = 0; i < 3; i++) step();
  // An address of this small heap is a multiple of 4 from 1024 on; sizes and scalars are not that large here.
  const withoutAddresses = (calls: ReturnType<typeof traceKernels>) =>
    calls.map((call) => call.map((part) => (typeof part === "number" && part >= 1024 ? "address" : part)));
  const first = withoutAddresses(traceKernels(step));
  const second = withoutAddresses(traceKernels(step));
  expect(first.length).toBeGreaterThan(20);
  expect(second).toEqual(first);
});
