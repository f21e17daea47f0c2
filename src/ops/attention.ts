// Scaled dot-product attention, in memory that grows with the sequence and not with its square.
import { checkNumber, describe, rangeError, show, typeError } from "../error.js";
import { extra, type Ptr } from "../kernels/index.js";
import { nullPtr, Storage } from "../memory/index.js";
import { broadcastShapes, numelOf, type Shape, sameShape } from "../shape.js";
import { composed, goesWith, isRecording, recordJoint } from "../tape/index.js";
import { allocate, checkTensor, defaultGenerator, fillWith, Generator, ptr, type Tensor } from "../tensor/index.js";
import { type OrOptions, optionsFrom } from "./arguments.js";
import { sumTo } from "./broadcast.js";
import { to } from "./convert.js";
import { add, div, exp, log, mul, sub } from "./elementwise.js";
import { checkFloat } from "./launch.js";
import { expand, reshape, slice, transpose } from "./layout.js";
import { matmul } from "./matmul.js";
import { sum } from "./reduce.js";

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Broadcasts to `[…, L, S]`: bool, true where a key takes part; or f32, added to the scores. */
  readonly attnMask?: Tensor | null | undefined;
  /** Probability of a weight to be dropped; default 0. (In inference pass 0.) */
  readonly dropoutP?: number;
  /** Key j takes part for queries i ≥ j only; default false. */
  readonly isCausal?: boolean;
  /** Factor of the scores; default 1/√E. */
  readonly scale?: number;
  /** Where dropout's mask is drawn from; default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

const op = "scaledDotProductAttention";
let scratch: Storage | null = null;

function scratchFor(bytes: number): Ptr {
  if (scratch === null || scratch.bytes < bytes) {
    const larger = Storage.take(bytes, "attention scratch", [bytes >> 2]);
    scratch?.drop();
    scratch = larger;
  }
  return scratch.ptr;
}

/** What is not a tensor of the operands: sizes, and how the mask is read. */
interface Plan {
  readonly batch: Shape;
  readonly count: number;
  readonly L: number;
  readonly S: number;
  readonly E: number;
  readonly V: number;
  readonly causal: boolean;
  readonly scale: number;
  readonly p: number;
  /** Item b of the batch reads mask b / repeat % masks of [masks, L or 1, S]. */
  readonly mask: Tensor | null;
  readonly repeat: number;
  readonly masks: number;
}

/** How a mask whose axes are 1 or the batch's is read without being stretched; null when it must be. */
function maskWalk(mask: Shape, batch: Shape): { repeat: number; masks: number } | null {
  // The axes along which it varies must be neighbours, but for axes of size 1.
  const varies = batch.map((size, i) => size !== 1 && (mask[i - batch.length + mask.length - 2] ?? 1) !== 1);
  const first = varies.indexOf(true);
  if (first < 0) return { repeat: 1, masks: 1 };
  const last = varies.lastIndexOf(true);
  for (let i = first; i < last; i++) if (!varies[i] && batch[i] !== 1) return null;
  return { repeat: numelOf(batch.slice(last + 1)), masks: numelOf(batch.slice(first, last + 1)) };
}

/** The numbers that the two kernels share. */
const sizes = (plan: Plan) => {
  const { count, L, S, E, V, mask, repeat, masks, causal, scale, p } = plan;
  const kind = mask === null ? 0 : mask.dtype === "bool" ? 1 : 2;
  const rows = mask !== null && mask.ndim > 1 && mask.shape[mask.ndim - 2] !== 1 ? 1 : 0;
  return [count, L, S, E, V, kind, repeat, masks, rows, causal ? 1 : 0, scale, p] as const;
};

