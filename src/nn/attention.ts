// Attention of several heads, as in "Attention is all you need" (Vaswani et al. 2017).
import { checkInteger, checkNumber, rangeError, show } from "../error.js";
import {
  add,
  cat,
  dropout,
  expand,
  linear,
  logicalNot,
  logicalOr,
  matmul,
  mean,
  mul,
  permute,
  reshape,
  scaledDotProductAttention,
  slice,
  softmax,
  transpose,
  triu,
  where,
} from "../ops/index.js";
import { sameShape } from "../shape.js";
import { empty, full, ones, type Tensor, zeros } from "../tensor/index.js";
import { xavierNormal, xavierUniform, zeros as zeroed } from "./init.js";
import { type Given, Layer, settle } from "./layer.js";
import { Linear } from "./linear.js";
import { type Parameter, takeParameter } from "./parameter.js";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** Probability of dropout on the attention weights; default 0. */
  readonly dropout: number;
  /** Learn biases of the projections; default true. */
  readonly bias: boolean;
  /** Add a learned key and value to every sequence; default false. */
  readonly addBiasKv: boolean;
  /** Add a key and value of zeros to every sequence; default false. */
  readonly addZeroAttn: boolean;
  /** Features of keys and values; default those of queries. */
  readonly kdim: number;
  readonly vdim: number;
  /** Inputs are `[batch, length, features]` instead of `[length, batch, features]`; default false. */
  readonly batchFirst: boolean;
}

/** Options of a call; masks mean what they mean to PyTorch's module. */
export interface MultiheadAttentionCall {
  /** `[batch, keys]`: true (or −Infinity, added) where a key is padding. */
  readonly keyPaddingMask?: Tensor | undefined;
  /** Give the weights too; default true. Without them memory stays linear in the length. */
  readonly needWeights?: boolean | undefined;
  /** `[queries, keys]` or `[batch · heads, queries, keys]`: true where a key must not be looked at, or numbers added. */
  readonly attnMask?: Tensor | undefined;
  /** Average the weights over the heads; default true. */
  readonly averageAttnWeights?: boolean | undefined;
  /** No query looks at a later key; default false. */
  readonly isCausal?: boolean | undefined;
}

/** Output and weights; the latter undefined unless asked for. */
type Attended = [output: Tensor, weights: Tensor | undefined];

/** A mask as numbers to be added to the scores. */
const additive = (mask: Tensor): Tensor => (mask.dtype === "bool" ? where(mask, -Infinity, zeros(mask.shape)) : mask);

/** Two masks as one: where both are bool, true where either is. */
function joined(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.dtype === "bool" && b.dtype === "bool" ? logicalOr(a, b) : add(additive(a), additive(b));
}

/**
 * Queries look at keys with several heads, and get weighted sums of values: each head projects to width / heads features,
 * softmax(QKᵀ/√d)·V, and the heads' results are projected together. PyTorch: `torch.nn.MultiheadAttention`.
 *
 * @example
 * import { randn } from "gradine";
 * import { MultiheadAttention } from "gradine/nn";
 * const attention = new MultiheadAttention(8, 2, { batchFirst: true });
 * const x = randn([3, 5, 8]);
 * const [y, weights] = attention.forward(x, x, x);
 * console.log(y.shape, weights.shape); // [3, 5, 8] [3, 5, 5]
 */
export class MultiheadAttention extends Layer<Tensor, Attended> {
  static override typeName = "MultiheadAttention";
  inProjWeight: Parameter | undefined;
  qProjWeight: Parameter | undefined;
  kProjWeight: Parameter | undefined;
  vProjWeight: Parameter | undefined;
  inProjBias: Parameter | undefined;
  outProj: Linear;
  biasK: Parameter | undefined;
  biasV: Parameter | undefined;
  readonly embedDim: number;
  readonly numHeads: number;
  readonly options: MultiheadAttentionOptions;

