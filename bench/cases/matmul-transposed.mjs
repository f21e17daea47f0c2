// Products with a transposed operand: NT is what a linear layer's forward pass uses, TN the gradient of its weight. ONNX has
// none of them: its MatMul takes no transposed operand.
import { ofPeak, product } from "../products.mjs";

export const name = "matmul-transposed";
export const title = "Matrix product with a transposed operand (NT: a bT, TN: aT b)";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "jax-js", "torch"];

export const rows = ["NT", "TN"].flatMap((layout) => {
  const versusTfjs = { name: `matmul ${layout} vs tfjs-wasm`, versus: "tfjs-wasm", floor: 10, aim: 14 };
  const square = (n) => product(layout, [n, n, n], [versusTfjs, ...ofPeak(layout)]);
  return [
    square(256),
    square(512),
    layout === "NT" ? square(1024) : endless(),
    product(layout, [128, 784, 128], [versusTfjs]),
  ];
});

/** Without tfjs-wasm: 5 s for a single product, for its loop over a transposed left operand misses every cache. */
function endless() {
  const row = product("TN", [1024, 1024, 1024], ofPeak("TN"));
  return { ...row, candidates: candidates.filter((peer) => peer !== "tfjs-wasm") };
}
