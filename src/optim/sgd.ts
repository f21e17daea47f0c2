// Stochastic gradient descent.
import { checkNumber, rangeError } from "../error.js";
import { kernels, type Ptr } from "../kernels/index.js";
import { Optimizer, type Params } from "./optimizer.js";

/** Options of `SGD`. */
export interface SGDOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** Share of the former direction that is kept; default 0. */
  momentum: number;
  /** Share of the gradient that momentum leaves out; default 0. */
  dampening: number;
  /** L2 penalty: weightDecay · w is added to the gradient; default 0. */
  weightDecay: number;
  /** Look ahead along the momentum (Nesterov); default false. */
  nesterov: boolean;
  /** Climb instead of descend; default false. */
  maximize: boolean;
}

/**
 * g ← g + weightDecay·w; b ← momentum·b + (1 − dampening)·g (at first b = g); w ← w − lr·b, or with Nesterov
 * w − lr·(g + momentum·b). PyTorch: `torch.optim.SGD`.
 *
 * @example
 * import { tensor } from "gradine";
 * import { SGD } from "gradine/optim";
 * const w = tensor([1, 2], { requiresGrad: true });
 * const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
 * w.mul(w).sum().backward();
 * optimizer.step();
 * console.log(w.toArray()); // [0.8, 1.6]
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super("SGD", params, options, {
      lr: 0.001,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
    });
  }

  protected checkGroup({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    checkNumber("SGD", "lr", lr, 0);
    checkNumber("SGD", "momentum", momentum, 0);
    checkNumber("SGD", "dampening", dampening);
    checkNumber("SGD", "weightDecay", weightDecay, 0);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw rangeError(
        "SGD",
        `nesterov needs a momentum and no dampening: momentum is ${momentum}, dampening is ${dampening}`,
      );
    }
  }

  /** @internal */
  protected override stateNames({ momentum }: SGDOptions): readonly string[] {
    return momentum === 0 ? none : buffers;
  }

  /** @internal */
  protected override knownStates(): readonly string[] {
    return buffers;
  }

  /** @internal */
  protected override update(
    table: Ptr,
    count: number,
    { lr, momentum, dampening, weightDecay, nesterov, maximize }: SGDOptions,
  ): void {
    kernels.sgd(table, count, lr, momentum, dampening, weightDecay, Number(nesterov), Number(maximize));
  }
}

const none: readonly string[] = [];
const buffers: readonly string[] = ["momentumBuffer"];
