// Initialization of whole models: one rule for all layers of a kind, and rules that look at a batch of data.
import { checkInteger, checkNumber, describe, rangeError, typeError } from "../error.js";
import { copy, div, mean, mul, neg, reshape, sqrt, square, sum, variance } from "../ops/index.js";
import { enableGrad, grad, noGrad } from "../tape/index.js";
import { randn, type Tensor, tensor } from "../tensor/index.js";
import { normal, orthogonal, zeros } from "./init.js";
import { type Given, settle } from "./layer.js";
import { evaluating } from "./modes.js";
import { type AnyModule, type Module, pathOf } from "./module.js";
import type { Parameter } from "./parameter.js";

/** Writes into a weight in place; the functions of `init` are such. */
export type Initializer = (weight: Tensor) => unknown;

/**
 * Initializes all weights of a model: parameters of two axes or more by the rule, biases by 0. Embeddings and
 * normalizations, whose numbers are no weights between units, stay as they are unless named.
 *
 * @param rule an initializer for every layer, or initializers by the kind of layer.
 * @param options `bias`: initializer of biases, default zeros; null leaves them.
 * @example
 * import { init, initialize, Linear, ReLU, Sequential } from "gradine/nn";
 * const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 2));
 * initialize(model, init.kaimingNormal);
 * initialize(model, { Linear: (w) => init.normal(w, { std: 0.01 }) });
 */
export function initialize<M extends AnyModule>(
  model: M,
  rule: Initializer | Readonly<Record<string, Initializer>>,
  options: Given<{ readonly bias: Initializer | null }> = {},
): M {
  const { bias } = settle<{ bias: Initializer | null }>("initialize", options, { bias: zeros });
  const kinds = new Set(model.modules().map((module) => module.name));
  if (typeof rule !== "function") {
    for (const [kind, initializer] of Object.entries(rule)) {
      if (!kinds.has(kind)) throw rangeError("initialize", `the model has no ${kind}: it has ${[...kinds].join(", ")}`);
      if (typeof initializer !== "function")
        throw typeError("initialize", `${kind}: takes a function, got ${describe(initializer)}`);
    }
  }
  for (const module of model.modules()) {
    const initializer = typeof rule === "function" ? rule : rule[module.name];
    if (initializer === undefined || (typeof rule === "function" && /^Embedding|Positions$/.test(module.name)))
      continue;
    for (const [name, parameter] of ownParameters(module)) {
      if (parameter.ndim >= 2) initializer(parameter);
      else if (bias !== null && /bias/i.test(name)) bias(parameter);
    }
  }
  return model;
}

/** A module's parameters without its children's. */
const ownParameters = (module: AnyModule): [string, Parameter][] => {
  const within = new Set(module.children().flatMap((child) => child.parameters()));
  return [...module.namedParameters()].filter(([, parameter]) => !within.has(parameter));
};

/** Linear and convolution layers, in the order in which a batch meets them, each with its units' axis. */
interface Affine {
  readonly module: AnyModule;
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
}

/** What a layer gave for a batch. */
function outputOf(model: Module, layer: AnyModule, batch: Tensor): Tensor {
  let seen: Tensor | undefined;
  const remove = layer.registerForwardHook((_, __, output) => {
    seen ??= (output as Tensor).detach();
  });
  try {
    model.forward(batch);
  } finally {
    remove();
  }
  if (seen === undefined)
    throw rangeError("initialize", `${pathOf(layer)} (${layer.name}) takes no part in the forward pass`);
  return seen;
}

function affineLayers(op: string, model: Module, batch: Tensor): Affine[] {
  const found: Affine[] = [];
  const removers = model.modules().flatMap((module) => {
    const { weight, bias } = module as unknown as { weight?: Parameter; bias?: Parameter };
    if (!/^(Lazy)?Linear$|^Conv/.test(module.name)) return [];
    return [
      module.registerForwardHook(() => {
        if (weight !== undefined && !found.some((layer) => layer.module === module))
          found.push({ module, weight, bias });
      }),
    ];
  });
  try {
    model.forward(batch);
  } finally {
    for (const remove of removers) remove();
  }
  if (found.length === 0) throw rangeError(op, "the model runs no linear or convolution layer");
  return found;
}

const scale = (x: Tensor, by: number | Tensor): void => void copy(x, mul(x, by));

/**
 * Layer-sequential unit variance (Mishkin and Matas 2016): orthogonal weights, then, layer by layer, each divided by the
 * standard deviation of its output on the batch until that is 1. Biases become 0.
 *
 * @param options `tolerance` of the variance, default 0.01; `maxIterations` a layer, default 10.
 */
