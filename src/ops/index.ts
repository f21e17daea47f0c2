// Ops as the rest of the library sees them.
import "./fluent.js";

export type { OpDefinition } from "./autograd.js";
export { checkpoint, defineOp, hessian, jacobian, jvp, perSampleGradients, vjp } from "./autograd.js";
export * from "./families.js";
export { fillNormal, fillUniform } from "./fill-random.js";
export * from "./functional.js";
export type { CellKind, CellWeights, RecurrentOptions } from "./recurrent.js";
export { cellStep, gateCount, recurrent, unrolled } from "./recurrent.js";
export type { PerAxis } from "./spatial.js";
