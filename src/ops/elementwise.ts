// Elementwise arithmetic with broadcasting, and unary functions.
import { kernels } from "../kernels/index.js";
import { record } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { binary, checkOperands, recordBinary, tensorsOf, unary } from "./broadcast.js";
import { checkFloat, type Operand } from "./launch.js";

/**
 * a + b, broadcast. `[…, n] + […, n]`; axes align at the end and stretch from 1; either operand may be a number.
 *
 * @throws RangeError for shapes that do not broadcast. PyTorch: `torch.add`.
 * @example
 *  * console.log(add(tensor([[1, 2], [3, 4]]), tensor([10, 20])).toArray()); // [[11, 22], [13, 24]]
 */
export function add(a: Operand, b: Operand): Tensor {
  checkOperands("add", a, b);
  return recordBinary(
    "add",
    binary("add", kernels.add, a, b),
    a,
    b,
    (gy) => gy,
    (gy) => gy,
  );
}

/** a − b, broadcast. PyTorch: `torch.sub`. */
export function sub(a: Operand, b: Operand): Tensor {
  checkOperands("sub", a, b);
  return recordBinary(
    "sub",
    binary("sub", kernels.sub, a, b),
    a,
    b,
    (gy) => gy,
    (gy) => neg(gy),
  );
}

/** a · b elementwise, broadcast. PyTorch: `torch.mul`. */
export function mul(a: Operand, b: Operand): Tensor {
  checkOperands("mul", a, b);
  const y = binary("mul", kernels.mul, a, b);
  return recordBinary(
    "mul",
    y,
    a,
    b,
    (gy) => mul(gy, b),
    (gy) => mul(gy, a),
    tensorsOf(a, b),
  );
}

/** a / b elementwise, broadcast; IEEE: 1/0 is Infinity, 0/0 NaN. PyTorch: `torch.div`. */
export function div(a: Operand, b: Operand): Tensor {
  checkOperands("div", a, b);
  const y = binary("div", kernels.div, a, b);
  return recordBinary(
    "div",
    y,
    a,
    b,
    (gy) => div(gy, b),
    (gy) => neg(div(mul(gy, div(a, b)), b)),
    tensorsOf(a, b),
  );
}

/** −x. PyTorch: `torch.neg`. */
export function neg(x: Tensor): Tensor {
  checkFloat("neg", "x", x);
  return record("neg", unary("neg", kernels.neg, x), [[x, (gy) => neg(gy)]]);
}

/** eˣ, at most 1.5 ulp from the exact value. PyTorch: `torch.exp`. */
export function exp(x: Tensor): Tensor {
  checkFloat("exp", "x", x);
  const y = unary("exp", kernels.exp, x);
  return record("exp", y, [[x, (gy) => mul(gy, y)]], [y]);
}

/** Natural logarithm; −Infinity at 0, NaN below. PyTorch: `torch.log`. */
export function log(x: Tensor): Tensor {
  checkFloat("log", "x", x);
  return record("log", unary("log", kernels.log, x), [[x, (gy) => div(gy, x)]], [x]);
}

/** √x; NaN below 0. PyTorch: `torch.sqrt`. */
export function sqrt(x: Tensor): Tensor {
  checkFloat("sqrt", "x", x);
  const y = unary("sqrt", kernels.sqrt, x);
  return record("sqrt", y, [[x, (gy) => div(gy, mul(y, 2))]], [y]);
}

/** x². PyTorch: `torch.square`. */
export function square(x: Tensor): Tensor {
  checkFloat("square", "x", x);
  return record("square", unary("square", kernels.square, x), [[x, (gy) => mul(mul(gy, x), 2)]], [x]);
}
