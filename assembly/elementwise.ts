// Elementwise arithmetic: binary ops with broadcasting, unary ops, fills. Elements are 4 bytes.
import { Binary, binary, each, map, mapLong, Unary } from "./loops";
import { cosCall, expCall, logCall, sinCall } from "./math";

/** What `nest` runs: one op on a block of rows. Strides in elements; y advances by n a row. */
type Block = (
  a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
) => void;

/**
 * y[i, j] = op(a[i aRow + j aStep], b[i bRow + j bStep]), steps 0 or 1. The rows are inside, so that one indirect call
 * serves them all. Each kind of row has its vector loop; the last loop takes what is left, and rows with both steps 0.
 */
// @ts-ignore: decorator
@inline
function block(
  op: Binary, a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32,
): void {
  for (; rows > 0; rows--) {
    let p = a, q = b, left = n;
    if (aStep & bStep) {
      for (; left >= 16; left -= 16) {
        v128.store(y, binary(op, v128.load(p), v128.load(q)));
        v128.store(y, binary(op, v128.load(p, 16), v128.load(q, 16)), 16);
        v128.store(y, binary(op, v128.load(p, 32), v128.load(q, 32)), 32);
        v128.store(y, binary(op, v128.load(p, 48), v128.load(q, 48)), 48);
        p += 64;
        q += 64;
        y += 64;
      }
      for (; left >= 4; left -= 4) {
        v128.store(y, binary(op, v128.load(p), v128.load(q)));
        p += 16;
        q += 16;
        y += 16;
      }
    } else if (aStep) {
      const vb = v128.load32_splat(q);
      for (; left >= 4; left -= 4) {
        v128.store(y, binary(op, v128.load(p), vb));
        p += 16;
        y += 16;
      }
    } else if (bStep) {
      const va = v128.load32_splat(p);
      for (; left >= 4; left -= 4) {
        v128.store(y, binary(op, va, v128.load(q)));
        q += 16;
        y += 16;
      }
    }
    for (; left > 0; left--) {
      v128.store_lane<f32>(y, binary(op, v128.load32_zero(p), v128.load32_zero(q)), 0);
      p += <usize>aStep << 2;
      q += <usize>bStep << 2;
      y += 4;
    }
    a += <usize>aRow << 2;
    b += <usize>bRow << 2;
  }
}

/** The two outer loops of a broadcast, shared by all ops. */
function nest(
  run: Block, a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  assert(d0 >= 0 && d1 >= 0 && d2 >= 0 && d3 >= 0, "sizes must not be negative");
  assert((a3 | b3) >>> 1 == 0, "innermost strides are 0 or 1");
  for (let i = 0; i < d0; i++) {
    for (let j = 0; j < d1; j++) {
      run(a + (<usize>(i * a0 + j * a1) << 2), b + (<usize>(i * b0 + j * b1) << 2), y, d2, d3, a2, b2, a3, b3);
      y += <usize>(d2 * d3) << 2;
    }
  }
}

function addBlock(a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32): void {
  block(Binary.Add, a, b, y, rows, n, aRow, bRow, aStep, bStep);
}
function subBlock(a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32): void {
  block(Binary.Sub, a, b, y, rows, n, aRow, bRow, aStep, bStep);
}
export function mulBlock(a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32): void {
  block(Binary.Mul, a, b, y, rows, n, aRow, bRow, aStep, bStep);
}
function divBlock(a: usize, b: usize, y: usize, rows: i32, n: i32, aRow: i32, bRow: i32, aStep: i32, bStep: i32): void {
  block(Binary.Div, a, b, y, rows, n, aRow, bRow, aStep, bStep);
}

/**
 * Broadcasting binary ops: y[i, j, k, l] = a[i a0 + j a1 + k a2 + l a3] op b[i b0 + j b1 + k b2 + l b3], strides in
 * elements, y contiguous [d0, d1, d2, d3]. a3 and b3 are 0 (one value for the whole row) or 1. Merge axes and put them
 * innermost first: a call and an indirect call are paid per (i, j), a few cycles per k.
 * y may equal an operand that has y's shape (all its strides those of y).
 */
export function add(
  a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  nest(addBlock, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3);
}

/** a - b; see `add`. */
export function sub(
  a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  nest(subBlock, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3);
}

/** a * b; see `add`. */
export function mul(
  a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  nest(mulBlock, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3);
}

/** a / b; see `add`. */
export function div(
  a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32,
  a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32,
): void {
  nest(divBlock, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3);
}

/** y = -x. All unary ops take n elements; y may equal x. */
export function neg(x: usize, y: usize, n: i32): void {
  map(Unary.Neg, x, y, n);
}

/** y = |x| */
export function abs(x: usize, y: usize, n: i32): void {
  map(Unary.Abs, x, y, n);
}

/** y = e^x */
export function exp(x: usize, y: usize, n: i32): void {
  mapLong(Unary.Exp, expCall, x, y, n);
}

/** y = log x, the natural logarithm */
export function log(x: usize, y: usize, n: i32): void {
  mapLong(Unary.Log, logCall, x, y, n);
}

/** y = sin x */
export function sin(x: usize, y: usize, n: i32): void {
  each(sinCall, x, y, n);
}

/** y = cos x */
export function cos(x: usize, y: usize, n: i32): void {
  each(cosCall, x, y, n);
}

/** y = sqrt x, correctly rounded */
export function sqrt(x: usize, y: usize, n: i32): void {
  map(Unary.Sqrt, x, y, n);
}

/** y = x^2 */
export function square(x: usize, y: usize, n: i32): void {
  map(Unary.Square, x, y, n);
}

/** n elements = value */
export function fill(y: usize, value: f32, n: i32): void {
  fillInt(y, reinterpret<i32>(value), n);
}

/** n elements = value */
export function fillInt(y: usize, value: i32, n: i32): void {
  assert(n >= 0, "n must not be negative");
  const v = i32x4.splat(value);
  for (; n >= 16; n -= 16) {
    v128.store(y, v);
    v128.store(y, v, 16);
    v128.store(y, v, 32);
    v128.store(y, v, 48);
    y += 64;
  }
  for (; n > 0; n--) {
    store<i32>(y, value);
    y += 4;
  }
}
