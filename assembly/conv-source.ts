// The source of a convolution in the scratch (border, columns split by residues), walked and packed into panels for
// the tiles of the matrix product.
import { Plan, list, offsets, partOf, slack } from "./conv-plan";

/** n floats. */
export function copyRow(to: usize, from: usize, n: i32): void {
  for (; n >= 4; n -= 4, from += 16, to += 16) v128.store(to, v128.load(from));
  for (; n > 0; --n, from += 4, to += 4) store<i32>(to, load<i32>(from));
}

/** n floats that are `step` bytes apart. */
function copyColumns(to: usize, from: usize, n: i32, step: usize): void {
  if (step == 8) {
    // The last of the 4 pairs is read from its first half on: its second one may lie beyond the tensor.
    for (; n >= 4; n -= 4, from += 32, to += 16) {
      v128.store(to, v128.shuffle<f32>(v128.load(from), v128.load(from, 12), 0, 2, 5, 7));
    }
  }
  for (; n > 0; --n, from += step, to += 4) store<i32>(to, load<i32>(from));
}

/** The border of zeros around every image to come: they all lie at the same place. */
export function clearBorder(plan: Plan): void {
  if (plan.copies) memory.fill(plan.image, 0, <usize>plan.planes * plan.volume + slack);
}

/** The address of the source whose tensor begins at `from`: that itself, or a copy within the border. */
export function sourceOf(plan: Plan, from: usize): usize {
  if (!plan.copies) return from;
  const split = plan.split2, lead2 = plan.lead2;
  const n = min(plan.size2, plan.padded2 - lead2);
  const rows = min(plan.size1, plan.padded1 - plan.lead1), slices = min(plan.size0, plan.padded0 - plan.lead0);
  const fromRow = <usize>plan.size2 << 2;
  const fromSlice = fromRow * <usize>plan.size1;
  const fromPlane = fromSlice * <usize>plan.size0;
  let plane = plan.image + <usize>plan.lead0 * plan.slice;
  for (let c = 0; c < plan.planes; ++c, plane += plan.volume, from += fromPlane) {
    for (let d = 0; d < slices; ++d) {
      let row = from + <usize>d * fromSlice;
      const slice = plane + <usize>d * plan.slice;
      for (let h = plan.lead1; h < rows + plan.lead1; ++h, row += fromRow) {
        const to = slice + h / plan.split1 * plan.row;
        for (let i = 0; i < min(split, n); ++i) {
          const first = to + partOf(plan, h, i + lead2) + (<usize>((i + lead2) / split) << 2);
          if (split == 1) copyRow(first, row, n);
          else copyColumns(first, row + (<usize>i << 2), (n - i + split - 1) / split, <usize>split << 2);
        }
      }
    }
  }
  return plan.image;
}

/** Goes to result `index` of the grid. */
export function seek(plan: Plan, index: i32): void {
  plan.at2 = index % plan.grid2;
  index /= plan.grid2;
  plan.at1 = index % plan.grid1;
  plan.at0 = index / plan.grid1;
}

/** Ends a row of the grid. */
// @ts-ignore: decorator
@inline
export function nextRow(plan: Plan): void {
  plan.at2 = 0;
  if (++plan.at1 == plan.grid1) {
    plan.at1 = 0;
    ++plan.at0;
  }
}

// @ts-ignore: decorator
@inline
export function rowSource(plan: Plan): u32 {
  return plan.at0 * plan.from0 + plan.at1 * plan.from1;
}

// @ts-ignore: decorator
@inline
export function rowTarget(plan: Plan): u32 {
  return plan.at0 * plan.to0 + plan.at1 * plan.to1;
}

/** Writes the source and destination offsets of the next `width` results, the last one's repeated up to 8. */
export function locate(plan: Plan, width: i32): void {
  let to = changetype<usize>(plan) + offsets;
  let from = rowSource(plan) + (plan.at2 << 2), target = rowTarget(plan) + plan.at2 * plan.to2;
  for (let i = 0; i < 8; ++i, to += 4) {
    store<u32>(to, from);
    store<u32>(to, target, 32);
    if (i + 1 >= width) continue;
    from += 4;
    target += plan.to2;
    if (++plan.at2 == plan.grid2) {
      nextRow(plan);
      from = rowSource(plan);
      target = rowTarget(plan);
    }
  }
  // Past the last one of these.
  if (++plan.at2 == plan.grid2) nextRow(plan);
}

// Panels of 8 results (rows of 32 bytes, one a tap): the tap's sources, which are neighbours but for the ends of rows.

