// Recurrent cells, one time step for a whole batch: the arithmetic between the matrix products, forward and backward.
//
// A layer calls these once a step. The transcendental functions are the contiguous kernels of the activations, a row at
// a time, so that what remains here are multiplications and additions. Row b of the batch has ended when `lengths` is
// not 0 and t >= lengths[b]: its state is carried over, and its gradient passes through.
import { relu, sigmoid, tanh } from "./activation";
import { loadWide, storeWide } from "./lanes";
import { madd, nmadd } from "./simd";

// @ts-ignore: decorator
@inline
function ended(lengths: usize, b: i32, t: i32): bool {
  return lengths != 0 && t >= load<i32>(lengths + (<usize>b << 2));
}

/** y += x, or y += x z when z is not 0. */
function addTo(y: usize, x: usize, z: usize, n: i32): void {
  for (let i: usize = 0; n > 0;) {
    const wide = n >= 4;
    let v = loadWide(x + i, wide);
    if (z) v = f32x4.mul(v, loadWide(z + i, wide));
    storeWide(y + i, f32x4.add(loadWide(y + i, wide), v), wide);
    i += wide ? 16 : 4;
    n -= wide ? 4 : 1;
  }
}

/** c = f cPrev + i g; the gates lie one after another, `row` bytes each: i, f, g, o. */
function lstmState(gates: usize, cPrev: usize, c: usize, row: usize, n: i32): void {
  for (; n > 0;) {
    const wide = n >= 4;
    const f = loadWide(gates + row, wide);
    const ig = f32x4.mul(loadWide(gates, wide), loadWide(gates + 2 * row, wide));
    storeWide(c, madd(f, loadWide(cPrev, wide), ig), wide);
    const step: usize = wide ? 16 : 4;
    gates += step;
    cPrev += step;
    c += step;
    n -= wide ? 4 : 1;
  }
}

/** y *= x. */
function scaleBy(y: usize, x: usize, n: i32): void {
  for (; n > 0;) {
    const wide = n >= 4;
    storeWide(y, f32x4.mul(loadWide(y, wide), loadWide(x, wide)), wide);
    const step: usize = wide ? 16 : 4;
    x += step;
    y += step;
    n -= wide ? 4 : 1;
  }
}

/**
 * i, f, o = sigmoid, g = tanh of gates[batch, 4 hidden] (in place), c = f cPrev + i g, h = o tanh(c), all [batch, hidden].
 */
export function lstmForward(
  gates: usize, cPrev: usize, hPrev: usize, c: usize, h: usize, lengths: usize, batch: i32, hidden: i32, t: i32,
): void {
  const row = <usize>hidden << 2;
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) {
      memory.copy(c, cPrev, row);
      memory.copy(h, hPrev, row);
    } else {
      sigmoid(gates, gates, 2 * hidden);
      tanh(gates + 2 * row, gates + 2 * row, hidden);
      sigmoid(gates + 3 * row, gates + 3 * row, hidden);
      lstmState(gates, cPrev, c, row, hidden);
      tanh(c, h, hidden);
      scaleBy(h, gates + 3 * row, hidden);
    }
    gates += 4 * row;
    cPrev += row;
    hPrev += row;
    c += row;
    h += row;
  }
}

