// Where in the sequence: positions added to embeddings, and rotations of queries and keys.
import { checkInteger, rangeError, show } from "../error.js";
import { add, cat, cos, exp, flatten, mul, neg, outer, reshape, sin, slice, stack } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { arange, empty, type Tensor } from "../tensor/index.js";
import { normal } from "./init.js";
import { type Given, Layer, settle } from "./layer.js";
import { type Buffer, type Parameter, takeBuffer, takeParameter } from "./parameter.js";

/** ln 10000, the base of the sinusoids' wavelengths. */
const lnBase = 9.210340371976184;

/** Angles position·base^(−2i/d): `[length, dim / 2]`. */
function angles(length: number, dim: number, ln = lnBase): Tensor {
  const frequencies = exp(mul(arange(0, dim, 2, { dtype: "f32" }), -ln / dim));
  return outer(arange(0, length, 1, { dtype: "f32" }), frequencies);
}

/** The rows from `start` on for the last but one axis of x. */
function rowsFor(op: string, table: Tensor, x: Tensor, start: number, batchFirst: boolean): Tensor {
  const axis = x.ndim === 3 && !batchFirst ? 0 : x.ndim - 2;
  const length = x.shape[axis]!;
  checkInteger(op, "start", start, 0);
  if (x.ndim < 2 || x.shape[x.ndim - 1] !== table.shape[1] || start + length > table.shape[0]!) {
    throw rangeError(
      op,
      `takes […, length, ${table.shape[1]}] with positions below ${table.shape[0]}: got ${show(x.shape)} (x) from ${start} on`,
    );
  }
  const rows = slice(table, [[start, start + length]]);
  return axis === 0 && x.ndim === 3 ? reshape(rows, [length, 1, table.shape[1]!]) : rows;
}

interface PositionOptions {
  /** Inputs are `[batch, length, features]`, not `[length, batch, features]`; default true. */
  readonly batchFirst: boolean;
}

/** x + a row for each position. */
abstract class AddedPositions extends Layer {
  readonly batchFirst: boolean;

  constructor(maxLength: number, features: number, options: Given<PositionOptions>) {
    super();
    checkInteger(this.name, "maxLength", maxLength, 1);
    checkInteger(this.name, "features", features, 1);
    this.batchFirst = settle(this.name, options, { batchFirst: true }).batchFirst;
  }

  /** @internal `[maxLength, features]`. */
  protected abstract rows(): Tensor;

  /** @param start position of the first row. */
  override forward(x: Tensor, start = 0): Tensor {
    return this.composite([x], () => add(x, rowsFor(this.name, this.rows(), x, start, this.batchFirst)));
  }
}

/**
 * x + sinusoids of the position: sin(p·10000^(−2i/d)) at feature 2i, the cosine at 2i + 1 (Vaswani et al. 2017).
 *
 * @param maxLength how many positions there are.
 */
export class SinusoidalPositions extends AddedPositions {
  static override typeName = "SinusoidalPositions";
  readonly table: Buffer;

  constructor(maxLength: number, features: number, options: Given<PositionOptions> = {}) {
    super(maxLength, features, options);
    this.table = takeBuffer(
      noGrad(() => {
        const a = angles(maxLength, features);
        return slice(flatten(stack([sin(a), cos(a)], 2), 1), [null, [0, features]]);
      }),
      false,
    );
  }

  /** @internal */
  protected override rows(): Tensor {
    return this.table;
  }
}

/** x + a learned vector for each position; they start normal with std 0.02. */
export class LearnedPositions extends AddedPositions {
  static override typeName = "LearnedPositions";
  weight: Parameter;

  constructor(maxLength: number, features: number, options: Given<PositionOptions> = {}) {
    super(maxLength, features, options);
    this.weight = takeParameter(normal(empty([maxLength, features]), { std: 0.02 }));
  }

  /** @internal */
  protected override rows(): Tensor {
    return this.weight;
  }
}

/**
 * Turns pairs of features of queries and keys by an angle that grows with the position, so that their products depend on
 * the distance alone (Su et al. 2021). `[…, length, features] -> ` the same shape.
 *
 * @param options `interleaved` (default true, the paper's) pairs features 2i and 2i + 1; false pairs i and i + d/2.
 */
export class RotaryPositions extends Layer {
  static override typeName = "RotaryPositions";
  readonly cosines: Buffer;
  readonly sines: Buffer;
  readonly interleaved: boolean;

  constructor(maxLength: number, features: number, options: Given<{ readonly interleaved: boolean }> = {}) {
    super();
    checkInteger("RotaryPositions", "maxLength", maxLength, 1);
    checkInteger("RotaryPositions", "features", features, 2);
    if (features % 2 !== 0) throw rangeError("RotaryPositions", `features must be even: got ${features}`);
    this.interleaved = settle("RotaryPositions", options, { interleaved: true }).interleaved;
    const table = (fn: (x: Tensor) => Tensor) =>
      takeBuffer(
        noGrad(() => {
          const a = fn(angles(maxLength, features));
          return this.interleaved ? flatten(stack([a, a], 2), 1) : cat([a, a], 1);
        }),
        false,
      );
    this.cosines = table(cos);
    this.sines = table(sin);
  }

  /** @param start position of the first row: that of the new query where keys are cached. */
  override forward(x: Tensor, start = 0): Tensor {
    return this.composite([x], () => {
      const rows = (table: Tensor) => rowsFor("RotaryPositions", table, x, start, true);
      return add(mul(x, rows(this.cosines)), mul(this.turned(x), rows(this.sines)));
    });
  }

  /** Each pair (a, b) as (−b, a). */
  private turned(x: Tensor): Tensor {
    const half = x.shape[x.ndim - 1]! / 2;
    const leading = x.shape.slice(0, -1);
    const pairs = reshape(x, [...leading, ...(this.interleaved ? [half, 2] : [2, half])]);
    const axis = this.interleaved ? x.ndim : x.ndim - 1;
    const part = (i: number) =>
      slice(
        pairs,
        pairs.shape.map((_, a) => (a === axis ? [i, i + 1] : null)),
      );
    return reshape(cat([neg(part(1)), part(0)], axis), x.shape);
  }
}
