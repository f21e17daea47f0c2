// gradine/optim: optimizers and schedules.

export type { AdamOptions } from "./adam.js";
export { Adam, AdamW } from "./adam.js";
export type { WeightAverageOptions } from "./average.js";
export { WeightAverage } from "./average.js";
export type { ClipGradNormOptions, GradNoiseOptions, Parameters } from "./clip.js";
export {
  addGradNoise,
  centralizeGrad,
  clipGradAdaptive,
  clipGradNorm,
  clipGradValue,
  maxNorm,
  unitNorm,
} from "./clip.js";
export type { CyclicLROptions, OneCycleLROptions } from "./cycle.js";
export { CyclicLR, OneCycleLR } from "./cycle.js";
export type { LBFGSOptions } from "./lbfgs.js";
export { LBFGS } from "./lbfgs.js";
export type { LearnedOptimizerOptions, LearnedRuleOptions, RuleState } from "./learned.js";
export { LearnedOptimizer, LearnedRule } from "./learned.js";
export type { MetaTask, MetaTrainOptions } from "./meta-train.js";
export { metaTrain } from "./meta-train.js";
export type { MuonOptions } from "./muon.js";
export { Muon } from "./muon.js";
export type { OptimizerState, ParamGroup, ParamState, Params } from "./optimizer.js";
export { Optimizer } from "./optimizer.js";
export type { ReduceLROnPlateauOptions } from "./plateau.js";
export { ReduceLROnPlateau } from "./plateau.js";
export { elasticNet, l1Penalty, l2Penalty } from "./regularize.js";
export type {
  AdadeltaOptions,
  AdagradOptions,
  BetasOptions,
  LionOptions,
  NAdamOptions,
  RMSpropOptions,
  RpropOptions,
  RuleOptions,
} from "./rules.js";
export { Adadelta, Adagrad, Adamax, Lion, NAdam, RAdam, RMSprop, Rprop } from "./rules.js";
export type {
  CosineAnnealingLROptions,
  CosineAnnealingWarmRestartsOptions,
  LambdaLROptions,
  LinearLROptions,
  LrLambda,
  MultiStepLROptions,
  PolynomialLROptions,
  SequentialLROptions,
  StepLROptions,
} from "./schedule.js";
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  ExponentialLR,
  InverseSquareRootLR,
  LambdaLR,
  LinearLR,
  MultiStepLR,
  PolynomialLR,
  SequentialLR,
  StepLR,
  WarmupLR,
} from "./schedule.js";
export type { Scheduled, ScheduledGroup, SchedulerState } from "./scheduler.js";
export { LRScheduler } from "./scheduler.js";
export type { SGDOptions } from "./sgd.js";
export { SGD } from "./sgd.js";
