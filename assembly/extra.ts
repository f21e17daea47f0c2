// The kernels of layers and optimizers that a program may do without: a module of their own, which is compiled at the first
// call of one of them and left out of bundles that call none (emit.mjs reads the names here).
export { attention, attentionGrad, attentionScratch } from "./attention";
export { adjustRows, clipNorm } from "./clip";
export { convolve } from "./conv";
export { convPlan } from "./conv-plan";
export { binaryStep, elu, eluGrad, geluTanh, geluTanhGrad, hardsigmoid, hardsigmoidGrad, hardswish, hardswishGrad, hardtanhGrad, leakyRelu, leakyReluGrad, mish, mishGrad, silu, siluGrad, softplus, softplusGrad } from "./curve";
export { dropout } from "./dropout";
export { bagIds, bagMax } from "./embedding";
export { gelu, geluGrad } from "./gelu";
export { addStrided } from "./layout";
export { packedProduct, packedScratch, packPanels } from "./matmul-packed";
export { inverseStd, moments, normalize, updateRunning } from "./norm";
export { normalizeGrad } from "./norm-grad";
export { maxPool, maxPoolPairs, maxPoolPairsGrad } from "./pool";
export { gruBackward, gruForward, lstmBackward, lstmForward, rnnBackward, rnnForward } from "./recurrent";
export { resample } from "./resample";
export { optimize } from "./update";
