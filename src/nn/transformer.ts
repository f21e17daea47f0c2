// Transformer layers (Vaswani et al. 2017), with PyTorch's parameters.
import { checkInteger, describe, rangeError } from "../error.js";
import { add, gelu, relu } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { MultiheadAttention, type MultiheadAttentionCall } from "./attention.js";
import { Dropout } from "./dropout.js";
import { type Given, Layer, settle } from "./layer.js";
import { Linear } from "./linear.js";
import type { Module } from "./module.js";
import { LayerNorm } from "./norm.js";

type Activation = "relu" | "gelu" | ((x: Tensor) => Tensor);

/** Options of transformer layers. */
export interface TransformerLayerOptions {
  /** Width of the layer between the two linear ones; default 2048. */
  readonly dimFeedforward: number;
  /** Probability of dropout; default 0.1. */
  readonly dropout: number;
  /** "relu" (default), "gelu", or a function. */
  readonly activation: Activation;
  readonly layerNormEps: number;
  /** Inputs are `[batch, length, features]` instead of `[length, batch, features]`; default false. */
  readonly batchFirst: boolean;
  /** Normalize before attention and feed-forward instead of after them; default false. */
  readonly normFirst: boolean;
}

/** Options of an encoder's call. */
export interface EncoderCall {
  /** `[length, length]`, as `attnMask` of MultiheadAttention. */
  readonly mask?: Tensor | undefined;
  /** `[batch, length]`: true where the input is padding. */
  readonly srcKeyPaddingMask?: Tensor | undefined;
  /** No position looks at a later one; default false. */
  readonly isCausal?: boolean | undefined;
}

/** Options of a decoder's call. */
export interface DecoderCall {
  readonly tgtMask?: Tensor | undefined;
  readonly memoryMask?: Tensor | undefined;
  readonly tgtKeyPaddingMask?: Tensor | undefined;
  readonly memoryKeyPaddingMask?: Tensor | undefined;
  /** No target position looks at a later one; default false. */
  readonly tgtIsCausal?: boolean | undefined;
}

const defaults: TransformerLayerOptions = {
  dimFeedforward: 2048,
  dropout: 0.1,
  activation: "relu",
  layerNormEps: 1e-5,
  batchFirst: false,
  normFirst: false,
};

/** What encoder and decoder layers share: self-attention first, the feed-forward part last. */
abstract class TransformerLayer extends Layer {
  selfAttn: MultiheadAttention;
  multiheadAttn: MultiheadAttention | undefined;
  linear1: Linear;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm | undefined;
  dropout: Dropout;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout | undefined;
  readonly normFirst: boolean;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(dModel: number, nhead: number, options: Given<TransformerLayerOptions>, decodes: boolean) {
    super();
    const o = settle<TransformerLayerOptions>(this.name, options, defaults);
    const { activation } = o;
    const known = activation === "relu" ? relu : activation === "gelu" ? (x: Tensor) => gelu(x) : activation;
    if (typeof known !== "function") {
      throw rangeError(this.name, `activation must be "relu", "gelu" or a function: got ${describe(activation)}`);
    }
    this.activation = known;
    this.normFirst = o.normFirst;
    const attention = () => new MultiheadAttention(dModel, nhead, { dropout: o.dropout, batchFirst: o.batchFirst });
    const norm = () => new LayerNorm(dModel, { eps: o.layerNormEps });
    const drop = () => new Dropout(o.dropout);
    this.selfAttn = attention();
    if (decodes) this.multiheadAttn = attention();
    this.linear1 = new Linear(dModel, o.dimFeedforward);
    this.linear2 = new Linear(o.dimFeedforward, dModel);
    this.norm1 = norm();
    this.norm2 = norm();
    if (decodes) this.norm3 = norm();
    this.dropout = drop();
    this.dropout1 = drop();
    this.dropout2 = drop();
    if (decodes) this.dropout3 = drop();
  }

  /** x + part(x) with the normalization before the part or after the sum. */
  protected sublayer(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return this.normFirst ? add(x, part(norm.forward(x))) : norm.forward(add(x, part(x)));
  }

  protected feedForward(x: Tensor, drop: Dropout): Tensor {
    const hidden = this.dropout.forward(this.activation(this.linear1.forward(x)));
    return drop.forward(this.linear2.forward(hidden));
  }
}

/** Attention without its weights, which keeps memory linear in the length. */
const attend = (attention: MultiheadAttention, x: Tensor, memory: Tensor, call: MultiheadAttentionCall): Tensor =>
  attention.forward(x, memory, memory, { ...call, needWeights: false })[0];

