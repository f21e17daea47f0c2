// Scaled dot-product attention, y = dropout(softmax(scale * q kT + mask)) v, by blocks of queries and keys: no matrix of
// all scores exists. The softmax of a row is put together block by block, its sum and result rescaled whenever a larger
// score turns up; the gradient computes the scores again (Dao et al., "FlashAttention", 2022, and its second version).
// q [batch, L, E], k [batch, S, E], v [batch, S, V], y [batch, L, V].
import { dropRow, dropThreshold } from "./dropout";
import { loadWide, storeWide } from "./lanes";
import { matmul, matmulScratch } from "./matmul";
import { affineRow } from "./norm";
import { randomWords } from "./random";
import { dotRow, maxRow } from "./reduce";
import { keptExpRow, logOne } from "./softmax";

/** Rows and columns of a block of scores. Fewer rows where the keys beyond the last of them are left out. */
const QUERIES = 64;
const CAUSAL_QUERIES = 16;
const KEYS = 128;
const BLOCK_BYTES: usize = QUERIES * KEYS * 4;
/** Numbers a row: the largest score, the sum of exponentials, what the sums so far are multiplied by. */
const ROW_BYTES: usize = QUERIES * 4;
/** Scratch before that of the products: two blocks, three row vectors, the words of a row's dropout. */
const FRONT: usize = 2 * BLOCK_BYTES + 3 * ROW_BYTES + KEYS * 4;

/** Kind of a mask: f32 that is added; any other but 0 (none) is i32 0 or 1, where 1 takes part. */
const FLOAT = 2;

/** Bytes of scratch for these sizes of a key and a value. */
export function attentionScratch(E: i32, V: i32): i32 {
  // Blocks at an edge may have any size; 127 keys need what any smaller number does.
  const d = max(E, V);
  return <i32>FRONT + matmulScratch(QUERIES, KEYS - 1, d, 0, 1) + matmulScratch(QUERIES, d, KEYS, 0, 0) +
    matmulScratch(KEYS, d, QUERIES, 1, 0) + matmulScratch(QUERIES, d - 1, KEYS, 0, 0) +
    matmulScratch(KEYS, d - 1, QUERIES, 1, 0);
}

/** s = s * scale + mask over a row. */
function maskRow(s: usize, mask: usize, n: i32, kind: i32, scale: f32): void {
  const by = f32x4.splat(scale), none = f32x4.splat(f32.NEGATIVE_INFINITY), zero = i32x4.splat(0);
  while (n > 0) {
    const wide = n >= 4;
    let v = f32x4.mul(loadWide(s, wide), by);
    if (kind == FLOAT) v = f32x4.add(v, loadWide(mask, wide));
    else v = v128.bitselect(v, none, i32x4.ne(loadWide(mask, wide), zero));
    storeWide(s, v, wide);
    const step: usize = wide ? 16 : 4;
    s += step;
    mask += step;
    n -= wide ? 4 : 1;
  }
}

/**
 * s[rows, columns] = scale * q kT + mask; -Inf where a key does not take part: by the mask, or beyond column
 * `ahead` + i in row i.
 */
function scores(
  q: usize, k: usize, s: usize, work: usize, rows: i32, columns: i32, E: i32, scale: f32, mask: usize, kind: i32,
  maskStride: usize, ahead: i32,
): void {
  matmul(q, k, s, 0, work, 1, rows, columns, E, 0, 0, 0, 1, 0);
  if (!kind) affineRow(s, s, rows * columns, 0, scale, 0);
  for (let i = 0; i < rows; i++) {
    if (kind) maskRow(s, mask, columns, kind, scale);
    for (let j = max(ahead + i + 1, 0); j < columns; j++) store<f32>(s + (<usize>j << 2), f32.NEGATIVE_INFINITY);
    s += <usize>columns << 2;
    mask += maskStride;
  }
}

/**
 * Drops weights of a block, to y. Word j of row i of the whole matrix of scores is word i * S4 + j of the generator's
 * (S4 is S rounded up to 4), so that blocks can be visited in any order.
 */
function dropBlock(
  x: usize, y: usize, words: usize, saved: usize, first: u64, S: i32, rows: i32, columns: i32, p: f32,
): void {
  const threshold = dropThreshold(p), scale: f32 = 1 / (1 - p);
  const copy = saved + 32;
  for (let i = 0; i < rows; i++) {
    store<u64>(copy, load<u64>(saved, 8) + (first >> 2), 8);
    randomWords(copy, words, columns);
    dropRow(x, words, y, columns, threshold, scale, 0, 0);
    x += <usize>columns << 2;
    y += <usize>columns << 2;
    first += <u64>((S + 3) & ~3);
  }
}

