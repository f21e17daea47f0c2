// Sums, products and quotients with broadcasting and PyTorch's type promotion, and the unary functions that most gradients
// are made with.
//
// Operands are tensors or numbers, at least one a tensor. bool < i32 < f32; a number counts as i32 if it is an integer,
// else as f32. i32 arithmetic wraps around. Results that are not f32 have no gradient.
import { checkNumber, checkOptions, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { composed, record } from "../tape/index.js";
import { checkTensor, type Tensor } from "../tensor/index.js";
import { binary, checkOperands, integral, recordBinary, tensorsOf, unary } from "./broadcast.js";
import { code } from "./codes.js";
import type { Operand } from "./launch.js";
import { commonType, viaFloat } from "./promote.js";

/** Options of `add` and `sub`. */
export interface AlphaOptions {
  /** A factor of `b`; default 1. */
  readonly alpha?: number;
}

/** b times `alpha`, in a body that `composed` runs. */
function scaled(op: string, a: Operand, b: Operand, options: AlphaOptions): Operand {
  const alpha = checkNumber(op, "alpha", options.alpha);
  if (commonType(a, b) !== "f32" && !Number.isInteger(alpha)) {
    throw typeError(op, `alpha must be an integer for integral operands: got ${alpha}`, 'Convert one with to("f32").');
  }
  return typeof b === "number" ? b * alpha : mul(b, alpha);
}

const isPlain = (op: string, options: AlphaOptions | undefined): options is undefined => {
  if (options === undefined) return true;
  checkOptions(op, options, ["alpha"]);
  return options.alpha === undefined;
};

/**
 * a + alpha · b, broadcast. `[…, n] + […, n]`; axes align at the end and stretch from 1; either operand may be a number.
 * Sums of bool are "or".
 *
 * @param options `alpha`, default 1.
 * @throws RangeError for shapes that do not broadcast. PyTorch: `torch.add`.
 * @example
 * import { add, tensor } from "gradine";
 * console.log(add(tensor([[1, 2], [3, 4]]), tensor([10, 20])).toArray()); // [[11, 22], [13, 24]]
 */
export function add(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  checkOperands("add", a, b);
  if (!isPlain("add", options)) return composed("add", tensorsOf(a, b), () => add(a, scaled("add", a, b, options)));
  const type = commonType(a, b);
  if (type !== "f32") return integral("add", type === "i32" ? code.addInt : code.or, a, b, type);
  return recordBinary(
    "add",
    binary("add", kernels.add, a, b),
    a,
    b,
    (gy) => gy,
    (gy) => gy,
  );
}

const isBool = (x: Operand): boolean => typeof x !== "number" && x.dtype === "bool";

/** a − alpha · b, broadcast. PyTorch: `torch.sub`. @throws TypeError for a bool tensor: use logicalXor. */
export function sub(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  checkOperands("sub", a, b);
  if (!isPlain("sub", options)) return composed("sub", tensorsOf(a, b), () => sub(a, scaled("sub", a, b, options)));
  const type = commonType(a, b);
  if (isBool(a) || isBool(b)) {
    throw typeError("sub", "bool tensors have no difference", "Use logicalXor(), or convert.");
  }
  if (type === "i32") return integral("sub", code.subInt, a, b, type);
  return recordBinary(
    "sub",
    binary("sub", kernels.sub, a, b),
    a,
    b,
    (gy) => gy,
    (gy) => neg(gy),
  );
}

/** a · b elementwise, broadcast. Products of bool are "and". PyTorch: `torch.mul`. */
export function mul(a: Operand, b: Operand): Tensor {
  checkOperands("mul", a, b);
  const type = commonType(a, b);
  if (type !== "f32") return integral("mul", type === "i32" ? code.mulInt : code.and, a, b, type);
  return recordBinary(
    "mul",
    binary("mul", kernels.mul, a, b),
    a,
    b,
    (gy) => mul(gy, b),
    (gy) => mul(gy, a),
    tensorsOf(a, b),
  );
}

/** a / b elementwise, broadcast; always f32. IEEE: 1/0 is Infinity, 0/0 NaN. PyTorch: `torch.div`. */
export function div(a: Operand, b: Operand): Tensor {
  checkOperands("div", a, b);
  return recordBinary(
    "div",
    binary("div", kernels.div, a, b),
    a,
    b,
    (gy) => div(gy, b),
    (gy) => neg(div(mul(gy, div(a, b)), b)),
    tensorsOf(a, b),
  );
}

/** −x. PyTorch: `torch.neg`. @throws TypeError for bool: use logicalNot. */
export function neg(x: Tensor): Tensor {
  checkTensor("neg", "x", x);
  if (x.dtype === "bool") throw typeError("neg", "a bool tensor has no negative", "Use logicalNot().");
  if (x.dtype === "i32") return integral("neg", code.subInt, 0, x, "i32");
  return record("neg", unary("neg", kernels.neg, x), [[x, (gy) => neg(gy)]]);
}

/** eˣ, at most 1 ulp from the exact value. i32 and bool become f32, here and below. PyTorch: `torch.exp`. */
export function exp(x: Tensor): Tensor {
  return viaFloat("exp", x, (v) => {
    const y = unary("exp", kernels.exp, v);
    return record("exp", y, [[v, (gy) => mul(gy, y)]], [y]);
  });
}

/** Natural logarithm; −Infinity at 0, NaN below. PyTorch: `torch.log`. */
export function log(x: Tensor): Tensor {
  return viaFloat("log", x, (v) => record("log", unary("log", kernels.log, v), [[v, (gy) => div(gy, v)]], [v]));
}

/** √x; NaN below 0. PyTorch: `torch.sqrt`. */
export function sqrt(x: Tensor): Tensor {
  return viaFloat("sqrt", x, (v) => {
    const y = unary("sqrt", kernels.sqrt, v);
    return record("sqrt", y, [[v, (gy) => div(gy, mul(y, 2))]], [y]);
  });
}

/** x². i32 stay i32. PyTorch: `torch.square`. */
export function square(x: Tensor): Tensor {
  checkTensor("square", "x", x);
  if (x.dtype !== "f32") return integral("square", code.mulInt, x, x, "i32");
  return record("square", unary("square", kernels.square, x), [[x, (gy) => mul(mul(gy, x), 2)]], [x]);
}