/** Self-attention and a feed-forward net, each with a shortcut. PyTorch: `torch.nn.TransformerEncoderLayer`. */
export class TransformerEncoderLayer extends TransformerLayer {
  static override typeName = "TransformerEncoderLayer";

  constructor(dModel: number, nhead: number, options: Given<TransformerLayerOptions> = {}) {
    super(dModel, nhead, options, false);
  }

  /** `[length, batch, dModel]` (or batch first) -> the same shape. */
  override forward(src: Tensor, call: EncoderCall = {}): Tensor {
    return this.guard(() => {
      const { mask, srcKeyPaddingMask, isCausal } = settle<Required<EncoderCall>>(this.name, call, {
        mask: undefined,
        srcKeyPaddingMask: undefined,
        isCausal: false,
      });
      const how = { attnMask: mask, keyPaddingMask: srcKeyPaddingMask, isCausal };
      const x = this.sublayer(src, this.norm1, (y) => this.dropout1.forward(attend(this.selfAttn, y, y, how)));
      return this.sublayer(x, this.norm2, (y) => this.feedForward(y, this.dropout2));
    });
  }
}

/** As the encoder's, with attention to the encoder's output in between. PyTorch: `torch.nn.TransformerDecoderLayer`. */
export class TransformerDecoderLayer extends TransformerLayer {
  static override typeName = "TransformerDecoderLayer";

  constructor(dModel: number, nhead: number, options: Given<TransformerLayerOptions> = {}) {
    super(dModel, nhead, options, true);
  }

  /** Targets and the encoder's output -> the shape of the targets. */
  override forward(tgt: Tensor, memory: Tensor, call: DecoderCall = {}): Tensor {
    return this.guard(() => {
      const o = settle<Required<DecoderCall>>(this.name, call, {
        tgtMask: undefined,
        memoryMask: undefined,
        tgtKeyPaddingMask: undefined,
        memoryKeyPaddingMask: undefined,
        tgtIsCausal: false,
      });
      const own = { attnMask: o.tgtMask, keyPaddingMask: o.tgtKeyPaddingMask, isCausal: o.tgtIsCausal };
      const cross = { attnMask: o.memoryMask, keyPaddingMask: o.memoryKeyPaddingMask };
      const x = this.sublayer(tgt, this.norm1, (y) => this.dropout1.forward(attend(this.selfAttn, y, y, own)));
      const z = this.sublayer(x, this.norm2, (y) =>
        this.dropout2.forward(attend(this.multiheadAttn!, y, memory, cross)),
      );
      return this.sublayer(z, this.norm3!, (y) => this.feedForward(y, this.dropout3!));
    });
  }
}

/** Copies of one layer on top of one another, and a normalization at the end if one is given. */
abstract class Stack<L extends Layer> extends Layer {
  readonly layers: L[];
  norm: Module | undefined;

  constructor(layer: L, numLayers: number, options: Given<{ readonly norm: Module | undefined }>) {
    super();
    checkInteger(this.name, "numLayers", numLayers, 1);
    this.layers = Array.from({ length: numLayers }, () => layer.clone());
    this.norm = settle<{ norm: Module | undefined }>(this.name, options, { norm: undefined }).norm;
  }

  protected through(x: Tensor, run: (layer: L, x: Tensor) => Tensor): Tensor {
    const y = this.layers.reduce((z, layer) => run(layer, z), x);
    return this.norm === undefined ? y : this.norm.forward(y);
  }
}

/** `numLayers` copies of an encoder layer. PyTorch: `torch.nn.TransformerEncoder`. */
export class TransformerEncoder extends Stack<TransformerEncoderLayer> {
  static override typeName = "TransformerEncoder";

  constructor(
    layer: TransformerEncoderLayer,
    numLayers: number,
    options: Given<{ readonly norm: Module | undefined }> = {},
  ) {
    super(layer, numLayers, options);
  }

  override forward(src: Tensor, call: EncoderCall = {}): Tensor {
    return this.through(src, (layer, x) => layer.forward(x, call));
  }
}

/** `numLayers` copies of a decoder layer. PyTorch: `torch.nn.TransformerDecoder`. */
export class TransformerDecoder extends Stack<TransformerDecoderLayer> {
  static override typeName = "TransformerDecoder";

  constructor(
    layer: TransformerDecoderLayer,
    numLayers: number,
    options: Given<{ readonly norm: Module | undefined }> = {},
  ) {
    super(layer, numLayers, options);
  }

  override forward(tgt: Tensor, memory: Tensor, call: DecoderCall = {}): Tensor {
    return this.through(tgt, (layer, x) => layer.forward(x, memory, call));
  }
}
