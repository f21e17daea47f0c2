// Recurrent layers, one direction of one layer as one op: the input's part of all steps is one matrix product, each step
// adds the state's part and runs one fused kernel; backward through time is written by hand. Time is the leading axis.
import { extra, kernels, type Ptr } from "../kernels/index.js";
import { nullPtr, offset } from "../memory/index.js";
import { goesWith, grad, isRecording, recordJoint, willRecord } from "../tape/index.js";
import { allocate, fillWith, ptr, type Tensor, tensor } from "../tensor/index.js";
import { relu, sigmoid, tanh } from "./activation.js";
import { add, mul, sub } from "./elementwise.js";
import { cat, reshape, slice } from "./layout.js";
import { linear } from "./matmul.js";
import { sum } from "./reduce.js";
import { scratchFor } from "./scratch.js";

/** What a step computes of its input x and state h (LSTM: and c). */
export type CellKind = "tanh" | "relu" | "lstm" | "gru";

/** Gates of each kind: a weight has gates·hidden rows, in PyTorch's order (LSTM i, f, g, o; GRU r, z, n). */
export const gateCount: Readonly<Record<CellKind, number>> = { tanh: 1, relu: 1, lstm: 4, gru: 3 };

/** `weightIh` [gates·hidden, in], `weightHh` [gates·hidden, hidden], biases [gates·hidden] or none. */
export type CellWeights = readonly [weightIh: Tensor, weightHh: Tensor, biasIh?: Tensor, biasHh?: Tensor];

/** How a sequence is gone through. */
export interface RecurrentOptions {
  /** From the last step to the first. */
  readonly reverse?: boolean;
  /** i32 `[batch]`: from there on a sequence has ended, and its state stays what it was. */
  readonly lengths?: Tensor | undefined;
}

/** y[m, n] = op(a)·op(b) + bias, added to y when `more`; `at`, `bt` are 1 for operands stored transposed. */
function product(
  a: Ptr,
  b: Ptr,
  y: Ptr,
  bias: Ptr,
  [m, n, k]: readonly [number, number, number],
  at: 0 | 1,
  bt: 0 | 1,
  more: 0 | 1,
): void {
  const work = scratchFor(kernels.matmulScratch(m, n, k, at, bt));
  kernels.matmul(a, b, y, bias, work, 1, m, n, k, 0, 0, at, bt, more);
}

/** The weight of a sequence's steps, packed for y[batch, n] = x[batch, k]·op(w); null where packing does not pay. */
function packed(kind: CellKind, w: Ptr, [batch, n, k]: readonly [number, number, number], bt: 0 | 1): Tensor | null {
  if (batch < 4 || n % 8 !== 0) return null;
  const panels = allocate([n, k], "f32", kind);
  extra().packPanels(w, ptr(panels), n, k, bt);
  return panels;
}

/** The product of one step, of a weight that is packed or not. */
function stepProduct(
  x: Ptr,
  w: Ptr,
  panels: Tensor | null,
  y: Ptr,
  bias: Ptr,
  shape: readonly [number, number, number],
  bt: 0 | 1,
  more: 0 | 1,
): void {
  if (panels === null) product(x, w, y, bias, shape, 0, bt, more);
  else extra().packedProduct(x, ptr(panels), y, bias, scratchFor(extra().packedScratch()), ...shape, more);
}

type Pointers = readonly [Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr, Ptr];

const ptrOr = (x: Tensor | undefined): Ptr => (x === undefined ? nullPtr : ptr(x));

/**
 * All states of a sequence `[time, batch, in] -> [time, batch, hidden]`; an LSTM's last c follows as one more row of
 * time. The arguments have been checked.
 */
