// The wasm's whole surface: one line a family.
export { floatToBool, floatToInt, intToBool, intToFloat } from "./convert";
export { convolve } from "./conv";
export { convPlan } from "./conv-plan";
export { add, div, exp, fill, fillInt, log, mul, neg, relu, reluGrad, sigmoid, sigmoidGrad, sqrt, square, sub, tanh, tanhGrad } from "./elementwise";
export { equalMask, gather, indexAdd, indexSelect, scatterAdd } from "./gather";
export { addStrided, copyStrided, heapBase } from "./layout";
export { crossEntropy, crossEntropyGrad, mse, mseGrad, oneHotRows, reduceLosses } from "./loss";
export { matmul, matmulScratch } from "./matmul";
export { adam, sgd } from "./optim";
export { maxPool, maxPoolPairs, maxPoolPairsGrad } from "./pool";
export { normal, permutation, randint, uniform } from "./random";
export { amax, amin, argmax, argmin, sum } from "./reduce";
export { resample } from "./resample";
export { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from "./softmax";
