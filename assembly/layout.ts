// Copies between strided views of 4-byte words (transpose, permute, slice, cat, flip, expand, repeat), and the
// same with addition, for gradients of slices. Where the module's constants end, and which build it is.

/** First byte after the module's constants: where the host's allocator may start. */
export function heapBase(): usize {
  return __heap_base;
}

/** What this build needs of an engine beyond SIMD: 1 for relaxed SIMD, 2 for shared memory. */
export function features(): i32 {
  return (ASC_FEATURE_RELAXED_SIMD ? 1 : 0) | (ASC_FEATURE_THREADS ? 2 : 0);
}

const COPY = 0;
const ADD = 1;

/** What is written over `p`: v, or the sum of the old value and v. Copies move bits: NaN payloads and i32 stay. */
@inline
function put(op: i32, p: usize, v: v128): void {
  v128.store(p, op == ADD ? f32x4.add(v128.load(p), v) : v);
}

@inline
function putOne(op: i32, p: usize, from: usize): void {
  if (op == ADD) store<f32>(p, load<f32>(p) + load<f32>(from));
  else store<u32>(p, load<u32>(from));
}

/** n words between any strides (in bytes). */
@inline
function strideRow(op: i32, x: usize, y: usize, n: i32, xs: usize, ys: usize): void {
  for (; n > 0; n--) {
    putOne(op, y, x);
    x += xs;
    y += ys;
  }
}

/** n neighbouring words from neighbouring words (xs = 4), or from one (xs = 0). */
@inline
function unitRow(op: i32, x: usize, y: usize, n: i32, xs: usize): void {
  const one = xs == 0;
  const value = one ? v128.load32_splat(x) : i32x4.splat(0);
  for (; n >= 16; n -= 16) {
    put(op, y, one ? value : v128.load(x));
    put(op, y + 16, one ? value : v128.load(x, 16));
    put(op, y + 32, one ? value : v128.load(x, 32));
    put(op, y + 48, one ? value : v128.load(x, 48));
    x += xs << 4;
    y += 64;
  }
  for (; n >= 4; n -= 4) {
    put(op, y, one ? value : v128.load(x));
    x += xs << 2;
    y += 16;
  }
  strideRow(op, x, y, n, xs, 4);
}

/** A matrix whose unit stride is the row index in x and the column index in y, in blocks of 4 x 4. */
@inline
function transposed(op: i32, x: usize, y: usize, rows: i32, columns: i32, xs: usize, ys: usize): void {
  for (; rows >= 4; rows -= 4) {
    let from = x, to = y, j = columns;
    for (; j >= 4; j -= 4) {
      const a = v128.load(from), b = v128.load(from + xs);
      const c = v128.load(from + 2 * xs), d = v128.load(from + 3 * xs);
      const ab0 = v128.shuffle<u32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
      const cd0 = v128.shuffle<u32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
      put(op, to, v128.shuffle<u64>(ab0, cd0, 0, 2));
      put(op, to + ys, v128.shuffle<u64>(ab0, cd0, 1, 3));
      put(op, to + 2 * ys, v128.shuffle<u64>(ab1, cd1, 0, 2));
      put(op, to + 3 * ys, v128.shuffle<u64>(ab1, cd1, 1, 3));
      from += xs << 2;
      to += 16;
    }
    for (; j > 0; j--) {
      strideRow(op, from, to, 4, 4, ys);
      from += xs;
      to += 4;
    }
    x += 16;
    y += ys << 2;
  }
  for (; rows > 0; rows--) {
    strideRow(op, x, y, columns, xs, 4);
    x += 4;
    y += ys;
  }
}

// Columns of y a panel takes, a cache line: so few lines of x stay in the cache for the next rows even when its stride
// is a power of two and they all fall into the same sets.
const PANEL = 16;

function copyStride(x: usize, y: usize, n: i32, xs: usize, ys: usize): void {
  strideRow(COPY, x, y, n, xs, ys);
}