export function recurrent(
  kind: CellKind,
  x: Tensor,
  h0: Tensor,
  c0: Tensor | undefined,
  weights: CellWeights,
  options: RecurrentOptions = {},
): Tensor {
  const [wih, whh, bih, bhh] = weights;
  const { reverse = false, lengths } = options;
  const [time, batch, size] = x.shape as [number, number, number];
  const hidden = whh.shape[1]!;
  const width = gateCount[kind] * hidden;
  const row = 4 * batch * hidden;
  const gateRow = 4 * batch * width;
  const isLstm = kind === "lstm";
  const isGru = kind === "gru";

  const y = allocate([isLstm ? time + 1 : time, batch, hidden], "f32", kind);
  // What the partial needs beside the states: activated gates, all c, the inner part of GRU's n.
  const gates = isLstm || isGru ? allocate([time, batch, width], "f32", kind) : y;
  const cs = isLstm ? allocate([time, batch, hidden], "f32", kind) : undefined;
  const inners = isGru ? allocate([time, batch, hidden], "f32", kind) : undefined;
  const step = isGru ? allocate([batch, width], "f32", kind) : undefined;
  // Read again by the partial, so that a tensor that was released since is refused, and not read.
  const pointers = () =>
    [x, h0, c0, wih, whh, bih, bhh, lengths, y, gates, cs, inners].map(ptrOr) as readonly Ptr[] as Pointers;
  const [px, ph, pc, pw, pu, pb, pd, pl, py, pg, pcs, pn] = pointers();
  const ps = ptrOr(step);

  /** The step that comes s-th, and where the state before it lies: among `states`, or at `first`. */
  const at = (s: number): number => (reverse ? time - 1 - s : s);
  const before = (s: number, first: Ptr, states: Ptr): Ptr => (s === 0 ? first : offset(states, row * at(s - 1)));

  product(px, pw, pg, pb, [time * batch, width, size], 0, 1, 0);
  const shape = [batch, width, hidden] as const;
  const panels = packed(kind, pu, shape, 1);
  for (let s = 0; s < time; s++) {
    const t = at(s);
    const h = offset(py, row * t);
    const hPrev = before(s, ph, py);
    const g = offset(pg, gateRow * t);
    stepProduct(hPrev, pu, panels, isGru ? ps : g, pd, shape, 1, isGru ? 0 : 1);
    if (isLstm) extra().lstmForward(g, before(s, pc, pcs), hPrev, offset(pcs, row * t), h, pl, batch, hidden, t);
    else if (isGru) extra().gruForward(g, ps, hPrev, h, offset(pn, row * t), pl, batch, hidden, t);
    else extra().rnnForward(h, hPrev, pl, batch, hidden, t, Number(kind === "relu"));
  }
  if (isLstm) copyRow(before(time, pc, pcs), offset(py, row * time), batch * hidden);
  step?.release(`within ${kind}()`);
  panels?.release(`within ${kind}()`);

  const inputs = [x, h0, wih, whh, ...(bih && bhh ? [bih, bhh] : []), ...(c0 ? [c0] : [])];
  const extras = [gates, cs, inners].filter((t): t is Tensor => t !== undefined && t !== y);
  if (!willRecord(...inputs)) {
    recordJoint(kind, y, inputs, () => []);
    for (const extra of extras) extra.release(`within ${kind}()`);
    return y;
  }

  recordJoint(
    kind,
    y,
    inputs,
    (gy, needs) => {
      if (isRecording())
        return composedGradients(kind, inputs, weights.length > 2 && bih !== undefined, options, gy, needs);
      const [px, ph, pc, pw, pu, , , pl, py, pg, pcs, pn] = pointers();
      const pgy = ptr(gy);
      const dgates = allocate([time, batch, width], "f32", kind);
      const dinner = isGru ? allocate([time, batch, width], "f32", kind) : dgates;
      const dh = allocate([batch, hidden], "f32", kind);
      const dc = isLstm ? allocate([batch, hidden], "f32", kind) : undefined;
      fillWith(dh, 0);
      const [pdg, pdi, pdh, pdc] = [dgates, dinner, dh, dc].map(ptrOr) as [Ptr, Ptr, Ptr, Ptr];
      if (isLstm) copyRow(offset(pgy, row * time), pdc, batch * hidden);
      const shape = [batch, hidden, width] as const;
      const panels = packed(kind, pu, shape, 0);
      for (let s = time - 1; s >= 0; s--) {
        const t = at(s);
        const g = offset(pg, gateRow * t);
        const dg = offset(pdg, gateRow * t);
        const di = offset(pdi, gateRow * t);
        const gyt = offset(pgy, row * t);
        const hPrev = before(s, ph, py);
        const c = offset(pcs, row * t);
        const cPrev = before(s, pc, pcs);
        if (isLstm) extra().lstmBackward(g, cPrev, c, gyt, pdh, pdc, dg, pl, batch, hidden, t);
        else if (isGru) extra().gruBackward(g, offset(pn, row * t), hPrev, gyt, pdh, dg, di, pl, batch, hidden, t);
        else extra().rnnBackward(offset(py, row * t), gyt, pdh, dg, pl, batch, hidden, t, Number(kind === "relu"));
        stepProduct(di, pu, panels, pdh, nullPtr, shape, 0, 1);
      }
      panels?.release(`within ${kind}()`);
      const rows = time * batch;
      const [dx, , dw, du] = needs.map((need, i) =>
        need && i !== 1 && i < 4 ? allocate(inputs[i]!.shape, "f32", kind) : null,
      ) as [Tensor | null, null, Tensor | null, Tensor | null];
      if (dx) product(pdg, pw, ptr(dx), nullPtr, [rows, size, width], 0, 0, 0);
      if (dw) product(pdg, px, ptr(dw), nullPtr, [width, size, rows], 1, 0, 0);
      if (du) {
        // The state before the first step is h0, those before the others are the states themselves.
        product(offset(pdi, gateRow * at(0)), ph, ptr(du), nullPtr, [width, hidden, batch], 1, 0, 0);
        const rest = offset(pdi, reverse ? 0 : gateRow);
        const states = offset(py, reverse ? row : 0);
        if (time > 1) product(rest, states, ptr(du), nullPtr, [width, hidden, rows - batch], 1, 0, 1);
      }
      const biasGradient = (d: Tensor) => sum(reshape(d, [rows, width]), 0);
      const gradients: (Tensor | null)[] = [dx, dh, dw, du];
      if (bih && bhh) {
        const db = needs[4] || needs[5] ? biasGradient(dgates) : null;
        gradients.push(db, isGru && needs[5] ? biasGradient(dinner) : db);
      }
      if (dc) gradients.push(dc);
      return gradients;
    },
    [...inputs, ...extras, y, ...(lengths ? [lengths] : [])],
  );
  for (const extra of extras) goesWith(y, extra);
  return y;
}

