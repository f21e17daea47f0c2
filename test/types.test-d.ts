// What must not compile, and the types of what does. Never run: `npm run check` has tsc read it, and an `@ts-expect-error`
// above a line that compiles is itself an error.
import { type DataLoader, TensorDataset } from "../src/data/index.js";
import {
  cat,
  crossEntropy,
  grad,
  type matmul,
  type noGrad,
  softmax,
  type Tensor,
  tensor,
  type ValuesAndIndices,
  zeros,
} from "../src/index.js";
import type { Kernels } from "../src/kernels/generated/kernels.js";
import { kernels, type Ptr } from "../src/kernels/index.js";
import { CrossEntropyLoss, init, Linear, Module, Parameter, ReLU, Sequential } from "../src/nn/index.js";
import { Adam, AdamW, SGD } from "../src/optim/index.js";
import { accuracy, confusionMatrix, type FitResult, fit } from "../src/train/index.js";

/** Holds when the two types are the same, `any` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function is<_Holds extends true>(): void;

declare const x: Tensor;
declare const w: Tensor;
declare const ptr: Ptr;
declare const n: number;

export function kernelCalls(): void {
  is<Same<ReturnType<Kernels["relu"]>, void>>();
  kernels.relu(ptr, ptr, n);
  // @ts-expect-error a misspelt kernel
  kernels.rellu(ptr, ptr, n);
  // @ts-expect-error an argument too few
  kernels.relu(ptr, n);
  // @ts-expect-error an argument too many
  kernels.relu(ptr, ptr, n, n);
  // @ts-expect-error a count where a pointer belongs
  kernels.relu(n, ptr, n);
  // @ts-expect-error a pointer where a count belongs
  kernels.relu(ptr, ptr, ptr);
  // @ts-expect-error no arithmetic on pointers
  kernels.relu(ptr + 4, ptr, n);
  // @ts-expect-error a number is no pointer, by no name
  const made: Ptr = 64;
  // @ts-expect-error the table is read-only
  kernels.relu = kernels.sigmoid;
  // @ts-expect-error a kernel of another signature
  const unary: Kernels["relu"] = kernels.matmul;
  // @ts-expect-error the same number of arguments, in another order
  const swapped: (a: number, b: Ptr, c: Ptr) => void = kernels.relu;
  void [made, unary, swapped];
}

export function fluent(): void {
  const y = x.matmul(w).relu().sum(1, { keepdim: true });
  is<Same<typeof y, Tensor>>();
  is<Same<ReturnType<Tensor["matmul"]>, Tensor>>();
  is<Same<Parameters<Tensor["matmul"]>, [b: Tensor]>>();
  x.sum();
  x.sum(-1);
  x.sum([0, 2]);
  x.sum({ dim: [0, 2], keepdim: true });
  x.softmax(-1);
  x.softmax({ dim: -1 });
  x.mul(2).add(w).sub(1).div(w);
  x.reshape([2, -1]).transpose(0, 1).flatten();
  const { values, indices } = x.max(1);
  is<Same<typeof values, Tensor>>();
  is<Same<typeof indices, Tensor>>();
  is<Same<ReturnType<typeof noGrad<number>>, number>>();
  const largest: Tensor = x.max();
  const both: ValuesAndIndices = x.max(0, { keepdim: true });
  void [largest, both];
  // @ts-expect-error a misspelt method
  x.matmull(w);
  // @ts-expect-error an unknown option
  x.sum(1, { keepDim: true });
  // @ts-expect-error an option of another type
  x.sum(1, { keepdim: 1 });
  // @ts-expect-error a missing operand
  x.matmul();
  // @ts-expect-error a number is no matrix
  x.matmul(3);
  // @ts-expect-error a list op is a function
  x.cat(w);
  // @ts-expect-error kernels' pointers are not public
  const address: number = x.address;
  // @ts-expect-error shapes are not written
  x.shape[0] = 3;
  // @ts-expect-error nor counts
  x.numel = 3;
  void address;
}

export function functions(): void {
  is<Same<ReturnType<typeof matmul>, Tensor>>();
  cat([x, w], { dim: 1 });
  crossEntropy(x, w, { reduction: "sum" });
  const [gx] = grad(x, [w], { createGraph: true });
  void gx;
  // @ts-expect-error an unknown option
  crossEntropy(x, w, { reduce: "sum" });
  // @ts-expect-error an unknown reduction
  crossEntropy(x, w, { reduction: "average" });
  // @ts-expect-error the tensors come in a list
  cat(x, w);
  // @ts-expect-error an unknown option
  softmax(x, { axis: 1 });
  // @ts-expect-error an unknown dtype
  zeros([2], { dtype: "f64" });
  // @ts-expect-error an unknown option
  tensor([1], { requires_grad: true });
  // @ts-expect-error text is no data
  tensor([["a"]]);
  // @ts-expect-error an unknown option
  grad(x, [w], { create_graph: true });
}

export function layers(): void {
  class Net extends Module {
    layers = new Sequential(new Linear(2, 3, { bias: false }), new ReLU());
    scale = new Parameter(zeros([1]), { requiresGrad: false });
    forward(input: Tensor): Tensor {
      return this.layers.forward(input).mul(this.scale);
    }
  }
  const model = new Net().train().eval().requiresGrad(false);
  is<Same<typeof model, Net>>();
  is<Same<ReturnType<Net["parameters"]>, Parameter[]>>();
  init.kaimingNormal(x, { mode: "fanOut", nonlinearity: "relu" });
  // @ts-expect-error a model needs a forward
  new (class extends Module {})();
  // @ts-expect-error an unknown option
  new Linear(2, 3, { biass: false });
  // @ts-expect-error a size is missing
  new Linear(2);
  // @ts-expect-error a function is no layer
  new Sequential(new Linear(2, 3), (y: Tensor) => y);
  // @ts-expect-error layers take tensors
  model.forward([1, 2]);
  // @ts-expect-error an unknown mode
  init.kaimingNormal(x, { mode: "fan_in" });
  // @ts-expect-error an unknown option
  new CrossEntropyLoss({ label_smoothing: 0.1 });
  // @ts-expect-error an unknown option
  model.loadStateDict({}, { strickt: false });
}

export async function training(model: Module, loader: DataLoader<readonly [Tensor, Tensor]>): Promise<void> {
  const optimizer = new Adam(model.parameters(), { lr: 0.1, betas: [0.9, 0.99] });
  optimizer.paramGroups[0]!.lr = 0.01;
  new SGD([{ params: [x], lr: 0.1 }, { params: [w] }], { momentum: 0.9 });
  // @ts-expect-error an unknown option
  new SGD([x], { nesterow: true });
  // @ts-expect-error Adam has betas
  new AdamW([x], { momentum: 0.9 });
  // @ts-expect-error two betas
  new Adam([x], { betas: [0.9] });
  // @ts-expect-error a rate is no options
  new SGD([x], 0.1);
  // @ts-expect-error an unknown option of a group
  new SGD([{ params: [x], speed: 1 }]);
  for (const [input, target] of loader) {
    is<Same<typeof input, Tensor>>();
    is<Same<typeof target, Tensor>>();
  }
  const pairs = new TensorDataset(x, w);
  is<Same<typeof pairs.tensors, [Tensor, Tensor]>>();
  const result = await fit(model, loader, { loss: crossEntropy, optimizer, metrics: { accuracy } });
  is<Same<typeof result, FitResult>>();
  is<Same<typeof result.kind, "completed" | "stopped" | "aborted" | "diverged">>();
  confusionMatrix(x, [0, 1], 2);
  // @ts-expect-error the loss is missing
  await fit(model, loader, { optimizer });
  // @ts-expect-error an unknown option
  await fit(model, loader, { loss: crossEntropy, optimizer, epoch: 3 });
  // @ts-expect-error batches are pairs
  await fit(model, [x], { loss: crossEntropy, optimizer });
}
