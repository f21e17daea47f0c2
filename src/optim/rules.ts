// The optimizers beside SGD and Adam: their options, states, and what the kernel `optimize` gets of them. The formulas
// stand in assembly/update.ts.
import { rangeError } from "../error.js";
import { extra, type Ptr } from "../kernels/index.js";
import { checkNumbers, Optimizer, type Params } from "./optimizer.js";

/** Options that all of these optimizers share. */
export interface RuleOptions {
  /** Learning rate. */
  lr: number;
  /** L2 penalty: weightDecay · w is added to the gradient (Lion: w shrinks by lr · weightDecay); default 0. */
  weightDecay: number;
  /** Climb instead of descend; default false. */
  maximize: boolean;
}

/** An optimizer as the kernel sees it. */
interface Rule<Options> {
  /** Its number in assembly/update.ts. */
  readonly number: number;
  readonly defaults: Omit<Options, "weightDecay" | "maximize">;
  readonly states: (options: Options) => readonly string[];
  /** a, b, c, d of assembly/update.ts. */
  readonly arguments: (options: Options) => readonly number[];
  readonly limits?: Readonly<Record<string, number>>;
  /** The state that is not 0 at first, and the option that says what it is. */
  readonly start?: readonly [state: string, value: (options: Options) => number];
}

/** An optimizer whose rule runs elementwise in one kernel over the group's table. */
export abstract class RuleOptimizer<Options extends RuleOptions> extends Optimizer<Options> {
  protected constructor(name: keyof typeof rules, params: Params<Options>, options: Partial<Options>) {
    super(name, params, options, { ...rules[name].defaults, weightDecay: 0, maximize: false } as unknown as Options);
  }

  private get rule(): Rule<Options> {
    return rules[this.name as keyof typeof rules] as unknown as Rule<Options>;
  }

  protected checkGroup(group: Options): void {
    checkNumbers(this.name, group, this.rule.limits);
  }

  /** @internal */
  protected override stateNames(group: Options): readonly string[] {
    return this.rule.states(group);
  }

  /** @internal */
  protected override knownStates(): readonly string[] {
    // With every option on; NAdam's third name stands for none.
    return this.rule.states({ centered: true, momentum: 1 } as unknown as Options);
  }

  /** @internal */
  protected override startOf(name: string, group: Options): number {
    const { start } = this.rule;
    return start?.[0] === name ? start[1](group) : 0;
  }

  /** @internal */
  protected override update(table: Ptr, count: number, group: Options): void {
    const { lr, weightDecay, maximize } = group;
    const [a = 0, b = 0, c = 0, d = 0] = this.rule.arguments(group);
    const { eps = 0 } = group as { eps?: number };
    extra().optimize(table, count, this.rule.number, lr, a, b, c, d, eps, weightDecay, Number(maximize));
  }
}

/** Options of `Adagrad`. */
export interface AdagradOptions extends RuleOptions {
  /** The rate falls as lr / (1 + t · lrDecay); default 0. */
  lrDecay: number;
  /** What the sum of squares starts from; default 0. */
  initialAccumulatorValue: number;
  /** Added to the denominator; default 1e-10. */
  eps: number;
}

/** Adagrad (Duchi et al. 2011): s ← s + g²; w ← w − lr·g/(√s + eps). lr 0.01. PyTorch: `torch.optim.Adagrad`. */
export class Adagrad extends RuleOptimizer<AdagradOptions> {
  constructor(params: Params<AdagradOptions>, options: Partial<AdagradOptions> = {}) {
    super("Adagrad", params, options);
  }
}

/** Options of `Adadelta`. */
export interface AdadeltaOptions extends RuleOptions {
  /** Decay of the running means; default 0.9. */
  rho: number;
  /** Added within the roots; default 1e-6. */
  eps: number;
}

/**
 * Adadelta (Zeiler 2012): s ← ρs + (1−ρ)g²; Δ = √(u + eps)/√(s + eps)·g; u ← ρu + (1−ρ)Δ²; w ← w − lr·Δ. lr 1. PyTorch:
 * `torch.optim.Adadelta`.
 */
export class Adadelta extends RuleOptimizer<AdadeltaOptions> {
  constructor(params: Params<AdadeltaOptions>, options: Partial<AdadeltaOptions> = {}) {
    super("Adadelta", params, options);
  }
}

/** Options of `RMSprop`. */
export interface RMSpropOptions extends RuleOptions {
  /** Decay of the running means; default 0.99. */
  alpha: number;
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** Share of the former direction that is kept; default 0. */
  momentum: number;
  /** Divide by the root of the variance, not of the mean square; default false. */
  centered: boolean;
}

/**
 * RMSprop (Tieleman and Hinton 2012): s ← αs + (1−α)g²; w ← w − lr·g/(√s + eps), with momentum over the quotient; centered:
 * s less the square of the mean gradient. lr 0.01. PyTorch: `torch.optim.RMSprop`.
 */
export class RMSprop extends RuleOptimizer<RMSpropOptions> {
  constructor(params: Params<RMSpropOptions>, options: Partial<RMSpropOptions> = {}) {
    super("RMSprop", params, options);
  }
}