/** One row of lstmBackward; dgates holds tanh(c) in the place of o's gradient. */
function lstmRow(gates: usize, cPrev: usize, gy: usize, dh: usize, dc: usize, dgates: usize, row: usize, n: i32): void {
  const one = f32x4.splat(1);
  for (; n > 0;) {
    const wide = n >= 4;
    const step: usize = wide ? 16 : 4;
    const o = loadWide(gates + 3 * row, wide), tc = loadWide(dgates + 3 * row, wide);
    const g = f32x4.add(loadWide(gy, wide), loadWide(dh, wide));
    const gc = f32x4.add(
      loadWide(dc, wide),
      f32x4.mul(f32x4.mul(g, o), nmadd(tc, tc, one)),
    );
    storeWide(dgates + 3 * row, f32x4.mul(f32x4.mul(g, tc), f32x4.mul(o, f32x4.sub(one, o))), wide);
    const i = loadWide(gates, wide), f = loadWide(gates + row, wide), z = loadWide(gates + 2 * row, wide);
    storeWide(dgates, f32x4.mul(f32x4.mul(gc, z), f32x4.mul(i, f32x4.sub(one, i))), wide);
    storeWide(dgates + row, f32x4.mul(f32x4.mul(gc, loadWide(cPrev, wide)), f32x4.mul(f, f32x4.sub(one, f))), wide);
    storeWide(dgates + 2 * row, f32x4.mul(f32x4.mul(gc, i), nmadd(z, z, one)), wide);
    storeWide(dc, f32x4.mul(gc, f), wide);
    storeWide(dh, i32x4.splat(0), wide);
    gates += step;
    cPrev += step;
    gy += step;
    dh += step;
    dc += step;
    dgates += step;
    n -= wide ? 4 : 1;
  }
}

/**
 * Gradient of one step, given gy of its output beside dh (from the next step's product) and dc: dgates of the values
 * before sigmoid and tanh, dc of cPrev. dh is left at 0, where the product of dgates with the weight is to be added;
 * for rows that have ended dgates is 0 and dh collects gy.
 */
export function lstmBackward(
  gates: usize, cPrev: usize, c: usize, gy: usize, dh: usize, dc: usize, dgates: usize, lengths: usize,
  batch: i32, hidden: i32, t: i32,
): void {
  const row = <usize>hidden << 2;
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) {
      memory.fill(dgates, 0, 4 * row);
      addTo(dh, gy, 0, hidden);
    } else {
      tanh(c, dgates + 3 * row, hidden);
      lstmRow(gates, cPrev, gy, dh, dc, dgates, row, hidden);
    }
    gates += 4 * row;
    dgates += 4 * row;
    cPrev += row;
    c += row;
    gy += row;
    dh += row;
    dc += row;
  }
}

/** h = n + z (hPrev - n). */
function gruState(z: usize, n: usize, hPrev: usize, h: usize, count: i32): void {
  for (; count > 0;) {
    const wide = count >= 4;
    const v = loadWide(n, wide);
    storeWide(h, madd(loadWide(z, wide), f32x4.sub(loadWide(hPrev, wide), v), v), wide);
    const step: usize = wide ? 16 : 4;
    z += step;
    n += step;
    hPrev += step;
    h += step;
    count -= wide ? 4 : 1;
  }
}

/**
 * r, z = sigmoid of gates + inner, n = tanh(gates + r inner), in place of gates[batch, 3 hidden]; h = n + z (hPrev - n).
 * inner[batch, 3 hidden] is hPrev's product with the weight, plus its bias; its third part is copied to innerN.
 */
export function gruForward(
  gates: usize, inner: usize, hPrev: usize, h: usize, innerN: usize, lengths: usize, batch: i32, hidden: i32, t: i32,
): void {
  const row = <usize>hidden << 2;
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) {
      memory.copy(h, hPrev, row);
    } else {
      addTo(gates, inner, 0, 2 * hidden);
      sigmoid(gates, gates, 2 * hidden);
      memory.copy(innerN, inner + 2 * row, row);
      addTo(gates + 2 * row, innerN, gates, hidden);
      tanh(gates + 2 * row, gates + 2 * row, hidden);
      gruState(gates + row, gates + 2 * row, hPrev, h, hidden);
    }
    gates += 3 * row;
    inner += 3 * row;
    hPrev += row;
    h += row;
    innerN += row;
  }
}

