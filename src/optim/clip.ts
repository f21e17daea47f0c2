// What is done to gradients between `backward()` and `step()`, and to weights after it; in place, one kernel call each.
import { checkKind, checkNumber, checkOptions, rangeError } from "../error.js";
import { extra, kernels, type Ptr } from "../kernels/index.js";
import { heap, Storage, word } from "../memory/index.js";
import { fillNormal } from "../ops/index.js";
import { noGrad, scope } from "../tape/index.js";
import { empty, type Generator, nextStream, ptr, scalarPow, Tensor, zeros } from "../tensor/index.js";

/** The parameters meant: one tensor, or any number of them. */
export type Parameters = Tensor | Iterable<Tensor>;

/** The parameters as a list. */
export function listOf(op: string, parameters: Parameters): Tensor[] {
  const list = parameters instanceof Tensor ? [parameters] : [...parameters];
  for (const [i, x] of list.entries()) checkKind(op, x instanceof Tensor, "takes tensors", x, ` (parameter ${i})`);
  return list;
}

// The numbers of assembly/clip.ts.
const value = 0;
const centralize = 1;
const adaptive = 2;
const maxNormOf = 3;
const unitNormOf = 4;

/**
 * Runs `kernel` on a table { param, grad, …, n, rows }; parameters without a gradient are passed over, unless the weights
 * are meant.
 */
function overTable(
  op: string,
  parameters: Parameters,
  weights: boolean,
  kernel: (table: Ptr, count: number) => void,
  wanted: (param: Tensor) => boolean = () => true,
): void {
  const params = listOf(op, parameters).filter((param) => (weights || param.grad !== null) && wanted(param));
  // Every address before the table is made: that of a released tensor throws.
  const records = params.flatMap((param) => {
    const { grad } = param;
    // Rows are the weights into one output each; a vector is one row.
    const rows = param.ndim > 1 ? param.shape[0]! : 1;
    return [ptr(param), grad === null ? 0 : ptr(grad), 0, 0, 0, 0, param.numel, rows] as number[];
  });
  for (const param of params) (weights ? param : param.grad!).storage.written();
  const table = Storage.take(32 * Math.max(1, params.length), op, [params.length, 8]);
  heap.u32.set(records, word(table.ptr));
  kernel(table.ptr, params.length);
  table.drop();
}

/** Options of `clipGradNorm`. */
export interface ClipGradNormOptions {
  /** Order of the norm: 2 (default), 1, another positive number, or Infinity for the greatest absolute value. */
  readonly normType?: number;
  /** Throw when the norm is NaN or infinite; default false. */
  readonly errorIfNonfinite?: boolean;
}

/**
 * Scales all gradients together so that their norm is at most `maxNorm`, and gives the norm they had.
 *
 * A norm of NaN makes all gradients NaN, an infinite one makes the finite ones 0, as in PyTorch; with `errorIfNonfinite`
 * it throws instead and changes nothing. PyTorch: `torch.nn.utils.clip_grad_norm_`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { clipGradNorm } from "gradine/optim";
 * const w = tensor([3, 4], { requiresGrad: true });
 * w.mul(w).sum().backward(); // gradient [6, 8]
 * console.log(clipGradNorm([w], 1).item(), w.grad.toArray()[0].toFixed(2)); // 10 0.60
 */
export function clipGradNorm(parameters: Parameters, maxNorm: number, options: ClipGradNormOptions = {}): Tensor {
  const op = "clipGradNorm";
  checkOptions(op, options, ["normType", "errorIfNonfinite"]);
  const { normType = 2, errorIfNonfinite = false } = options;
  if (normType !== Infinity) checkNumber(op, "normType", normType, Number.MIN_VALUE);
  if (maxNorm !== Infinity) checkNumber(op, "maxNorm", maxNorm, 0);
  const list = listOf(op, parameters);
  return noGrad(() => {
    const norm = zeros([]);
    // What noGrad gives out of tensors that are off the tape is released some time after its last use, also in a bare loop.
    norm.derived = true;
    const run = (limit: number) =>
      overTable(op, list, false, (table, count) => extra().clipNorm(table, count, ptr(norm), normType, limit));
    if (errorIfNonfinite) {
      run(Infinity);
      if (!Number.isFinite(norm.item()))
        throw rangeError(op, `the norm is ${norm.item()}: nothing was clipped`, "A loss or gradient is not finite.");
    }
    run(maxNorm);
    return norm;
  });
}

