// The wasm's whole surface: one line a family.
export * from "./layout";
export * from "./matmul";