function gruRow(
  gates: usize, innerN: usize, hPrev: usize, gy: usize, dh: usize, dgates: usize, dinner: usize, row: usize, count: i32,
): void {
  const one = f32x4.splat(1);
  for (; count > 0;) {
    const wide = count >= 4;
    const step: usize = wide ? 16 : 4;
    const g = f32x4.add(loadWide(gy, wide), loadWide(dh, wide));
    const r = loadWide(gates, wide), z = loadWide(gates + row, wide), n = loadWide(gates + 2 * row, wide);
    const z1 = f32x4.sub(one, z);
    const dz = f32x4.mul(f32x4.mul(g, f32x4.sub(loadWide(hPrev, wide), n)), f32x4.mul(z, z1));
    const dn = f32x4.mul(f32x4.mul(g, z1), nmadd(n, n, one));
    const dr = f32x4.mul(f32x4.mul(dn, loadWide(innerN, wide)), f32x4.mul(r, f32x4.sub(one, r)));
    storeWide(dgates, dr, wide);
    storeWide(dinner, dr, wide);
    storeWide(dgates + row, dz, wide);
    storeWide(dinner + row, dz, wide);
    storeWide(dgates + 2 * row, dn, wide);
    storeWide(dinner + 2 * row, f32x4.mul(dn, r), wide);
    storeWide(dh, f32x4.mul(g, z), wide);
    gates += step;
    innerN += step;
    hPrev += step;
    gy += step;
    dh += step;
    dgates += step;
    dinner += step;
    count -= wide ? 4 : 1;
  }
}

/**
 * Gradient of one step: dgates of what the input gives, dinner of what hPrev gives, dh of hPrev without the product of
 * dinner with the weight, which is to be added. As in lstmBackward otherwise.
 */
export function gruBackward(
  gates: usize, innerN: usize, hPrev: usize, gy: usize, dh: usize, dgates: usize, dinner: usize, lengths: usize,
  batch: i32, hidden: i32, t: i32,
): void {
  const row = <usize>hidden << 2;
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) {
      memory.fill(dgates, 0, 3 * row);
      memory.fill(dinner, 0, 3 * row);
      addTo(dh, gy, 0, hidden);
    } else {
      gruRow(gates, innerN, hPrev, gy, dh, dgates, dinner, row, hidden);
    }
    gates += 3 * row;
    dgates += 3 * row;
    dinner += 3 * row;
    innerN += row;
    hPrev += row;
    gy += row;
    dh += row;
  }
}

/** h = tanh(h), or max(h, 0) when `rectified`, in place; rows that have ended become hPrev. */
export function rnnForward(
  h: usize, hPrev: usize, lengths: usize, batch: i32, hidden: i32, t: i32, rectified: i32,
): void {
  const row = <usize>hidden << 2;
  if (rectified) relu(h, h, batch * hidden);
  else tanh(h, h, batch * hidden);
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) memory.copy(h, hPrev, row);
    h += row;
    hPrev += row;
  }
}

function rnnRow(h: usize, gy: usize, dh: usize, dgates: usize, n: i32, rectified: i32): void {
  const one = f32x4.splat(1), zero = i32x4.splat(0);
  for (; n > 0;) {
    const wide = n >= 4;
    const step: usize = wide ? 16 : 4;
    const g = f32x4.add(loadWide(gy, wide), loadWide(dh, wide)), y = loadWide(h, wide);
    // The choice does not change within the loop; a NaN in y passes g, as in relu's own gradient.
    const d = rectified
      ? v128.andnot(g, f32x4.le(y, zero))
      : f32x4.mul(g, nmadd(y, y, one));
    storeWide(dgates, d, wide);
    storeWide(dh, zero, wide);
    h += step;
    gy += step;
    dh += step;
    dgates += step;
    n -= wide ? 4 : 1;
  }
}

/** Gradient of one step of rnnForward, from its result h; as in lstmBackward otherwise. */
export function rnnBackward(
  h: usize, gy: usize, dh: usize, dgates: usize, lengths: usize, batch: i32, hidden: i32, t: i32, rectified: i32,
): void {
  const row = <usize>hidden << 2;
  for (let b = 0; b < batch; b++) {
    if (ended(lengths, b, t)) {
      memory.fill(dgates, 0, row);
      addTo(dh, gy, 0, hidden);
    } else {
      rnnRow(h, gy, dh, dgates, hidden, rectified);
    }
    h += row;
    gy += row;
    dh += row;
    dgates += row;
  }
}
