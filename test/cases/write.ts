// Rows of the in-place writes.
import { copy, fill, zero } from "../../src/index.js";
import * as ref from "../reference.js";
import type { Input, Row } from "./case.js";

const inPlace = {
  tolerance: 0,
  writes: 1,
  gradient: "none",
  reason: "writes in place; refuses tensors that are being recorded",
} as const;

const copied = (x: Input, source: Input): Row => ({
  op: "copy",
  ...(x.dtype === undefined ? {} : { name: x.dtype }),
  inputs: [x, source],
  run: (x, source) => copy(x!, source!),
  reference: (x, source) => ref.broadcastTo(source!, x!.shape),
  ...inPlace,
});

const filled = (x: Input, value: number | boolean): Row => ({
  op: "fill",
  name: `with ${value} ${x.dtype ?? ""}`.trim(),
  inputs: [x],
  run: (x) => fill(x!, value),
  reference: (x) => ref.fullOf(x!.shape, Number(value)),
  ...inPlace,
});

export const rows: readonly Row[] = [
  copied({ shape: [3, 5] }, { shape: [3, 5] }),
  copied({ shape: [3, 5] }, { shape: [5] }),
  copied({ shape: [3, 5] }, { shape: [3, 1] }),
  copied({ shape: [2, 3] }, { shape: [] }),
  copied({ shape: [2, 2, 2, 2, 2] }, { shape: [2, 1, 2, 1, 2] }),
  copied({ shape: [0, 3] }, { shape: [3] }),
  copied({ shape: [17], dtype: "i32", high: 99 }, { shape: [17], dtype: "i32", high: 99 }),
  copied({ shape: [2, 4], dtype: "bool" }, { shape: [4], dtype: "bool" }),
  ...[0, 1, 3, 4, 5, 17].map((n) => filled({ shape: [n] }, 1.5)),
  filled({ shape: [2, 3] }, Number.NEGATIVE_INFINITY),
  filled({ shape: [2, 3], dtype: "i32" }, -7),
  filled({ shape: [2, 3], dtype: "bool" }, true),
  {
    op: "zero",
    inputs: [{ shape: [3, 5] }],
    run: (x) => zero(x!),
    reference: (x) => ref.fullOf(x!.shape, 0),
    ...inPlace,
  },
  {
    op: "zero",
    name: "i32",
    inputs: [{ shape: [9], dtype: "i32" }],
    run: (x) => zero(x!),
    reference: (x) => ref.fullOf(x!.shape, 0),
    ...inPlace,
  },
];
