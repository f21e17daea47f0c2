// The networks of nets.mjs as Gradine's modules.
import { add, slice, tensor } from "../../dist/index.js";
import {
  BatchNorm2d,
  Conv2d,
  Embedding,
  Flatten,
  LayerNorm,
  Linear,
  LSTM,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  Tanh,
  TransformerEncoderLayer,
} from "../../dist/nn/index.js";

/** A spec's tensor: f32, or i32 where the numbers are labels. */
export const toTensor = ({ shape, data }) => tensor(data, { shape });

/** The module of a list of layers, with their weights. */
export function network(layers) {
  return new Sequential(
    ...layers.map((layer) => {
      const module = MODULES[layer.type](layer);
      if (layer.params) {
        // What the spec has no value for (the count of batches) stays as it begins.
        const given = Object.entries(layer.params).map(([name, value]) => [name, toTensor(value)]);
        module.loadStateDict({ ...module.stateDict(), ...Object.fromEntries(given) });
      }
      return module;
    }),
  );
}

const MODULES = {
  linear: ({ ins, outs }) => new Linear(ins, outs),
  conv: ({ ins, outs }) => new Conv2d(ins, outs, 3, { padding: 1 }),
  batchNorm: ({ width }) => new BatchNorm2d(width),
  layerNorm: ({ width }) => new LayerNorm(width),
  relu: () => new ReLU(),
  tanh: () => new Tanh(),
  maxPool: () => new MaxPool2d(2),
  flatten: () => new Flatten(),
  rows: () => new Flatten(0, 1),
  lstm: ({ ins, width }) => new LastOutput(ins, width),
  block: (layer) => new Block(layer),
  embed: ({ vocabulary, length, width }) => new Embed(vocabulary, length, width),
};

class LastOutput extends Module {
  constructor(ins, width) {
    super();
    this.lstm = new LSTM(ins, width, { batchFirst: true });
  }

  forward(x) {
    const [, [last]] = this.lstm.forward(x);
    return last.squeeze(0);
  }
}

class Block extends Module {
  constructor({ width, heads, hidden, activation, normFirst, causal }) {
    super();
    const options = { dimFeedforward: hidden, dropout: 0, activation, normFirst, batchFirst: true };
    this.layer = new TransformerEncoderLayer(width, heads, options);
    this.causal = causal;
  }

  forward(x) {
    return this.layer.forward(x, { isCausal: this.causal });
  }
}

class Embed extends Module {
  constructor(vocabulary, length, width) {
    super();
    this.tokens = new Embedding(vocabulary, width);
    this.positions = new Embedding(length, width);
  }

  forward(x) {
    return add(this.tokens.forward(x), slice(this.positions.weight, [[0, x.shape[1]]]));
  }
}
