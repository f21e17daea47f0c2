// Picking, writing and adding elements by index along the middle axis of [outer, n, inner]. 4-byte elements.
// All answer -1, or the position of the first index outside [0, n): they are checked before anything is written.

function firstOutside(index: usize, count: i32, n: i32): i32 {
  for (let i = 0; i < count; i++) {
    // unsigned: a negative index is a huge one
    if (<u32>load<i32>(index + (<usize>i << 2)) >= <u32>n) return i;
  }
  return -1;
}

/** y[o, j, i] = x[o, index[o, j, i], i]; x is [outer, n, inner], index and y [outer, m, inner]. */
export function gather(x: usize, index: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32): i32 {
  const bad = firstOutside(index, outer * m * inner, n);
  if (bad >= 0) return bad;
  for (let o = 0; o < outer; o++) {
    for (let j = 0; j < m; j++) {
      for (let i = 0; i < inner; i++) {
        const row = load<i32>(index);
        store<i32>(y, load<i32>(x + (<usize>(row * inner + i) << 2)));
        index += 4;
        y += 4;
      }
    }
    x += <usize>(n * inner) << 2;
  }
  return -1;
}

const COPY = 0;
const ADD = 1;
const INT_ADD = 2;

/**
 * y[o, index[o, j, i], i] = x[o, j, i] (op 0), += for f32 (1) or i32 (2). In order of j, so that the sum of a repeated
 * index is always the same, and the last of copies stays.
 */
export function scatter(
  x: usize, index: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32, op: i32,
): i32 {
  assert(op >= COPY && op <= INT_ADD, "scatter: unknown operation");
  const bad = firstOutside(index, outer * m * inner, n);
  if (bad >= 0) return bad;
  for (; outer > 0; outer--) {
    for (let j = 0; j < m; j++) {
      for (let i = 0; i < inner; i++) {
        const at = y + (<usize>(load<i32>(index) * inner + i) << 2);
        if (op == ADD) store<f32>(at, load<f32>(at) + load<f32>(x));
        else store<i32>(at, op == COPY ? load<i32>(x) : load<i32>(at) + load<i32>(x));
        index += 4;
        x += 4;
      }
    }
    y += <usize>(n * inner) << 2;
  }
  return -1;
}

/** y = 1 where a == b or both are NaN, else 0: which elements are the extreme of their row. */
export function equalMask(a: usize, b: usize, y: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const p = load<f32>(a + (<usize>i << 2));
    const q = load<f32>(b + (<usize>i << 2));
    store<f32>(y + (<usize>i << 2), <f32>(i32(p == q) | (i32(p != p) & i32(q != q))));
  }
}

/** y[o, j, :] = x[o, index[j], :]; x is [outer, n, inner], index [m], y [outer, m, inner]. */
export function indexSelect(x: usize, index: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32): i32 {
  const bad = firstOutside(index, m, n);
  if (bad >= 0) return bad;
  const row = <usize>inner << 2;
  for (; outer > 0; outer--) {
    for (let j = 0; j < m; j++) {
      memory.copy(y, x + <usize>load<u32>(index + (<usize>j << 2)) * row, row);
      y += row;
    }
    x += <usize>n * row;
  }
  return -1;
}

function addRow(x: usize, y: usize, n: i32): void {
  for (; n >= 4; n -= 4) {
    v128.store(y, f32x4.add(v128.load(y), v128.load(x)));
    x += 16;
    y += 16;
  }
  for (; n > 0; n--) {
    store<f32>(y, load<f32>(y) + load<f32>(x));
    x += 4;
    y += 4;
  }
}

/** y[o, index[j], :] += x[o, j, :], in order of j; the gradient of indexSelect. */
export function indexAdd(x: usize, index: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32): i32 {
  const bad = firstOutside(index, m, n);
  if (bad >= 0) return bad;
  const row = <usize>inner << 2;
  for (; outer > 0; outer--) {
    for (let j = 0; j < m; j++) {
      addRow(x, y + <usize>load<u32>(index + (<usize>j << 2)) * row, inner);
      x += row;
    }
    y += <usize>n * row;
  }
  return -1;
}

/** y[o, index[j], :] = x[o, j, :], in order of j; 4-byte elements. */
export function indexCopy(x: usize, index: usize, y: usize, outer: i32, n: i32, m: i32, inner: i32): i32 {
  const bad = firstOutside(index, m, n);
  if (bad >= 0) return bad;
  const row = <usize>inner << 2;
  for (; outer > 0; outer--) {
    for (let j = 0; j < m; j++) {
      memory.copy(y + <usize>load<u32>(index + (<usize>j << 2)) * row, x, row);
      x += row;
    }
    y += <usize>n * row;
  }
  return -1;
}

const FLOAT = 1;
const WRAP = 2;
const ADVANCE = 4;

/**
 * Indices as a caller gives them, made plain: y[j] = index[j], checked against [0, n). flags: 1 they are f32 and must be
 * integers; 2 negative ones count from the end; 4 y[j] = y[j] n + index[j], the next axis of a flat position. Answers -1,
 * or the position of the first bad one. y may be index.
 */
export function resolveIndex(index: usize, y: usize, count: i32, n: i32, flags: i32): i32 {
  for (let j = 0; j < count; j++) {
    const at = <usize>j << 2;
    let i: i32;
    if (flags & FLOAT) {
      const v = load<f32>(index + at);
      i = <i32>v;
      if (<f32>i != v) return j; // NaN, fractions, beyond i32
    } else i = load<i32>(index + at);
    if (flags & WRAP && i < 0) i += n;
    if (<u32>i >= <u32>n) return j;
    store<i32>(y + at, flags & ADVANCE ? load<i32>(y + at) * n + i : i);
  }
  return -1;
}
