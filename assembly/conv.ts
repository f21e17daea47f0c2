// Convolutions: an implicit product of matrices on the tiles of matmul, direct sums where there are too few rows.
//
// A FORWARD or INPUT is y[rows, results] = weights[rows, k] P[k, results], with the sources of 8 results packed from the
// image straight into a panel of P; a WEIGHT is gw[filters, k] = gy[filters, results] PT. Every element is one sum in one
// order (bias first, then taps; for WEIGHT images and results), whichever path it takes, so that an image alone
// gives the bits it gives in a batch.
import { FORWARD, INPUT, Plan, WEIGHT, depthBlock, directBytes, enterPhase, list, listTaps, offsets, pixelBlock, rowBlock } from "./conv-plan";
import { clearBorder, copyRow, locate, packResults, packTaps, seek, sourceOf, writeTaps } from "./conv-source";
import { dotTaps, sumTaps } from "./conv-direct";
import { sumInPlace } from "./conv-inplace";
import { gatherRows, packA, scatterRows } from "./matmul-pack";
import { packedHeight, slimPanel, tallRows, tileRows, widePanel, zeros } from "./matmul-tiles";

/** Products of this few results are not worth a packed copy of their weights. */
// @ts-ignore: decorator
@inline
const packResultsFrom = 32;

/**
 * Tiles of `rows` rows by 8 or 4 results: y = init + a b, b in rows of 32 bytes. `a` is packed in tiles of `height` rows,
 * or has rows of `aRow` bytes when that is 0.
 */
function panel(
  wide: bool, a: usize, height: i32, aRow: usize, b: usize, init: usize, initRow: usize, y: usize, yRow: usize,
  rows: i32, depth: i32,
): void {
  const packed = height > 0;
  const aStep: usize = packed ? height << 2 : 4;
  const aTile = packed ? <usize>depth * aStep : aRow * tileRows;
  if (packed) aRow = 4;
  // Panels of 4 columns have no tall tiles.
  if (wide || height > tileRows) {
    widePanel(packed ? height : tileRows, a, aTile, aRow, aStep, b, 32, init, initRow, y, yRow, 0, rows, depth);
  } else slimPanel(a, aTile, aRow, aStep, b, 32, init, initRow, y, yRow, 0, rows, depth);
}

/** The weights of the current phase of an INPUT as rows of channels: to(c, (o, t)) = w(o, c, t). Answers their end. */
function turnWeights(plan: Plan, to: usize, w: usize, taps: i32): usize {
  const window = plan.kernel0 * plan.kernel1 * plan.kernel2;
  const from = changetype<usize>(plan) + list;
  for (let c = 0; c < plan.channels; ++c) {
    for (let o = 0; o < plan.filters; ++o) {
      const kernel = w + (<usize>((o * plan.channels + c) * window) << 2);
      for (let t = 0; t < taps; ++t, to += 4) {
        store<i32>(to, load<i32>(kernel + (<usize>load<u32>(from + (<usize>t << 3)) << 2)));
      }
    }
  }
  return to;
}

// @ts-ignore: decorator
@inline
function depthOf(k: i32): i32 {
  const blocks = max(1, (k + depthBlock - 1) / depthBlock);
  return (k + blocks - 1) / blocks;
}

/** Packs weights in blocks of `depthOf(k)` steps by `rowBlock` rows; the steps from p on begin at p * (rows + tallRows - 1). */
function packWeights(plan: Plan, to: usize, from: usize, k: i32): void {
  const depth = depthOf(k);
  for (let p = 0; p < k; p += depth) {
    const steps = min(depth, k - p);
    for (let i = 0; i < plan.rows; i += rowBlock) {
      packA(
        to + (<usize>(p * (plan.rows + tallRows - 1) + i * steps) << 2), from + (<usize>(i * k + p) << 2), <usize>k << 2, 4,
        min(rowBlock, plan.rows - i), steps, packedHeight(plan.rows),
      );
    }
  }
}

