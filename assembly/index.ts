// The wasm's whole surface: one line a family.
export { relu, reluGrad, sigmoid, sigmoidGrad, tanh, tanhGrad } from "./activation";
export { attention, attentionGrad, attentionScratch } from "./attention";
export { dropout } from "./dropout";
export { combine } from "./combine";
export { floatToBool, floatToInt, intToBool, intToFloat } from "./convert";
export {
  binaryStep, ceil, clamp, clampGrad, elu, eluGrad, floor, gelu, geluGrad, geluTanh, geluTanhGrad, hardsigmoid, hardsigmoidGrad,
  hardswish, hardswishGrad, hardtanhGrad, leakyRelu, leakyReluGrad, mish, mishGrad, reciprocal, round, rsqrt, sign, silu,
  siluGrad, softplus, softplusGrad,
} from "./curve";
export { abs, add, cos, div, exp, fill, fillInt, log, mul, neg, sin, sqrt, square, sub } from "./elementwise";
export { bagIds, bagMax } from "./embedding";
export { equalMask, gather, indexAdd, indexCopy, indexSelect, resolveIndex, scatter } from "./gather";
export { addStrided, copyStrided, heapBase } from "./layout";
export { crossEntropy, crossEntropyGrad, mse, mseGrad, oneHotRows, reduceLosses } from "./loss";
export { maskedFill, nonzero, triangle, unravel } from "./masked";
export { matmul, matmulScratch } from "./matmul";
export { oneHot } from "./one-hot";
export { adam, sgd } from "./optim";
export { inverseStd, moments, normalize, normalizeGrad, updateRunning } from "./norm";
export { bernoulli, normal, permutation, randint, randomWords, uniform } from "./random";
export { amax, amin, argmax, argmin, sum } from "./reduce";
export { scalarCos, scalarExp, scalarLog, scalarPow, scalarSin, scalarTanh } from "./scalar";
export { firstEqual, histogram, scan } from "./scan";
export { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from "./softmax";
export { atan, erf, expm1, log1p } from "./special";
export { distinct, searchSorted, sort, sortScratch } from "./sort";
