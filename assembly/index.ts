// The wasm's whole surface: one line a family.
export * from "./layout";
export { crossEntropy, crossEntropyGrad, mse, mseGrad } from "./loss";
export { adam, sgd } from "./optim";
export { bernoulli, normal, permutation, randint, randomWords, uniform } from "./random";
export { amax, amin, argmax, argmin, sum } from "./reduce";
export { logSoftmax, logSoftmaxGrad, softmax, softmaxGrad } from "./softmax";
