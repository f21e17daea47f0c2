// What a convolution is, worked out once a call at the head of the scratch memory: the sizes, how its source is laid
// out, and where everything else in the scratch lies.
//
// All three products of a convolution (1 to 3 axes; missing ones have size 1) are sums over "taps" of a source image:
//   FORWARD  y(o, p)  = bias(o) + sum over (c, t) of w(o, c, t) * x(c, p * stride - pad + t * dilation)
//   INPUT    gx(c, i) = bias(c) + sum over (o, t) of w(o, c, t) * gy(o, (i + pad - t * dilation) / stride), where whole
//   WEIGHT   gw(o, c, t) = sum over (n, p) of gy(o, p) * x(c, p * stride - pad + t * dilation)
// The i of INPUT that share their residues by the strides share their taps, and their sources are neighbours: each such
// set is a "phase", a FORWARD of stride 1 with results `stride` apart. FORWARD and WEIGHT have one phase.
//
// The source is one image and group, with its border of zeros around it, rows and columns split by their residues by the
// stride: each pair of residues is an image of its own, in which results one apart have sources one apart. Where neither
// border nor split is needed it is read in place. A tap then is a byte offset, and all the rest loops over tables of taps.
import { tallRows } from "./matmul-tiles";

export const FORWARD = 0, INPUT = 1, WEIGHT = 2;

/** Rows of weights in a block, steps of a sum in a block, results in a block when the weights exceed `cachedWeights`. */
// @ts-ignore: decorator
@inline
export const rowBlock = 120, depthBlock = 384, columnBlock = 256, pixelBlock = 256;
/** Bytes of direct sums at a time, which stay in L1 with their sources; the stage has a row and this much. */
// @ts-ignore: decorator
@inline
export const directBytes = 8192;
/** Bytes of weights that stay in L2 while single panels of 8 results pass. */
// @ts-ignore: decorator
@inline
const cachedWeights = 524288;
/** Bytes read beyond a source in whole vectors, at most. */
// @ts-ignore: decorator
@inline
export const slack = 96;
/** So few rows are computed directly: tiles of four would mostly repeat them. */
// @ts-ignore: decorator
@inline
const directRows = 2;

// @ts-ignore: decorator
@unmanaged
export class Plan {
  op: i32;
  batch: i32;
  groups: i32;
  /** Channels of x and of y in one group. */
  channels: i32;
  filters: i32;
  // By axis (depth, height, width): sizes of x and y, and the window.
  in0: i32; in1: i32; in2: i32;
  out0: i32; out1: i32; out2: i32;
  kernel0: i32; kernel1: i32; kernel2: i32;
  stride0: i32; stride1: i32; stride2: i32;
  pad0: i32; pad1: i32; pad2: i32;
  dilation0: i32; dilation1: i32; dilation2: i32;
  // The source: its channels, sizes by axis, border before and whole padded sizes by axis.
  planes: i32;
  size0: i32; size1: i32; size2: i32;
  lead0: i32; lead1: i32; lead2: i32;
  padded0: i32; padded1: i32; padded2: i32;
  copies: bool;
  /** Residues that rows and columns are split into, and bytes of the image of one pair. */
  split1: i32;
  split2: i32;
  part: u32;
  /** Bytes from row to row (of one pair), slice to slice, channel to channel. */
  row: u32;
  slice: u32;
  volume: u32;
  // Results: rows of weights, whether directly computed, phases by axis, and those of the current one:
  rows: i32;
  direct: bool;
  /** Whether sums read the tensor itself: of one channel, over windows of 3 x 3 around each result. */
  inPlace: bool;
  phases0: i32; phases1: i32; phases2: i32;
  phase0: i32; phase1: i32; phase2: i32;
  grid0: i32; grid1: i32; grid2: i32;
  /** Bytes between the sources (and the destinations) of neighbouring results, by axis; along a row of sources: 4. */
  from0: u32; from1: u32;
  to0: u32; to1: u32; to2: u32;
  /** Position in the grid, for walking it. */
  at0: i32; at1: i32; at2: i32;
  // Addresses in the scratch.
  taps: usize;
  weights: usize;
  packed: usize;
  init: usize;
  stage: usize;
  panels: usize;
  image: usize;
  columns: i32;
  bytes: u32;
}

/** Tables behind the plan: 8 source and 8 destination offsets of a panel; then the taps of the phase, see `listTaps`. */
// @ts-ignore: decorator
@inline
export const offsets: usize = (offsetof<Plan>() + 15) & ~15;
// @ts-ignore: decorator
@inline
export const list: usize = offsets + 64;

// @ts-ignore: decorator
@inline
function get(plan: Plan, field: usize, axis: i32): i32 {
  return load<i32>(changetype<usize>(plan) + field + (<usize>axis << 2));
}

