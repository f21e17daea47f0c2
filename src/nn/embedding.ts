// Embeddings: learned vectors for words and other integers.
import { checkInteger, rangeError, show } from "../error.js";
import { embedding, embeddingBag } from "../ops/index.js";
import { empty, type Tensor } from "../tensor/index.js";
import { normal } from "./init.js";
import { type Given, Layer, settle } from "./layer.js";
import { Parameter, takeParameter } from "./parameter.js";

/** Options of `Embedding`. */
export interface EmbeddingLayerOptions {
  /** A row of zeros that takes no gradient; negative counts from the end. Default none. */
  readonly paddingIdx: number | undefined;
}

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagLayerOptions extends EmbeddingLayerOptions {
  /** What becomes of a bag's rows; default "mean". */
  readonly mode: "sum" | "mean" | "max";
  /** Whether one more offset ends the last bag; default false. */
  readonly includeLastOffset: boolean;
}

/** A table `[numEmbeddings, embeddingDim]` that starts standard normal. */
abstract class Table<Options extends EmbeddingLayerOptions> extends Layer {
  weight: Parameter;
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  /** @internal As the ops take them: without what was left out. */
  readonly options: { -readonly [Key in keyof Options]?: Options[Key] };

  constructor(numEmbeddings: number, embeddingDim: number, options: Given<Options>, defaults: Options) {
    super();
    this.numEmbeddings = checkInteger(this.name, "numEmbeddings", numEmbeddings, 1);
    this.embeddingDim = checkInteger(this.name, "embeddingDim", embeddingDim, 1);
    const { paddingIdx, ...rest } = settle<Options>(this.name, options, defaults);
    this.options = rest as typeof this.options;
    this.weight = takeParameter(normal(empty([numEmbeddings, embeddingDim])));
    if (paddingIdx === undefined) return;
    checkInteger(this.name, "paddingIdx", paddingIdx, -numEmbeddings, numEmbeddings - 1);
    const row = paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    this.options.paddingIdx = row;
    this.weight.view().fill(0, row * embeddingDim, (row + 1) * embeddingDim);
  }
}

/**
 * A learned vector for each integer: `[…] -> […, embeddingDim]`. PyTorch: `torch.nn.Embedding`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { Embedding } from "gradine/nn";
 * const words = tensor([[0, 3], [2, 2]], { dtype: "i32" });
 * console.log(new Embedding(10, 4).forward(words).shape); // [2, 2, 4]
 */
export class Embedding extends Table<EmbeddingLayerOptions> {
  static override typeName = "Embedding";

  constructor(numEmbeddings: number, embeddingDim: number, options: Given<EmbeddingLayerOptions> = {}) {
    super(numEmbeddings, embeddingDim, options, { paddingIdx: undefined });
  }

  /** A layer with this table; frozen unless `freeze` is false. */
  static fromPretrained(
    weight: Tensor,
    options: Given<EmbeddingLayerOptions & { readonly freeze: boolean }> = {},
  ): Embedding {
    const { freeze = true, ...rest } = options;
    if (weight.ndim !== 2) throw rangeError("Embedding", `weight must be [rows, features]: got ${show(weight.shape)}`);
    const layer = new Embedding(weight.shape[0]!, weight.shape[1]!, rest);
    layer.weight = new Parameter(weight, { requiresGrad: !freeze });
    return layer;
  }

  forward(input: Tensor): Tensor {
    return this.guard(() => embedding(input, this.weight, this.options as { paddingIdx?: number }));
  }
}

/** The rows of each bag of integers, summed, averaged or maximized: `[bags, n] -> [bags, embeddingDim]`. PyTorch: `torch.nn.EmbeddingBag`. */
export class EmbeddingBag extends Table<EmbeddingBagLayerOptions> {
  static override typeName = "EmbeddingBag";

  constructor(numEmbeddings: number, embeddingDim: number, options: Given<EmbeddingBagLayerOptions> = {}) {
    super(numEmbeddings, embeddingDim, options, { paddingIdx: undefined, mode: "mean", includeLastOffset: false });
  }

  /**
   * @param input `[bags, n]`, or `[n]` with offsets.
   * @param offsets `[bags]`: where each bag begins.
   * @param perSampleWeights a factor of each row, for mode "sum".
   */
  override forward(input: Tensor, offsets?: Tensor, perSampleWeights?: Tensor): Tensor {
    return this.guard(() =>
      embeddingBag(input, this.weight, { ...(this.options as object), offsets, perSampleWeights }),
    );
  }
}