/**
 * y, and lse[batch, L] = ln of the sum of exp(scores) of each query for the gradient. A query that no key takes part in
 * gives 0 (and lse 0). The mask of item b is number b / maskRepeat % maskCount of mask[maskCount, L or 1, S]; maskRows
 * is 0 where one row serves all queries. causal: key j takes part for queries i >= j. Dropout as in dropout().
 */
export function attention(
  q: usize, k: usize, v: usize, mask: usize, y: usize, lse: usize, state: usize, saved: usize, scratch: usize,
  batch: i32, L: i32, S: i32, E: i32, V: i32, kind: i32, maskRepeat: i32, maskCount: i32, maskRows: i32, causal: i32,
  scale: f32, p: f32,
): void {
  assert(batch >= 0 && L >= 0 && S >= 0 && E >= 0 && V >= 0, "attention: extents must not be negative");
  const s = scratch, dropped = s + BLOCK_BYTES, largest = dropped + BLOCK_BYTES, sums = largest + ROW_BYTES;
  const factors = sums + ROW_BYTES, words = factors + ROW_BYTES, work = scratch + FRONT;
  const maskStride: usize = maskRows ? <usize>S << 2 : 0;
  const maskSize = <usize>(maskRows ? L : 1) * (<usize>S << 2);
  const S4 = <u64>((S + 3) & ~3);
  const most = causal ? CAUSAL_QUERIES : QUERIES;
  if (state) {
    memory.copy(saved, state, 32);
    memory.copy(saved + 32, saved, 32);
    store<u64>(state, load<u64>(state, 8) + ((<u64>batch * <u64>L * S4) >> 2), 8);
  }
  memory.fill(y, 0, <usize>batch * <usize>L * (<usize>V << 2));
  for (let b = 0; b < batch; b++) {
    const maskItem = kind ? mask + <usize>(b / maskRepeat % maskCount) * maskSize : 0;
    for (let i0 = 0; i0 < L; i0 += most) {
      const rows = min(L - i0, most);
      const row = <usize>V << 2;
      for (let i: usize = 0; i < ROW_BYTES; i += 4) {
        store<f32>(largest + i, f32.NEGATIVE_INFINITY);
        store<f32>(sums + i, 0);
      }
      const end = causal ? min(S, i0 + rows) : S;
      for (let j0 = 0; j0 < end; j0 += KEYS) {
        const columns = min(end - j0, KEYS);
        const at = maskItem + <usize>i0 * maskStride + (<usize>j0 << 2);
        scores(
          q + (<usize>i0 * <usize>E << 2), k + (<usize>j0 * <usize>E << 2), s, work, rows, columns, E, scale, at, kind,
          maskStride, causal ? i0 - j0 : KEYS,
        );
        const line = <usize>columns << 2;
        for (let i: usize = 0; i < <usize>rows << 2; i += 4) {
          const before = load<f32>(largest + i), top = maxRow(s + (i >> 2) * line, columns);
          // The comparison with itself lets a NaN in, and once in it stays.
          const now = top > before || top != top ? top : before;
          store<f32>(largest + i, now);
          store<f32>(factors + i, before == now ? 0 : before - now);
        }
        keptExpRow(factors, factors, rows, 0);
        for (let i: usize = 0; i < <usize>rows << 2; i += 4) {
          const now = load<f32>(largest + i), factor = load<f32>(factors + i);
          const own = s + (i >> 2) * line;
          // Where no key has taken part so far, all exponentials must be 0.
          const sum = keptExpRow(own, own, columns, now == f32.NEGATIVE_INFINITY ? 0 : now);
          store<f32>(sums + i, load<f32>(sums + i) * factor + <f32>sum);
          const to = y + (i >> 2) * row;
          if (factor != 1) affineRow(to, to, V, 0, factor, 0);
        }
        let weights = s;
        if (saved) {
          const first = (<u64>b * <u64>L + <u64>i0) * S4 + <u64>j0;
          dropBlock(s, dropped, words, saved, first, S, rows, columns, p);
          weights = dropped;
        }
        matmul(weights, v + <usize>j0 * row, y, 0, work, 1, rows, V, columns, 0, 0, 0, 0, 1);
      }
      for (let i: usize = 0; i < <usize>rows << 2; i += 4) {
        const sum = load<f32>(sums + i), none = sum == 0;
        if (!none) affineRow(y, y, V, 0, 1 / sum, 0);
        store<f32>(lse, none ? 0 : load<f32>(largest + i) + logOne(sum));
        y += row;
        lse += 4;
      }
    }
    q += <usize>L * (<usize>E << 2);
    k += <usize>S * (<usize>E << 2);
    v += <usize>S * (<usize>V << 2);
  }
}