export function lsuv<M extends Module>(
  model: M,
  batch: Tensor,
  options: Given<{ readonly tolerance: number; readonly maxIterations: number }> = {},
): M {
  const { tolerance, maxIterations } = settle("lsuv", options, { tolerance: 0.01, maxIterations: 10 });
  checkNumber("lsuv", "tolerance", tolerance, 0);
  checkInteger("lsuv", "maxIterations", maxIterations, 1);
  evaluating(model, () => {
    for (const { module, weight, bias } of affineLayers("lsuv", model, batch)) {
      orthogonal(weight);
      if (bias) zeros(bias);
      for (let i = 0; i < maxIterations; i++) {
        const spread = variance(outputOf(model, module, batch)).item();
        if (!(spread > 0))
          throw rangeError("lsuv", `${pathOf(module)} (${module.name}) gives one value for all of the batch`);
        if (Math.abs(spread - 1) <= tolerance) break;
        scale(weight, 1 / Math.sqrt(spread));
      }
    }
  });
  return model;
}

/**
 * Data-dependent initialization in two stages (Krähenbühl et al. 2016). Within layers: normal weights, then each unit or
 * channel scaled and shifted to mean 0 and variance 1 on the batch. Between layers: each layer scaled, and the next one
 * scaled back, until all change at the same rate: E‖∂l/∂W‖/‖W‖ over the batch, l a random projection of the output.
 *
 * @param options `iterations` of the second stage, default 10 (0: the first alone); `damping` of its steps, default 0.25.
 */
export function dataDependent<M extends Module>(
  model: M,
  batch: Tensor,
  options: Given<{ readonly iterations: number; readonly damping: number }> = {},
): M {
  const op = "dataDependent";
  const { iterations, damping } = settle(op, options, { iterations: 10, damping: 0.25 });
  checkInteger(op, "iterations", iterations, 0);
  checkNumber(op, "damping", damping, 0, 1);
  evaluating(model, () => {
    const layers = affineLayers(op, model, batch);
    for (const { module, weight, bias } of layers) {
      normal(weight);
      if (bias) zeros(bias);
      const y = outputOf(model, module, batch);
      // Linear layers have their units in the last axis, convolutions in the second.
      const axis = module.name.endsWith("Linear") ? y.ndim - 1 : 1;
      const others = y.shape.map((_, i) => i).filter((i) => i !== axis);
      const std = sqrt(variance(y, { dim: others }));
      if (std.toTypedArray().some((value) => !(value > 0))) {
        throw rangeError(op, `a unit of ${pathOf(module)} (${module.name}) gives one value for all of the batch`);
      }
      const units = module.name.startsWith("ConvTranspose") ? 1 : 0;
      const shape = weight.shape.map((_, i) => (i === units ? -1 : 1));
      scale(weight, reshape(div(1, std), shape));
      if (bias) copy(bias, neg(div(mean(y, { dim: others }), std)));
    }
    for (let i = 0; i < iterations; i++) {
      const rates = changeRates(model, layers, batch);
      const average = geometricMean(rates);
      layers.forEach(({ weight, bias }, k) => {
        // W·r, and the next W/r: the gradient becomes 1/r, this layer's rate 1/r² and the next one's r² of what it was.
        const r = power(rates[k]! / average, damping / 2);
        scale(weight, r);
        if (bias) scale(bias, r);
        const next = layers[k + 1];
        if (next !== undefined) scale(next.weight, 1 / r);
      });
    }
  });
  return model;
}

/** Root of the mean over the batch of ‖∂l/∂W‖²/‖W‖², for each layer. */
function changeRates(model: Module, layers: readonly Affine[], batch: Tensor): number[] {
  const weights = layers.map((layer) => layer.weight);
  const frozen = weights.map((weight) => weight.requiresGrad);
  const totals = weights.map(() => 0);
  const n = batch.shape[0]!;
  try {
    for (const weight of weights) weight.requiresGrad = true;
    for (let i = 0; i < n; i++) {
      noGrad(() => {
        const gradients = enableGrad(() => {
          const y = model.forward(batch.slice([[i, i + 1]]));
          return grad(sum(mul(y, randn(y.shape))), weights);
        });
        gradients.forEach((g, k) => {
          totals[k]! += sum(square(g)).item() / sum(square(weights[k]!)).item() / n;
        });
      });
    }
  } finally {
    weights.forEach((weight, k) => {
      weight.requiresGrad = frozen[k]!;
    });
  }
  return totals.map((total) => Math.sqrt(total));
}

const geometricMean = (values: readonly number[]): number => noGrad(() => mean(tensor([...values]).log()).exp()).item();
const power = (base: number, exponent: number): number => noGrad(() => tensor(base).pow(exponent)).item();
