// Kernels as the rest of the library sees them.
export { extra } from "./extra.js";
export type { CoreKernels, ExtraKernels, Kernels } from "./generated/kernels.js";
export type { KernelCall } from "./launch.js";
export { growMemory, kernels, memory, startKernels, traceKernels, useModule } from "./launch.js";
export type { Ptr } from "./ptr.js";
