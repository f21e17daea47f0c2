// Losses, by kind.
export * from "./loss-classification.js";
export * from "./loss-distance.js";
export * from "./loss-probability.js";
export * from "./loss-regression.js";
export * from "./loss-sequence.js";
export type { LossOptions, Reduction } from "./reduction.js";
