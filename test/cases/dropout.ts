// Rows of the dropout family: masks drawn from a generator of a known seed, which the reference draws independently.
import {
  alphaDropout,
  type DropoutOptions,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  Generator,
  type Tensor,
} from "../../src/index.js";
import { kept } from "../philox.js";
import { count, make } from "../reference.js";
import type { Ref, Row } from "./case.js";

const seed = 7;

/** Runs with a generator of its own, so that every run of a row drops the same elements. */
function drawn(run: (options: DropoutOptions) => Tensor, p: number): Tensor {
  const generator = new Generator(seed);
  try {
    return run({ p, generator });
  } finally {
    generator.dispose();
  }
}

/** x·mask/(1 − p), one draw for every `size` neighbours. */
function dropped(x: Ref, p: number, size = 1): Ref {
  const stays = kept(seed, x.data.length / size, p);
  return make(x.shape, (i) => (stays[Math.floor(i / size)] ? x.data[i]! / (1 - p) : x.data[i]! * 0));
}

const elements: readonly Row[] = [
  ...[0.1, 0.5, 0.83].map(
    (p): Row => ({
      op: "dropout",
      name: `p ${p}`,
      inputs: [{ shape: [9, 11] }],
      run: (x) => drawn((options) => dropout(x!, options), p),
      reference: (x) => dropped(x!, p),
    }),
  ),
  {
    op: "dropout",
    name: "long",
    inputs: [{ shape: [4099] }],
    run: (x) => drawn((options) => dropout(x!, options), 0.25),
    reference: (x) => dropped(x!, 0.25),
  },
  {
    op: "dropout",
    name: "all",
    inputs: [{ shape: [3, 5] }],
    run: (x) => dropout(x!, 1),
    reference: (x) => make(x!.shape, (i) => x!.data[i]! * 0),
  },
  {
    op: "dropout",
    name: "empty",
    inputs: [{ shape: [0, 5] }],
    run: (x) => drawn((options) => dropout(x!, options), 0.5),
    reference: (x) => x!,
  },
  {
    op: "dropout",
    name: "inference",
    inputs: [{ shape: [3, 5] }],
    run: (x) => dropout(x!, 0.5, { training: false }).mul(1),
    reference: (x) => x!,
  },
  {
    op: "alphaDropout",
    inputs: [{ shape: [5, 7] }],
    run: (x) => drawn((options) => alphaDropout(x!, options), 0.3),
    reference: (x) => {
      // Mean 0 and variance 1 of x stay: a·(kept ? x : α′) + b.
      const limit = -1.0507009873554805 * 1.6732632423543772;
      const a = (0.7 * (1 + 0.3 * limit ** 2)) ** -0.5;
      const b = -a * 0.3 * limit;
      const stays = kept(seed, x!.data.length, 0.3);
      return make(x!.shape, (i) => a * (stays[i] ? x!.data[i]! : limit) + b);
    },
  },
];

const channelShapes = [
  ["dropout1d", dropout1d, [3, 4, 5], 2],
  ["dropout1d", dropout1d, [6, 5], 1],
  ["dropout2d", dropout2d, [3, 4, 2, 3], 2],
  ["dropout2d", dropout2d, [3, 4, 5], 2],
  ["dropout3d", dropout3d, [2, 6, 2, 1, 2], 2],
] as const;
const channels = channelShapes.map(
  ([op, call, shape, lead]): Row => ({
    op,
    inputs: [{ shape }],
    run: (x) => drawn((options) => call(x!, options), 0.4),
    reference: (x) => dropped(x!, 0.4, count(shape.slice(lead))),
  }),
);

export const rows: readonly Row[] = [...elements, ...channels];
