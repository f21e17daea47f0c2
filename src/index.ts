// The package root: an explicit table of contents.
export { OutOfMemoryError, ReleasedTensorError } from "./error.js";

// Starting and memory
export { backend, init, memory, threads } from "./memory/index.js";
export type { Backend, InitOptions, MemoryReport } from "./memory/index.js";
export type { Shape, SliceRange } from "./shape.js";

// Tensors and random numbers
export { Tensor } from "./tensor/index.js";
export type { BackwardOptions, DType, NestedArray, TypedArray } from "./tensor/index.js";
export {
  arange,
  empty,
  emptyLike,
  eye,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  rand,
  randint,
  randintLike,
  randLike,
  randn,
  randnLike,
  randperm,
  tensor,
  zeros,
  zerosLike,
} from "./tensor/index.js";
export type { CreateOptions, NestedData, RandomOptions, TensorData, TensorOptions } from "./tensor/index.js";
export { Generator, manualSeed, seed } from "./tensor/index.js";

// The tape
export { enableGrad, grad, gradcheck, keep, noGrad, scope, steps } from "./tape/index.js";
export type { GradcheckOptions, GradOptions } from "./tape/index.js";
export { checkpoint, defineOp, hessian, jacobian, jvp, perSampleGradients, vjp } from "./ops/index.js";
export type { OpDefinition } from "./ops/index.js";

// Ops, by family
// activation
export { relu, sigmoid, tanh } from "./ops/index.js";
// arithmetic
export { addcmul, lerp, maximum, minimum, pow, remainder } from "./ops/index.js";
export type { AddcmulOptions } from "./ops/index.js";
// compare
export {
  eq,
  ge,
  gt,
  isFinite,
  isNaN,
  le,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  ne,
  where,
} from "./ops/index.js";
// convert
export { to } from "./ops/index.js";
// count
export { bincount, histc } from "./ops/index.js";
export type { HistcOptions } from "./ops/index.js";
// elementwise
export { add, div, exp, log, mul, neg, sqrt, square, sub } from "./ops/index.js";
export type { AlphaOptions } from "./ops/index.js";
// gather
export { gather, indexAdd, indexSelect, scatter, scatterAdd, take, takeAlongDim } from "./ops/index.js";
// indexing
export { at, indexPut, setAt } from "./ops/index.js";
export type { Index, IndexPutOptions } from "./ops/index.js";
// join
export { chunk, meshgrid, narrow, repeat, roll, split, stack, tile, unbind } from "./ops/index.js";
// layout
export {
  broadcastTo,
  cat,
  clone,
  expand,
  flatten,
  flip,
  movedim,
  permute,
  reshape,
  slice,
  squeeze,
  swapaxes,
  transpose,
  unflatten,
  unsqueeze,
} from "./ops/index.js";
// magnitude
export { cosineSimilarity, localResponseNorm, norm, normalize } from "./ops/index.js";
export type { CosineOptions, LocalResponseOptions, NormalizeOptions, VectorNormOptions } from "./ops/index.js";
// masked
export { maskedFill, maskedSelect, nonzero } from "./ops/index.js";
// matmul
export { bmm, dot, linear, matmul, outer } from "./ops/index.js";
// reduce
export { all, amax, amin, any, argmax, argmin, max, mean, min, prod, sum } from "./ops/index.js";
export type { Dim, ReduceOptions, ValuesAndIndices } from "./ops/index.js";
// scan
export { cumprod, cumsum } from "./ops/index.js";
// softmax
export { logSoftmax, softmax } from "./ops/index.js";
// sort
export { argsort, median, searchsorted, sort, topk, unique } from "./ops/index.js";
export type { SearchOptions, SortOptions, TopkOptions, UniqueOptions } from "./ops/index.js";
// statistics
export { logsumexp, std, variance, varMean } from "./ops/index.js";
export type { VarianceDim, VarianceOptions } from "./ops/index.js";
// triangle
export { diag, diagonal, tril, triu } from "./ops/index.js";
export type { DiagonalOptions } from "./ops/index.js";
// unary
export {
  abs,
  atan,
  ceil,
  clamp,
  cos,
  erf,
  expm1,
  floor,
  log1p,
  reciprocal,
  round,
  rsqrt,
  sign,
  sin,
} from "./ops/index.js";
export type { ClampOptions } from "./ops/index.js";
// write
export { copy, fill, zero } from "./ops/index.js";
// attention
export { scaledDotProductAttention } from "./ops/index.js";
export type { AttentionOptions } from "./ops/index.js";
// choice
export { bernoulli, glu, gumbelSoftmax, maxout, oneHot, softmin } from "./ops/index.js";
export type { BernoulliOptions, GumbelSoftmaxOptions, OneHotOptions } from "./ops/index.js";
// conv
export { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d } from "./ops/index.js";
export type { ConvOptions, ConvTransposeOptions } from "./ops/index.js";
// curve
export {
  binaryStep,
  elu,
  gelu,
  hardsigmoid,
  hardswish,
  hardtanh,
  identity,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu6,
  selu,
  silu,
  softplus,
  softsign,
} from "./ops/index.js";
export type { EluOptions, GeluOptions, HardtanhOptions, LeakyReluOptions, SoftplusOptions } from "./ops/index.js";
// dropout
export { alphaDropout, dropout, dropout1d, dropout2d, dropout3d } from "./ops/index.js";
export type { DropoutOptions } from "./ops/index.js";
// einsum
export { einsum } from "./ops/index.js";
// embedding
export { embedding, embeddingBag } from "./ops/index.js";
export type { EmbeddingBagOptions, EmbeddingOptions } from "./ops/index.js";
// grid
export type { GridSampleOptions } from "./ops/index.js";
export { gridSample } from "./ops/index.js";
// interpolate
export { interpolate } from "./ops/index.js";
export type { InterpolateOptions } from "./ops/index.js";
// linalg
export { eigh, qr, svd } from "./ops/index.js";
// loss
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  cosineEmbeddingLoss,
  crossEntropy,
  ctcLoss,
  gaussianNllLoss,
  hingeEmbeddingLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  multiMarginLoss,
  nllLoss,
  poissonNllLoss,
  sigmoidFocalLoss,
  smoothL1Loss,
  tripletMarginLoss,
} from "./ops/index.js";
export type {
  BinaryCrossEntropyOptions,
  BinaryCrossEntropyWithLogitsOptions,
  CosineEmbeddingOptions,
  CrossEntropyOptions,
  CtcOptions,
  FocalOptions,
  GaussianNllOptions,
  HingeEmbeddingOptions,
  HuberOptions,
  KlDivOptions,
  LossOptions,
  MultiMarginOptions,
  NllOptions,
  PoissonNllOptions,
  Reduction,
  SmoothL1Options,
  TripletMarginOptions,
} from "./ops/index.js";
// norm
export { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } from "./ops/index.js";
export type { BatchNormOptions, InstanceNormOptions, NormOptions, RmsNormOptions } from "./ops/index.js";
// pad
export { pad } from "./ops/index.js";
export type { PadOptions } from "./ops/index.js";
// pool
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
} from "./ops/index.js";
export type { AdaptiveMaxPoolOptions, AvgPoolOptions, MaxPoolOptions, OutputSize } from "./ops/index.js";
// unfold
export { fold, unfold } from "./ops/index.js";
export type { UnfoldOptions } from "./ops/index.js";
