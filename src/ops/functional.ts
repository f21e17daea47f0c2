// The op families of torch.nn.functional, torch.linalg and the like: public ops that are functions only, as in PyTorch, so
// that a program carries those that it uses.
export * from "./attention.js";
export * from "./choice.js";
export * from "./conv.js";
export * from "./curve.js";
export * from "./dropout.js";
export * from "./einsum.js";
export * from "./embedding.js";
export * from "./grid.js";
export * from "./interpolate.js";
export * from "./linalg.js";
export * from "./loss.js";
export * from "./norm.js";
export * from "./pad.js";
export * from "./pool.js";
export * from "./unfold.js";
