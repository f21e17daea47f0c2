// The second module: kernels of layers and optimizers that a program may do without. Bundles without a call of `extra` do
// not carry its bytes.
import { wasm } from "./generated/extra.js";
import type { ExtraKernels } from "./generated/kernels.js";
import { secondKernels } from "./launch.js";

/** The second module's kernels, compiled at the first call. */
export const extra = (): ExtraKernels => secondKernels(wasm);
