// From the start of a process to its first prediction, less what an empty process takes.

import { net } from "../peers/cold/task.mjs";
import { predictions } from "../reference.mjs";

export const name = "cold-start";
export const title = "Cold start: a new process to the first prediction of an MLP, less an empty process";
export const candidates = [
  "gradine from cold",
  "gradine layers from cold",
  "jax-js from cold",
  "tfjs-wasm from cold",
  "empty process",
];
export const less = "empty process";
export const rows = [
  {
    label: "MLP 2-16-16-1",
    expected: () => predictions(net),
    tolerance: 1e-4,
    goals: [
      ["cold start", "gradine from cold"],
      ["cold start with layers", "gradine layers from cold"],
    ].flatMap(([what, of]) =>
      ["jax-js", "tfjs-wasm"].map((peer) => ({
        name: `${what} vs ${peer}`,
        of,
        versus: `${peer} from cold`,
        floor: 3,
        aim: 8,
      })),
    ),
  },
];