function copyUnit(x: usize, y: usize, n: i32, xs: usize): void {
  unitRow(COPY, x, y, n, xs);
}

function copyTransposed(x: usize, y: usize, rows: i32, columns: i32, xs: usize, ys: usize): void {
  transposed(COPY, x, y, rows, columns, xs, ys);
}

function addStride(x: usize, y: usize, n: i32, xs: usize, ys: usize): void {
  strideRow(ADD, x, y, n, xs, ys);
}

function addUnit(x: usize, y: usize, n: i32, xs: usize): void {
  unitRow(ADD, x, y, n, xs);
}

function addTransposed(x: usize, y: usize, rows: i32, columns: i32, xs: usize, ys: usize): void {
  transposed(ADD, x, y, rows, columns, xs, ys);
}

/** All four axes: the inner two as a transpose where they are one, else row by row. */
@inline
function strided(
  op: i32, x: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, x0: i32, x1: i32, x2: i32, x3: i32, y0: i32,
  y1: i32, y2: i32, y3: i32,
): void {
  assert(d0 >= 0 && d1 >= 0 && d2 >= 0 && d3 >= 0, "copyStrided, addStrided: extents must not be negative");
  const xs = <usize>x3 << 2, ys = <usize>y3 << 2;
  for (let i = 0; i < d0; i++) {
    for (let j = 0; j < d1; j++) {
      // Strides may be negative: offsets wrap around, as addresses do.
      let from = x + (<usize>(i * x0 + j * x1) << 2);
      let to = y + (<usize>(i * y0 + j * y1) << 2);
      if (x2 == 1 && y3 == 1 && x3 != 1 && x3 != 0) {
        for (let k = 0; k < d3; k += PANEL) {
          if (op == ADD) addTransposed(from, to, d2, min(d3 - k, PANEL), xs, <usize>y2 << 2);
          else copyTransposed(from, to, d2, min(d3 - k, PANEL), xs, <usize>y2 << 2);
          from += xs * PANEL;
          to += PANEL << 2;
        }
        continue;
      }
      for (let k = 0; k < d2; k++) {
        if (y3 == 1 && (x3 == 1 || x3 == 0)) {
          if (op == ADD) addUnit(from, to, d3, xs);
          // memory.copy is a call out of the module: it pays from about a hundred words on.
          else if (x3 == 1 && d3 >= 128) memory.copy(to, from, <usize>d3 << 2);
          else copyUnit(from, to, d3, xs);
        } else if (op == ADD) addStride(from, to, d3, xs, ys);
        else copyStride(from, to, d3, xs, ys);
        from += <usize>x2 << 2;
        to += <usize>y2 << 2;
      }
    }
  }
}

/**
 * y[i0 y0 + i1 y1 + i2 y2 + i3 y3] = x[i0 x0 + i1 x1 + i2 x2 + i3 x3] for all i below d, for any 4-byte words.
 * Strides count elements; they may be 0 or negative (x and y point at element 0 of the views). The fast cases are
 * x3 = y3 = 1, x3 = 0 with y3 = 1, and x2 = y3 = 1: the caller orders and merges axes so that they arise.
 */
export function copyStrided(
  x: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, x0: i32, x1: i32, x2: i32, x3: i32, y0: i32, y1: i32,
  y2: i32, y3: i32,
): void {
  strided(COPY, x, y, d0, d1, d2, d3, x0, x1, x2, x3, y0, y1, y2, y3);
}

/** y += x (f32) with the views of copyStrided; where views overlap in y, additions follow the order of the axes. */
export function addStrided(
  x: usize, y: usize, d0: i32, d1: i32, d2: i32, d3: i32, x0: i32, x1: i32, x2: i32, x3: i32, y0: i32, y1: i32,
  y2: i32, y3: i32,
): void {
  strided(ADD, x, y, d0, d1, d2, d3, x0, x1, x2, x3, y0, y1, y2, y3);
}
