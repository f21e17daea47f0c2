// Short ways to write rows: ops that move values without changing them, and integer inputs.
import type { Tensor } from "../../src/index.js";
import type { Ref } from "../reference.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

/** An input from a shape, or as it is. */
export const input = (x: Shape | Input): Input => ("shape" in x ? x : { shape: x });

/** An i32 input of these values. */
export const integers = (shape: Shape, values: readonly number[]): Input => ({ shape, dtype: "i32", values });

/** A bool input of these values (0 or 1). */
export const flags = (shape: Shape, values: readonly number[]): Input => ({ shape, dtype: "bool", values });

/** Random inputs of every kind that moves: f32, i32, bool. */
export const kinds = (shape: Shape): Input[] => [
  { shape },
  { shape, dtype: "i32", low: -50, high: 50 },
  { shape, dtype: "bool" },
];

/** A row whose results are exact; without an f32 input it has no gradient. */
export function exact(
  op: string,
  name: string,
  inputs: readonly (Shape | Input)[],
  run: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  reference: (...inputs: Ref[]) => Ref | readonly Ref[],
  more: Partial<Row> = {},
): Row {
  const all = inputs.map(input);
  const differentiable = all.some((x) => (x.dtype ?? "f32") === "f32" && !x.constant);
  return {
    op,
    name,
    inputs: all,
    run,
    reference,
    tolerance: 0,
    ...(differentiable ? {} : { gradient: "none" as const }),
    ...more,
  };
}
