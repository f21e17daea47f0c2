// A single prediction: the call's overhead and a product of one row.
import { inference, mlp, relu } from "../nets.mjs";
import { predictions } from "../reference.mjs";

export const name = "inference";
export const title = "Inference, MLP 784-128-10";
export const candidates = ["gradine", "gradine fast", "tfjs-wasm", "ort-web", "jax-js", "torch", "ort-node"];

export const rows = [1, 64].map((batch) => {
  const spec = inference(mlp({ sizes: [784, 128, 10], activation: relu, batch }));
  return {
    label: `batch ${batch}`,
    spec,
    expected: () => predictions(spec),
    tolerance: 1e-4,
    goals:
      batch === 1
        ? [{ name: "MLP 784-128-10 inference, batch 1, vs ort-web", versus: "ort-web", floor: 1.2, aim: 1.8 }]
        : [],
  };
});
