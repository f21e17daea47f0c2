// A table of kernels that share their work.
import type { Kernels } from "../generated/kernels.js";
import { convPlan } from "./convolve.js";
import type { Rule, Team } from "./rule.js";
import { rules } from "./rules.js";

/** The kernels, those that can be cut replaced by ones that do it where it is worth while. */
export function shareWork(team: Team, kernels: Kernels): Kernels {
  const table: Record<string, unknown> = { ...kernels };
  for (const [name, rule] of Object.entries({ ...rules, convPlan })) {
    const kernel = table[name] as (...args: readonly number[]) => number;
    const cut = rule as unknown as Rule<readonly number[]>;
    table[name] = (...args: number[]) => cut(team, args) ?? kernel(...args);
  }
  return table as unknown as Kernels;
}
