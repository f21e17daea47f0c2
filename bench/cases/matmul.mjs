// Matrix products through the public API.
import { ofPeak, product } from "../products.mjs";

export const name = "matmul";
export const title = "Matrix product, m x k by k x n";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];

const small = [{ name: "matmul 16, 32 vs tfjs-wasm", versus: "tfjs-wasm", floor: 4, aim: 8 }];
const large = [
  { name: "matmul NN 64 to 1024, 128x784x128 vs tfjs-wasm", versus: "tfjs-wasm", floor: 1.2, aim: 1.3 },
  { name: "matmul NN 64 to 1024, 128x784x128 vs ort-web", versus: "ort-web", floor: 1.35, aim: 1.5 },
];

export const rows = [
  ...[16, 32].map((n) => product("NN", [n, n, n], small)),
  ...[64, 128].map((n) => product("NN", [n, n, n], large)),
  ...[256, 512, 1024].map((n) => product("NN", [n, n, n], [...large, ...ofPeak("NN")])),
  product("NN", [128, 784, 128], large),
];
