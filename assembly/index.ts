// The wasm's whole surface: one line a family.
export * from "./layout";
export * from "./elementwise";
export * from "./activation";
export { scalarExp, scalarLog, scalarPow, scalarSin, scalarCos, scalarTanh } from "./scalar";
