// gradine/nn: layers and models.
export {
  BinaryStep,
  ELU,
  GELU,
  GLU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  LogSigmoid,
  LogSoftmax,
  Mish,
  PReLU,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softmin,
  Softplus,
  Softsign,
  Tanh,
} from "./activation.js";
export type { MultiheadAttentionCall, MultiheadAttentionOptions } from "./attention.js";
export { MultiheadAttention } from "./attention.js";
export { fuse, recalibrateBatchNorm } from "./batch-norm.js";
export type { ResidualOptions } from "./container.js";
export {
  Concat,
  Flatten,
  Lambda,
  ModuleDict,
  ModuleList,
  Parallel,
  Residual,
  Sequential,
  Unflatten,
} from "./container.js";
export type { ConvLayerOptions, ConvTransposeLayerOptions } from "./conv.js";
export { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d } from "./conv.js";
export type { DropoutLayerOptions } from "./dropout.js";
export { AlphaDropout, Dropout, Dropout1d, Dropout2d } from "./dropout.js";
export type { EmbeddingBagLayerOptions, EmbeddingLayerOptions } from "./embedding.js";
export { Embedding, EmbeddingBag } from "./embedding.js";
export { functionalCall } from "./functional-call.js";
export type { ForwardHook, ForwardPreHook } from "./hooks.js";
export * as init from "./init.js";
export type { Initializer } from "./initialize.js";
export { dataDependent, initialize, lsuv } from "./initialize.js";
export type { Given } from "./layer.js";
export type { BiasOptions, LinearOptions } from "./linear.js";
export { Bilinear, Identity, LazyLinear, Linear, Maxout } from "./linear.js";
export {
  BCELoss,
  BCEWithLogitsLoss,
  CosineEmbeddingLoss,
  CrossEntropyLoss,
  CTCLoss,
  GaussianNLLLoss,
  HingeEmbeddingLoss,
  HuberLoss,
  KLDivLoss,
  L1Loss,
  MSELoss,
  MultiMarginLoss,
  NLLLoss,
  PoissonNLLLoss,
  SigmoidFocalLoss,
  SmoothL1Loss,
  TripletMarginLoss,
} from "./loss.js";
export type { AnyModule, StateDict } from "./module.js";
export { Module } from "./module.js";
export type { BatchNormLayerOptions } from "./norm.js";
export {
  BatchNorm1d,
  BatchNorm2d,
  GroupNorm,
  InstanceNorm1d,
  InstanceNorm2d,
  LayerNorm,
  LocalResponseNorm,
  RMSNorm,
} from "./norm.js";
export { Buffer, buffer, Parameter } from "./parameter.js";
export {
  AdaptiveAvgPool1d,
  AdaptiveAvgPool2d,
  AdaptiveMaxPool1d,
  AdaptiveMaxPool2d,
  AvgPool1d,
  AvgPool2d,
  MaxPool1d,
  MaxPool2d,
  ReflectionPad2d,
  Upsample,
  ZeroPad2d,
} from "./pool.js";
export { LearnedPositions, RotaryPositions, SinusoidalPositions } from "./position.js";
export type { LSTMState, RecurrentLayerOptions, SequenceOptions } from "./recurrent.js";
export { GRU, GRUCell, LSTM, LSTMCell, RNN, RNNCell } from "./recurrent.js";
export type { SpectralNormOptions, WeightNormOptions } from "./reparametrize.js";
export { removeNorm, spectralNorm, weightNorm } from "./reparametrize.js";
export type { DecoderCall, EncoderCall, TransformerLayerOptions } from "./transformer.js";
export {
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "./transformer.js";
