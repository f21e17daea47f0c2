// The wasm's whole surface: one line a family.
export { relu, reluGrad, sigmoid, sigmoidGrad, tanh, tanhGrad } from "./activation";
export { floatToBool, floatToInt, intToBool, intToFloat } from "./convert";
export { abs, add, cos, div, exp, fill, fillInt, log, mul, neg, sin, sqrt, square, sub } from "./elementwise";
export { equalMask, gather, indexAdd, indexCopy, indexSelect, resolveIndex, scatter } from "./gather";
export { addStrided, copyStrided, heapBase } from "./layout";
export { crossEntropy, crossEntropyGrad, mse, mseGrad, oneHotRows, reduceLosses } from "./loss";
export { maskedFill, nonzero, triangle, unravel } from "./masked";
export { matmul, matmulScratch } from "./matmul";
export { adam, sgd } from "./optim";
export { bernoulli, normal, permutation, randint, randomWords, uniform } from "./random";
export { amax, amin, argmax, argmin, sum } from "./reduce";
export { scalarCos, scalarExp, scalarLog, scalarPow, scalarSin, scalarTanh } from "./scalar";
export { firstEqual, histogram, scan } from "./scan";
export { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from "./softmax";
export { distinct, searchSorted, sort, sortScratch } from "./sort";