/** Limits every element of the gradients to ±clipValue; NaN stays. PyTorch: `torch.nn.utils.clip_grad_value_`. */
export function clipGradValue(parameters: Parameters, clipValue: number): void {
  checkNumber("clipGradValue", "clipValue", clipValue, 0);
  overTable("clipGradValue", parameters, false, (t, n) => extra().adjustRows(t, n, value, clipValue, 0));
}

/**
 * Adaptive clipping: the gradient of each output's weights (a row) to at most clipping · max(‖row‖, eps) (Brock et al. 2021).
 *
 * @param options `clipping`, default 0.01; `eps`, default 1e-3.
 */
export function clipGradAdaptive(
  parameters: Parameters,
  options: { readonly clipping?: number; readonly eps?: number } = {},
): void {
  checkOptions("clipGradAdaptive", options, ["clipping", "eps"]);
  const clipping = checkNumber("clipGradAdaptive", "clipping", options.clipping ?? 0.01, 0);
  const eps = checkNumber("clipGradAdaptive", "eps", options.eps ?? 1e-3, 0);
  overTable("clipGradAdaptive", parameters, false, (t, n) => extra().adjustRows(t, n, adaptive, clipping, eps));
}

/** Takes its mean from the gradient of each output's weights (Yong et al. 2020); vectors are left alone. */
export function centralizeGrad(parameters: Parameters): void {
  overTable(
    "centralizeGrad",
    parameters,
    false,
    (t, n) => extra().adjustRows(t, n, centralize, 0, 0),
    (param) => param.ndim > 1,
  );
}

/** Limits the norm of each output's weights (a row) to `limit`; to be called after the step. Keras: `MaxNorm`. */
export function maxNorm(parameters: Parameters, limit = 2): void {
  checkNumber("maxNorm", "limit", limit, 0);
  overTable("maxNorm", parameters, true, (t, n) => extra().adjustRows(t, n, maxNormOf, limit, 1e-12));
}

/** Gives each output's weights (a row) the norm 1; to be called after the step. Keras: `UnitNorm`. */
export function unitNorm(parameters: Parameters): void {
  overTable("unitNorm", parameters, true, (t, n) => extra().adjustRows(t, n, unitNormOf, 1, 1e-12));
}

/** Options of `addGradNoise`. */
export interface GradNoiseOptions {
  /** Variance at step 0; default 0.01. */
  readonly eta?: number;
  /** The variance falls as eta / (1 + step)^gamma; default 0.55. */
  readonly gamma?: number;
  /** Default 0. */
  readonly step?: number;
  /** Where the noise is drawn from; default one derived from the seed, anew each call. */
  readonly generator?: Generator;
}

/** Adds normal noise to the gradients, of variance eta/(1 + step)^gamma (Neelakantan et al. 2015). */
export function addGradNoise(parameters: Parameters, options: GradNoiseOptions = {}): void {
  const op = "addGradNoise";
  checkOptions(op, options, ["eta", "gamma", "step", "generator"]);
  const { eta = 0.01, gamma = 0.55, step = 0 } = options;
  checkNumber(op, "eta", eta, 0);
  const std = Math.sqrt(eta / scalarPow(1 + checkNumber(op, "step", step, 0), checkNumber(op, "gamma", gamma)));
  const generator = options.generator ?? nextStream(op);
  const list = listOf(op, parameters);
  scope(() => {
    for (const param of list) {
      if (param.grad === null) continue;
      const noise = fillNormal(empty(param.shape), 0, 1, generator);
      const table = Storage.take(32, op, [8]);
      heap.u32.set([ptr(param.grad), ptr(noise), 0, 0, 0, 0, param.numel, 0] as number[], word(table.ptr));
      param.grad.storage.written();
      // The step of SGD along the noise: grad − (−std)·noise.
      kernels.sgd(table.ptr, 1, -std, 0, 0, 0, 0, 0);
      table.drop();
    }
  });
  if (options.generator === undefined) generator.dispose();
}
