// A table of kernels that share their work.
import type { Kernels } from "../generated/kernels.js";
import { convPlan } from "./convolve.js";
import type { Rule, Team } from "./rule.js";
import { rules } from "./rules.js";
import { tuning } from "./team.js";

type Call = (...args: number[]) => number;

/**
 * A kernel that is cut where it is worth while. The arguments of a call that is not are only passed on, which engines do
 * without making an array of them: a small call costs some ten nanoseconds more.
 */
function shared(team: Team, { work, cut }: Rule<number[]>, kernel: Call): Call {
  const share: Call = (...args) => {
    const parts = team.parts(work(...args));
    return parts === 1 ? kernel(...args) : (cut(team, args, parts) ?? kernel(...args));
  };
  return (...args) => (work(...args) < 2 * tuning.least ? kernel(...args) : share(...args));
}

/** The kernels, those that can be cut replaced by ones that do it. */
export function shareWork(team: Team, kernels: Kernels): Kernels {
  const table = { ...kernels } as unknown as Record<string, Call>;
  for (const [name, rule] of Object.entries(rules)) {
    table[name] = shared(team, rule as unknown as Rule<number[]>, table[name]!);
  }
  table.convPlan = convPlan.bind(null, kernels.convPlan as unknown as Call) as unknown as Call;
  return table as unknown as Kernels;
}