/** Options of `Adamax` and `RAdam`. */
export interface BetasOptions extends RuleOptions {
  /** Decay of the running means of the gradient and of its square (Adamax: its greatest absolute value); default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps: number;
}

/** Adamax (Kingma and Ba 2015): Adam with u ← max(β₂u, |g| + eps) for √v̂. lr 0.002. PyTorch: `torch.optim.Adamax`. */
export class Adamax extends RuleOptimizer<BetasOptions> {
  constructor(params: Params<BetasOptions>, options: Partial<BetasOptions> = {}) {
    super("Adamax", params, options);
  }
}

/** Options of `NAdam`. */
export interface NAdamOptions extends BetasOptions {
  /** How fast the momentum rises to β₁: μ_t = β₁(1 − 0.96^(t·momentumDecay)/2); default 0.004. */
  momentumDecay: number;
}

/** NAdam: Adam with Nesterov's momentum (Dozat 2016), as PyTorch 1.13 has it. lr 0.002. PyTorch: `torch.optim.NAdam`. */
export class NAdam extends RuleOptimizer<NAdamOptions> {
  constructor(params: Params<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super("NAdam", params, options);
  }
}

/** RAdam: Adam whose rate is rectified while the squares are few (Liu et al. 2020). lr 0.001. PyTorch: `torch.optim.RAdam`. */
export class RAdam extends RuleOptimizer<BetasOptions> {
  constructor(params: Params<BetasOptions>, options: Partial<BetasOptions> = {}) {
    super("RAdam", params, options);
  }
}

/** Options of `Lion`. */
export interface LionOptions extends RuleOptions {
  /** Shares of the momentum in the direction, and in the momentum to come; default [0.9, 0.99]. */
  betas: readonly [number, number];
}

/** Lion (Chen et al. 2023): w ← w − lr·(sign(β₁m + (1−β₁)g) + weightDecay·w); m ← β₂m + (1−β₂)g. lr 1e-4. */
export class Lion extends RuleOptimizer<LionOptions> {
  constructor(params: Params<LionOptions>, options: Partial<LionOptions> = {}) {
    super("Lion", params, options);
  }
}

/** Options of `Rprop`. */
export interface RpropOptions extends RuleOptions {
  /** Factors of the step size where the gradient's sign turned, and where it stayed; default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** Least and greatest step size; default [1e-6, 50]. */
  stepSizes: readonly [number, number];
}

/**
 * Resilient backpropagation (Riedmiller and Braun 1993), for whole batches: a step size for each weight, which grows while
 * the gradient keeps its sign. lr is the first step size, 0.01. PyTorch: `torch.optim.Rprop`.
 */
export class Rprop extends RuleOptimizer<RpropOptions> {
  constructor(params: Params<RpropOptions>, options: Partial<RpropOptions> = {}) {
    super("Rprop", params, options);
  }

  protected override checkGroup(group: RpropOptions): void {
    super.checkGroup(group);
    const [[low, high], [least, most]] = [group.etas, group.stepSizes];
    if (!(low > 0 && low < 1 && high > 1))
      throw rangeError("Rprop", `etas must be below and above 1: got ${low}, ${high}`);
    if (!(least >= 0 && least <= most)) throw rangeError("Rprop", `stepSizes must rise: got ${least}, ${most}`);
  }
}

const betas = [0.9, 0.999] as const;
const moments: readonly string[] = ["expAvg", "expAvgSq"];

const rules = {
  Adagrad: {
    number: 0,
    defaults: { lr: 0.01, lrDecay: 0, initialAccumulatorValue: 0, eps: 1e-10 },
    states: () => ["sum"],
    arguments: ({ lrDecay }) => [lrDecay],
    start: ["sum", ({ initialAccumulatorValue }) => initialAccumulatorValue],
  } satisfies Rule<AdagradOptions>,
  Adadelta: {
    number: 1,
    defaults: { lr: 1, rho: 0.9, eps: 1e-6 },
    states: () => ["squareAvg", "accDelta"],
    arguments: ({ rho }) => [rho],
    limits: { rho: 1 },
  } satisfies Rule<AdadeltaOptions>,
  RMSprop: {
    number: 2,
    defaults: { lr: 0.01, alpha: 0.99, eps: 1e-8, momentum: 0, centered: false },
    states: ({ centered, momentum }) => [
      "squareAvg",
      centered ? "gradAvg" : "squareAvg",
      momentum > 0 ? "momentumBuffer" : "squareAvg",
    ],
    arguments: ({ alpha, centered, momentum }) => [alpha, 0, Number(centered), momentum],
    limits: { alpha: 1 },
  } satisfies Rule<RMSpropOptions>,
  Adamax: {
    number: 3,
    defaults: { lr: 0.002, betas, eps: 1e-8 },
    states: () => ["expAvg", "expInf"],
    arguments: ({ betas }) => betas,
  } satisfies Rule<BetasOptions>,
  NAdam: {
    number: 4,
    defaults: { lr: 0.002, betas, eps: 1e-8, momentumDecay: 0.004 },
    // The third place is no state of its own; the fourth, a scalar, is the product of the momenta.
    states: () => [...moments, "expAvg", "muProduct"],
    arguments: ({ betas, momentumDecay }) => [...betas, momentumDecay],
    start: ["muProduct", () => 1],
  } satisfies Rule<NAdamOptions>,
  RAdam: {
    number: 5,
    defaults: { lr: 0.001, betas, eps: 1e-8 },
    states: () => moments,
    arguments: ({ betas }) => betas,
  } satisfies Rule<BetasOptions>,
  Lion: {
    number: 6,
    defaults: { lr: 0.0001, betas: [0.9, 0.99] },
    states: () => ["expAvg"],
    arguments: ({ betas }) => betas,
  } satisfies Rule<LionOptions>,
  Rprop: {
    number: 7,
    defaults: { lr: 0.01, etas: [0.5, 1.2], stepSizes: [1e-6, 50] },
    states: () => ["prev", "stepSize"],
    arguments: ({ etas, stepSizes }) => [...etas, ...stepSizes],
    start: ["stepSize", ({ lr }) => lr],
  } satisfies Rule<RpropOptions>,
};
