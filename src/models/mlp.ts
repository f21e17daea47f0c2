// The multilayer perceptron.
import { checkOptions, describe, rangeError } from "../error.js";
import { BatchNorm1d, Dropout, ELU, GELU, Linear, type Module, ReLU, Sequential, Sigmoid, Tanh } from "../nn/index.js";

const activations = { relu: ReLU, tanh: Tanh, sigmoid: Sigmoid, gelu: GELU, elu: ELU };

/** Options of `MLP`. */
export interface MLPOptions {
  /** Behind each hidden layer; default "relu". */
  readonly activation?: keyof typeof activations;
  /** Probability of dropout behind each hidden layer; default 0. */
  readonly dropout?: number;
  /** Batch normalization before each activation; default false. */
  readonly batchNorm?: boolean;
}

/**
 * Linear layers with activations between them; weights under the names of a `Sequential`.
 *
 * @param sizes of the input, the hidden layers and the output.
 * @example
 * import { randn } from "gradine";
 * import { MLP } from "gradine/models";
 * console.log(new MLP([784, 128, 10]).forward(randn([2, 784])).shape); // [2, 10]
 */
export class MLP extends Sequential {
  static override typeName = "MLP";

  constructor(sizes: readonly number[], options: MLPOptions = {}) {
    checkOptions("MLP", options, ["activation", "dropout", "batchNorm"]);
    const { activation = "relu", dropout = 0, batchNorm = false } = options;
    if (!Array.isArray(sizes) || sizes.length < 2) {
      throw rangeError("MLP", `takes the sizes of input and output, or more: got ${describe(sizes)}`);
    }
    const Activation = activations[activation];
    if (Activation === undefined) {
      throw rangeError(
        "MLP",
        `unknown activation ${describe(activation)}`,
        `Known: ${Object.keys(activations).join(", ")}.`,
      );
    }
    super(
      ...sizes.slice(1).flatMap((size, i): Module[] => {
        const linear = new Linear(sizes[i]!, size);
        if (i === sizes.length - 2) return [linear];
        return [
          linear,
          ...(batchNorm ? [new BatchNorm1d(size)] : []),
          new Activation(),
          ...(dropout > 0 ? [new Dropout(dropout)] : []),
        ];
      }),
    );
  }
}
