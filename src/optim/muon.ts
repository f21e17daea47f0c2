// Muon: momentum whose matrix is made orthogonal, by products of matrices.
import { rangeError, show } from "../error.js";
import { add, copy, div, matmul, mul, sqrt, square, sub, sum, transpose } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkNumbers, Optimizer, type ParamGroup, type Params } from "./optimizer.js";

/** Options of `Muon`. */
export interface MuonOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** w shrinks by lr · weightDecay; default 0.1. */
  weightDecay: number;
  /** Share of the former direction that is kept; default 0.95. */
  momentum: number;
  /** Look ahead along the momentum (Nesterov); default true. */
  nesterov: boolean;
  /** Added to the norm that the direction is divided by; default 1e-7. */
  eps: number;
  /** Steps of the Newton-Schulz iteration; default 5. */
  nsSteps: number;
  /** Its coefficients a, b, c: x ← a·x + (b·xxᵀ + c·(xxᵀ)²)·x; default [3.4445, −4.775, 2.0315]. */
  nsCoefficients: readonly [number, number, number];
  /** Climb instead of descend; default false. */
  maximize: boolean;
}

/**
 * Muon (Jordan et al. 2024) for weights `[out, in]`; give biases, embeddings and heads to AdamW.
 * b ← momentum·b + (1−momentum)·g; u = Newton-Schulz of b (Nesterov: of momentum·b + (1−momentum)·g), nearly orthogonal;
 * w ← w − lr·√max(1, out/in)·u. PyTorch (2.9): `torch.optim.Muon`.
 *
 * @example
 * import { randn } from "gradine";
 * import { Muon } from "gradine/optim";
 * const w = randn([4, 3], { requiresGrad: true });
 * const optimizer = new Muon([w], { lr: 0.02 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 */
export class Muon extends Optimizer<MuonOptions> {
  constructor(params: Params<MuonOptions>, options: Partial<MuonOptions> = {}) {
    super("Muon", params, options, {
      lr: 0.001,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      eps: 1e-7,
      nsSteps: 5,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      maximize: false,
    });
  }

  protected checkGroup(group: MuonOptions): void {
    checkNumbers(this.name, group, { momentum: 1 });
  }

  /** @internal */
  protected override checkParam(param: Tensor, position: string): void {
    if (param.ndim !== 2) {
      throw rangeError(
        this.name,
        `takes matrices: got ${show(param.shape)} (${position})`,
        "Give other parameters to AdamW.",
      );
    }
  }

  /** @internal */
  protected override knownStates(): readonly string[] {
    return ["momentumBuffer"];
  }

  /** @internal Without the kernel's table: its work are matrix products. */
  protected override stepGroup(group: ParamGroup<MuonOptions>): void {
    const { lr, weightDecay, momentum, nesterov, eps, nsSteps, nsCoefficients, maximize } = group;
    for (const param of group.params) {
      const { grad } = param;
      if (grad === null) continue;
      const { momentumBuffer: buffer } = this.stateOf(param, group, ["momentumBuffer"]) as { momentumBuffer: Tensor };
      noGrad(() => {
        const share = maximize ? momentum - 1 : 1 - momentum;
        const towards = (x: Tensor) => add(mul(x, momentum), mul(grad, share));
        copy(buffer, towards(buffer));
        const wide = orthogonal(nesterov ? towards(buffer) : buffer, nsSteps, nsCoefficients, eps);
        const rate = lr * Math.sqrt(Math.max(1, param.shape[0]! / param.shape[1]!));
        // Not param · (1 − lr·weightDecay), whose rounding would add up.
        copy(param, sub(param, add(mul(param, lr * weightDecay), mul(wide, rate))));
      });
    }
  }
}

/** Nearly u·vᵀ of x = u·s·vᵀ: the iteration draws the singular values to about 1. */
function orthogonal(x: Tensor, steps: number, [a, b, c]: readonly [number, number, number], eps: number): Tensor {
  // The smaller of x·xᵀ and xᵀ·x costs less.
  const tall = x.shape[0]! > x.shape[1]!;
  const flipped = tall ? transpose(x, 0, 1) : x;
  let y = div(flipped, add(sqrt(sum(square(flipped))), eps));
  for (let i = 0; i < steps; i++) {
    const s = matmul(y, transpose(y, 0, 1));
    y = add(mul(y, a), matmul(add(mul(s, b), mul(matmul(s, s), c)), y));
  }
  return tall ? transpose(y, 0, 1) : y;
}
