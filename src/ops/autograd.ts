// The autograd surface that is built from ops: Jacobians, products with them, checkpointing, ops of a user's own.
import { describe, rangeError, show, typeError } from "../error.js";
import { runInScope } from "../memory/index.js";
import { sameShape } from "../shape.js";
import { enableGrad, grad, isRecording, leavesOf, noGrad, recompute, recordJoint } from "../tape/index.js";
import { checkTensor, defaultGenerator, fillWith, Tensor, viewOf, zeros } from "../tensor/index.js";
import { mul } from "./elementwise.js";
import { cat, reshape, slice } from "./layout.js";
import { sum } from "./reduce.js";

/** Inputs as leaves of their own, sharing the memory: what a function is differentiated by. */
function leaves(op: string, inputs: readonly Tensor[]): Tensor[] {
  return inputs.map((x, i) => {
    checkTensor(op, `input ${i}`, x);
    if (x.dtype !== "f32") throw typeError(op, `inputs must be f32: got ${x.dtype} (input ${i})`);
    const y = viewOf(x, x.shape, op);
    y.requiresGrad = true;
    return y;
  });
}

const listOf = (x: Tensor | readonly Tensor[]): readonly Tensor[] => (x instanceof Tensor ? [x] : x);

function result(op: string, y: unknown): Tensor {
  if (!(y instanceof Tensor)) throw typeError(op, `the function must give a tensor: got ${describe(y)}`);
  return y;
}

/**
 * Product of a cotangent with the Jacobian: `{ output, gradients }` with gradients vᵀ·∂f/∂input, one an input.
 *
 * @param v cotangent of the output's shape; may be left out for one element. PyTorch: `torch.autograd.functional.vjp`.
 */
export function vjp(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor | readonly Tensor[],
  v?: Tensor,
): { readonly output: Tensor; readonly gradients: Tensor[] } {
  return runInScope("vjp", () => {
    const xs = leaves("vjp", listOf(inputs));
    const output = result(
      "vjp",
      enableGrad(() => fn(...xs)),
    );
    const gradients = gradientsOf(output, xs, v);
    return { output: output.detach(), gradients };
  });
}

/** Gradients with zeros for inputs that take no part. */
function gradientsOf(output: Tensor, xs: readonly Tensor[], v: Tensor | undefined, createGraph = false): Tensor[] {
  if (!output.requiresGrad) return xs.map((x) => zeros(x.shape));
  const options = { allowUnused: true as const, createGraph, ...(v && { gradOutputs: v }) };
  return grad(output, xs, options).map((gradient, i) => gradient ?? zeros(xs[i]!.shape));
}

/**
 * Product of the Jacobian with tangents: `{ output, tangent }` with tangent Σ ∂f/∂input·t, by differentiating the vjp
 * with respect to its cotangent. PyTorch: `torch.autograd.functional.jvp`.
 *
 * @param tangents one for each input, of its shape.
 */
export function jvp(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: Tensor | readonly Tensor[],
  tangents: Tensor | readonly Tensor[],
): { readonly output: Tensor; readonly tangent: Tensor } {
  const list = listOf(inputs);
  const ts = listOf(tangents);
  if (ts.length !== list.length || ts.some((t, i) => !sameShape(t.shape, list[i]!.shape))) {
    throw rangeError(
      "jvp",
      `tangents must have the inputs' shapes: ${ts.map((t) => show(t.shape))} for ${list.map((x) => show(x.shape))}`,
    );
  }
  return runInScope("jvp", () =>
    enableGrad(() => {
      const xs = leaves("jvp", list);
      const output = result("jvp", fn(...xs));
      const v = zeros(output.shape, { requiresGrad: true });
      const pulled = gradientsOf(output, xs, v, true);
      // Σ tᵀ·(vᵀJ)ᵀ is linear in v: its gradient is J·t.
      const pairing = pulled.map((g, i) => sum(mul(g, ts[i]!))).reduce((a, b) => a.add(b));
      const tangent = pairing.requiresGrad ? gradientsOf(pairing, [v], undefined)[0]! : zeros(output.shape);
      return { output: output.detach(), tangent };
    }),
  );
}

/**
 * Jacobian of a function: for each input a tensor `[…output, …input]`. One input gives one tensor, an array of inputs an
 * array. PyTorch: `torch.autograd.functional.jacobian`.
 *
 * @example
 * import { jacobian, tensor } from "gradine";
 * console.log(jacobian((x) => x.square(), tensor([1, 2])).toArray()); // [[2, 0], [0, 4]]
 */