// @ts-ignore: decorator
@inline
function set(plan: Plan, field: usize, axis: i32, value: i32): void {
  store<i32>(changetype<usize>(plan) + field + (<usize>axis << 2), value);
}

// @ts-ignore: decorator
@inline
function floorDivide(a: i32, b: i32): i32 {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/** One axis of the source: its border and padded size. */
function planAxis(plan: Plan, axis: i32): void {
  const stride = get(plan, offsetof<Plan>("stride0"), axis);
  const pad = get(plan, offsetof<Plan>("pad0"), axis);
  const reach = (get(plan, offsetof<Plan>("kernel0"), axis) - 1) * get(plan, offsetof<Plan>("dilation0"), axis);
  const sizeIn = get(plan, offsetof<Plan>("in0"), axis), sizeOut = get(plan, offsetof<Plan>("out0"), axis);
  const input = plan.op == INPUT;
  const lead = input ? max(0, -floorDivide(pad - reach, stride)) : pad;
  const padded = input ? lead + (sizeIn - 1 + pad) / stride + 1 : (sizeOut - 1) * stride + reach + 1;
  const size = input ? sizeOut : sizeIn;
  set(plan, offsetof<Plan>("lead0"), axis, lead);
  set(plan, offsetof<Plan>("padded0"), axis, padded);
  set(plan, offsetof<Plan>("size0"), axis, size);
  set(plan, offsetof<Plan>("phases0"), axis, input ? stride : 1);
  if ((lead > 0 || padded > size) && !plan.inPlace) plan.copies = true;
}

/**
 * Writes the plan of one convolution to `scratch` (room for 512 bytes, and 8 bytes a tap of the kernel) and answers how
 * many bytes `convolve` needs there. `op`: 0 forward, 1 gradient of the input (a transposed convolution), 2 gradient of
 * the weight. x is [batch, groups * channels, in0, in1, in2], w [groups * filters, channels, kernel0, kernel1, kernel2],
 * y [batch, groups * filters, out0, out1, out2]; `pad` is the border before the first element, the one behind the last
 * follows from the sizes. No size is 0.
 */
export function convPlan(
  scratch: usize, op: i32, batch: i32, groups: i32, channels: i32, filters: i32, in0: i32, in1: i32, in2: i32,
  out0: i32, out1: i32, out2: i32, kernel0: i32, kernel1: i32, kernel2: i32, stride0: i32, stride1: i32, stride2: i32,
  pad0: i32, pad1: i32, pad2: i32, dilation0: i32, dilation1: i32, dilation2: i32,
): u32 {
  assert(batch > 0 && groups > 0 && channels > 0 && filters > 0, "sizes must be positive");
  assert(min(min(in0, in1), min(in2, out0)) > 0 && min(out1, out2) > 0, "images must not be empty");
  assert(min(kernel0, min(kernel1, kernel2)) > 0 && min(stride0, min(stride1, stride2)) > 0, "windows must not be empty");
  assert(min(pad0, min(pad1, pad2)) >= 0 && min(dilation0, min(dilation1, dilation2)) > 0, "no negative border");
  const plan = changetype<Plan>(scratch);
  plan.op = op;
  plan.batch = batch;
  plan.groups = groups;
  plan.channels = channels;
  plan.filters = filters;
  plan.in0 = in0;
  plan.in1 = in1;
  plan.in2 = in2;
  plan.out0 = out0;
  plan.out1 = out1;
  plan.out2 = out2;
  plan.kernel0 = kernel0;
  plan.kernel1 = kernel1;
  plan.kernel2 = kernel2;
  plan.stride0 = stride0;
  plan.stride1 = stride1;
  plan.stride2 = stride2;
  plan.pad0 = pad0;
  plan.pad1 = pad1;
  plan.pad2 = pad2;
  plan.dilation0 = dilation0;
  plan.dilation1 = dilation1;
  plan.dilation2 = dilation2;

  const input = op == INPUT, weight = op == WEIGHT;
  plan.rows = input ? channels : filters;
  plan.direct = plan.rows <= directRows;
  const one = kernel0 & stride0 & stride1 & stride2 & dilation1 & dilation2 & pad1 & pad2;
  const most = max(max(max(kernel0, stride0), max(stride1, stride2)), max(max(dilation1, dilation2), max(pad1, pad2)));
  plan.inPlace = plan.direct && !weight && (input ? filters : channels) == 1 && kernel1 == 3 && kernel2 == 3 &&
    one == 1 && most == 1 && pad0 == 0 && in1 == out1 && in2 == out2 && in2 > 4;
  // Other direct sums read whole vectors: beyond the last element, where only the scratch has room.
  plan.copies = plan.direct && !plan.inPlace || !input && stride2 > 1;
  for (let axis = 0; axis < 3; ++axis) planAxis(plan, axis);
  plan.planes = input ? filters : channels;
  const split1 = input || !plan.copies ? 1 : stride1, split2 = input || !plan.copies ? 1 : stride2;
  plan.split1 = split1;
  plan.split2 = split2;
  plan.row = <u32>(plan.copies ? (plan.padded2 + split2 - 1) / split2 : plan.size2) << 2;
  plan.part = plan.row * (plan.copies ? (plan.padded1 + split1 - 1) / split1 : plan.size1);
  plan.slice = plan.part * split1 * split2;
  plan.volume = plan.slice * (plan.copies ? plan.padded0 : plan.size0);
  plan.from0 = input ? plan.slice : plan.slice * stride0;
  plan.from1 = input || plan.copies ? plan.row : plan.row * stride1;
  plan.to2 = input ? stride2 << 2 : 4;
  plan.to1 = input ? (stride1 * in2) << 2 : out2 << 2;
  plan.to0 = input ? (stride0 * in1 * in2) << 2 : (out1 * out2) << 2;

  // The scratch: each part ends with room for a vector that begins inside it.
  const window = kernel0 * kernel1 * kernel2;
  const k = <usize>(plan.planes * window);
  const rows = <usize>plan.rows;
  let at = scratch + list + (<usize>window << 3);
  plan.taps = at;
  at += k << 2;
  // The number of taps of each phase stands before the weights.
  plan.weights = at + (<usize>(plan.phases0 * plan.phases1 * plan.phases2) << 2);
  at = plan.weights + (input ? (k * rows) << 2 : 0);
  plan.init = at = (at + 15) & ~15;
  at += rows << 5;
  plan.stage = at;
  at += plan.direct ? <usize>plan.row + directBytes + slack : <usize>(weight ? plan.rows : min(plan.rows, rowBlock)) << 5;
  plan.packed = at;
  at += ((rows + tallRows - 1) * (weight ? <usize>pixelBlock : k) << 2) + 16;
  plan.panels = at = (at + 15) & ~15;
  plan.columns = k * rows <= <usize>cachedWeights / 4 ? 8 : columnBlock;
  at += weight ? <usize>pixelBlock << 5 : (<usize>plan.columns * min(k, <usize>depthBlock)) << 2;
  plan.image = at = (at + 63) & ~63;
  if (plan.copies) at += <usize>plan.planes * plan.volume + slack;
  plan.bytes = <u32>(at - scratch);
  return plan.bytes;
}

/** How far from the first source of a result the tap `k` of an axis lies, in elements; -1 when not in the phase. */
// @ts-ignore: decorator
@inline
function tapOf(plan: Plan, axis: i32, k: i32): i32 {
  const distance = k * get(plan, offsetof<Plan>("dilation0"), axis);
  if (plan.op != INPUT) return distance;
  const stride = get(plan, offsetof<Plan>("stride0"), axis);
  const from = get(plan, offsetof<Plan>("phase0"), axis) + get(plan, offsetof<Plan>("pad0"), axis) - distance;
  return from % stride == 0 ? from / stride + get(plan, offsetof<Plan>("lead0"), axis) : -1;
}

/** Where the image of a row's and a column's residues begins, in its slice. */
// @ts-ignore: decorator
@inline
export function partOf(plan: Plan, row: i32, column: i32): u32 {
  return (row % plan.split1 * plan.split2 + column % plan.split2) * plan.part;
}

/** Lists the taps of the current phase: pairs of the index in the kernel and the byte offset. Answers how many. */
export function listTaps(plan: Plan): i32 {
  const start = changetype<usize>(plan) + list;
  let to = start, index = 0;
  for (let k0 = 0; k0 < plan.kernel0; ++k0) {
    const tap0 = tapOf(plan, 0, k0);
    for (let k1 = 0; k1 < plan.kernel1; ++k1) {
      const tap1 = tapOf(plan, 1, k1);
      for (let k2 = 0; k2 < plan.kernel2; ++k2, ++index) {
        const tap2 = tapOf(plan, 2, k2);
        if ((tap0 | tap1 | tap2) < 0) continue;
        store<i32>(to, index);
        store<u32>(
          to,
          tap0 * plan.slice + partOf(plan, tap1, tap2) + tap1 / plan.split1 * plan.row + (tap2 / plan.split2 << 2),
          4,
        );
        to += 8;
      }
    }
  }
  return <i32>(to - start) >> 3;
}

/** Makes phase `index` the current one: residues, and the grid of its results. */
export function enterPhase(plan: Plan, index: i32): void {
  for (let axis = 2; axis >= 0; --axis) {
    const phases = get(plan, offsetof<Plan>("phases0"), axis);
    const phase = index % phases;
    index /= phases;
    set(plan, offsetof<Plan>("phase0"), axis, phase);
    const size = plan.op == INPUT
      ? (get(plan, offsetof<Plan>("in0"), axis) - phase + phases - 1) / phases
      : get(plan, offsetof<Plan>("out0"), axis);
    set(plan, offsetof<Plan>("grid0"), axis, size);
  }
}
