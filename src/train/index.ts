// gradine/train: the training loop and metrics.

export type { AbortSignalLike, EpochResult, FitOptions, FitResult, LossFunction, Metric, Pair } from "./fit.js";
export { fit } from "./fit.js";
export { accuracy, confusionMatrix } from "./metrics.js";
