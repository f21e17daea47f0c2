// Adam and AdamW.
import { checkNumber } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import { checkBetas, Optimizer, type Params } from "./optimizer.js";

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** Decay of the running means of the gradient and of its square; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** Adam: weightDecay · w is added to the gradient, default 0. AdamW: w shrinks by lr · weightDecay, default 0.01. */
  weightDecay: number;
  /** Divide by the greatest mean square so far (Reddi et al. 2018); default false. */
  amsgrad: boolean;
  /** Climb instead of descend; default false. */
  maximize: boolean;
}

abstract class AdamFamily extends Optimizer<AdamOptions> {
  private readonly decoupled: boolean;

  constructor(
    name: string,
    decoupled: boolean,
    weightDecay: number,
    params: Params<AdamOptions>,
    options: Partial<AdamOptions>,
  ) {
    super(name, params, options, {
      lr: 0.001,
      betas: [0.9, 0.999],
      eps: 1e-8,
      weightDecay,
      amsgrad: false,
      maximize: false,
    });
    this.decoupled = decoupled;
  }

  protected checkGroup({ lr, betas, eps, weightDecay }: AdamOptions): void {
    checkNumber(this.name, "lr", lr, 0);
    checkNumber(this.name, "eps", eps, 0);
    checkNumber(this.name, "weightDecay", weightDecay, 0);
    checkBetas(this.name, betas);
  }

  /** @internal */
  protected override stateNames({ amsgrad }: AdamOptions): readonly string[] {
    return amsgrad ? threeStates : twoStates;
  }

  /** @internal */
  protected override knownStates(): readonly string[] {
    return threeStates;
  }

  /** @internal */
  protected override update(
    table: Ptr,
    count: number,
    { lr, betas, eps, weightDecay, amsgrad, maximize }: AdamOptions,
  ): void {
    kernels.adam(
      table,
      count,
      lr,
      betas[0],
      betas[1],
      eps,
      weightDecay,
      Number(this.decoupled),
      Number(amsgrad),
      Number(maximize),
    );
  }
}

const twoStates: readonly string[] = ["expAvg", "expAvgSq"];
const threeStates: readonly string[] = [...twoStates, "maxExpAvgSq"];

/**
 * Adam (Kingma and Ba 2015): m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← w − lr·m̂/(√v̂ + eps), with m̂ = m/(1−β₁ᵗ) and
 * v̂ = v/(1−β₂ᵗ). PyTorch: `torch.optim.Adam`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { Adam } from "gradine/optim";
 * const w = tensor([1], { requiresGrad: true });
 * const optimizer = new Adam([w], { lr: 0.1 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * console.log(w.item().toFixed(4)); // 0.9000
 */
export class Adam extends AdamFamily {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super("Adam", false, 0, params, options);
  }
}

/** Adam with decoupled weight decay: w ← w − lr·weightDecay·w first (Loshchilov and Hutter 2019). PyTorch: `torch.optim.AdamW`. */
export class AdamW extends AdamFamily {
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super("AdamW", true, 0.01, params, options);
  }
}
