// GPT in nanoGPT's layout: its state dicts load unchanged (transformer.h.0.attn.c_attn.weight, …, lm_head.weight).
import { checkInteger, checkOptions, rangeError, show } from "../error.js";
import { Dropout, Embedding, init, LayerNorm, Linear, Module, type Parameter } from "../nn/index.js";
import { add, cat, gelu, permute, reshape, scaledDotProductAttention, slice, transpose } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { checkSampling, ends, type SampleOptions, sample, sampleOptions } from "./sample.js";

/** Options of `GPT`; the defaults are GPT-2's smallest. */
export interface GPTOptions {
  /** Tokens there are; default 50304 (GPT-2's 50257, rounded up). */
  readonly vocabSize?: number;
  /** Longest sequence; default 1024. */
  readonly blockSize?: number;
  readonly nLayer?: number;
  readonly nHead?: number;
  /** Width; default 768. */
  readonly nEmbd?: number;
  /** Probability of dropout; default 0. */
  readonly dropout?: number;
  /** Biases in linear layers and normalizations; default true, as in GPT-2. */
  readonly bias?: boolean;
  /** The last layer's weight is the table of the embedding; default true. */
  readonly tied?: boolean;
}

/** Options of `GPT.generate`. */
export interface GenerateOptions extends SampleOptions {
  /** Keep keys and values instead of computing them again for every token; default true. */
  readonly cache?: boolean;
}

/** Keys and values of one layer for the tokens so far, each `[batch, heads, length, features]`. */
type Cache = [keys: Tensor, values: Tensor];

class CausalSelfAttention extends Module {
  static override typeName = "CausalSelfAttention";
  readonly c_attn: Linear;
  readonly c_proj: Linear;
  readonly resid_dropout: Dropout;
  readonly n_head: number;
  readonly dropout: number;

  constructor(width: number, heads: number, dropout: number, bias: boolean) {
    super();
    this.c_attn = new Linear(width, 3 * width, { bias });
    this.c_proj = new Linear(width, width, { bias });
    this.resid_dropout = new Dropout(dropout);
    this.n_head = heads;
    this.dropout = dropout;
  }

  /** With a cache, x holds new tokens, and their keys and values join the cache. */
  override forward(x: Tensor, cache?: Cache | []): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const heads = this.n_head;
    // [batch, length, 3·width] -> [3, batch, heads, length, width / heads]: three slices that share the memory.
    const all = permute(reshape(this.c_attn.forward(x), [batch, length, 3, heads, width / heads]), [2, 0, 3, 1, 4]);
    const part = (i: number) => reshape(slice(all, [[i, i + 1]]), [batch, heads, length, width / heads]);
    const q = part(0);
    let [k, v] = [part(1), part(2)];
    const first = cache === undefined || cache.length === 0;
    if (cache !== undefined) {
      if (cache.length === 2) [k, v] = [cat([cache[0], k], 2), cat([cache[1], v], 2)];
      cache[0] = k;
      cache[1] = v;
    }
    // Behind a cache there is one new token, which may look at all of it.
    const y = scaledDotProductAttention(q, k, v, { isCausal: first, dropoutP: this.training ? this.dropout : 0 });
    return this.resid_dropout.forward(this.c_proj.forward(reshape(transpose(y, 1, 2), x.shape)));
  }
}

class GPTBlock extends Module {
  static override typeName = "GPTBlock";
  readonly ln_1: LayerNorm;
  readonly attn: CausalSelfAttention;
  readonly ln_2: LayerNorm;
  readonly mlp: { readonly c_fc: Linear; readonly c_proj: Linear; readonly dropout: Dropout };

  constructor(width: number, heads: number, dropout: number, bias: boolean) {
    super();
    this.ln_1 = new LayerNorm(width, { bias });
    this.attn = new CausalSelfAttention(width, heads, dropout, bias);
    this.ln_2 = new LayerNorm(width, { bias });
    this.mlp = {
      c_fc: new Linear(width, 4 * width, { bias }),
      c_proj: new Linear(4 * width, width, { bias }),
      dropout: new Dropout(dropout),
    };
  }

  override forward(x: Tensor, cache?: Cache | []): Tensor {
    const { c_fc, c_proj, dropout } = this.mlp;
    const y = add(x, this.attn.forward(this.ln_1.forward(x), cache));
    return add(y, dropout.forward(c_proj.forward(gelu(c_fc.forward(this.ln_2.forward(y))))));
  }
}

/**
 * A decoder-only transformer (Radford et al. 2019) in the layout of nanoGPT. `[batch, length]` tokens ->
 * `[batch, length, vocabSize]` logits. GPT-2's smallest has 124,439,808 parameters (vocabSize 50257).
 *
 * @example
 * import { tensor } from "gradine";
 * import { GPT } from "gradine/models";
 * const model = new GPT({ vocabSize: 65, blockSize: 32, nLayer: 2, nHead: 2, nEmbd: 16 });
 * console.log(model.forward(tensor([[1, 2, 3]], { dtype: "i32" })).shape, model.generate([1], 5).length); // [1, 3, 65] 6
 */
