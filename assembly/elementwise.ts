// TEMPORARY stand-in until the elementwise family lands.
import { exp4, log4 } from "./math";
@inline function app(op: i32, a: v128, b: v128): v128 {
  if (op == 0) return f32x4.add(a, b);
  if (op == 1) return f32x4.sub(a, b);
  if (op == 2) return f32x4.mul(a, b);
  return f32x4.div(a, b);
}
@inline function nest(op: i32, a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32): void {
  for (let i = 0; i < d0; i++) for (let j = 0; j < d1; j++) for (let k = 0; k < d2; k++) {
    const pa = a + (<usize>(i * a0 + j * a1 + k * a2) << 2), pb = b + (<usize>(i * b0 + j * b1 + k * b2) << 2);
    let l = 0;
    if (a3 == 1 && b3 == 1) for (; l <= d3 - 4; l += 4) { v128.store(y, app(op, v128.load(pa + (<usize>l << 2)), v128.load(pb + (<usize>l << 2)))); y += 16; }
    for (; l < d3; l++) { store<f32>(y, f32x4.extract_lane(app(op, v128.load32_splat(pa + (<usize>(l * a3) << 2)), v128.load32_splat(pb + (<usize>(l * b3) << 2))), 0)); y += 4; }
  }
}
export function add(a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32): void { nest(0, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3); }
export function sub(a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32): void { nest(1, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3); }
export function mul(a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32): void { nest(2, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3); }
export function div(a: usize, b: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, a0: i32, a1: i32, a2: i32, a3: i32, b0: i32, b1: i32, b2: i32, b3: i32): void { nest(3, a, b, y, d0, d1, d2, d3, a0, a1, a2, a3, b0, b1, b2, b3); }
@inline function one(op: i32, v: v128): v128 {
  if (op == 0) return f32x4.neg(v);
  if (op == 1) return exp4(v);
  if (op == 2) return log4(v);
  if (op == 3) return f32x4.sqrt(v);
  if (op == 4) return f32x4.mul(v, v);
  if (op == 5) return f32x4.pmax(v, f32x4.splat(0));
  if (op == 6) return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(v))));
  const e = exp4(f32x4.mul(v, f32x4.splat(2)));
  return f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
}
@inline function un(op: i32, x: usize, y: usize, n: i32): void { for (let i = 0; i < n; i++) { store<f32>(y, f32x4.extract_lane(one(op, v128.load32_splat(x)), 0)); x += 4; y += 4; } }
export function neg(x: usize, y: usize, n: i32): void { un(0, x, y, n); }
export function exp(x: usize, y: usize, n: i32): void { un(1, x, y, n); }
export function log(x: usize, y: usize, n: i32): void { un(2, x, y, n); }
export function sqrt(x: usize, y: usize, n: i32): void { un(3, x, y, n); }
export function square(x: usize, y: usize, n: i32): void { un(4, x, y, n); }
export function relu(x: usize, y: usize, n: i32): void { un(5, x, y, n); }
export function sigmoid(x: usize, y: usize, n: i32): void { un(6, x, y, n); }
export function tanh(x: usize, y: usize, n: i32): void { un(7, x, y, n); }
export function reluGrad(g: usize, s: usize, y: usize, n: i32): void { for (let i = 0; i < n; i++) { const q = load<f32>(s + (<usize>i << 2)); store<f32>(y + (<usize>i << 2), q <= 0 ? 0 : load<f32>(g + (<usize>i << 2))); } }
export function sigmoidGrad(g: usize, s: usize, y: usize, n: i32): void { for (let i = 0; i < n; i++) { const q = load<f32>(s + (<usize>i << 2)); store<f32>(y + (<usize>i << 2), load<f32>(g + (<usize>i << 2)) * q * (1 - q)); } }
export function tanhGrad(g: usize, s: usize, y: usize, n: i32): void { for (let i = 0; i < n; i++) { const q = load<f32>(s + (<usize>i << 2)); store<f32>(y + (<usize>i << 2), load<f32>(g + (<usize>i << 2)) * (1 - q * q)); } }
export function fill(y: usize, v: f32, n: i32): void { for (let i = 0; i < n; i++) store<f32>(y + (<usize>i << 2), v); }
export function fillInt(y: usize, v: i32, n: i32): void { for (let i = 0; i < n; i++) store<i32>(y + (<usize>i << 2), v); }