  constructor(embedDim: number, numHeads: number, options: Given<MultiheadAttentionOptions> = {}) {
    super();
    const op = "MultiheadAttention";
    this.embedDim = checkInteger(op, "embedDim", embedDim, 1);
    this.numHeads = checkInteger(op, "numHeads", numHeads, 1);
    if (embedDim % numHeads !== 0) {
      throw rangeError(op, `numHeads must divide embedDim: embedDim is ${embedDim}, numHeads ${numHeads}`);
    }
    const settled = settle<MultiheadAttentionOptions>(op, options, {
      dropout: 0,
      bias: true,
      addBiasKv: false,
      addZeroAttn: false,
      kdim: embedDim,
      vdim: embedDim,
      batchFirst: false,
    });
    this.options = settled;
    checkNumber(op, "dropout", settled.dropout, 0, 1);
    const { kdim, vdim } = settled;
    const projection = (rows: number, columns: number) => takeParameter(xavierUniform(empty([rows, columns])));
    if (kdim === embedDim && vdim === embedDim) this.inProjWeight = projection(3 * embedDim, embedDim);
    else {
      this.qProjWeight = projection(embedDim, embedDim);
      this.kProjWeight = projection(embedDim, kdim);
      this.vProjWeight = projection(embedDim, vdim);
    }
    if (settled.bias) this.inProjBias = takeParameter(zeros([3 * embedDim]));
    this.outProj = new Linear(embedDim, embedDim, { bias: settled.bias });
    if (this.outProj.bias) zeroed(this.outProj.bias);
    if (settled.addBiasKv) {
      this.biasK = takeParameter(xavierNormal(empty([1, 1, embedDim])));
      this.biasV = takeParameter(xavierNormal(empty([1, 1, embedDim])));
    }
  }

  /** Weight and bias of the i-th projection: of queries, keys, values. */
  private projection(i: number): [Tensor, Tensor | undefined] {
    const rows = [[i * this.embedDim, (i + 1) * this.embedDim]] as const;
    const separate = [this.qProjWeight, this.kProjWeight, this.vProjWeight][i];
    return [separate ?? slice(this.inProjWeight!, rows), this.inProjBias && slice(this.inProjBias, rows)];
  }

  /**
   * @param query `[queries, batch, embedDim]`, with batchFirst `[batch, queries, embedDim]`, or `[queries, embedDim]`.
   * @param key the same with keys, and kdim.
   * @param value the same with keys, and vdim.
   * @returns `[output, weights]`: weights `[batch, queries, keys]`, undefined unless asked for.
   * @throws RangeError for sizes that do not fit.
   */
  override forward(query: Tensor, key: Tensor, value: Tensor, call: MultiheadAttentionCall = {}): Attended {
    return this.composite([query, key, value], () => this.attend(query, key, value, call));
  }

