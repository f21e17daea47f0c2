// Unary functions. Those of f32 take i32 and bool too and give f32; abs, sign, floor, ceil, round and clamp keep i32.
import { checkOptions, rangeError, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { broadcastShapes, type Shape } from "../shape.js";
import { composed, record } from "../tape/index.js";
import { checkTensor, type DType, ptr, Tensor } from "../tensor/index.js";
import { maximum, minimum } from "./arithmetic.js";
import { binary, sumTo, tensorsOf, unary, unaryGrad, zerosOf } from "./broadcast.js";
import { code } from "./codes.js";
import { ge, gt, le, logicalAnd, logicalOr, lt } from "./compare.js";
import { add, div, exp, mul, neg, square } from "./elementwise.js";
import type { Operand } from "./launch.js";
import { clone } from "./layout.js";
import { keep } from "./mask.js";
import { converted, higherType, viaFloat } from "./promote.js";

/** |x|; the derivative is 0 at 0. PyTorch: `torch.abs`. */
export function abs(x: Tensor): Tensor {
  checkTensor("abs", "x", x);
  if (x.dtype === "bool") throw typeError("abs", "a bool tensor has no absolute value");
  if (x.dtype === "i32") return composed("abs", [x], () => maximum(x, neg(x)));
  return record("abs", unary("abs", kernels.abs, x), [[x, (gy) => mul(gy, sign(x))]], [x]);
}

/** −1, 0 or 1; the derivative is 0. NaN for NaN (PyTorch gives 0). i32 stay i32. PyTorch: `torch.sign`. */
export function sign(x: Tensor): Tensor {
  checkTensor("sign", "x", x);
  if (x.dtype !== "f32") return composed("sign", [x], () => maximum(minimum(converted(x, "i32", "sign"), 1), -1));
  return record("sign", unary("sign", kernels.sign, x), [[x, (gy) => zerosOf("sign", gy)]]);
}

/** 1 / √x. PyTorch: `torch.rsqrt`. */
export function rsqrt(x: Tensor): Tensor {
  return viaFloat("rsqrt", x, (v) => {
    const y = unary("rsqrt", kernels.rsqrt, v);
    return record("rsqrt", y, [[v, (gy) => mul(gy, mul(mul(square(y), y), -0.5))]], [y]);
  });
}

/** 1 / x. PyTorch: `torch.reciprocal`. */
export function reciprocal(x: Tensor): Tensor {
  return viaFloat("reciprocal", x, (v) => {
    const y = unary("reciprocal", kernels.reciprocal, v);
    return record("reciprocal", y, [[v, (gy) => neg(mul(gy, square(y)))]], [y]);
  });
}

/** eˣ − 1 without cancellation near 0, at most 2.8 ulp from the exact value. PyTorch: `torch.expm1`. */
export function expm1(x: Tensor): Tensor {
  return viaFloat("expm1", x, (v) => {
    const y = unary("expm1", kernels.expm1, v);
    return record("expm1", y, [[v, (gy) => mul(gy, add(y, 1))]], [y]);
  });
}

/** log(1 + x) without cancellation near 0, at most 2.3 ulp from the exact value. PyTorch: `torch.log1p`. */
export function log1p(x: Tensor): Tensor {
  return viaFloat("log1p", x, (v) =>
    record("log1p", unary("log1p", kernels.log1p, v), [[v, (gy) => div(gy, add(v, 1))]], [v]),
  );
}

/** Sine of x in radians, at most 1 ulp from the exact value for any x. PyTorch: `torch.sin`. */
export function sin(x: Tensor): Tensor {
  return viaFloat("sin", x, (v) => record("sin", unary("sin", kernels.sin, v), [[v, (gy) => mul(gy, cos(v))]], [v]));
}

/** Cosine of x in radians; see sin. PyTorch: `torch.cos`. */
export function cos(x: Tensor): Tensor {
  return viaFloat("cos", x, (v) =>
    record("cos", unary("cos", kernels.cos, v), [[v, (gy) => neg(mul(gy, sin(v)))]], [v]),
  );
}

/** Arc tangent, in (−π/2, π/2), at most 2.8 ulp from the exact value. PyTorch: `torch.atan`. */
export function atan(x: Tensor): Tensor {
  return viaFloat("atan", x, (v) =>
    record("atan", unary("atan", kernels.atan, v), [[v, (gy) => div(gy, add(square(v), 1))]], [v]),
  );
}

/** Error function 2/√π ∫₀ˣ e^(−t²) dt, at most 1.7 ulp from the exact value. PyTorch: `torch.erf`. */
export function erf(x: Tensor): Tensor {
  return viaFloat("erf", x, (v) =>
    record(
      "erf",
      unary("erf", kernels.erf, v),
      [[v, (gy) => mul(gy, mul(exp(neg(square(v))), 1.1283791670955126))]], // 2/√π
      [v],
    ),
  );
}

function toInteger(op: "floor" | "ceil" | "round", x: Tensor): Tensor {
  checkTensor(op, "x", x);
  if (x.dtype === "bool") throw typeError(op, "x must be f32 or i32: got bool");
  if (x.dtype === "i32") return clone(x);
  return record(op, unary(op, kernels[op], x), [[x, (gy) => zerosOf(op, gy)]]);
}

/** The largest integer not above x; the derivative is 0. PyTorch: `torch.floor`. */
export function floor(x: Tensor): Tensor {
  return toInteger("floor", x);
}

/** The smallest integer not below x; the derivative is 0. PyTorch: `torch.ceil`. */
export function ceil(x: Tensor): Tensor {
  return toInteger("ceil", x);
}

/** The nearest integer, the even one of two as near; the derivative is 0. PyTorch: `torch.round`. */
export function round(x: Tensor): Tensor {
  return toInteger("round", x);
}

/** Bounds of `clamp`: numbers, or tensors that broadcast to x. */
export interface ClampOptions {
  readonly min?: Operand | undefined;
  readonly max?: Operand | undefined;
}

/**
 * x within bounds: min(max(x, min), max). NaN stays NaN; the gradient passes where min ≤ x ≤ max.
 *
 * @param min lowest value, a number or a tensor; or an object with both bounds, one of which may be missing.
 * @param max highest value.
 * @throws RangeError for a bound that is NaN. PyTorch: `torch.clamp`.
 * @example
 * import { clamp, tensor } from "gradine";
 * console.log(clamp(tensor([-2, 0.5, 3]), 0, 1).toArray()); // [0, 0.5, 1]
 */
export function clamp(x: Tensor, min?: Operand | ClampOptions, max?: Operand): Tensor {
  checkTensor("clamp", "x", x);
  let low: Operand | undefined;
  let high = max;
  if (typeof min === "object" && min !== null && !(min instanceof Tensor)) {
    checkOptions("clamp", min, ["min", "max"]);
    low = min.min;
    high = min.max;
  } else low = min as Operand | undefined;
  if (low === undefined && high === undefined) throw rangeError("clamp", "takes min, max or both: got neither");
  for (const [name, bound] of [
    ["min", low],
    ["max", high],
  ] as const) {
    if (typeof bound === "number" && !(bound <= Number.POSITIVE_INFINITY)) throw rangeError("clamp", `${name} is NaN`);
    else if (bound !== undefined && typeof bound !== "number") checkTensor("clamp", name, bound);
  }
  if (low instanceof Tensor || high instanceof Tensor || x.dtype !== "f32") return clampBy(x, low, high);
  return clampFloat(x, low ?? Number.NEGATIVE_INFINITY, high ?? Number.POSITIVE_INFINITY);
}

function clampFloat(x: Tensor, low: number, high: number): Tensor {
  return record("clamp", unary("clamp", kernels.clamp, x, low, high), [[x, (gy) => clampGrad(gy, x, low, high)]], [x]);
}

/** gy where low ≤ x ≤ high; linear in gy, so that it is its own gradient. */
function clampGrad(gy: Tensor, x: Tensor, low: number, high: number): Tensor {
  const gx = unaryGrad("clamp", kernels.clampGrad, gy, x, true, low, high);
  return record("clamp", gx, [[gy, (ggx) => clampGrad(ggx, x, low, high)]], [x]);
}

/** As clampFloat, for bounds that are tensors and for i32. */
function clampBy(x: Tensor, low: Operand | undefined, high: Operand | undefined): Tensor {
  const bounds = tensorsOf(...[low, high].filter((bound) => bound !== undefined));
  const type = [low, high].reduce<DType>((t, bound) => (bound === undefined ? t : higherType(t, bound)), x.dtype);
  let shape: Shape = x.shape;
  for (const bound of bounds) shape = broadcastShapes("clamp", shape, bound.shape);
  for (const tensor of [x, ...bounds]) ptr(tensor);
  if (type !== "f32") {
    return composed("clamp", [x, ...bounds], () => {
      const above = low === undefined ? x : maximum(x, low);
      return high === undefined ? above : minimum(above, high);
    });
  }
  const above = low === undefined ? x : binary("clamp", code.maximum, x, low);
  const y = high === undefined ? above : binary("clamp", code.minimum, above, high);
  if (above !== x && above !== y) above.release("within clamp()");
  const inside = (): Tensor => {
    if (low === undefined) return le(x, high!);
    return high === undefined ? ge(x, low) : logicalAnd(ge(x, low), le(x, high));
  };
  const partials: [Tensor, (gy: Tensor) => Tensor][] = [[x, (gy) => sumTo(keep(gy, inside()), x.shape)]];
  // As in PyTorch the upper bound wins, and with it the gradient, where the bounds are the wrong way round.
  if (low instanceof Tensor) {
    const below = () => (high === undefined ? lt(x, low) : logicalAnd(lt(x, low), lt(low, high)));
    partials.push([low, (gy) => sumTo(keep(gy, below()), low.shape)]);
  }
  if (high instanceof Tensor) {
    const beyond = () => (low === undefined ? gt(x, high) : logicalOr(gt(x, high), lt(high, low)));
    partials.push([high, (gy) => sumTo(keep(gy, beyond()), high.shape)]);
  }
  return record("clamp", y, partials, [x, ...bounds]);
}
