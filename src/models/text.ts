// Text: a classifier of bags of words, and an LSTM that writes.
import { checkInteger, checkOptions, rangeError } from "../error.js";
import { Dropout, Embedding, EmbeddingBag, Linear, LSTM, type LSTMState, Module } from "../nn/index.js";
import { reshape } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { checkSampling, ends, type SampleOptions, sample, sampleOptions } from "./sample.js";

/**
 * The mean of a text's word vectors, and a linear layer. Texts as `[batch, length]`, or in a row with the offsets at which
 * they begin; -> `[batch, classes]`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { BagOfWords } from "gradine/models";
 * const words = tensor([4, 1, 7, 2, 2], { dtype: "i32" });
 * console.log(new BagOfWords(10, 8, 3).forward(words, tensor([0, 2], { dtype: "i32" })).shape); // [2, 3]
 */
export class BagOfWords extends Module {
  static override typeName = "BagOfWords";
  readonly embedding: EmbeddingBag;
  readonly fc: Linear;

  constructor(vocabulary: number, features: number, classes: number, options: { readonly paddingIdx?: number } = {}) {
    super();
    checkOptions("BagOfWords", options, ["paddingIdx"]);
    this.embedding = new EmbeddingBag(vocabulary, features, options);
    this.fc = new Linear(features, classes);
  }

  override forward(words: Tensor, offsets?: Tensor): Tensor {
    return this.fc.forward(this.embedding.forward(words, offsets));
  }
}

/** Options of `CharLSTM`. */
export interface CharLSTMOptions {
  /** Features of the embedding; default 64. */
  readonly embedding?: number;
  /** Units of the LSTM; default 128. */
  readonly hidden?: number;
  /** Layers of the LSTM; default 1. */
  readonly numLayers?: number;
  /** Probability of dropout before the last layer and between those of the LSTM; default 0. */
  readonly dropout?: number;
}

/** Embedding, LSTM and a linear layer: `[batch, time]` tokens -> `[logits [batch, time, vocabulary], state]`. */
export class CharLSTM extends Module<Tensor, [Tensor, LSTMState]> {
  static override typeName = "CharLSTM";
  readonly embedding: Embedding;
  readonly lstm: LSTM;
  readonly dropout: Dropout;
  readonly fc: Linear;

  constructor(vocabulary: number, options: CharLSTMOptions = {}) {
    super();
    checkOptions("CharLSTM", options, ["embedding", "hidden", "numLayers", "dropout"]);
    const { embedding = 64, hidden = 128, numLayers = 1, dropout = 0 } = options;
    this.embedding = new Embedding(vocabulary, embedding);
    this.lstm = new LSTM(embedding, hidden, { numLayers, dropout: numLayers > 1 ? dropout : 0, batchFirst: true });
    this.dropout = new Dropout(dropout);
    this.fc = new Linear(hidden, vocabulary);
  }

  override forward(tokens: Tensor, state?: LSTMState): [Tensor, LSTMState] {
    const [y, next] = this.lstm.forward(this.embedding.forward(tokens), state);
    return [this.fc.forward(this.dropout.forward(y)), next];
  }

  /** Writes on from `prompt`: the prompt and up to `length` more tokens. */
  generate(prompt: readonly number[], length: number, options: SampleOptions = {}): number[] {
    checkOptions("generate", options, sampleOptions);
    checkInteger("generate", "length", length, 0);
    checkSampling("generate", options);
    if (prompt.length === 0) throw rangeError("generate", "the prompt must have a token or more");
    const training = this.training;
    this.eval();
    try {
      return noGrad(() => {
        const tokens = [...prompt];
        let state: LSTMState | undefined;
        let next = tokens;
        for (let i = 0; i < length; i++) {
          const [token, after] = noGrad(() => {
            const [logits, s] = this.forward(tensor([next], { dtype: "i32" }), state);
            const [, time, vocabulary] = logits.shape as [number, number, number];
            const last = reshape(logits, [time, vocabulary]).slice([[time - 1, time]]);
            return [sample(reshape(last, [vocabulary]), options), s] as const;
          });
          for (const t of state ?? []) t.dispose();
          state = after;
          tokens.push(token);
          if (ends(options.stop, tokens)) break;
          next = [token];
        }
        return tokens;
      });
    } finally {
      this.train(training);
    }
  }
}
