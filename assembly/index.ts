// The wasm's whole surface: one line a family.
export { floatToBool, floatToInt, intToBool, intToFloat } from "./convert";
export { add, div, exp, fill, fillInt, log, mul, neg, relu, reluGrad, sigmoid, sigmoidGrad, sqrt, square, sub, tanh, tanhGrad } from "./elementwise";
export { equalMask, gather, indexAdd, indexCopy, indexSelect, resolveIndex, scatter } from "./gather";
export { copyStrided, heapBase } from "./layout";
export { crossEntropy, crossEntropyGrad, mse, mseGrad, oneHotRows, reduceLosses } from "./loss";
export { maskedFill, nonzero, triangle, unravel } from "./mask";
export { matmul, matmulScratch } from "./matmul";
export { adam, sgd } from "./optim";
export { normal, permutation, randint, uniform } from "./random";
export { amax, amin, argmax, argmin, sum } from "./reduce";
export { firstEqual, histogram, scan } from "./scan";
export { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from "./softmax";
export { distinct, searchSorted, sort, sortScratch } from "./sort";
