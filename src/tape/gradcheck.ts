// Gradients against finite differences: the check every op passes, and a tool for a user's own functions.
import { checkNumber, checkOptions, rangeError, show } from "../error.js";
import { runInScope } from "../memory/index.js";
import { Generator, randn, Tensor } from "../tensor/index.js";
import { grad } from "./backward.js";
import { nodeOf } from "./node.js";
import { setRecording } from "./record.js";

/** Options of `gradcheck`. */
export interface GradcheckOptions {
  /** Half the distance of the two points of a central difference; default 1e-2, best for f32. */
  readonly eps?: number;
  /** Largest error allowed, of max(1, |numeric|); default 1e-3. */
  readonly tolerance?: number;
  /** Seed of the random cotangent; default 0. */
  readonly seed?: number;
  /** Throw at the first wrong element, or give false; default true. */
  readonly raise?: boolean;
}

/**
 * Compares the gradients of `fn` with central differences of v · fn(inputs), for a random cotangent v: with v = 1 a
 * wrong gradient of softmax passes, since its rows sum to 0. The differences are summed in float64.
 *
 * @param fn gives a tensor, from the inputs.
 * @param inputs tensors that require gradients.
 * @returns true; false when `raise` is off and an element differs.
 * @throws Error naming the input, the index, both values and the seed. PyTorch: `torch.autograd.gradcheck`.
 * @example
 * import { gradcheck, tensor } from "gradine";
 * gradcheck((x) => x.tanh().mul(x), [tensor([0.3, -1.2], { requiresGrad: true })]);
 */
export function gradcheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): boolean {
  checkOptions("gradcheck", options, ["eps", "tolerance", "seed", "raise"]);
  const { seed = 0, raise = true } = options;
  const eps = checkNumber("gradcheck", "eps", options.eps ?? 1e-2, 0);
  const tolerance = checkNumber("gradcheck", "tolerance", options.tolerance ?? 1e-3, 0);
  const chosen = inputs.filter((x) => x instanceof Tensor && nodeOf(x) !== null);
  if (chosen.length === 0) throw rangeError("gradcheck", "no input requires a gradient");

  return runInScope("gradcheck", () => {
    const y = fn(...inputs);
    const v = randn(y.shape, { generator: new Generator(seed) });
    const weights = v.toTypedArray();
    const analytic = grad(y, chosen, { gradOutputs: v, allowUnused: true });
    const before = setRecording(false);
    try {
      const value = () =>
        runInScope("gradcheck", () => {
          const out = fn(...inputs).toTypedArray();
          let sum = 0;
          for (let i = 0; i < out.length; i++) sum += out[i]! * weights[i]!;
          return sum;
        });
      for (const [k, x] of chosen.entries()) {
        const gradient = analytic[k]?.toTypedArray() ?? new Float32Array(x.numel);
        for (let i = 0; i < x.numel; i++) {
          const original = x.view()[i]!;
          const above = Math.fround(original + eps);
          const below = Math.fround(original - eps);
          poke(x, i, above);
          const high = value();
          poke(x, i, below);
          const low = value();
          poke(x, i, original);
          const numeric = (high - low) / (above - below);
          if (Math.abs(gradient[i]! - numeric) <= tolerance * Math.max(1, Math.abs(numeric))) continue;
          if (!raise) return false;
          throw new Error(
            `gradcheck: ${y.op}: input ${inputs.indexOf(x)} ${show(x.shape)}, element ${i}: the gradient is ${gradient[i]}, ` +
              `differences give ${numeric} (eps ${eps}, tolerance ${tolerance}, seed ${seed}).`,
          );
        }
      }
      return true;
    } finally {
      setRecording(before);
    }
  });
}

function poke(x: Tensor, i: number, value: number): void {
  x.storage.written();
  x.view()[i] = value;
}
