// Gradients of roots with respect to leaves (`backward`) or to chosen tensors (`grad`), and hooks on the way.
import { checkOptions, rangeError, show, typeError } from "../error.js";
import { kernels } from "../kernels/index.js";
import { current, type Handle, moveTo } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { allocate, type BackwardOptions, ptr, Tensor } from "../tensor/index.js";
import { type Hook, type Node, nodeOf } from "./node.js";
import { add, addInto, clone, reachable, type Walk, walkInScope } from "./walk.js";

/** @internal See Tensor.backward. */
export function backward(x: Tensor, gradient?: Tensor, options?: BackwardOptions): void {
  if (options !== undefined) checkOptions("backward", options, ["retainGraph", "createGraph"]);
  const createGraph = options?.createGraph ?? false;
  checkRoot("backward", x, gradient);
  walkInScope(
    {
      op: "backward",
      roots: [x],
      gradients: [gradient],
      targets: undefined,
      createGraph,
      retainGraph: options?.retainGraph ?? createGraph,
    },
    createGraph ? (order) => accumulateAll(order, true) : accumulateAll,
  );
}

/** Adds what a walk has gathered for the leaves to their gradients. */
function accumulateAll(order: readonly Node[], createGraph = false): void {
  for (let i = order.length - 1; i >= 0; i--) {
    const { leaf, slot } = order[i]!;
    if (leaf !== null && slot !== null) accumulate(leaf, slot, createGraph);
  }
}

function checkRoot(op: string, x: Tensor, gradient: Tensor | undefined): void {
  if (!(x instanceof Tensor)) throw typeError(op, `an output must be a tensor: got ${typeof x}`);
  if (nodeOf(x) === null) {
    throw new Error(
      `${op}: the tensor requires no gradient: ${x.op} ${show(x.shape)}. ` +
        (x.derived
          ? "It was computed under noGrad(), detached, or from a graph that backward() had consumed."
          : "No input of its ops has requiresGrad."),
    );
  }
  if (gradient === undefined) {
    if (x.numel !== 1) {
      throw rangeError(
        op,
        `a gradient can be left out for one element only: the output is ${show(x.shape)}`,
        "Reduce it with sum() or mean(), or pass the gradient.",
      );
    }
  } else if (!(gradient instanceof Tensor) || !sameShape(gradient.shape, x.shape)) {
    throw rangeError(
      op,
      `the gradient must have the output's shape ${show(x.shape)}: got ${gradient instanceof Tensor ? show(gradient.shape) : typeof gradient}`,
    );
  }
}

/** leaf.grad += gradient; the gradient itself is taken when nothing else refers to it. */
function accumulate(leaf: Tensor, gradient: Tensor, createGraph: boolean): void {
  const held = leaf.gradient;
  if (held !== null) {
    if (createGraph || held.requiresGrad) leaf.grad = own(add(held, gradient));
    else {
      held.storage.written();
      addInto(held, gradient);
    }
    return;
  }
  const exclusive = gradient.owner !== null && gradient.owner === current && gradient.storage.refs === 1;
  if (createGraph || exclusive) {
    leaf.gradient = own(gradient);
    return;
  }
  const copy = allocate(gradient.shape, "f32", "backward");
  kernels.copyStrided(ptr(gradient), ptr(copy), 1, 1, 1, copy.numel, 0, 0, 0, 1, 0, 0, 0, 1);
  leaf.gradient = own(copy);
}

/** A gradient belongs to its tensor: no scope releases it. */
function own(gradient: Tensor): Tensor {
  moveTo(gradient, null);
  gradient.derived = true;
  gradient.op = "grad";
  return gradient;
}

/** Options of `grad`. */
export interface GradOptions extends BackwardOptions {
  /** Cotangents of the outputs, each of its output's shape; default 1 for one-element outputs. */
  readonly gradOutputs?: Tensor | readonly (Tensor | undefined)[];
  /** Give `null` for inputs that the outputs do not depend on, instead of throwing; default false. */
  readonly allowUnused?: boolean;
}

