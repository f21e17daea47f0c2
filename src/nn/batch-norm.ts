// Batch normalization beyond training: exact statistics, and folding it away for inference.
import { rangeError, typeError } from "../error.js";
import { add, div, mul, reshape, sqrt, sub } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { Tensor, zeros } from "../tensor/index.js";
import { Sequential } from "./container.js";
import { Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d } from "./conv.js";
import { Identity, Linear } from "./linear.js";
import { evaluating } from "./modes.js";
import { type AnyModule, pathOf } from "./module.js";
import { BatchNorm } from "./norm.js";
import { takeParameter } from "./parameter.js";

const normsOf = (model: AnyModule): BatchNorm[] =>
  model.modules().filter((module): module is BatchNorm => module instanceof BatchNorm);

/**
 * Computes the running statistics anew, as averages over a pass of the training set with the weights as they are (Ioffe
 * and Szegedy 2015, algorithm 2): E[x] = E[μ], Var[x] = m/(m − 1)·E[σ²]. Everything but batch normalization is in
 * evaluation mode meanwhile.
 *
 * @param batches inputs, or arrays that begin with the input: a loader's batches.
 */
export function recalibrateBatchNorm<M extends AnyModule>(
  model: M,
  batches: Iterable<Tensor | readonly [Tensor, ...unknown[]]>,
): M {
  const norms = normsOf(model).filter((norm) => norm.runningMean !== undefined);
  const momenta = norms.map((norm) => norm.momentum);
  let count = 0;
  try {
    for (const batch of batches) {
      const x = batch instanceof Tensor ? batch : batch[0];
      if (!(x instanceof Tensor)) throw typeError("recalibrateBatchNorm", "batches must be tensors, or arrays of them");
      evaluating(model, () => {
        for (const norm of norms) {
          if (count === 0) norm.resetRunningStats();
          norm.momentum = null;
          norm.training = true;
        }
        (model.forward as (x: Tensor) => unknown)(x);
      });
      count++;
    }
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = momenta[i]!;
    });
  }
  if (count === 0) throw rangeError("recalibrateBatchNorm", "got no batches");
  return model;
}

type Foldable = Linear | Conv1d | Conv2d | Conv3d | ConvTranspose1d | ConvTranspose2d;
const foldable = [Linear, Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d];
const canFold = (module: unknown): module is Foldable => foldable.some((kind) => module instanceof kind);

/** W' = s·W, b' = s·(b − E[x]) + β with s = γ/√(Var[x] + ε), for each unit or channel of the output. */
function fold(layer: Foldable, norm: BatchNorm): void {
  const { runningMean, runningVar } = norm;
  const transposed = layer.name.startsWith("ConvTranspose");
  if (runningMean === undefined || runningVar === undefined) {
    throw rangeError("fuse", `${pathOf(norm)} (${norm.name}) keeps no running statistics to fold`);
  }
  if (transposed && "options" in layer && layer.options.groups !== 1) {
    throw rangeError(
      "fuse",
      `${pathOf(layer)} (${layer.name}): transposed convolutions of several groups cannot be fused`,
    );
  }
  const [weight, bias] = noGrad(() => {
    const inverse = div(1, sqrt(add(runningVar, norm.eps)));
    const s = norm.weight === undefined ? inverse : mul(inverse, norm.weight);
    const shift = mul(s, sub(layer.bias ?? zeros(s.shape), runningMean));
    const units = layer.weight.shape.map((_, i) => (i === (transposed ? 1 : 0) ? -1 : 1));
    return [mul(layer.weight, reshape(s, units)), norm.bias === undefined ? shift : add(shift, norm.bias)];
  });
  layer.weight = takeParameter(weight);
  layer.bias = takeParameter(bias);
}

/**
 * A copy of a model in evaluation mode whose batch normalizations are folded into the linear or convolution layers
 * before them: y = γ/√(Var + ε)·x + (β − γ·E[x]/√(Var + ε)), one layer instead of two. An `Identity` takes their place.
 *
 * @param pairs names of layer and normalization, for models with a forward of their own: `[["conv1", "bn1"]]`. Within a
 * `Sequential`, neighbours are found.
 * @example
 * import { randn } from "gradine";
 * import { BatchNorm2d, Conv2d, fuse, Sequential } from "gradine/nn";
 * const model = new Sequential(new Conv2d(3, 8, 3), new BatchNorm2d(8));
 * console.log(fuse(model).at(1).name); // Identity
 */
export function fuse<M extends AnyModule>(model: M, pairs: readonly (readonly [string, string])[] = []): M {
  const copy = model.clone().eval();
  const named = new Map(copy.namedModules());
  for (const [layerName, normName] of pairs) {
    const [layer, norm] = [named.get(layerName), named.get(normName)];
    if (!canFold(layer) || !(norm instanceof BatchNorm)) {
      throw rangeError(
        "fuse",
        `${layerName} must be a linear or convolution layer and ${normName} a batch normalization`,
      );
    }
    fold(layer, norm);
    copy.replace(normName, new Identity());
  }
  for (const module of named.values()) {
    if (!(module instanceof Sequential)) continue;
    module.layers.forEach((norm, i) => {
      const layer = module.layers[i - 1];
      if (!(norm instanceof BatchNorm) || !canFold(layer)) return;
      fold(layer, norm);
      module.layers[i] = new Identity();
    });
  }
  return copy;
}
