// Tensors as the rest of the library sees them.

export type { CreateOptions, NestedData, RandomOptions, TensorData, TensorOptions } from "./create.js";
export {
  arange,
  checkDType,
  empty,
  eye,
  fillWith,
  full,
  linspace,
  ones,
  rand,
  randint,
  randn,
  randperm,
  tensor,
  zeros,
} from "./create.js";
export { defaultGenerator, Generator, manualSeed, nextStream, seed, withGenerator, withSeed } from "./generator.js";
export { emptyLike, fullLike, onesLike, randintLike, randLike, randnLike, zerosLike } from "./like.js";
export { scalarCos, scalarExp, scalarLog, scalarPow } from "./scalar.js";
export type { BackwardOptions, DType, NestedArray, TapeHooks, TapeNode, TypedArray } from "./tensor.js";
export {
  allocate,
  checkTensor,
  isTransposed,
  ptr,
  ptrAsStored,
  Tensor,
  tapeHooks,
  transposedView,
  viewOf,
} from "./tensor.js";
