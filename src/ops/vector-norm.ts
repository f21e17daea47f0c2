// The p-norm along axes by ops, with the derivative 0 that PyTorch gives it at 0: behind norm, normalize, distances.
import type { Tensor } from "../tensor/index.js";
import { pow } from "./arithmetic.js";
import { ne, where } from "./compare.js";
import { to } from "./convert.js";
import { sqrt, square } from "./elementwise.js";
import { keep } from "./mask.js";
import { amax, amin, type ReduceOptions, sum } from "./reduce.js";
import { abs } from "./unary.js";

/** (Σ|x|ᵖ)^(1/p): max |x| for p = ∞, min |x| for −∞, the number of elements that are not 0 for p = 0. */
export function vectorNorm(x: Tensor, p: number, over: ReduceOptions): Tensor {
  if (p === Number.POSITIVE_INFINITY) return amax(abs(x), over);
  if (p === Number.NEGATIVE_INFINITY) return amin(abs(x), over);
  if (p === 0) return sum(to(ne(x, 0), "f32"), over);
  if (p === 1) return sum(abs(x), over);
  // A root has no derivative at 0: there the sum is replaced before, and the root after.
  if (p === 2) return rooted(sum(square(x), over), (s) => sqrt(s));
  const size = abs(x);
  const powers = p > 1 ? pow(size, p) : rooted(size, (v) => pow(v, p));
  return p > 0 ? rooted(sum(powers, over), (s) => pow(s, 1 / p)) : pow(sum(pow(size, p), over), 1 / p);
}

/** f(s) where s > 0 (or NaN), 0 elsewhere, without a derivative there. */
function rooted(s: Tensor, f: (s: Tensor) => Tensor): Tensor {
  const positive = ne(s, 0);
  return keep(f(where(positive, s, 1)), positive);
}
