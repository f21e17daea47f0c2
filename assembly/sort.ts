// Sorting along the middle axis of x[outer, n, inner], f32 or i32, and what sorted rows are good for: the k first, the
// median, distinct values, positions of values. Stable; NaN counts as larger than everything, -0 as 0 (PyTorch).
//
// A row becomes n u64 of (key << 32 | position): keys are unsigned and ordered as the values, so that equal ones keep
// their order by comparing whole words. Few results: insertion into a list of k; many: radix sort by bytes of the key.

const FLOAT = 1;
const DESCENDING = 2;
const MEDIAN = 4;

/** Results up to which insertion is used; about where a radix sort's fixed cost is earned. */
const FEW = 64;

/** The bits of an f32 or i32 as an unsigned key of the same order. */
@inline
function keyOf(bits: u32, flags: i32): u32 {
  let key: u32;
  if (flags & FLOAT) {
    const size = bits & 0x7fffffff;
    if (size > 0x7f800000) key = 0xffffffff; // NaN
    else if (size == 0) key = 0x80000000; // -0 and 0
    else key = bits & 0x80000000 ? ~bits : bits | 0x80000000;
  } else key = bits ^ 0x80000000;
  return flags & DESCENDING ? ~key : key;
}

/** The k smallest of n in order: each is put in its place among the best so far, the last falls out. */
function insertionSort(x: usize, list: usize, n: i32, k: i32, stride: usize, flags: i32): void {
  let count = 0;
  for (let i = 0; i < n; i++) {
    const key = (<u64>keyOf(load<u32>(x), flags) << 32) | <u64>i;
    x += stride;
    let at = list + (<usize>count << 3);
    if (count < k) count++;
    else {
      at -= 8;
      if (key > load<u64>(at)) continue;
    }
    for (; at > list && load<u64>(at - 8) > key; at -= 8) store<u64>(at, load<u64>(at - 8));
    store<u64>(at, key);
  }
}

/** Sorts n keys; `spare` holds n more, `counts` 4 x 256 words. Gives where the result lies: `list` or `spare`. */
function radixSort(x: usize, list: usize, spare: usize, counts: usize, n: i32, stride: usize, flags: i32): usize {
  memory.fill(counts, 0, 4096);
  for (let i = 0; i < n; i++) {
    const key = keyOf(load<u32>(x), flags);
    x += stride;
    store<u64>(list + (<usize>i << 3), (<u64>key << 32) | <u64>i);
    for (let digit = 0; digit < 4; digit++) {
      const at = counts + (<usize>(digit << 8 | <i32>(key >> (digit << 3) & 255)) << 2);
      store<u32>(at, load<u32>(at) + 1);
    }
  }
  for (let digit = 0; digit < 4; digit++) {
    let total: u32 = 0;
    const table = counts + (<usize>digit << 10);
    for (let at = table; at < table + 1024; at += 4) {
      const count = load<u32>(at);
      store<u32>(at, total);
      total += count;
    }
    const byte = list + 4 + <usize>digit;
    for (let i = 0; i < n; i++) {
      const at = table + (<usize>load<u8>(byte + (<usize>i << 3)) << 2);
      const to = load<u32>(at);
      store<u32>(at, to + 1);
      store<u64>(spare + (<usize>to << 3), load<u64>(list + (<usize>i << 3)));
    }
    const swap = list;
    list = spare;
    spare = swap;
  }
  return list;
}

/** Bytes of scratch memory that `sort` needs for rows of n. */
export function sortScratch(n: i32): usize {
  return (<usize>n << 4) + 4096;
}

/**
 * The first k of each sorted row, values[o, j, i] and indices[o, j, i] (i32; the values' bits are those of x). Either
 * may be 0: not wanted. flags: 1 f32 (else i32), 2 descending, 4 the (lower) median alone or a NaN if there is one: k = 1.
 * `scratch` holds sortScratch(n) bytes, 8-byte aligned.
 */
export function sort(
  x: usize, values: usize, indices: usize, scratch: usize, outer: i32, n: i32, inner: i32, k: i32, flags: i32,
): void {
  assert(k <= n, "sort: more results than elements");
  if (k == 0) return; // the insertion list would have no last place
  const stride = <usize>inner << 2;
  const median = (flags & MEDIAN) != 0;
  const wanted = median ? n : k;
  const spare = scratch + (<usize>n << 3);
  for (; outer > 0; outer--) {
    for (let i = 0; i < inner; i++) {
      let list = scratch;
      if (wanted <= FEW) insertionSort(x, list, n, wanted, stride, flags);
      else list = radixSort(x, list, spare, spare + (<usize>n << 3), n, stride, flags);
      if (median) {
        const last = (<usize>n - 1) << 3;
        if (!(flags & FLOAT) || load<u32>(list + last, 4) != 0xffffffff) list += (<usize>(n - 1) >> 1) << 3;
        else list += last;
      }
      let to: usize = <usize>i << 2;
      for (let j = 0; j < k; j++) {
        const from = load<u32>(list);
        if (values != 0) store<u32>(values + to, load<u32>(x + <usize>from * stride));
        if (indices != 0) store<u32>(indices + to, from);
        list += 8;
        to += stride;
      }
      x += 4;
    }
    x += <usize>(n - 1) * stride;
    if (values != 0) values += <usize>k * stride;
    if (indices != 0) indices += <usize>k * stride;
  }
}

/**
 * Distinct values of a sorted row: values[u], how many there are (counts[u], i32), and for each of the n places in the
 * original order its u (inverse, i32). `order` is where each came from. Gives how many. NaNs are distinct (PyTorch).
 */
export function distinct(
  sorted: usize, order: usize, values: usize, inverse: usize, counts: usize, n: i32, float: bool,
): i32 {
  let u = -1;
  for (let j = 0; j < n; j++) {
    const bits = load<u32>(sorted);
    const before = sorted - 4;
    if (j == 0 || (float ? load<f32>(sorted) != load<f32>(before) : bits != load<u32>(before))) {
      u++;
      store<u32>(values + (<usize>u << 2), bits);
      store<u32>(counts + (<usize>u << 2), 0);
    }
    const at = counts + (<usize>u << 2);
    store<u32>(at, load<u32>(at) + 1);
    store<i32>(inverse + (<usize>load<u32>(order) << 2), u);
    sorted += 4;
    order += 4;
  }
  return u + 1;
}

/** The first of n sorted elements that is not below v (right: that is above v); n if there is none, as for NaN. */
@inline
function bisect<T>(row: usize, v: T, n: i32, right: bool): i32 {
  let low = 0;
  while (low < n) {
    const middle = (low + n) >> 1;
    const at = load<T>(row + (<usize>middle << 2));
    if (right ? at > v : at >= v) n = middle;
    else low = middle + 1;
  }
  return low;
}

/** y[r, j] (i32) = where values[r, j] would go in row r of sorted[rows, n]; `shared`: all rows search the first. */
export function searchSorted(
  sorted: usize, values: usize, y: usize, rows: i32, n: i32, m: i32, right: bool, float: bool, shared: bool,
): void {
  for (; rows > 0; rows--) {
    for (let j = 0; j < m; j++) {
      const at = float
        ? bisect<f32>(sorted, load<f32>(values), n, right)
        : bisect<i32>(sorted, load<i32>(values), n, right);
      store<i32>(y, at);
      values += 4;
      y += 4;
    }
    if (!shared) sorted += <usize>n << 2;
  }
}
