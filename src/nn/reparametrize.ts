// Weights computed from other parameters: by direction and length, or divided by their largest singular value.
import { checkInteger, checkNumber, describe, rangeError, typeError } from "../error.js";
import { clone, copy, div, matmul, mul, permute, reshape, sqrt, square, sum } from "../ops/index.js";
import { isRecomputing, noGrad } from "../tape/index.js";
import { randn, type Tensor } from "../tensor/index.js";
import { type Given, settle } from "./layer.js";
import type { AnyModule } from "./module.js";
import { Parameter, takeBuffer, takeParameter } from "./parameter.js";

type Fields = AnyModule & Record<string, unknown>;

/** The parameter `name` of a module, not computed yet. */
function parameterOf(op: string, module: AnyModule, name: string): Parameter {
  if (Object.getOwnPropertyDescriptor(module, name)?.get) {
    throw rangeError(op, `${describe(name)} is computed already: ${module.name}`);
  }
  const parameter = (module as Fields)[name];
  if (!(parameter instanceof Parameter)) throw typeError(op, `${module.name} has no parameter ${describe(name)}`);
  return parameter;
}

/** Puts a getter in a parameter's place. */
function compute(module: AnyModule, name: string, weight: (module: Fields) => Tensor): void {
  // Not enumerable, so that a walk does not meet it; it reads the module it is on, so that a clone has its own.
  Object.defineProperty(module, name, {
    get(this: Fields) {
      return weight(this);
    },
    enumerable: false,
    configurable: true,
  });
}

/** The length of x over all axes but one (or all); keeps the axes. */
function lengths(x: Tensor, dim: number | null): Tensor {
  if (dim === null) return sqrt(sum(square(x)));
  return sqrt(sum(square(x), { dim: x.shape.map((_, i) => i).filter((i) => i !== dim), keepdim: true }));
}

/** Options of `weightNorm`. */
export interface WeightNormOptions {
  /** Which parameter; default "weight". */
  readonly name: string;
  /** The axis of the units, each with a length of its own, default 0; null: one length for all. */
  readonly dim: number | null;
}

/**
 * Learns a weight by its direction v and length g: w = g·v/‖v‖ (Salimans and Kingma 2016). The parameters are `weight_g`
 * and `weight_v`. Gives the module. PyTorch: `torch.nn.utils.weight_norm`.
 */
export function weightNorm<M extends AnyModule>(module: M, options: Given<WeightNormOptions> = {}): M {
  const { name, dim } = settle<WeightNormOptions>("weightNorm", options, { name: "weight", dim: 0 });
  const [g, v] = [`${name}_g`, `${name}_v`];
  const parameter = parameterOf("weightNorm", module, name);
  if (dim !== null) checkInteger("weightNorm", "dim", dim, 0, parameter.ndim - 1);
  compute(module, name, (m) => {
    const direction = m[v] as Tensor;
    return mul(direction, div(m[g] as Tensor, lengths(direction, dim)));
  });
  const fields = module as Fields;
  fields[g] = takeParameter(noGrad(() => lengths(parameter, dim)));
  fields[v] = parameter;
  return module;
}

/** Options of `spectralNorm`. */
export interface SpectralNormOptions {
  /** Which parameter; default "weight". */
  readonly name: string;
  /** Steps of the power iteration a forward pass in training; default 1. */
  readonly nPowerIterations: number;
  /** Least length of a vector that is divided by it; default 1e-12. */
  readonly eps: number;
  /** The axis of the outputs; default 0, for transposed convolutions 1. */
  readonly dim: number;
}

/**
 * Divides a weight by (an estimate of) its largest singular value, found by power iteration in each pass in training
 * mode (Miyato et al. 2018). The parameter is `weight_orig`, with buffers `weight_u` and `weight_v`. Gives the module.
 * PyTorch: `torch.nn.utils.spectral_norm`.
 */
export function spectralNorm<M extends AnyModule>(module: M, options: Given<SpectralNormOptions> = {}): M {
  const op = "spectralNorm";
  const { name, nPowerIterations, eps, dim } = settle<SpectralNormOptions>(op, options, {
    name: "weight",
    nPowerIterations: 1,
    eps: 1e-12,
    dim: module.name.startsWith("ConvTranspose") ? 1 : 0,
  });
  const parameter = parameterOf(op, module, name);
  checkInteger(op, "dim", dim, 0, parameter.ndim - 1);
  checkInteger(op, "nPowerIterations", nPowerIterations, 1);
  checkNumber(op, "eps", eps, 0);
  /** The weight as a matrix `[out, rest]`. */
  const matrixOf = (w: Tensor): Tensor => {
    const order = [dim, ...w.shape.map((_, i) => i).filter((i) => i !== dim)];
    return reshape(dim === 0 ? w : permute(w, order), [w.shape[dim]!, -1]);
  };
  const unit = (x: Tensor): Tensor => div(x, sqrt(sum(square(x))).clamp(eps));
  const [u, v, orig] = [`${name}_u`, `${name}_v`, `${name}_orig`];
  compute(module, name, (m) => {
    const w = m[orig] as Tensor;
    const matrix = matrixOf(w);
    const [left, right] = noGrad(() => {
      const [mu, mv] = [m[u] as Tensor, m[v] as Tensor];
      if (m.training && !isRecomputing()) {
        for (let i = 0; i < nPowerIterations; i++) {
          copy(mv, unit(matmul(mu, matrix)));
          copy(mu, unit(matmul(matrix, mv)));
        }
      }
      // Copies: the next pass writes into the buffers before this one may have been walked.
      return [clone(mu), clone(mv)];
    }) as [Tensor, Tensor];
    return div(w, sum(mul(left, matmul(matrix, right))));
  });
  const fields = module as Fields;
  const rows = parameter.shape[dim]!;
  fields[orig] = parameter;
  fields[u] = takeBuffer(noGrad(() => unit(randn([rows]))));
  fields[v] = takeBuffer(noGrad(() => unit(randn([parameter.numel / rows]))));
  return module;
}

/** Makes a weight that `weightNorm` or `spectralNorm` computes a plain parameter of its present value again. Gives the module. */
export function removeNorm<M extends AnyModule>(module: M, options: Given<{ readonly name: string }> = {}): M {
  const { name } = settle("removeNorm", options, { name: "weight" });
  const fields = module as Fields;
  if (!Object.getOwnPropertyDescriptor(fields, name)?.get) {
    throw rangeError("removeNorm", `${describe(name)} is not computed: ${module.name}`);
  }
  const mode = module.training;
  module.training = false; // reading it must not iterate once more
  const value = noGrad(() => fields[name] as Tensor);
  module.training = mode;
  for (const suffix of ["g", "v", "u", "orig"]) delete fields[`${name}_${suffix}`];
  Object.defineProperty(fields, name, {
    value: takeParameter(value),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return module;
}