/**
 * softmax(query·keyᵀ·scale + mask)·value: `[…, L, E], […, S, E], […, S, V] -> […, L, V]`; leading axes broadcast. A query
 * that no key takes part in gives 0, where the formula would give NaN. Scores are computed block by block and again in
 * the gradient, so that memory is linear in L and S (but in gradients of a mask, and under createGraph).
 *
 * @param attnMask bool (true takes part) or f32 (added); or the options `attnMask`, `dropoutP`, `isCausal`, `scale`,
 *   `generator`.
 * @throws RangeError for sizes that do not fit, and for a mask together with `isCausal`. PyTorch (2.0):
 *   `torch.nn.functional.scaled_dot_product_attention`.
 * @example
 * import { scaledDotProductAttention, tensor } from "gradine";
 * const x = tensor([[1, 0], [0, 1]]);
 * const y = scaledDotProductAttention(x, x, x, { isCausal: true });
 * console.log(y.slice([[0, 1]]).toArray()); // [[1, 0]]
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  attnMask?: OrOptions<AttentionOptions>,
  options?: AttentionOptions,
): Tensor {
  checkFloat(op, "query", query);
  checkFloat(op, "key", key);
  checkFloat(op, "value", value);
  const given = optionsFrom<AttentionOptions>(
    op,
    ["attnMask"],
    [attnMask, options],
    ["attnMask", "dropoutP", "isCausal", "scale", "generator"],
  );
  const mask = given.attnMask ?? null;
  const [L, E] = query.shape.slice(-2) as [number, number];
  const [S, V] = value.shape.slice(-2) as [number, number];
  if (query.ndim < 2 || key.ndim < 2 || value.ndim < 2 || !sameShape(key.shape.slice(-2), [S, E])) {
    throw rangeError(
      op,
      `query is ${show(query.shape)}, key ${show(key.shape)}, value ${show(value.shape)}`,
      "They are […, L, E], […, S, E] and […, S, V].",
    );
  }
  const batch = [query, key, value]
    .map((x) => x.shape.slice(0, -2))
    .reduce<Shape>((a, b) => broadcastShapes(op, a, b), []);
  const p = checkNumber(op, "dropoutP", given.dropoutP ?? 0, 0, 1);
  const scale = checkNumber(op, "scale", given.scale ?? 1 / Math.sqrt(E || 1));
  const generator = given.generator ?? defaultGenerator;
  if (!(generator instanceof Generator))
    throw typeError(op, `generator must be a Generator: got ${describe(generator)}`);
  const causal = given.isCausal ?? false;
  if (mask !== null) {
    checkTensor(op, "attnMask", mask);
    if (mask.dtype === "i32") throw typeError(op, "attnMask must be bool or f32: got i32", 'Convert with to("bool").');
    if (causal) throw rangeError(op, "attnMask and isCausal exclude each other", "Put both into the mask.");
    const full = [...batch, L, S];
    if (mask.ndim > full.length || !sameShape(broadcastShapes(op, mask.shape, full), full)) {
      throw rangeError(op, `attnMask ${show(mask.shape)} does not broadcast to the scores ${show(full)}`);
    }
  }
  for (const x of [query, key, value, mask]) if (x !== null) ptr(x);
  const operands = [query, key, value];
  const whole = operands.every((x) => sameShape(x.shape.slice(0, -2), batch));
  const walk = mask === null ? { repeat: 1, masks: 1 } : maskWalk(mask.shape, batch);
  const fits = mask === null || (walk !== null && mask.ndim > 0 && mask.shape[mask.ndim - 1] === S);
  const attend = (q: Tensor, k: Tensor, v: Tensor, m: Tensor | null, repeat: number, masks: number): Tensor =>
    fused(q, k, v, { batch, count: numelOf(batch), L, S, E, V, causal, scale, p, mask: m, repeat, masks }, generator);
  if (whole && fits) return attend(query, key, value, mask, walk!.repeat, walk!.masks);
  return composed(op, mask === null ? operands : [...operands, mask], () => {
    const [q, k, v] = operands.map((x) => {
      const shape = [...batch, ...x.shape.slice(-2)];
      return sameShape(x.shape, shape) ? x : expand(x, shape);
    }) as [Tensor, Tensor, Tensor];
    if (fits) return attend(q, k, v, mask, walk!.repeat, walk!.masks);
    return attend(q, k, v, expand(mask!, [...batch, L, S]), 1, numelOf(batch));
  });
}

function fused(q: Tensor, k: Tensor, v: Tensor, plan: Plan, generator: Generator): Tensor {
  const { batch, count, L, E, V, mask, p } = plan;
  const pointers = [ptr(q), ptr(k), ptr(v), mask === null ? nullPtr : ptr(mask)] as const;
  const work = scratchFor(extra().attentionScratch(E, V));
  const y = allocate([...batch, L, V], "f32", op);
  const lse = allocate([count, L], "f32", op);
  // The generator's state, from which the gradient draws the same words.
  const state = p > 0 ? allocate([16], "i32", op) : null;
  const [drawn, kept] = state === null ? [nullPtr, nullPtr] : [generator.ptr, ptr(state)];
  extra().attention(...pointers, ptr(y), ptr(lse), drawn, kept, work, ...sizes(plan));
  const inputs = mask !== null && mask.dtype === "f32" ? [q, k, v, mask] : [q, k, v];
  recordJoint(
    op,
    y,
    inputs,
    (gy, needs) =>
      isRecording() || needs[3]
        ? materialized(gy, q, k, v, lse, state, plan, needs)
        : fusedGradients(gy, q, k, v, y, lse, state, plan).slice(0, inputs.length),
    mask === null ? [q, k, v, y, lse] : [q, k, v, y, lse, mask],
  );
  goesWith(y, lse);
  if (state !== null) goesWith(y, state);
  return y;
}

function fusedGradients(
  gy: Tensor,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  y: Tensor,
  lse: Tensor,
  state: Tensor | null,
  plan: Plan,
): (Tensor | null)[] {
  const { mask, E, V } = plan;
  const g = ptr(gy);
  const pointers = [ptr(q), ptr(k), ptr(v), mask === null ? nullPtr : ptr(mask), ptr(y), ptr(lse)] as const;
  const kept = state === null ? nullPtr : ptr(state);
  const [gq, gk, gv] = [q, k, v].map((x) => allocate(x.shape, "f32", op)) as [Tensor, Tensor, Tensor];
  const work = scratchFor(extra().attentionScratch(E, V));
  extra().attentionGrad(g, ...pointers, kept, ptr(gq), ptr(gk), ptr(gv), work, ...sizes(plan));
  return [gq, gk, gv, null];
}

/** 0 where a key takes part, −Infinity elsewhere, or the numbers of an f32 mask; null without a mask. */
function additiveMask({ mask, causal, L, S, batch }: Plan): Tensor | null {
  if (mask !== null) return mask.dtype === "bool" ? log(to(mask, "f32")) : mask;
  if (!causal) return null;
  const m = allocate([...batch.map(() => 1), L, S], "f32", op);
  fillWith(m, 0);
  const view = m.view();
  for (let i = 0; i < L; i++) view.fill(-Infinity, i * S + Math.min(i + 1, S), (i + 1) * S);
  return m;
}

