// The tape as the rest of the library sees it.
import { installOrphanage } from "../memory/index.js";
import { tapeHooks } from "../tensor/index.js";
import { backward, registerHook } from "./backward.js";
import { orphan } from "./graph.js";
import { detach, requireGrad } from "./record.js";

export type { GradOptions } from "./backward.js";
export { grad } from "./backward.js";
export { composed } from "./composed.js";
export type { GradcheckOptions } from "./gradcheck.js";
export { gradcheck } from "./gradcheck.js";
export { goesWith } from "./graph.js";
export {
  enableGrad,
  isRecomputing,
  isRecording,
  keep,
  noGrad,
  passOn,
  recompute,
  record,
  recordJoint,
  scope,
  unrecorded,
  willRecord,
} from "./record.js";
export { steps } from "./steps.js";
export { installWalkOps, leavesOf, overwritable } from "./walk.js";

/** @internal Puts the tape below Tensor's methods. Called where the fluent methods are attached. */
export function installTape(): void {
  installOrphanage(orphan);
  tapeHooks.current = { backward, detach, registerHook, requireGrad };
}
