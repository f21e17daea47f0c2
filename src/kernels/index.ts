// Kernels as the rest of the library sees them.
export { extra } from "./extra.js";
export type { CoreKernels, ExtraKernels, Kernels } from "./generated/kernels.js";
export type { KernelCall } from "./launch.js";
export { growMemory, isShared, kernels, memory, startKernels, traceKernels } from "./launch.js";
export type { Address } from "./load.js";
export { fastRefusal, loadBuild } from "./load.js";
export type { Ptr } from "./ptr.js";

/** What threads need is loaded when they are asked for. */
export const loadThreads = () => import("./threads/index.js");
