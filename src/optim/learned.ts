// An optimizer that was itself trained: a small LSTM, the same for every coordinate, proposes the updates.
import { checkInteger, checkKind, checkNumber, checkOptions } from "../error.js";
import { Linear, LSTMCell, Module } from "../nn/index.js";
import { abs, clamp, copy, div, log, mul, reshape, stack, sub } from "../ops/index.js";
import { noGrad } from "../tape/index.js";
import { scalarExp, type Tensor, zeros } from "../tensor/index.js";
import { checkNumbers, Optimizer, type ParamGroup, type Params } from "./optimizer.js";

/** What a rule remembers of each coordinate: its LSTM's state, each `[coordinates, hidden]`. */
export type RuleState = [h: Tensor, c: Tensor];

/** Options of `LearnedRule`. */
export interface LearnedRuleOptions {
  /** Units of the LSTM; default 20. */
  readonly hidden?: number;
  /** Factor of what it proposes; default 0.1. */
  readonly scale?: number;
}

/** p of the paper: gradients below e^−p count as small. */
const span = 10;

/**
 * The rule of a `LearnedOptimizer`: an LSTM over the steps, of the same weights for every coordinate, so that some two
 * thousand of them serve parameters of any shape. `metaTrain` finds them; they are saved as any module's.
 */
export class LearnedRule extends Module<readonly [Tensor, RuleState], [Tensor, RuleState]> {
  static override typeName = "LearnedRule";
  cell: LSTMCell;
  head: Linear;
  readonly scale: number;

  constructor(options: LearnedRuleOptions = {}) {
    super();
    checkOptions("LearnedRule", options, ["hidden", "scale"]);
    const hidden = checkInteger("LearnedRule", "hidden", options.hidden ?? 20, 1);
    this.scale = checkNumber("LearnedRule", "scale", options.scale ?? 0.1, 0);
    this.cell = new LSTMCell(2, hidden);
    this.head = new Linear(hidden, 1);
  }

  /** The state before the first step. */
  start(numel: number): RuleState {
    const shape = [numel, this.cell.hiddenSize];
    return [zeros(shape), zeros(shape)];
  }

  /**
   * What to take from the weights for a gradient, and the state to come. Gradients span many orders of magnitude, so that
   * the LSTM sees of each element its logarithm and its sign: (ln|g|/p, sign g), or (−1, eᵖ·g) where |g| < e⁻ᵖ.
   */
  forward([gradient, state]: readonly [Tensor, RuleState]): [Tensor, RuleState] {
    const g = reshape(gradient, [gradient.numel]);
    const least = scalarExp(-span);
    const size = div(log(clamp(abs(g), { min: least })), span);
    const sign = clamp(div(g, least), { min: -1, max: 1 });
    const next = this.cell.forward(stack([size, sign], 1), state);
    return [mul(reshape(this.head.forward(next[0]), gradient.shape), this.scale), next];
  }
}

/** Options of `LearnedOptimizer`. */
export interface LearnedOptimizerOptions {
  /** Factor of what the rule proposes; default 1. */
  lr: number;
}

/**
 * w ← w − lr·rule(g), with a rule that `metaTrain` has found on a family of tasks (Andrychowicz et al. 2016, Learning to
 * learn by gradient descent by gradient descent). It is good at that family, and promises nothing elsewhere. It remembers
 * 2·hidden numbers of every weight: for small models.
 *
 * @example
 * import { randn } from "gradine";
 * import { LearnedOptimizer, LearnedRule, metaTrain } from "gradine/optim";
 * const rule = new LearnedRule();
 * const task = () => {
 *   const goal = randn([20]);
 *   return { start: { w: randn([20]) }, loss: ({ w }) => w.sub(goal).square().sum() };
 * };
 * metaTrain(rule, task, { episodes: 20, steps: 20 });
 * const w = randn([3], { requiresGrad: true });
 * const optimizer = new LearnedOptimizer([w], { rule });
 * w.square().sum().backward();
 * optimizer.step();
 */
export class LearnedOptimizer extends Optimizer<LearnedOptimizerOptions> {
  readonly rule: LearnedRule;

  constructor(
    params: Params<LearnedOptimizerOptions>,
    { rule, ...options }: Partial<LearnedOptimizerOptions> & { readonly rule: LearnedRule } = {} as never,
  ) {
    super("LearnedOptimizer", params, options, { lr: 1 });
    checkKind(this.name, rule instanceof LearnedRule, "rule must be a LearnedRule", rule);
    this.rule = rule;
  }

  protected checkGroup(group: LearnedOptimizerOptions): void {
    checkNumbers(this.name, group);
  }

  /** @internal */
  protected override knownStates(): readonly string[] {
    return ["h", "c"];
  }

  /** @internal */
  protected override shapeOf(_: number, { numel }: Tensor): readonly number[] {
    return [numel, this.rule.cell.hiddenSize];
  }

  /** @internal Without the kernel's table: the rule is a network. */
  protected override stepGroup(group: ParamGroup<LearnedOptimizerOptions>): void {
    for (const param of group.params) {
      const { grad } = param;
      if (grad === null) continue;
      const { h, c } = this.stateOf(param, group, this.knownStates()) as { h: Tensor; c: Tensor };
      noGrad(() => {
        const [update, next] = this.rule.forward([grad, [h, c]]);
        copy(param, sub(param, mul(update, group.lr)));
        copy(h, next[0]);
        copy(c, next[1]);
      });
    }
  }
}
