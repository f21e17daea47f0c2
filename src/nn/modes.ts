// Passes that are not training.
import { noGrad } from "../tape/index.js";
import type { AnyModule } from "./module.js";

/** @internal Runs `fn` in evaluation mode and without recording, and puts every module's mode back. */
export function evaluating<T>(model: AnyModule, fn: () => T): T {
  const modes = model.modules().map((module) => [module, module.training] as const);
  try {
    model.eval();
    return noGrad(fn);
  } finally {
    for (const [module, mode] of modes) module.training = mode;
  }
}
