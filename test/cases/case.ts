// The case table's row: one op, one set of options. The same rows serve the forward test, the gradient checks, the
// property tests and the bench.
import type { Tensor } from "../../src/index.js";

/** A float64 array with a shape: what references compute with. `data` is row-major. */
export interface Ref {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** How an input is made: seeded values, or given ones. */
export interface Input {
  readonly shape: readonly number[];
  /** Element type; default "f32". Only f32 inputs are differentiated. */
  readonly dtype?: "f32" | "i32" | "bool";
  /** Range of the random values; default [-2, 2). Integers in [low, high) for i32. */
  readonly low?: number;
  readonly high?: number;
  /** The values themselves, instead of random ones (labels, indices, special values). */
  readonly values?: readonly number[];
  /** Random values keep this distance from these points (kinks, poles), so that differences are smooth. */
  readonly avoid?: readonly number[];
  readonly margin?: number;
  /** Random values are all different by at least `margin` (sort, max, median: no ties). */
  readonly distinct?: boolean;
  /** Handed over as a lazy transpose: a view whose last two axes lie swapped in memory. `shape` is what the op sees. */
  readonly transposed?: boolean;
  /** Not differentiated, though f32 (running statistics, masks); default false. */
  readonly constant?: boolean;
}

export interface Row {
  /** The exported op's name: what coverage.test.ts looks for. */
  readonly op: string;
  /** What is special about this row: options, layout. */
  readonly name?: string;
  readonly inputs: readonly Input[];
  /** Calls the op through the public API; several results as an array. */
  run(...inputs: Tensor[]): Tensor | readonly Tensor[];
  /** The same in float64, in plain JavaScript that nobody derived from the implementation. */
  reference(...inputs: Ref[]): Ref | readonly Ref[];
  /** Largest forward error, of max(1, |reference|); default 1e-5. 0: equal. */
  readonly tolerance?: number;
  /** Which gradients are checked: "second" (default: first and second), "first", or "none". */
  readonly gradient?: "second" | "first" | "none";
  /** Why not "second": a reason, printed in the coverage table. An op without a second gradient must throw, naming itself. */
  readonly reason?: string;
  /**
   * Half the step of the differences, which are taken of the float64 reference, default 1e-3: kinks must be further away
   * than that times 2 (`avoid`, `distinct`).
   */
  readonly eps?: number;
  /** Largest gradient error, of max(1, |difference|); default 1e-4 for the first gradient, ten times it for the second. */
  readonly gradientTolerance?: number;
  /** How many of the first inputs the op writes into (copy, fill); default 0: inputs come out unchanged. */
  readonly writes?: number;
  /**
   * Special values (NaN, ±Infinity, -0, denormals) are sent through elementwise ops in place of random ones and must
   * come out as in the reference; default true for ops of f32 inputs of one shape marked `elementwise`.
   */
  readonly elementwise?: boolean;
  /** Not suited to be timed (tiny, or only an error path); default false. */
  readonly noBench?: boolean;
}