/**
 * The gradients by ops, with the whole matrix of weights w: gv = wᵀgy, gs = w∘(gw − Σ w∘gw) with gw = gy·vᵀ, gq = gs·k,
 * gk = gsᵀ·q. With c = logsumexp as computed forward, e = exp(s − c) sums to 1, or to 0 where no key takes part:
 * w = e / (Σ e + 1 − Σ e, the second as a constant) has softmax's derivatives and no 0/0.
 */
function materialized(
  gy: Tensor,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  lse: Tensor,
  state: Tensor | null,
  plan: Plan,
  needs: readonly boolean[],
): (Tensor | null)[] {
  const { batch, count, L, S, scale, p } = plan;
  const rows = { dim: -1, keepdim: true };
  const m = additiveMask(plan);
  let s = mul(matmul(q, transpose(k, -1, -2)), scale);
  if (m !== null) s = add(s, m);
  const e = exp(sub(s, reshape(lse, [...batch, L, 1])));
  const total = sum(e, rows);
  const w = div(e, add(total, sub(1, total.detach())));
  let keep: Tensor | null = null;
  if (state !== null) {
    const S4 = (S + 3) & ~3; // rows of words begin at multiples of four
    const ones = allocate([count, L, S4], "f32", op);
    fillWith(ones, 1);
    const all = allocate([count, L, S4], "f32", op);
    extra().dropout(nullPtr, ptr(state), ptr(ones), ptr(all), all.numel, p, p === 1 ? 0 : 1 / (1 - p), 0, 0);
    keep = reshape(slice(all, [null, null, [0, S]]), [...batch, L, S]);
  }
  const gv = needs[2] ? matmul(transpose(keep === null ? w : mul(w, keep), -1, -2), gy) : null;
  if (!needs[0] && !needs[1] && !needs[3]) return [null, null, gv, null];
  let gw = matmul(gy, transpose(v, -1, -2));
  if (keep !== null) gw = mul(gw, keep);
  const gs = mul(w, sub(gw, sum(mul(w, gw), rows)));
  return [
    needs[0] ? mul(matmul(gs, k), scale) : null,
    needs[1] ? mul(matmul(transpose(gs, -1, -2), q), scale) : null,
    gv,
    needs[3] ? sumTo(gs, plan.mask!.shape) : null,
  ];
}
