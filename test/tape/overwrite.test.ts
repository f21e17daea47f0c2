// A walk lets the gradients of activations lie where the gradient before them lay, where nobody sees that any more.
import { describe, expect, it } from "vitest";
import {
  add,
  clamp,
  gelu,
  grad,
  mul,
  noGrad,
  relu,
  sigmoid,
  silu,
  type Tensor,
  tanh,
  tensor,
} from "../../src/index.js";
import { traceKernels } from "../../src/kernels/index.js";

const values = [-2, -0.5, 0.1, 0.7, 3];
const cotangent = [0.3, -1, 2, 0.5, -0.25];
const leaf = () => tensor(values, { requiresGrad: true });

/** Whether the calls of a gradient kernel (gy, saved, gx) write where gy lies. */
const inPlace = (kernel: string, fn: () => void) =>
  traceKernels(fn)
    .filter(([name]) => name === kernel)
    .map(([, gy, , gx]) => gy === gx);

describe("a gradient that nobody sees", () => {
  it("is overwritten", () => {
    const x = leaf();
    const w = tensor(cotangent);
    expect(
      inPlace("tanhGrad", () =>
        mul(tanh(tanh(x)), w)
          .sum()
          .backward(),
      ),
    ).toEqual([true, true]);
    values.forEach((v, i) => {
      const y = Math.tanh(v);
      const z = Math.tanh(y);
      expect(x.grad!.toArray()[i as never]).toBeCloseTo(cotangent[i]! * (1 - z * z) * (1 - y * y), 5);
    });
  });

  it.each<[string, (x: Tensor) => Tensor]>([
    ["relu", relu],
    ["sigmoid", sigmoid],
    ["tanh", tanh],
    ["clamp", (x) => clamp(x, -1, 1)],
    ["gelu", (x) => gelu(x)],
    ["silu", silu],
  ])("%s: gives the bits of a walk that must keep it", (_, f) => {
    const of = (kept: boolean) => {
      const x = leaf();
      const y = f(x);
      // A hook may hold what it is given.
      if (kept) y.registerHook(() => undefined);
      y.mul(tensor(cotangent)).sum().backward();
      return x.grad!.toTypedArray();
    };
    expect(of(false)).toEqual(of(true));
  });
});

describe("a gradient that somebody sees stays", () => {
  it("two ops share it", () => {
    const a = leaf();
    const b = leaf();
    const calls = inPlace("tanhGrad", () => add(tanh(a), tanh(b)).mul(tensor(cotangent)).sum().backward());
    expect(calls).toEqual([false, true]); // the second is the last
    expect(a.grad!.toArray()).toEqual(b.grad!.toArray());
  });

  it("it was given by the caller", () => {
    const given = tensor(cotangent);
    expect(inPlace("reluGrad", () => relu(leaf()).backward(given))).toEqual([false]);
    expect(given.toTypedArray()).toEqual(new Float32Array(cotangent));
  });

  it("it is a result", () => {
    const x = leaf();
    const y = relu(x);
    const [gx, gy] = grad(y.mul(tensor(cotangent)).sum(), [x, y]) as [Tensor, Tensor];
    expect(gy.toTypedArray()).toEqual(new Float32Array(cotangent));
    expect(gx.toTypedArray()).toEqual(new Float32Array([0, 0, 2, 0.5, -0.25]));
  });

  it("a hook holds it: the value of one element stays readable", () => {
    const x = tensor(-3, { requiresGrad: true });
    const y = relu(x);
    let seen: Tensor | undefined;
    y.registerHook((gradient) => {
      seen = gradient;
      return undefined;
    });
    y.mul(5).backward();
    expect([seen!.item(), x.grad!.item()]).toEqual([5, 0]);
  });

  it("the walk is recorded", () => {
    const x = leaf();
    const y = tanh(x).mul(tensor(cotangent)).sum();
    const [first] = grad(y, x, { createGraph: true }) as [Tensor];
    const [second] = grad(first.sum(), x) as [Tensor];
    values.forEach((v, i) => {
      const t = Math.tanh(v);
      expect(noGrad(() => second.toTypedArray())[i]).toBeCloseTo(-2 * cotangent[i]! * t * (1 - t * t), 5);
    });
  });
});
