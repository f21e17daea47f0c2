// The package root: an explicit table of contents.
export { OutOfMemoryError, ReleasedTensorError } from "./error.js";
export type { InitOptions, MemoryReport } from "./memory/index.js";
// Starting and memory
export { init, memory } from "./memory/index.js";
export type { CrossEntropyOptions, Dim, LossOptions, ReduceOptions, Reduction, ValuesAndIndices } from "./ops/index.js";
// Ops, by family
export {
  add,
  amax,
  amin,
  argmax,
  argmin,
  cat,
  clone,
  copy,
  crossEntropy,
  div,
  exp,
  expand,
  fill,
  flatten,
  indexSelect,
  linear,
  log,
  logSoftmax,
  matmul,
  max,
  mean,
  min,
  mseLoss,
  mul,
  neg,
  permute,
  relu,
  reshape,
  sigmoid,
  slice,
  softmax,
  sqrt,
  square,
  squeeze,
  sub,
  sum,
  tanh,
  to,
  transpose,
  unsqueeze,
  zero,
} from "./ops/index.js";
export type { Shape, SliceRange } from "./shape.js";
export type { GradcheckOptions, GradOptions } from "./tape/index.js";
// The tape
export { enableGrad, grad, gradcheck, keep, noGrad, scope, steps } from "./tape/index.js";
export type {
  BackwardOptions,
  CreateOptions,
  DType,
  NestedArray,
  RandomOptions,
  TensorData,
  TensorOptions,
  TypedArray,
} from "./tensor/index.js";
// Tensors and random numbers
export {
  arange,
  empty,
  full,
  Generator,
  manualSeed,
  ones,
  rand,
  randint,
  randn,
  randperm,
  seed,
  Tensor,
  tensor,
  zeros,
} from "./tensor/index.js";
