// The op families: every function exported here is a public op, and a method of Tensor if a tensor comes first.
export * from "./activation.js";
export * from "./attention.js";
export * from "./convert.js";
export * from "./dropout.js";
export * from "./einsum.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./layout.js";
export * from "./linalg.js";
export * from "./loss.js";
export * from "./matmul.js";
export * from "./norm.js";
export * from "./reduce.js";
export * from "./softmax.js";
export * from "./write.js";
