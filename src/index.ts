// The package root: an explicit table of contents.
export { ReleasedTensorError, OutOfMemoryError } from "./error.js";

// Starting and memory
export { init, memory } from "./memory/index.js";
export type { InitOptions, MemoryReport } from "./memory/index.js";

// Tensors and random numbers
export {
  arange, empty, full, Generator, manualSeed, ones, rand, randint, randn, randperm, seed, Tensor, tensor, zeros,
} from "./tensor/index.js";
export type { BackwardOptions, CreateOptions, DType, NestedArray, RandomOptions, TensorData, TensorOptions, TypedArray } from "./tensor/index.js";
export type { Shape, SliceRange } from "./shape.js";

// The tape
export { enableGrad, grad, gradcheck, keep, noGrad, scope, steps } from "./tape/index.js";
export type { GradcheckOptions, GradOptions } from "./tape/index.js";

// Ops, by family
export { relu, sigmoid, tanh } from "./ops/index.js";
export { to } from "./ops/index.js";
export { add, div, exp, log, mul, neg, sqrt, square, sub } from "./ops/index.js";
export { indexSelect } from "./ops/index.js";
export { cat, clone, expand, flatten, permute, reshape, slice, squeeze, transpose, unsqueeze } from "./ops/index.js";
export { crossEntropy, mseLoss } from "./ops/index.js";
export type { CrossEntropyOptions, LossOptions, Reduction } from "./ops/index.js";
export { linear, matmul } from "./ops/index.js";
export { amax, amin, argmax, argmin, max, mean, min, sum } from "./ops/index.js";
export type { Dim, ReduceOptions, ValuesAndIndices } from "./ops/index.js";
export { logSoftmax, softmax } from "./ops/index.js";
export { copy, fill, zero } from "./ops/index.js";