  private attend(query: Tensor, key: Tensor, value: Tensor, call: MultiheadAttentionCall): Attended {
    const op = "MultiheadAttention";
    const { embedDim, numHeads: heads } = this;
    const { batchFirst, kdim, vdim, addZeroAttn } = this.options;
    const settled = settle<Required<MultiheadAttentionCall>>(op, call, {
      keyPaddingMask: undefined,
      needWeights: true,
      attnMask: undefined,
      averageAttnWeights: true,
      isCausal: false,
    });
    const inputs = [query, key, value];
    const batched = query.ndim === 3;
    const sizes = [embedDim, kdim, vdim];
    if (inputs.some((x, i) => x.ndim !== (batched ? 3 : 2) || x.shape[x.ndim - 1] !== sizes[i])) {
      throw rangeError(
        op,
        `query is ${show(query.shape)}, key ${show(key.shape)}, value ${show(value.shape)}`,
        `They are [length, batch, features], batch first or without a batch, with ${sizes.join(", ")} features.`,
      );
    }
    // Where the length and the batch stand among the axes.
    const [l, b] = !batched ? [0, -1] : batchFirst ? [1, 0] : [0, 1];
    const batch = batched ? query.shape[b]! : 1;
    const queries = query.shape[l]!;
    const keys = key.shape[l]!;
    const fits = (x: Tensor) => x.shape[l] === keys && (!batched || x.shape[b] === batch);
    if (!fits(key) || !fits(value)) {
      throw rangeError(
        op,
        `batch or lengths differ: query ${show(query.shape)}, key ${show(key.shape)}, value ${show(value.shape)}`,
      );
    }
    const width = embedDim / heads;
    /** A projected input (or one more row of it) as `[batch, heads, length, width]`. */
    const headsOf = (x: Tensor, length: number) =>
      batchFirst && batched
        ? transpose(reshape(x, [batch, length, heads, width]), 1, 2)
        : permute(reshape(x, [length, batch, heads, width]), [1, 2, 0, 3]);
    const [q, k0, v0] = inputs.map((x, i) => headsOf(linear(x, ...this.projection(i)), x.shape[l]!)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    let [k, v] = [k0, v0];
    let extra = 0;
    const append = (more: (x: Parameter | undefined) => Tensor) => {
      k = cat([k, more(this.biasK)], 2);
      v = cat([v, more(this.biasV)], 2);
      extra++;
    };
    if (this.biasK) {
      append((bias) => expand(reshape(bias!, [1, heads, 1, width]), [batch, heads, 1, width]));
    }
    if (addZeroAttn) append(() => zeros([batch, heads, 1, width]));

    // Causality alone needs no mask where the op sees to it.
    const { needWeights, keyPaddingMask, attnMask } = settled;
    const byOp = settled.isCausal === true && !needWeights && !keyPaddingMask && !attnMask && extra === 0;
    const mask = byOp ? undefined : this.mask(settled, batch, queries, keys, extra);
    const p = this.training ? this.options.dropout : 0;
    let attended: Tensor;
    let weights: Tensor | undefined;
    if (needWeights) {
      const scores = matmul(mul(q, 1 / Math.sqrt(width)), transpose(k, -1, -2));
      weights = dropout(softmax(mask === undefined ? scores : add(scores, additive(mask)), -1), p);
      attended = matmul(weights, v);
      if (settled.averageAttnWeights) weights = mean(weights, 1);
      if (!batched) weights = reshape(weights, weights.shape.slice(1));
    } else {
      // The op's masks are the other way round: true takes part.
      const open = mask?.dtype === "bool" ? logicalNot(mask) : mask;
      attended = scaledDotProductAttention(q, k, v, { attnMask: open, dropoutP: p, isCausal: byOp });
    }
    const merged =
      batchFirst && batched
        ? reshape(transpose(attended, 1, 2), [batch, queries, embedDim])
        : reshape(permute(attended, [2, 0, 1, 3]), batched ? [queries, batch, embedDim] : [queries, embedDim]);
    return [this.outProj.forward(merged), weights];
  }

  /** All masks as one that broadcasts to `[batch, heads, queries, keys]`; added keys are never masked. */
  private mask(
    { keyPaddingMask, attnMask, isCausal }: MultiheadAttentionCall,
    batch: number,
    queries: number,
    keys: number,
    extra: number,
  ): Tensor | undefined {
    const op = "MultiheadAttention";
    let mask: Tensor | undefined;
    if (attnMask !== undefined) {
      const perHead = [batch * this.numHeads, queries, keys];
      if (!sameShape(attnMask.shape, [queries, keys]) && !sameShape(attnMask.shape, perHead)) {
        throw rangeError(op, `attnMask must be [${queries},${keys}] or ${show(perHead)}: got ${show(attnMask.shape)}`);
      }
      mask = attnMask.ndim === 2 ? attnMask : reshape(attnMask, [batch, this.numHeads, queries, keys]);
    }
    if (isCausal) mask = joined(mask, triu(ones([queries, keys], { dtype: "bool" }), 1));
    if (keyPaddingMask !== undefined) {
      if (keyPaddingMask.numel !== batch * keys || keyPaddingMask.shape[keyPaddingMask.ndim - 1] !== keys) {
        throw rangeError(op, `keyPaddingMask must be [${batch},${keys}]: got ${show(keyPaddingMask.shape)}`);
      }
      mask = joined(mask, reshape(keyPaddingMask, [batch, 1, 1, keys]));
    }
    if (mask === undefined || extra === 0) return mask;
    const open = [...mask.shape.slice(0, -1), extra];
    return cat([mask, mask.dtype === "bool" ? full(open, false) : zeros(open)], -1);
  }

  override multiplyAdds([query, key, value]: readonly [Tensor, Tensor, Tensor], output: readonly [Tensor]): number {
    const { embedDim } = this;
    const keys = key.shape[key.ndim === 3 && this.options.batchFirst ? 1 : 0]!;
    const both = (output[0].numel / embedDim) * keys; // scores, and weighted sums; the output projection counts itself
    return embedDim * (query.numel + key.numel + value.numel + 2 * both);
  }
}
