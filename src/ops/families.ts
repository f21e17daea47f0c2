// The op families of torch and torch.Tensor: every function exported here is a public op, and a method of Tensor if a
// tensor comes first. Whatever imports a tensor carries them all.
export * from "./activation.js";
export * from "./arithmetic.js";
export * from "./compare.js";
export * from "./convert.js";
export * from "./count.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./indexing.js";
export * from "./join.js";
export * from "./layout.js";
export * from "./magnitude.js";
export * from "./masked.js";
export * from "./matmul.js";
export * from "./reduce.js";
export * from "./scan.js";
export * from "./softmax.js";
export * from "./sort.js";
export * from "./statistics.js";
export * from "./triangle.js";
export * from "./unary.js";
export * from "./write.js";
