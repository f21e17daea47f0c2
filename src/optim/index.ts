// gradine/optim: optimizers.

export type { AdamOptions } from "./adam.js";
export { Adam, AdamW } from "./adam.js";
export type { OptimizerState, ParamGroup, ParamState, Params } from "./optimizer.js";
export { Optimizer } from "./optimizer.js";
export type { SGDOptions } from "./sgd.js";
export { SGD } from "./sgd.js";
