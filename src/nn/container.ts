// Layers in a row, and reshaping between them.
import { describe, typeError } from "../error.js";
import { flatten } from "../ops/index.js";
import type { Tensor } from "../tensor/index.js";
import { Module } from "./module.js";

/**
 * Layers one after another; their names are their positions: `0.weight`. PyTorch: `torch.nn.Sequential`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Linear, ReLU, Sequential } from "gradine/nn";
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * console.log(model.forward(randn([3, 4])).shape, Object.keys(model.stateDict()));
 */
export class Sequential extends Module {
  static override typeName = "Sequential";
  readonly layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    layers.forEach((layer, i) => {
      if (!(layer instanceof Module))
        throw typeError("Sequential", `layers must be modules: got ${describe(layer)} (layer ${i})`);
    });
    this.layers = layers;
    // Walked once, so that errors name the layer before anything else walks the model.
    this.modules();
  }

  protected override fields(): Iterable<[string, unknown]> {
    return this.layers.map((layer, i): [string, unknown] => [String(i), layer]);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this.layers) {
      try {
        y = layer.forward(y);
      } catch (error) {
        throw layer.located(error);
      }
    }
    return y;
  }
}

/** `[batch, a, b, …] -> [batch, a·b·…]`. PyTorch: `torch.nn.Flatten`. */
export class Flatten extends Module {
  static override typeName = "Flatten";
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    return flatten(x, this.startDim, this.endDim);
  }

  protected override extraText(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}