function packEight(to: usize, taps: usize, end: usize, from: usize): void {
  for (; taps != end; taps += 4, to += 32) {
    const source = from + <usize>load<u32>(taps);
    v128.store(to, v128.load(source));
    v128.store(to, v128.load(source, 16), 16);
  }
}

function packFour(to: usize, taps: usize, end: usize, from: usize): void {
  for (; taps != end; taps += 4, to += 32) v128.store(to, v128.load(from + <usize>load<u32>(taps)));
}

function packApart(to: usize, taps: usize, end: usize, from: usize, at: usize): void {
  const p0 = from + <usize>load<u32>(at), p1 = from + <usize>load<u32>(at, 4);
  const p2 = from + <usize>load<u32>(at, 8), p3 = from + <usize>load<u32>(at, 12);
  for (; taps != end; taps += 4, to += 32) {
    const tap = <usize>load<u32>(taps);
    let v = v128.load32_zero(p0 + tap);
    v = v128.load32_lane(p1 + tap, v, 1);
    v = v128.load32_lane(p2 + tap, v, 2);
    v128.store(to, v128.load32_lane(p3 + tap, v, 3));
  }
}

/** Packs `depth` taps of the `width` results that `locate` found; of up to 4 results only the first half. */
export function packResults(plan: Plan, to: usize, taps: usize, depth: i32, source: usize, width: i32): void {
  let at = changetype<usize>(plan) + offsets;
  const end = taps + (<usize>depth << 2);
  // Sources ascend by 4 bytes at least, so that a distance of 4 bytes each is told by the ends. (Repeated ones do not.)
  if (width == 8 && load<u32>(at, 28) - load<u32>(at) == 28) return packEight(to, taps, end, source + <usize>load<u32>(at));
  for (let half = 0; half < width; half += 4, at += 16, to += 16) {
    if (half + 4 <= width && load<u32>(at, 12) - load<u32>(at) == 12) packFour(to, taps, end, source + <usize>load<u32>(at));
    else packApart(to, taps, end, source, at);
  }
}

/** to[i] = the sources of 4 taps for result i of `count` neighbours, in rows of 32 bytes. */
function transposeTaps(to: usize, p0: usize, p1: usize, p2: usize, p3: usize, count: i32): void {
  for (; count >= 4; count -= 4, p0 += 16, p1 += 16, p2 += 16, p3 += 16, to += 128) {
    const v0 = v128.load(p0), v1 = v128.load(p1), v2 = v128.load(p2), v3 = v128.load(p3);
    const low01 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5), high01 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
    const low23 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5), high23 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
    v128.store(to, v128.shuffle<f64>(low01, low23, 0, 2));
    v128.store(to, v128.shuffle<f64>(low01, low23, 1, 3), 32);
    v128.store(to, v128.shuffle<f64>(high01, high23, 0, 2), 64);
    v128.store(to, v128.shuffle<f64>(high01, high23, 1, 3), 96);
  }
  for (; count > 0; --count, p0 += 4, p1 += 4, p2 += 4, p3 += 4, to += 32) {
    let v = v128.load32_zero(p0);
    v = v128.load32_lane(p1, v, 1);
    v = v128.load32_lane(p2, v, 2);
    v128.store(to, v128.load32_lane(p3, v, 3));
  }
}

/**
 * A panel of up to 8 taps (columns; the last one is repeated) for `depth` results from `index` on (rows of 32 bytes):
 * what the gradient of the weight multiplies with gy.
 */
export function packTaps(plan: Plan, to: usize, taps: usize, width: i32, source: usize, index: i32, depth: i32): void {
  seek(plan, index);
  const last = taps + (<usize>(width - 1) << 2);
  while (depth > 0) {
    const n = min(plan.grid2 - plan.at2, depth);
    const from = source + <usize>(rowSource(plan) + (plan.at2 << 2));
    for (let half = 0; half < width; half += 4) {
      const at = taps + (<usize>half << 2);
      transposeTaps(
        to + (<usize>half << 2), from + <usize>load<u32>(at), from + <usize>load<u32>(min(at + 4, last)),
        from + <usize>load<u32>(min(at + 8, last)), from + <usize>load<u32>(min(at + 12, last)), n,
      );
    }
    nextRow(plan);
    to += <usize>n << 5;
    depth -= n;
  }
}

/** The offsets of `planes` times the `count` listed taps. Answers their end. */
export function writeTaps(plan: Plan, to: usize, count: i32): usize {
  const from = changetype<usize>(plan) + list;
  for (let c = 0, base: u32 = 0; c < plan.planes; ++c, base += plan.volume) {
    for (let t = 0; t < count; ++t, to += 4) store<u32>(to, base + load<u32>(from + (<usize>t << 3), 4));
  }
  return to;
}
