// What all normalizations are: (x − mean)·rstd·weight + bias with statistics shared by groups of elements, and the
// gradients of x, weight and bias in one kernel.
import { rangeError, show } from "../error.js";
import { extra, type Ptr } from "../kernels/index.js";
import { nullPtr } from "../memory/index.js";
import { type Shape, sameShape } from "../shape.js";
import { goesWith, isRecording, recordJoint } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor } from "../tensor/index.js";
import { add, div, mul, sqrt, square, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { reshape } from "./layout.js";
import { mean, sum } from "./reduce.js";

/** How x is read: [N, C, L]; groups of D channels of one item, or (byBatch, D = 1) one channel of all items. */
export interface Grouping {
  readonly N: number;
  readonly C: number;
  readonly D: number;
  readonly L: number;
  readonly byBatch: boolean;
}

/** What depends on x beside itself: nothing (given statistics), the deviation, or the deviation and the mean. */
export const GIVEN = 0;
export const DEVIATION = 1;
export const BOTH = 2;
type Through = typeof GIVEN | typeof DEVIATION | typeof BOTH;

export interface Affine {
  /** One factor a channel; default 1. */
  readonly weight?: Tensor | null | undefined;
  /** One summand a channel; default 0. */
  readonly bias?: Tensor | null | undefined;
}

const optionalPtr = (x: Tensor | null | undefined): Ptr => (x ? ptr(x) : nullPtr);

/** Throws unless weight and bias, where given, are f32 of `shape`. */
export function checkAffine(op: string, { weight, bias }: Affine, shape: Shape): void {
  for (const [name, x] of [
    ["weight", weight],
    ["bias", bias],
  ] as const) {
    if (!x) continue;
    checkFloat(op, name, x);
    if (!sameShape(x.shape, shape)) throw rangeError(op, `${name} must be ${show(shape)}: got ${show(x.shape)}`);
  }
}

/** Mean and variance (biased) of each group; with DEVIATION 0 and the mean square. They are the caller's to release. */
export function statistics(op: string, x: Tensor, by: Grouping, through: Through): { mean: Tensor; variance: Tensor } {
  const { N, C, D, L } = by;
  const from = ptr(x);
  const groups = by.byBatch ? C : (N * C) / D;
  const means = allocate([groups], "f32", op);
  const variance = allocate([groups], "f32", op);
  const [n, c, l] = by.byBatch ? [N, C, L] : [1, groups, D * L];
  extra().moments(from, ptr(means), ptr(variance), n, c, l, through === BOTH ? 1 : 0);
  return { mean: means, variance };
}

/**
 * The result, recorded. Statistics that are no given ones (`through` is not GIVEN) go with it; so does rstd. With `own`
 * both are still to be computed, by item.
 */
export function normalizeBy(
  op: string,
  x: Tensor,
  affine: Affine,
  by: Grouping,
  means: Tensor,
  rstd: Tensor,
  through: Through,
  eps: number,
  own = false,
): Tensor {
  const { N, C, D, L } = by;
  const weight = affine.weight ?? null;
  const bias = affine.bias ?? null;
  const from = ptr(x);
  const pw = optionalPtr(weight);
  const pb = optionalPtr(bias);
  const y = allocate(x.shape, "f32", op);
  if (x.numel > 0) {
    const grouped = by.byBatch ? 1 : 0;
    extra().normalize(from, ptr(means), ptr(rstd), pw, pb, ptr(y), N, C, D, L, grouped, own ? through : GIVEN, eps);
  }
  const inputs = [x, weight, bias].filter((t) => t !== null);
  recordJoint(
    op,
    y,
    inputs,
    (gy, needs) => {
      const wanted = (t: Tensor | null): boolean => t !== null && needs[inputs.indexOf(t)]!;
      const gradients = isRecording()
        ? composedGradients(gy, x, weight, bias, by, means, rstd, through, eps, wanted)
        : fusedGradients(op, gy, x, weight, bias, by, means, rstd, through);
      return inputs.map((t) => (wanted(t) ? gradients[t === x ? 0 : t === weight ? 1 : 2]! : null));
    },
    weight === null ? [x, means, rstd] : [x, means, rstd, weight],
  );
  if (through !== GIVEN) goesWith(y, means);
  goesWith(y, rstd);
  return y;
}

/** The gradients of x, weight and bias. */
function fusedGradients(
  op: string,
  gy: Tensor,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  by: Grouping,
  means: Tensor,
  rstd: Tensor,
  through: Through,
): Tensor[] {
  const { N, C, D, L } = by;
  const g = ptr(gy);
  const from = ptr(x);
  const pw = optionalPtr(weight);
  const gx = allocate(x.shape, "f32", op);
  // By batch the sums over a channel enter the gradient of x, wanted or not.
  const gw = allocate(weight?.shape ?? [C], "f32", op);
  const gb = allocate(bias?.shape ?? [C], "f32", op);
  if (x.numel === 0) {
    fillWith(gw, 0);
    fillWith(gb, 0);
  } else {
    const grouped = by.byBatch ? 1 : 0;
    extra().normalizeGrad(g, from, ptr(means), ptr(rstd), pw, ptr(gx), ptr(gw), ptr(gb), N, C, D, L, grouped, through);
  }
  return [gx, gw, gb];
}

/**
 * The same by ops, with the statistics as functions of x, so that it can be differentiated again:
 * gx = rstd·(h − mean(h) − x̂·mean(h·x̂)), h = gy·weight, x̂ = (x − mean)·rstd; gw = Σ gy·x̂, gb = Σ gy.
 */
function composedGradients(
  gy: Tensor,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  by: Grouping,
  means: Tensor,
  rstd: Tensor,
  through: Through,
  eps: number,
  wanted: (t: Tensor | null) => boolean,
): (Tensor | null)[] {
  const { N, C, D, L } = by;
  const groups = C / D;
  const shape = [N, groups, D, L];
  const over = { dim: by.byBatch ? [0, 2, 3] : [2, 3], keepdim: true };
  const g = reshape(gy, shape);
  // What nobody wants must not be recorded, as no walk would consume it: hence the conditions.
  const gb = wanted(bias) ? reshape(sum(g, [0, 3]), bias!.shape) : null;
  if (!wanted(x) && !wanted(weight)) return [null, null, gb];
  let r: Tensor;
  let hat: Tensor | null = null;
  if (through === GIVEN) {
    r = reshape(rstd, [1, C, 1, 1]);
    if (wanted(weight)) hat = mul(sub(reshape(x, shape), reshape(means, [1, C, 1, 1])), r);
  } else {
    let d = reshape(x, shape);
    if (through === BOTH) d = sub(d, mean(d, over));
    r = div(1, sqrt(add(mean(square(d), over), eps)));
    hat = mul(d, r);
  }
  const gw = wanted(weight) ? reshape(sum(mul(g, hat!), [0, 3]), weight!.shape) : null;
  if (!wanted(x)) return [null, gw, gb];
  const h = weight === null ? g : mul(g, reshape(weight, [1, groups, D, 1]));
  let gx = h;
  if (through === BOTH) gx = sub(gx, mean(h, over));
  if (through !== GIVEN) gx = sub(gx, mul(hat!, mean(mul(h, hat!), over)));
  return [reshape(mul(gx, r), x.shape), gw, gb];
}

/** 1/√(variance + eps), in place of the variance or in a new tensor. */
export function inverseStd(op: string, variance: Tensor, eps: number, inPlace: boolean): Tensor {
  const from = ptr(variance);
  const rstd = inPlace ? variance : allocate(variance.shape, "f32", op);
  extra().inverseStd(from, ptr(rstd), variance.numel, eps);
  return rstd;
}
