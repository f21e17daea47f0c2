// Creation functions that take shape and type from a tensor.
import { type CreateOptions, empty, full, ones, type RandomOptions, rand, randint, randn, zeros } from "./create.js";
import { checkTensor, type Tensor } from "./tensor.js";

/** The options with the type of x as the default. */
function like<O extends CreateOptions>(op: string, x: Tensor, options: O): O {
  checkTensor(op, "x", x);
  return options.dtype === undefined ? { ...options, dtype: x.dtype } : options;
}

/** Zeros in the shape and type of x. PyTorch: `torch.zeros_like`. */
export function zerosLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return zeros(x.shape, like("zerosLike", x, options));
}

/** Ones in the shape and type of x. PyTorch: `torch.ones_like`. */
export function onesLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return ones(x.shape, like("onesLike", x, options));
}

/** One value in the shape and type of x. PyTorch: `torch.full_like`. */
export function fullLike(x: Tensor, value: number | boolean, options: CreateOptions = {}): Tensor {
  return full(x.shape, value, like("fullLike", x, options));
}

/** A tensor of the shape and type of x whose contents are undefined until written. PyTorch: `torch.empty_like`. */
export function emptyLike(x: Tensor, options: CreateOptions = {}): Tensor {
  return empty(x.shape, like("emptyLike", x, options));
}

/** Uniform in [0, 1), in the shape of x, which must be f32. PyTorch: `torch.rand_like`. */
export function randLike(x: Tensor, options: RandomOptions = {}): Tensor {
  return rand(x.shape, like("randLike", x, options));
}

/** Standard normal, in the shape of x, which must be f32. PyTorch: `torch.randn_like`. */
export function randnLike(x: Tensor, options: RandomOptions = {}): Tensor {
  return randn(x.shape, like("randnLike", x, options));
}

/**
 * Integers from low to high − 1 in the shape of x; i32, whatever the type of x: `randintLike(x, high)` or
 * `randintLike(x, low, high)`, then options. PyTorch: `torch.randint_like`.
 */
export function randintLike(x: Tensor, low: number, high?: number | RandomOptions, options?: RandomOptions): Tensor {
  checkTensor("randintLike", "x", x);
  return typeof high === "number" ? randint(low, high, x.shape, options) : randint(low, x.shape, high);
}
