// gradine/train: the training loop, its callbacks and metrics.

export type { LossFunction, Metric, Pair, Values } from "./batch.js";
export type { CheckpointOptions, EarlyStoppingOptions } from "./callbacks.js";
export {
  Checkpoint,
  CSVLogger,
  EarlyStopping,
  JSONLLogger,
  LearningRateLogger,
  TerminateOnNaN,
} from "./callbacks.js";
export type { DiagnoseOptions, Diagnosis, Finding, FitErrors } from "./diagnose.js";
export { diagnoseFit } from "./diagnose.js";
export type { Averaging, BaggingOptions, BaggingPart, BaggingResult } from "./ensemble.js";
export { bagging, baggingTask, Ensemble, ensemble, Snapshots } from "./ensemble.js";
export type {
  BatchEvent,
  Callback,
  CallbackState,
  EpochResult,
  FitResult,
  Mode,
  OptimizerLike,
  ScheduleLike,
  TrainEvent,
  Training,
  TrainingCheckpoint,
} from "./events.js";
export type { FindLearningRateOptions, LearningRateRange } from "./find-learning-rate.js";
export { findLearningRate } from "./find-learning-rate.js";
export { fit, train } from "./fit.js";
export { accuracy, confusionMatrix } from "./metrics.js";
export type { AbortSignalLike, ClipOptions, FitOptions } from "./options.js";
export { ProgressBar } from "./progress.js";
export type { Choice, CrossValidateOptions, CrossValidation, SearchResult, Trial } from "./search.js";
export { crossValidate, gridSearch, randomSearch } from "./search.js";
export type { ClassOptions, ProbabilityOptions } from "./streaming.js";
export {
  Accuracy,
  CalibrationError,
  ConfusionMatrix,
  F1,
  LogLoss,
  MAE,
  MSE,
  Perplexity,
  PRAUC,
  Precision,
  R2,
  Recall,
  RMSE,
  ROCAUC,
  StreamingMetric,
  TopKAccuracy,
} from "./streaming.js";
export type { LoraOptions, Pattern } from "./transfer.js";
export { extractFeatures, freeze, groupsByDepth, LoraLinear, lora, mergeLora } from "./transfer.js";
export type { Task, WorkersOptions } from "./workers.js";
export { inWorkers } from "./workers.js";
