// The tensors that belong to a module: parameters, which are trained, and buffers, which are only saved.
import { checkOptions, describe, rangeError, show, typeError } from "../error.js";
import { watchHolder } from "../memory/index.js";
import { ptr, Tensor } from "../tensor/index.js";

/** Shares the memory of `data`, so that a tensor made for the purpose becomes the parameter without a copy. */
function claim(op: string, data: Tensor): Tensor {
  if (!(data instanceof Tensor)) throw typeError(op, `takes a tensor: got ${describe(data)}`);
  if (data.released) throw rangeError(op, "the tensor was already released");
  ptr(data);
  data.storage.refs++;
  return data;
}

/**
 * A tensor that an optimizer trains: f32, requires a gradient, lives as long as its module, in whatever loop or scope it
 * was made. PyTorch: `torch.nn.Parameter`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Parameter } from "gradine/nn";
 * const weight = new Parameter(randn([3, 2]));
 * console.log(weight.requiresGrad); // true
 */
export class Parameter extends Tensor {
  constructor(data: Tensor, options: { readonly requiresGrad?: boolean } = {}) {
    checkOptions("Parameter", options, ["requiresGrad"]);
    const trained = options.requiresGrad ?? true;
    if (trained && data instanceof Tensor && data.dtype !== "f32") {
      throw typeError("Parameter", `must be f32 to be trained: got ${data.dtype} ${show(data.shape)}`);
    }
    claim("Parameter", data);
    super(data.shape, data.numel, data.dtype, data.storage, data.address, "Parameter");
    watchHolder(this);
    if (trained) this.requiresGrad = true;
  }
}

/** @internal A parameter from a tensor made for it, whose own handle is let go. */
export function takeParameter(data: Tensor, requiresGrad = true): Parameter {
  const parameter = new Parameter(data, { requiresGrad });
  data.dispose();
  return parameter;
}

/** A module's tensor that is not trained: running statistics, positions. Made by `buffer`. */
export class Buffer extends Tensor {
  /** Whether it is part of the state dict. */
  readonly persistent: boolean;

  constructor(data: Tensor, persistent: boolean) {
    claim("buffer", data);
    super(data.shape, data.numel, data.dtype, data.storage, data.address, "buffer");
    this.persistent = persistent;
    watchHolder(this);
  }
}

/** Makes a tensor a module's buffer: it lives as long as the module and, if `persistent` (default), is saved with it. */
export function buffer(data: Tensor, options: { readonly persistent?: boolean } = {}): Buffer {
  checkOptions("buffer", options, ["persistent"]);
  return new Buffer(data, options.persistent ?? true);
}

/** @internal A buffer from a tensor made for it, whose own handle is let go. */
export function takeBuffer(data: Tensor, persistent = true): Buffer {
  const made = new Buffer(data, persistent);
  data.dispose();
  return made;
}
