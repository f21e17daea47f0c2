// gradine/nn: layers and models.
export { ReLU, Sigmoid, Tanh } from "./activation.js";
export { Flatten, Sequential } from "./container.js";
export * as init from "./init.js";
export type { LinearOptions } from "./linear.js";
export { Linear } from "./linear.js";
export { CrossEntropyLoss, MSELoss } from "./loss.js";
export type { StateDict } from "./module.js";
export { Module } from "./module.js";
export { Buffer, buffer, Parameter } from "./parameter.js";