export class GPT extends Module {
  static override typeName = "GPT";
  readonly transformer: {
    readonly wte: Embedding;
    readonly wpe: Embedding;
    readonly drop: Dropout;
    readonly h: GPTBlock[];
    readonly ln_f: LayerNorm;
  };
  readonly lm_head: Linear;
  readonly blockSize: number;

  constructor(options: GPTOptions = {}) {
    super();
    const known = ["vocabSize", "blockSize", "nLayer", "nHead", "nEmbd", "dropout", "bias", "tied"];
    checkOptions("GPT", options, known);
    const { vocabSize = 50304, blockSize = 1024, nLayer = 12, nHead = 12, nEmbd = 768 } = options;
    const { dropout = 0, bias = true, tied = true } = options;
    for (const [name, size] of Object.entries({ vocabSize, blockSize, nLayer, nHead, nEmbd })) {
      checkInteger("GPT", name, size, 1);
    }
    if (nEmbd % nHead !== 0) throw rangeError("GPT", `nHead must divide nEmbd: nEmbd is ${nEmbd}, nHead ${nHead}`);
    this.blockSize = blockSize;
    this.transformer = {
      wte: new Embedding(vocabSize, nEmbd),
      wpe: new Embedding(blockSize, nEmbd),
      drop: new Dropout(dropout),
      h: Array.from({ length: nLayer }, () => new GPTBlock(nEmbd, nHead, dropout, bias)),
      ln_f: new LayerNorm(nEmbd, { bias }),
    };
    this.lm_head = new Linear(nEmbd, vocabSize, { bias: false });
    if (tied) this.transformer.wte.weight = this.lm_head.weight;
    // GPT-2's: std 0.02, and what is added to the stream smaller by √(number of additions).
    for (const [name, p] of this.namedParameters()) {
      if (p.ndim === 2) init.normal(p, { std: name.endsWith("c_proj.weight") ? 0.02 / Math.sqrt(2 * nLayer) : 0.02 });
      else if (name.endsWith("bias")) init.zeros(p);
    }
  }

  /** The weight that embedding and last layer share, if they do. */
  get tiedWeight(): Parameter | undefined {
    return this.transformer.wte.weight === this.lm_head.weight ? this.lm_head.weight : undefined;
  }

  override forward(tokens: Tensor): Tensor {
    return this.lm_head.forward(this.hidden(tokens));
  }

  /** The last layer's input; with caches, `tokens` are those from position `start` on. */
  private hidden(tokens: Tensor, start = 0, caches?: (Cache | [])[]): Tensor {
    const { wte, wpe, drop, h, ln_f } = this.transformer;
    const length = tokens.shape[1];
    if (tokens.ndim !== 2 || start + length! > this.blockSize) {
      throw rangeError(
        "GPT",
        `takes [batch, length] with a length up to ${this.blockSize}: got ${show(tokens.shape)} (tokens)`,
      );
    }
    // The first rows of the table: a slice, which costs less than looking each of them up.
    const x = drop.forward(add(wte.forward(tokens), slice(wpe.weight, [[start, start + length!]])));
    return ln_f.forward(h.reduce((y, block, i) => block.forward(y, caches?.[i]), x));
  }

  /**
   * Writes on from `prompt`: the prompt and up to `length` more tokens. Beyond `blockSize` the model sees the last
   * `blockSize` tokens.
   */
  generate(prompt: readonly number[], length: number, options: GenerateOptions = {}): number[] {
    checkOptions("generate", options, [...sampleOptions, "cache"]);
    checkInteger("generate", "length", length, 0);
    checkSampling("generate", options);
    if (prompt.length === 0) throw rangeError("generate", "the prompt must have a token or more");
    const training = this.training;
    this.eval();
    try {
      return noGrad(() => {
        const tokens = [...prompt];
        let caches: (Cache | [])[] = this.transformer.h.map(() => []);
        for (let i = 0; i < length; i++) {
          // Positions are absolute: once the window moves, keys and values are no longer those of their tokens.
          const cached = (options.cache ?? true) && tokens.length <= this.blockSize;
          const begin = cached && i > 0 ? tokens.length - 1 : Math.max(0, tokens.length - this.blockSize);
          const seen = tensor([tokens.slice(begin)], { dtype: "i32" });
          const [token, next] = noGrad(() => {
            // New arrays: what they hold is given back when the step ends, but for what is returned.
            const own = caches.map((cache) => [...cache] as Cache | []);
            const x = this.hidden(seen, cached ? begin : 0, cached ? own : undefined);
            const last = slice(reshape(x, x.shape.slice(1)), [[-1, null]]);
            return [sample(reshape(this.lm_head.forward(last), [-1]), options), own] as const;
          });
          seen.dispose();
          for (const t of caches.flat()) if (!next.flat().includes(t)) t.dispose();
          caches = next;
          tokens.push(token);
          if (ends(options.stop, tokens)) break;
        }
        return tokens;
      });
    } finally {
      this.train(training);
    }
  }
}