function copyRow(from: Ptr, to: Ptr, n: number): void {
  kernels.copyStrided(from, to, 1, 1, 1, n, 0, 0, 0, 1, 0, 0, 0, 1);
}

/** One step of a cell, composed of ops: the new h, and c of an LSTM. `x` is `[batch, in]`. */
export function cellStep(
  kind: CellKind,
  x: Tensor,
  h: Tensor,
  c: Tensor | undefined,
  [wih, whh, bih, bhh]: CellWeights,
): [Tensor, Tensor?] {
  const gi = linear(x, wih, bih);
  const gh = linear(h, whh, bhh);
  const hidden = whh.shape[1]!;
  const part = (g: Tensor, i: number) => slice(g, [null, [i * hidden, (i + 1) * hidden]]);
  if (kind === "gru") {
    const both = sigmoid(add(slice(gi, [null, [0, 2 * hidden]]), slice(gh, [null, [0, 2 * hidden]])));
    const n = tanh(add(part(gi, 2), mul(part(both, 0), part(gh, 2))));
    return [add(n, mul(part(both, 1), sub(h, n)))];
  }
  const gates = add(gi, gh);
  if (kind !== "lstm") return [kind === "relu" ? relu(gates) : tanh(gates)];
  const state = add(mul(sigmoid(part(gates, 1)), c!), mul(sigmoid(part(gates, 0)), tanh(part(gates, 2))));
  return [mul(sigmoid(part(gates, 3)), tanh(state)), state];
}

/** The same states as `recurrent`, by one composed cell a step: what is differentiated under createGraph. */
export function unrolled(
  kind: CellKind,
  x: Tensor,
  h0: Tensor,
  c0: Tensor | undefined,
  weights: CellWeights,
  { reverse = false, lengths }: RecurrentOptions = {},
): Tensor {
  const [time, batch, size] = x.shape as [number, number, number];
  const ends = lengths?.toTypedArray();
  const states = new Array<Tensor>(time);
  let h = h0;
  let c = c0;
  for (let s = 0; s < time; s++) {
    const t = reverse ? time - 1 - s : s;
    const [hNew, cNew] = cellStep(kind, reshape(slice(x, [[t, t + 1]]), [batch, size]), h, c, weights);
    if (ends?.some((end) => end <= t)) {
      const goesOn = tensor(Array.from(ends, (end) => [t < end ? 1 : 0]));
      const choose = (now: Tensor, then: Tensor) => add(mul(now, goesOn), mul(then, sub(1, goesOn)));
      h = choose(hNew, h);
      c = cNew && choose(cNew, c!);
    } else {
      h = hNew;
      c = cNew;
    }
    states[t] = h;
  }
  if (c !== undefined) states.push(c);
  return reshape(cat(states), [states.length, ...h.shape]);
}

/**
 * Gradients that can be differentiated again. The inputs are passed through a node of their own first: one of them may
 * have been computed from another, and each gradient must stop at its input.
 */
function composedGradients(
  kind: CellKind,
  inputs: readonly Tensor[],
  biased: boolean,
  options: RecurrentOptions,
  gy: Tensor,
  needs: readonly boolean[],
): (Tensor | null)[] {
  const own = inputs.map((x) => reshape(x, x.shape));
  const [x, h0, wih, whh] = own as [Tensor, Tensor, Tensor, Tensor];
  const weights: CellWeights = biased ? [wih, whh, own[4]!, own[5]!] : [wih, whh];
  const y = unrolled(kind, x, h0, kind === "lstm" ? own[own.length - 1] : undefined, weights, options);
  const wanted = own.filter((_, i) => needs[i]);
  const gradients = grad(y, wanted, { gradOutputs: gy, createGraph: true, allowUnused: true });
  return own.map((input, i) => (needs[i] ? gradients[wanted.indexOf(input)]! : null));
}