type Gradients<O extends GradOptions> = O extends { readonly allowUnused: true } ? (Tensor | null)[] : Tensor[];

/**
 * Gradients of outputs with respect to inputs, as tensors; no `grad` field is touched.
 *
 * @param outputs one tensor or several.
 * @param inputs the tensors to differentiate by: leaves, or results of ops.
 * @param options `createGraph` records the walk, so that its results can be differentiated again.
 * @returns an array, one gradient an input.
 * @throws Error when an input takes no part (unless `allowUnused`), or the graph was walked before.
 * PyTorch equivalent: `torch.autograd.grad`.
 * @example
 * import { grad, tensor } from "gradine";
 * const x = tensor(3, { requiresGrad: true });
 * const [dx] = grad(x.mul(x).mul(x), x, { createGraph: true }); // 3 x² = 27
 * const [d2x] = grad(dx, x);                                     // 6 x = 18
 * console.log(dx.item(), d2x.item());
 */
export function grad<O extends GradOptions>(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  options: O = {} as O,
): Gradients<O> {
  checkOptions("grad", options, ["retainGraph", "createGraph", "gradOutputs", "allowUnused"]);
  const roots = outputs instanceof Tensor ? [outputs] : outputs;
  const targets = inputs instanceof Tensor ? [inputs] : inputs;
  const given = options.gradOutputs;
  const cotangents = given === undefined ? [] : given instanceof Tensor ? [given] : given;
  roots.forEach((x, i) => checkRoot("grad", x, cotangents[i]));
  targets.forEach((x, i) => {
    if (!(x instanceof Tensor)) throw typeError("grad", `inputs must be tensors: got ${typeof x} (input ${i})`);
    if (nodeOf(x) === null)
      throw new Error(
        `grad: input ${i} requires no gradient: ${x.op} ${show(x.shape)}. Set requiresGrad before computing the outputs.`,
      );
  });
  const createGraph = options.createGraph ?? false;
  const walk: Walk = {
    op: "grad",
    roots,
    gradients: roots.map((_, i) => cotangents[i]),
    targets,
    createGraph,
    retainGraph: options.retainGraph ?? createGraph,
  };
  // An unused input is found before the walk runs, so that the graph is not consumed by a call that throws.
  if (!options.allowUnused) {
    const known = new Set(reachable(roots));
    targets.forEach((x, i) => {
      if (!known.has(nodeOf(x)!)) {
        throw new Error(
          `grad: the outputs do not depend on input ${i}: ${x.op} ${show(x.shape)}. Pass { allowUnused: true } to get null for it.`,
        );
      }
    });
  }
  const gradients = walkInScope(walk, () => {
    const seen = new Set<Handle>();
    return targets.map((target) => {
      const gradient = nodeOf(target)!.slot;
      // A cotangent, a saved tensor, or one gradient of two inputs: each result is a tensor of its own.
      if (
        gradient === null ||
        (!seen.has(gradient) && !cotangents.includes(gradient) && !createdBefore(gradient, createGraph))
      ) {
        if (gradient !== null) seen.add(gradient);
        return gradient;
      }
      return clone(gradient);
    });
  });
  return gradients as Gradients<O>;
}

const createdBefore = (gradient: Tensor, createGraph: boolean): boolean => !createGraph && gradient.owner !== current;

/** @internal See Tensor.registerHook. */
export function registerHook(x: Tensor, hook: Hook): () => void {
  const node = nodeOf(x);
  if (node === null) throw rangeError("registerHook", `the tensor requires no gradient: ${x.op} ${show(x.shape)}`);
  (node.hooks ??= []).push(hook);
  return () => {
    node.hooks = node.hooks?.filter((h) => h !== hook) ?? null;
  };
}
