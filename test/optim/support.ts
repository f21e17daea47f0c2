// What the tests of this folder use of the library.
export * from "../../src/index.js";
export { traceKernels } from "../../src/kernels/index.js";