export function jacobian(fn: (...inputs: Tensor[]) => Tensor, inputs: Tensor): Tensor;
export function jacobian(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor[];
export function jacobian(fn: (...inputs: Tensor[]) => Tensor, inputs: Tensor | readonly Tensor[]): Tensor | Tensor[] {
  const jacobians = runInScope("jacobian", () => {
    const xs = leaves("jacobian", listOf(inputs));
    const y = result(
      "jacobian",
      enableGrad(() => fn(...xs)),
    );
    return noGrad(() => rowsOf(y, xs, false));
  });
  return inputs instanceof Tensor ? jacobians[0]! : jacobians;
}

/** The Jacobian of y, a row an element of y. */
function rowsOf(y: Tensor, xs: readonly Tensor[], createGraph: boolean): Tensor[] {
  const rows = Array.from({ length: y.numel }, (_, i) => {
    const v = zeros([y.numel]);
    fillWith(slice(v, [[i, i + 1]]), 1);
    if (!y.requiresGrad) return xs.map((x) => zeros(x.shape));
    const options = { gradOutputs: reshape(v, y.shape), retainGraph: true, createGraph, allowUnused: true as const };
    return grad(y, xs, options).map((gradient, k) => gradient ?? zeros(xs[k]!.shape));
  });
  return xs.map((x, k) => {
    const shape = [...y.shape, ...x.shape];
    if (rows.length === 0) return zeros(shape);
    return reshape(cat(rows.map((row) => reshape(row[k]!, [1, x.numel]))), shape);
  });
}

/**
 * Hessian of a function with one output: `[…input, …input]`. PyTorch: `torch.autograd.functional.hessian`.
 *
 * @throws RangeError when the function gives more than one element.
 * @example
 * import { hessian, tensor } from "gradine";
 * console.log(hessian((x) => x.mul(x).mul(x).sum(), tensor([1, 2])).toArray()); // [[6, 0], [0, 12]]
 */
export function hessian(fn: (input: Tensor) => Tensor, input: Tensor): Tensor {
  return runInScope("hessian", () => {
    const [x] = leaves("hessian", [input]) as [Tensor];
    const first = enableGrad(() => {
      const y = result("hessian", fn(x));
      if (y.numel !== 1) throw rangeError("hessian", `the function must give one element: got ${show(y.shape)}`);
      return gradientsOf(y, [x], undefined, true)[0]!;
    });
    return noGrad(() => rowsOf(first, [x], false)[0]!);
  });
}

/**
 * Gradients of a loss for each sample apart: `fn` is called with one row (`[1, …]`) of each batch tensor. One tensor
 * `[batch, …parameter]` for each parameter.
 */
export function perSampleGradients(
  fn: (...rows: Tensor[]) => Tensor,
  parameters: readonly Tensor[],
  ...batch: readonly Tensor[]
): Tensor[] {
  const n = batch[0]?.shape[0];
  if (n === undefined || batch.some((x) => x.shape[0] !== n)) {
    throw rangeError("perSampleGradients", `first axes differ: ${batch.map((x) => show(x.shape)).join(", ")}`);
  }
  return runInScope("perSampleGradients", () => {
    const rows = Array.from({ length: n }, (_, i) =>
      runInScope("perSampleGradients", () => {
        const y = result("perSampleGradients", fn(...batch.map((x) => slice(x, [[i, i + 1]]))));
        return gradientsOf(y, parameters, undefined);
      }),
    );
    return noGrad(() =>
      parameters.map((p, k) => {
        if (n === 0) return zeros([0, ...p.shape]);
        return reshape(cat(rows.map((row) => reshape(row[k]!, [1, p.numel]))), [n, ...p.shape]);
      }),
    );
  });
}

/**
 * fn(...inputs) whose intermediate tensors are not kept for the backward pass but computed again there: memory for time.
 * Random numbers come out the same the second time, and running statistics are left alone then. Parameters that `fn`
 * reads get their gradients, too. No gradient of the gradient. PyTorch: `torch.utils.checkpoint.checkpoint`.
 *
 * @throws TypeError when `fn` gives no tensor or a promise.
 * @example
 * import { checkpoint, tensor } from "gradine";
 * const x = tensor([1, 2], { requiresGrad: true });
 * checkpoint((t) => t.tanh().mul(t), [x]).sum().backward();
 * console.log(x.grad.shape); // [2]
 */
export function checkpoint(fn: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor {
  inputs.forEach((x, i) => checkTensor("checkpoint", `input ${i}`, x));
  if (!isRecording()) return result("checkpoint", fn(...inputs));
  const generator = defaultGenerator;
  const state = generator.getState();
  /** Runs fn on copies of the inputs that are leaves; the caller's scope frees what it makes. */
  const run = (): { y: Tensor; xs: Tensor[] } => {
    const xs = inputs.map((x) => {
      const own = viewOf(x, x.shape, "checkpoint");
      if (x.requiresGrad) own.requiresGrad = true;
      return own;
    });
    return {
      y: result(
        "checkpoint",
        enableGrad(() => fn(...xs)),
      ),
      xs,
    };
  };
  // Recorded once to learn which parameters take part, then let go but for the values of the output.
  const parameters: Tensor[] = [];
  const y = runInScope("checkpoint", () => {
    const first = run();
    parameters.push(...leavesOf(first.y).filter((leaf) => !first.xs.includes(leaf)));
    return viewOf(first.y, first.y.shape, "checkpoint");
  });
  const all = [...inputs, ...parameters];
  return recordJoint(
    "checkpoint",
    y,
    all,
    (gy, needs) => {
      if (isRecording())
        throw new Error("checkpoint: has no gradient of the gradient. Call the function itself under createGraph.");
      const now = generator.getState();
      generator.setState(state);
      try {
        return runInScope("checkpoint", () => {
          const { y: again, xs } = recompute(run);
          const targets = [...xs, ...parameters];
          const wanted = targets.filter((_, i) => needs[i]);
          const gradients = gradientsOf(again, wanted, gy);
          return targets.map((_, i) => (needs[i] ? gradients[wanted.indexOf(targets[i]!)]! : null));
        });
      } finally {
        generator.setState(now);
      }
    },
    inputs,
  );
}

/** What `defineOp` takes. */
export interface OpDefinition<Inputs extends readonly Tensor[]> {
  /** The result; called without recording. */
  forward(...inputs: Inputs): Tensor;
  /**
   * Gradients of the inputs, given that of the output; null where there is none. Written with ops, so that it can be
   * differentiated again.
   */
  backward(
    gy: Tensor,
    context: { readonly inputs: Inputs; readonly output: Tensor; readonly needs: readonly boolean[] },
  ): readonly (Tensor | null)[];
}

/**
 * An op of your own, with its gradient. PyTorch: `torch.autograd.Function`.
 *
 * @param name what messages call it.
 * @throws TypeError for results that are no tensors; RangeError for gradients of another shape than their input.
 * @example
 * import { defineOp, tensor } from "gradine";
 * const cube = defineOp("cube", {
 *   forward: (x) => x.mul(x).mul(x),
 *   backward: (gy, { inputs: [x] }) => [gy.mul(x.mul(x)).mul(3)],
 * });
 * const x = tensor(2, { requiresGrad: true });
 * cube(x).backward();
 * console.log(x.grad.item()); // 12
 */
export function defineOp<Inputs extends readonly Tensor[]>(
  name: string,
  definition: OpDefinition<Inputs>,
): (...inputs: Inputs) => Tensor {
  return (...inputs) => {
    inputs.forEach((x, i) => checkTensor(name, `input ${i}`, x));
    const made = noGrad(() => {
      const y = result(name, definition.forward(...inputs));
      return inputs.includes(y) ? viewOf(y, y.shape, name) : y;
    });
    const output = viewOf(made, made.shape, name);
    made.release(`within ${name}()`);
    return recordJoint(
      name,
      output,
      inputs,
      (gy, needs) => {
        const gradients = definition.backward(gy, { inputs, output, needs });
        return inputs.map((x, i) => {
          const gradient = needs[i] ? (gradients[i] ?? null) : null;
          if (gradient !== null && !(gradient instanceof Tensor && sameShape(gradient.shape, x.shape))) {
            throw rangeError(
              name,
              `backward must give a gradient of ${show(x.shape)} for input ${i}: got ${gradient instanceof Tensor ? show(gradient.shape) : describe(gradient)}`,
            );
          }
          return gradient;
        });
      },
      [...inputs, output],
    );
  };
}
