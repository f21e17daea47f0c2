// gradine/optim: optimizers.
export { Adam, AdamW } from "./adam.js";
export type { AdamOptions } from "./adam.js";
export { Optimizer } from "./optimizer.js";
export type { OptimizerState, ParamGroup, Params, ParamState } from "./optimizer.js";
export { SGD } from "./sgd.js";
export type { SGDOptions } from "./sgd.js";
