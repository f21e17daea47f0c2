// Square matrix products through the public API. NT and TN are what a linear layer's forward and backward pass use.
import { matmul } from "../data.mjs";
import { products } from "../reference.mjs";

export const name = "matmul";
export const title = "Matrix product, n x n by n x n (NT: a bT, TN: aT b)";
export const candidates = ["gradine", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];
export const rows = [64, 128, 256, 512, 1024].flatMap((n) =>
  ["NN", "NT", "TN"].map((layout) => {
    const spec = matmul(n, layout);
    return {
      label: `${n} ${layout}`,
      spec,
      flop: 2 * n ** 3,
      // ONNX has no transposed operand (its MatMul takes none).
      candidates: layout === "NN" ? candidates : candidates.filter((peer) => !peer.startsWith("ort")),
      expected: () => products(spec),
      tolerance: 1e-4,
    };
  }),
);