/** Rows of `width` floats between the stage (rows of 32 bytes) and the places that `locate` found in y. */
function exchange(plan: Plan, y: usize, yRow: usize, rows: i32, width: i32, back: bool): void {
  let stage = plan.stage;
  const to = changetype<usize>(plan) + offsets + 32;
  for (let i = 0; i < rows; ++i, y += yRow, stage += 32) {
    for (let j = 0; j < width; ++j) {
      const place = y + <usize>load<u32>(to + (<usize>j << 2)), staged = stage + (<usize>j << 2);
      if (back) store<i32>(staged, load<i32>(place));
      else store<i32>(place, load<i32>(staged));
    }
  }
}

/** One phase of one image: all rows, in tiles. `packed` tells whether `a` is packed or has rows of k. */
function multiply(
  plan: Plan, a: usize, packed: bool, k: i32, taps: usize, source: usize, y: usize, yRow: usize, init: usize, initRow: usize,
): void {
  const rows = plan.rows, columns = plan.columns, panels = plan.panels, stage = plan.stage;
  const results = plan.grid0 * plan.grid1 * plan.grid2;
  const neighbours = plan.op == FORWARD || plan.to2 == 4 && plan.phases0 * plan.phases1 == 1;
  const depthMost = depthOf(k), packedIn = packed ? packedHeight(rows) : 0;
  for (let j0 = 0; j0 < results; j0 += columns) {
    const count = min(columns, results - j0);
    let p = 0;
    do {
      const depth = min(depthMost, k - p);
      seek(plan, j0);
      for (let j = 0; j < count; j += 8) {
        const width = min(8, count - j);
        locate(plan, width);
        packResults(plan, panels + (<usize>(j * depth) << 2), taps + (<usize>p << 2), depth, source, width);
      }
      for (let i = 0; i < rows; i += rowBlock) {
        const height = min(rowBlock, rows - i);
        const block = a + (<usize>(packed ? p * (rows + tallRows - 1) + i * depth : i * k + p) << 2);
        const aRow = <usize>k << 2;
        const base = y + <usize>i * yRow;
        if (!neighbours) seek(plan, j0);
        for (let j = 0; j < count; j += 8) {
          const width = min(8, count - j);
          const b = panels + (<usize>(j * depth) << 2);
          if (neighbours && width == 8) {
            const to = base + (<usize>(j0 + j) << 2);
            panel(
              true, block, packedIn, aRow, b, p == 0 ? init + <usize>i * initRow : to, p == 0 ? initRow : yRow, to, yRow,
              height, depth,
            );
            continue;
          }
          if (neighbours) seek(plan, j0 + j);
          locate(plan, width);
          if (p > 0) exchange(plan, base, yRow, height, width, true);
          panel(
            width > 4, block, packedIn, aRow, b, p == 0 ? init + <usize>i * initRow : stage, p == 0 ? initRow : 32, stage, 32,
            height, depth,
          );
          exchange(plan, base, yRow, height, width, false);
        }
      }
      p += depth;
    } while (p < k);
  }
}

/**
 * One phase of one image, each row of y by itself. Rows of results are summed as if they went on through the border to
 * the next one, which is a loop without ends of rows; what lies between them is not copied to y.
 */
function sumDirectly(
  plan: Plan, a: usize, k: i32, taps: usize, source: usize, y: usize, yRow: usize, bias: usize,
): void {
  if (plan.inPlace) {
    const slice = <usize>(plan.in1 * plan.in2) << 2;
    for (let i = 0; i < plan.rows; ++i, a += <usize>k << 2) {
      const init = bias == 0 ? zeros : bias + (<usize>i << 2);
      for (let d = 0; d < plan.in0; ++d, y += slice) sumInPlace(plan, source + <usize>d * slice, a, y, init);
    }
    return;
  }
  const height = plan.grid1, n = plan.grid2, step = plan.to2, stage = plan.stage;
  const rowsMost = max(1, directBytes / plan.row);
  for (let i = 0; i < plan.rows; ++i, y += yRow, a += <usize>k << 2) {
    const start: f32 = bias == 0 ? 0 : load<f32>(bias + (<usize>i << 2));
    for (let d = 0; d < plan.grid0; ++d) {
      for (let h = 0; h < height; h += rowsMost) {
        const rows = min(rowsMost, height - h);
        const from = source + <usize>d * plan.from0 + <usize>h * plan.from1;
        let to = y + <usize>d * plan.to0 + <usize>h * plan.to1;
        sumTaps(stage, (rows - 1) * (plan.row >> 2) + n, from, taps, a, k, start);
        for (let r = 0; r < rows; ++r, to += plan.to1) {
          const summed = stage + <usize>r * plan.row;
          if (step == 4) copyRow(to, summed, n);
          else for (let j = 0; j < n; ++j) store<i32>(to + <usize>j * step, load<i32>(summed + (<usize>j << 2)));
        }
      }
    }
  }
}