/** s = scale * s * (t - d) over a row: softmax's gradient. */
function scoreGradRow(s: usize, t: usize, n: i32, d: f32, scale: f32): void {
  const minus = f32x4.splat(d), by = f32x4.splat(scale);
  for (; n >= 4; n -= 4) {
    v128.store(s, f32x4.mul(f32x4.mul(v128.load(s), by), f32x4.sub(v128.load(t), minus)));
    s += 16;
    t += 16;
  }
  for (; n > 0; n--) {
    store<f32>(s, load<f32>(s) * scale * (load<f32>(t) - d));
    s += 4;
    t += 4;
  }
}

/** Gradients gq, gk, gv given that of y; lse and `saved` as attention left them, the other arguments as they were. */
export function attentionGrad(
  g: usize, q: usize, k: usize, v: usize, mask: usize, y: usize, lse: usize, saved: usize, gq: usize, gk: usize,
  gv: usize, scratch: usize, batch: i32, L: i32, S: i32, E: i32, V: i32, kind: i32, maskRepeat: i32, maskCount: i32,
  maskRows: i32, causal: i32, scale: f32, p: f32,
): void {
  const s = scratch, t = s + BLOCK_BYTES, words = t + BLOCK_BYTES + 3 * ROW_BYTES, work = scratch + FRONT;
  const maskStride: usize = maskRows ? <usize>S << 2 : 0;
  const maskSize = <usize>(maskRows ? L : 1) * (<usize>S << 2);
  const eRow = <usize>E << 2, vRow = <usize>V << 2;
  const most = causal ? CAUSAL_QUERIES : QUERIES;
  if (saved) memory.copy(saved + 32, saved, 32);
  memory.fill(gq, 0, <usize>batch * <usize>L * eRow);
  memory.fill(gk, 0, <usize>batch * <usize>S * eRow);
  memory.fill(gv, 0, <usize>batch * <usize>S * vRow);
  for (let b = 0; b < batch; b++) {
    const maskItem = kind ? mask + <usize>(b / maskRepeat % maskCount) * maskSize : 0;
    for (let i0 = 0; i0 < L; i0 += most) {
      const rows = min(L - i0, most);
      const end = causal ? min(S, i0 + rows) : S;
      for (let j0 = 0; j0 < end; j0 += KEYS) {
        const columns = min(end - j0, KEYS), line = <usize>columns << 2;
        const kBlock = k + <usize>j0 * eRow, vBlock = v + <usize>j0 * vRow;
        const at = maskItem + <usize>i0 * maskStride + (<usize>j0 << 2);
        scores(
          q, kBlock, s, work, rows, columns, E, scale, at, kind, maskStride, causal ? i0 - j0 : KEYS,
        );
        for (let i: usize = 0; i < <usize>rows; i++) {
          keptExpRow(s + i * line, s + i * line, columns, load<f32>(lse + (i << 2)));
        }
        const first = (<u64>b * <u64>L + <u64>i0) * <u64>((S + 3) & ~3) + <u64>j0;
        if (saved) dropBlock(s, t, words, saved, first, S, rows, columns, p);
        matmul(saved ? t : s, g, gv + <usize>j0 * vRow, 0, work, 1, columns, V, rows, 0, 0, 1, 0, 1);
        matmul(g, vBlock, t, 0, work, 1, rows, columns, V, 0, 0, 0, 1, 0);
        if (saved) dropBlock(t, t, words, saved, first, S, rows, columns, p);
        for (let i: usize = 0; i < <usize>rows; i++) {
          // The sum of weight times its gradient over all keys is g . y.
          const d = <f32>dotRow(g + i * vRow, y + i * vRow, V);
          scoreGradRow(s + i * line, t + i * line, columns, d, scale);
        }
        matmul(s, kBlock, gq, 0, work, 1, rows, E, columns, 0, 0, 0, 0, 1);
        matmul(s, q, gk + <usize>j0 * eRow, 0, work, 1, columns, E, rows, 0, 0, 1, 0, 1);
      }
      q += <usize>rows * eRow;
      gq += <usize>rows * eRow;
      g += <usize>rows * vRow;
      y += <usize>rows * vRow;
      lse += <usize>rows << 2;
    }
    k += <usize>S * eRow;
    gk += <usize>S * eRow;
    v += <usize>S * vRow;
    gv += <usize>S * vRow;
  }
}
