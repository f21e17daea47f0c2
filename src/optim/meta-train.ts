// Meta-training: the weights of a LearnedRule by gradient descent, through the steps that it takes.
import { checkInteger, checkNumber, checkOptions, rangeError } from "../error.js";
import { add, sub } from "../ops/index.js";
import { grad, scope, steps } from "../tape/index.js";
import { type Tensor, tensor } from "../tensor/index.js";
import { Adam } from "./adam.js";
import { clipGradNorm } from "./clip.js";
import type { LearnedRule, RuleState } from "./learned.js";

/** What a rule learns from: a loss, and where its parameters start. `functionalCall` makes one of a module. */
export interface MetaTask {
  readonly start: Readonly<Record<string, Tensor>>;
  readonly loss: (params: Record<string, Tensor>) => Tensor;
}

/** Options of `metaTrain`. */
export interface MetaTrainOptions {
  /** Tasks that are drawn; default 100. */
  readonly episodes?: number;
  /** Updates of the rule on each; default 100. */
  readonly steps?: number;
  /** Updates that the gradient flows back through at a time; default 20. */
  readonly unroll?: number;
  /** Learning rate of Adam, which trains the rule; default 0.003. */
  readonly lr?: number;
  /**
   * Differentiate the tasks' gradients too: exact, by second derivatives. By default they are taken as given, as in the
   * paper, which learns more steadily: the derivative of the rule's ln|g| grows without bound where the gradient vanishes.
   */
  readonly secondOrder?: boolean;
}

/** A task under way. */
export interface Place {
  readonly params: Record<string, Tensor>;
  readonly states: readonly RuleState[];
  /** The loss there. */
  readonly value: Tensor;
}

/** `count` updates by the rule, all on the tape: where they lead, and the sum of the losses on the way. */
export function unrolled(
  rule: LearnedRule,
  loss: MetaTask["loss"],
  place: Place,
  count: number,
  secondOrder: boolean,
): Place & { readonly total: Tensor } {
  let { params, states, value } = place;
  let total: Tensor | undefined;
  for (let i = 0; i < count; i++) {
    const names = Object.keys(params);
    const gradients = grad(value, Object.values(params), { createGraph: secondOrder, retainGraph: true });
    const moves = gradients.map((gradient, k) => rule.forward([gradient, states[k]!]));
    params = Object.fromEntries(names.map((name, k) => [name, sub(params[name]!, moves[k]![0])]));
    states = moves.map(([, state]) => state);
    value = loss(params);
    total = total === undefined ? value : add(total, value);
  }
  return { params, states, value, total: total! };
}

/**
 * Trains a rule to make the losses along its way small: an episode draws a task and takes `steps` updates on it, and every
 * `unroll` of them Adam moves the rule's weights. Gives each episode's last loss. Tasks should have losses of one scale.
 *
 * @param task draws a task of the family, given the episode's number.
 */
export function metaTrain(
  rule: LearnedRule,
  task: (episode: number) => MetaTask,
  options: MetaTrainOptions = {},
): number[] {
  const op = "metaTrain";
  checkOptions(op, options, ["episodes", "steps", "unroll", "lr", "secondOrder"]);
  const episodes = checkInteger(op, "episodes", options.episodes ?? 100, 1);
  const count = checkInteger(op, "steps", options.steps ?? 100, 1);
  const unroll = checkInteger(op, "unroll", options.unroll ?? 20, 1);
  const lr = checkNumber(op, "lr", options.lr ?? 0.003, 0);
  const weights = rule.parameters();
  const optimizer = new Adam(weights, { lr });
  const losses: number[] = [];
  for (const episode of steps(episodes)) {
    const { start, loss } = task(episode);
    let params: Record<string, Tensor> = start;
    let states = Object.values(start).map(({ numel }) => rule.start(numel));
    let last = Number.NaN;
    for (let t = 0; t < count; t += unroll) {
      ({ params, states, last } = scope(() => {
        const leaves = Object.entries(params).map(([name, x]) => [name, tensor(x, { requiresGrad: true })]);
        const from = Object.fromEntries(leaves) as Record<string, Tensor>;
        const place: Place = { params: from, states, value: loss(from) };
        const end = unrolled(rule, loss, place, Math.min(unroll, count - t), options.secondOrder ?? false);
        const last = end.value.item();
        if (!Number.isFinite(last)) throw rangeError(op, `the loss was ${last} in episode ${episode}`, "Lower lr.");
        // Not backward(): the tasks' parameters would get gradients too.
        const gradients = grad(end.total, weights);
        for (const [i, weight] of weights.entries()) weight.grad = gradients[i]!;
        clipGradNorm(weights, 1);
        optimizer.step();
        return {
          params: Object.fromEntries(Object.entries(end.params).map(([name, x]) => [name, x.detach()])),
          states: end.states.map(([h, c]): RuleState => [h.detach(), c.detach()]),
          last,
        };
      }));
    }
    losses.push(last);
  }
  optimizer.zeroGrad();
  return losses;
}