/** y = FORWARD(x, w) or INPUT(gy, w), with the bias of a row of y, or none when `bias` is 0. */
function correlate(plan: Plan, x: usize, w: usize, bias: usize, y: usize): void {
  const op = plan.op, rows = plan.rows, planes = plan.planes, groups = plan.groups;
  const input = op == INPUT;
  const xSize = <usize>(planes * plan.size0 * plan.size1 * plan.size2) << 2;
  const yRow = <usize>(input ? plan.in0 * plan.in1 * plan.in2 : plan.out0 * plan.out1 * plan.out2) << 2;
  const ySize = <usize>rows * yRow;
  const wSize = <usize>(plan.filters * plan.channels * plan.kernel0 * plan.kernel1 * plan.kernel2) << 2;
  const phases = plan.phases0 * plan.phases1 * plan.phases2;
  const counts = plan.weights - (<usize>phases << 2);
  let taps = plan.taps;
  for (let phase = 0; phase < phases; ++phase) {
    enterPhase(plan, phase);
    const count = listTaps(plan);
    store<i32>(counts + (<usize>phase << 2), planes * count);
    taps = writeTaps(plan, taps, count);
  }
  clearBorder(plan);
  const packed = !plan.direct && plan.batch * plan.grid0 * plan.grid1 * plan.grid2 >= packResultsFrom;
  for (let group = 0; group < groups; ++group) {
    let plain = w + <usize>group * wSize;
    if (input) {
      plain = plan.weights;
      let to = plain;
      for (let phase = 0; phase < phases; ++phase) {
        enterPhase(plan, phase);
        to = turnWeights(plan, to, w + <usize>group * wSize, listTaps(plan));
      }
    }
    if (packed) {
      let from = plain, to = plan.packed;
      for (let phase = 0; phase < phases; ++phase) {
        const k = load<i32>(counts + (<usize>phase << 2));
        packWeights(plan, to, from, k);
        from += <usize>(rows * k) << 2;
        to += <usize>((rows + tallRows - 1) * k) << 2;
      }
    }
    const groupBias: usize = bias == 0 ? 0 : bias + (<usize>(group * rows) << 2);
    if (bias != 0 && !plan.direct) {
      for (let i = 0; i < rows; ++i) {
        const start = v128.load32_splat(groupBias + (<usize>i << 2)), to = plan.init + (<usize>i << 5);
        v128.store(to, start);
        v128.store(to, start, 16);
      }
    }
    for (let n = 0; n < plan.batch; ++n) {
      const item = n * groups + group;
      const source = sourceOf(plan, x + <usize>item * xSize);
      let table = plan.taps, a = packed ? plan.packed : plain;
      for (let phase = 0; phase < phases; ++phase) {
        const k = load<i32>(counts + (<usize>phase << 2));
        if (phases > 1 || n == 0) enterPhase(plan, phase);
        const to = y + <usize>item * ySize +
          (<usize>((plan.phase0 * plan.in1 + plan.phase1) * plan.in2 + plan.phase2) << 2);
        if (plan.direct) sumDirectly(plan, a, k, table, source, to, yRow, groupBias);
        else multiply(plan, a, packed, k, table, source, to, yRow, bias == 0 ? zeros : plan.init, bias == 0 ? 0 : 32);
        table += <usize>k << 2;
        a += <usize>((packed ? rows + tallRows - 1 : rows) * k) << 2;
      }
    }
  }
}

