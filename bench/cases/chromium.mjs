// Some of the other benches in headless Chromium, on a page's main thread.
import { rows as elementwise } from "./elementwise.mjs";
import { rows as inference } from "./inference.mjs";
import { rows as matmul } from "./matmul.mjs";
import { rows as transposed } from "./matmul-transposed.mjs";
import { rows as mlp } from "./train-mlp.mjs";
import { rows as tiny } from "./train-tiny.mjs";

export const name = "chromium";
export const title = "In headless Chromium";
export const candidates = ["gradine in Chromium", "tfjs-wasm in Chromium"];

const products = ["64 NN", "256 NN", "512 NN", "256 NT", "256 TN"];
const named = (prefix, rows) => rows.map((row) => ({ ...row, label: `${prefix}${row.label}` }));
export const rows = [
  ...named(
    "product ",
    [...matmul, ...transposed].filter(({ label }) => products.includes(label)),
  ),
  ...named("MLP 2-16-16-1 training step, ", tiny),
  ...named("MLP 784-128-10 training step, ", mlp),
  ...named("inference, ", inference),
  ...elementwise,
].map((row) => ({ ...row, candidates, goals: [] }));
