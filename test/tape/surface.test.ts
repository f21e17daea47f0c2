// The autograd surface: Jacobians and products with them, checkpoint, ops of a user's own.
import { expect, it } from "vitest";
import {
  checkpoint,
  defineOp,
  grad,
  gradcheck,
  hessian,
  jacobian,
  jvp,
  manualSeed,
  matmul,
  memory,
  perSampleGradients,
  randn,
  scope,
  type Tensor,
  tensor,
  vjp,
} from "../../src/index.js";
import { Linear } from "../../src/nn/index.js";

const close = (x: Tensor, y: Tensor, digits = 5) => {
  expect(x.shape).toEqual(y.shape);
  const b = y.toTypedArray();
  x.toTypedArray().forEach((value, i) => expect(value).toBeCloseTo(b[i]!, digits));
};

it("jacobian of one input and of several", () => {
  const a = randn([3, 2]);
  const x = randn([2]);
  close(
    jacobian((t) => matmul(a, t), x),
    a,
  );
  const [jx, jy] = jacobian((p, q) => p.mul(q), [tensor([1, 2]), tensor([3, 4])]);
  expect(jx!.toArray()).toEqual([
    [3, 0],
    [0, 4],
  ]);
  expect(jy!.toArray()).toEqual([
    [1, 0],
    [0, 2],
  ]);
  // an input that takes no part
  expect(jacobian((p) => p.detach(), tensor([1, 2])).toArray()).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

it("hessian of a quadratic form is its matrix and the transpose", () => {
  const a = randn([3, 3]);
  close(
    hessian((x) => matmul(x, matmul(a, x)), randn([3])),
    a.add(a.transpose(0, 1)),
  );
  expect(() => hessian((x) => x.mul(2), tensor([1, 2]))).toThrow(/must give one element: got \[2\]/);
});

it("vjp and jvp are products with the jacobian", () => {
  const f = (x: Tensor) => x.tanh().mul(x.sum());
  const x = randn([4]);
  const v = randn([4]);
  const j = jacobian(f, x);
  const { output, gradients } = vjp(f, x, v);
  close(output, f(x));
  close(gradients[0]!, matmul(v, j));
  close(jvp(f, x, v).tangent, matmul(j, v));
  expect(() => jvp(f, x, tensor([1]))).toThrow(/tangents must have the inputs' shapes/);
});

it("gradients of each sample add up to that of the batch", () => {
  const model = new Linear(3, 2);
  const x = randn([5, 3]);
  const parameters = model.parameters();
  const apart = perSampleGradients((row) => model.forward(row!).square().sum(), parameters, x);
  const together = grad(model.forward(x).square().sum(), parameters);
  expect(apart[0]!.shape).toEqual([5, 2, 3]);
  apart.forEach((g, i) => close(g.sum(0), together[i]!, 4));
});

it("checkpoint gives the gradients of the function, of parameters it reads too, in less memory", () => {
  manualSeed(2);
  const w = randn([64, 64], { requiresGrad: true });
  const x = randn([64, 64], { requiresGrad: true });
  const f = (t: Tensor) => {
    let y = t;
    for (let i = 0; i < 6; i++) y = matmul(y, w).tanh();
    return y;
  };
  const run = (g: (t: Tensor) => Tensor) =>
    scope(() => {
      const before = memory().bytes;
      const y = g(x);
      const held = memory().bytes - before;
      const gradients = grad(y.square().sum(), [x, w]).map((t) => t.toTypedArray());
      return { held, gradients };
    });
  const whole = run(f);
  const saved = run((t) => checkpoint(f, [t]));
  expect(saved.gradients).toEqual(whole.gradients);
  expect(saved.held).toBeLessThan(whole.held / 3);
});

it("checkpoint draws the same random numbers the second time and leaves the stream where it was", () => {
  manualSeed(3);
  const x = tensor([1, 2, 3], { requiresGrad: true });
  let noise: Tensor | undefined;
  const y = checkpoint(
    (t) => {
      noise = randn([3]).detach();
      return t.mul(noise);
    },
    [x],
  );
  const after = randn([2]).toArray();
  const values = y.toTypedArray();
  y.sum().backward();
  const gradient = x.grad!.toTypedArray();
  values.forEach((value, i) => expect(gradient[i]! * (i + 1)).toBeCloseTo(value, 5));
  manualSeed(3);
  randn([3]);
  expect(randn([2]).toArray()).toEqual(after);
  expect(() => grad(checkpoint((t) => t.mul(t), [x]).sum(), x, { createGraph: true })).toThrow(
    /checkpoint: has no gradient of the gradient/,
  );
});

it("an op of one's own is recorded, checked and differentiated again", () => {
  const cube = defineOp("cube", {
    forward: (x: Tensor) => x.mul(x).mul(x),
    backward: (gy, { inputs: [x] }) => [gy.mul(x!.mul(x!)).mul(3)],
  });
  const x = randn([4], { requiresGrad: true });
  expect(gradcheck(cube, [x])).toBe(true);
  const [first] = grad(cube(x).sum(), x, { createGraph: true });
  const [second] = grad(first!.sum(), x);
  close(second!, x.mul(6));
  const wrong = defineOp("wrong", { forward: (t: Tensor) => t.mul(2), backward: (gy) => [gy.sum()] });
  expect(() => wrong(x).sum().backward()).toThrow(
    /wrong: backward must give a gradient of \[4\] for input 0: got \[\]/,
  );
  expect(() => defineOp("none", { forward: (_: Tensor) => 3 as never, backward: () => [] })(x)).toThrow(
    /must give a tensor: got 3/,
  );
});

it("a bare loop of all of these needs constant memory", () => {
  const w = randn([3], { requiresGrad: true });
  const double = defineOp("double", { forward: (x: Tensor) => x.add(x), backward: (gy) => [gy.mul(2)] });
  const step = () => {
    w.grad = null;
    checkpoint((t) => double(t).tanh(), [w])
      .sum()
      .backward();
    for (const t of [jacobian((x) => x.square(), w), hessian((x) => x.mul(x).sum(), w)]) t.dispose();
  };
  for (let i = 0; i < 100; i++) step();
  const { tensors, bytes } = memory();
  for (let i = 0; i < 300; i++) step();
  expect(memory()).toMatchObject({ tensors, bytes });
});