/** gw = WEIGHT(x, gy), of these groups, and of the taps (channels and places in the window) from `first` to `last`. */
export function correlateWeights(
  plan: Plan, x: usize, gy: usize, gw: usize, firstGroup: i32, lastGroup: i32, first: i32, last: i32,
): void {
  const rows = plan.rows, planes = plan.planes, groups = plan.groups, panels = plan.panels, stage = plan.stage;
  enterPhase(plan, 0);
  const k = planes * listTaps(plan);
  writeTaps(plan, plan.taps, planes == 0 ? 0 : k / planes);
  clearBorder(plan);
  const results = plan.out0 * plan.out1 * plan.out2;
  const gyRow = <usize>results << 2, gwRow = <usize>k << 2;
  const xSize = <usize>(planes * plan.in0 * plan.in1 * plan.in2) << 2;
  // A copy of gy in the order of its use pays when it is used often.
  const packedIn = k > 64 ? packedHeight(rows) : 0;
  last = min(last, k);
  gw += <usize>(firstGroup * rows) * gwRow;
  for (let group = firstGroup; group < lastGroup; ++group, gw += <usize>rows * gwRow) {
    if (plan.direct) {
      for (let i = 0; i < rows; ++i) memory.fill(gw + <usize>i * gwRow + (<usize>first << 2), 0, <usize>(last - first) << 2);
    }
    for (let n = 0; n < plan.batch; ++n) {
      const item = n * groups + group;
      const source = sourceOf(plan, x + <usize>item * xSize);
      const g = gy + <usize>(item * rows) * gyRow;
      if (plan.direct) {
        for (let i = 0; i < rows; ++i) {
          for (let d = 0; d < plan.out0; ++d) {
            dotTaps(
              gw + <usize>i * gwRow + (<usize>first << 2), last - first, plan.taps + (<usize>first << 2), source + <usize>d * plan.from0, plan.from1,
              g + <usize>i * gyRow + (<usize>(d * plan.out1 * plan.out2) << 2), plan.out1, plan.out2,
            );
          }
        }
        continue;
      }
      for (let p = 0; p < results; p += pixelBlock) {
        const depth = min(pixelBlock, results - p);
        const fresh = n == 0 && p == 0;
        const block = g + (<usize>p << 2);
        if (packedIn > 0) packA(plan.packed, block, gyRow, 4, rows, depth, packedIn);
        for (let j = first; j < last; j += 8) {
          const width = min(8, last - j);
          const to = gw + (<usize>j << 2);
          packTaps(plan, panels, plan.taps + (<usize>j << 2), width, source, p, depth);
          const whole = width == 8;
          // The columns beyond the last tap are computed (from its sources) and not stored.
          const staged = whole ? to : stage, stagedRow = whole ? gwRow : 32;
          if (!whole && !fresh) gatherRows(stage, 32, to, gwRow, rows, width);
          panel(
            width > 4, packedIn > 0 ? plan.packed : block, packedIn, gyRow, panels, fresh ? zeros : staged,
            fresh ? 0 : stagedRow, staged, stagedRow, rows, depth,
          );
          if (!whole) scatterRows(to, gwRow, stage, 32, rows, width);
        }
      }
    }
  }
}

/**
 * What the plan at `plan` says: y = w * x + bias (a is x, b is w), gx = the transposed convolution of gy and w + bias (a
 * is gy, b is w), or gw (a is x, b is gy). `bias` is 0 for none. `plan` has the bytes that `convPlan` answered.
 */
export function convolve(plan: usize, a: usize, b: usize, bias: usize, y: usize): void {
  const p = changetype<Plan>(plan);
  if (p.op == WEIGHT) correlateWeights(p, a, b, y, 0, p.groups, 0, i32.MAX_VALUE);
  else correlate(p, a, b, bias, y);
}
