// The rule of convolutions. A part has a plan of its own, since a plan is also the scratch memory of its call; the arguments
// that the plan of the whole was made with are those of `convPlan`, which are noted for that.
import { type ArgsOf, eachPart, lines, type RuleOf, type Team } from "./rule.js";

const FORWARD = 0;
const WEIGHT = 2;

/** Nanoseconds a multiplication and addition. */
const ns = 0.05;

type PlanArgs = ArgsOf<"convPlan">;

/** Of the plan that lies at an address: its arguments, how many bytes it wants, and nanoseconds of its product. */
const plans = new Map<number, { args: PlanArgs; bytes: number; work: number }>();

const product = (args: readonly number[], from: number) => args[from]! * args[from + 1]! * args[from + 2]!;

/** What `convPlan` does, noted. */
export function convPlan(kernel: (...args: PlanArgs) => number, ...args: PlanArgs): number {
  const bytes = kernel(...args) >>> 0;
  const [scratch, , batch, groups, channels, filters] = args;
  const work = batch * groups * channels * filters * product(args, 9) * product(args, 12) * ns;
  plans.set(scratch, { args, bytes, work });
  return bytes;
}

/** Plans `parts` products like the one with these arguments, each with `change`d ones. */
function planParts(team: Team, parts: number, bytes: number) {
  const own = lines(bytes);
  let at = team.room(parts * own);
  const write = team.kernels.convPlan as unknown as (...args: number[]) => number;
  return (args: PlanArgs, changes: Readonly<Record<number, number>> = {}): number => {
    const mine = [...args];
    mine[0] = at;
    for (const i in changes) mine[i] = changes[i]!;
    write(...mine);
    at += own;
    return at - own;
  };
}

function cut(team: Team, [plan, a, b, bias, y]: ArgsOf<"convolve">, parts: number): number | undefined {
  const { args, bytes } = plans.get(plan)!;
  const [, op, batch, groups, channels, filters] = args;
  const [inSize, outSize, window] = [product(args, 6), product(args, 9), product(args, 12)];
  const k = channels * window;
  const shift = (count: number) => (bias === 0 ? 0 : bias + 4 * count);
  if (op === WEIGHT) {
    // Sums over all images: whole groups, or taps of the only one, eight of which make a panel.
    if (groups > 1) {
      const planned = planParts(team, parts, bytes);
      eachPart(parts, groups, 1, (from, to) => team.add("convolvePart", [planned(args), a, b, y, from, to, 0, k]));
    } else {
      if (k < 16) return undefined;
      const planned = planParts(team, parts, bytes);
      eachPart(parts, k, 8, (from, to) => team.add("convolvePart", [planned(args), a, b, y, 0, 1, from, to]));
    }
  } else {
    const forward = op === FORWARD;
    const [source, result] = forward ? [channels * inSize, filters * outSize] : [filters * outSize, channels * inSize];
    if (batch > 1) {
      const planned = planParts(team, parts, bytes);
      eachPart(parts, batch, 1, (from, to) => {
        const at = planned(args, { 2: to - from });
        team.add("convolve", [at, a + 4 * from * groups * source, b, bias, y + 4 * from * groups * result]);
      });
    } else if (groups > 1) {
      const planned = planParts(team, parts, bytes);
      eachPart(parts, groups, 1, (from, to) => {
        const at = planned(args, { 3: to - from });
        const weights = b + 4 * from * filters * k;
        const pBias = shift(from * (forward ? filters : channels));
        team.add("convolve", [at, a + 4 * from * source, weights, pBias, y + 4 * from * result]);
      });
    } else {
      if (!forward || filters < 8) return undefined;
      const planned = planParts(team, parts, bytes);
      eachPart(parts, filters, 4, (from, to) => {
        const at = planned(args, { 5: to - from });
        team.add("convolve", [at, a, b + 4 * from * k, shift(from), y + 4 * from * outSize]);
      });
    }
  }
  team.run();
  return 0;
}

export const convolve: RuleOf<"convolve"> = { work: (plan) => plans.get(plan)!.work, cut };
