// Rules of the kernels that walk four axes with strides.
import type { Kernels } from "../generated/kernels.js";
import { eachPart, type Rule, type Team } from "./rule.js";

/** First axis of more than one element among the four whose sizes begin at argument `at`; the last one if there is none. */
function outermost(args: readonly number[], at: number): number {
  let axis = 0;
  while (axis < 3 && args[at + axis] === 1) axis++;
  return axis;
}

/** y contiguous, of two operands that broadcast: arguments a, b, y from `first` on, then sizes and both strides. */
export function broadcast(kernel: keyof Kernels, first: number, ns: number): Rule<number[]> {
  const sizes = first + 3;
  const work = (...args: number[]) => args[sizes]! * args[sizes + 1]! * args[sizes + 2]! * args[sizes + 3]! * ns;
  const cut = (team: Team, args: number[], parts: number): number | undefined => {
    const axis = outermost(args, sizes);
    let row = 1;
    for (let i = axis + 1; i < 4; i++) row *= args[sizes + i]!;
    const count = args[sizes + axis]!;
    const grain = axis === 3 ? 16 : 1;
    if (count < 2 * grain) return undefined;
    eachPart(parts, count, grain, (from, to) => {
      const part = args.slice();
      part[first]! += 4 * from * args[sizes + 4 + axis]!;
      part[first + 1]! += 4 * from * args[sizes + 8 + axis]!;
      part[first + 2]! += 4 * from * row;
      part[sizes + axis] = to - from;
      team.add(kernel, part);
    });
    team.run();
    return 0;
  };
  return { work, cut };
}

/** Whether no two elements of a view lie at one address: each stride leaves room for all that the smaller ones span. */
function apart(sizes: readonly number[], strides: readonly number[]): boolean {
  const axes = [0, 1, 2, 3].filter((axis) => sizes[axis]! > 1);
  axes.sort((i, j) => Math.abs(strides[i]!) - Math.abs(strides[j]!));
  let span = 0;
  for (const axis of axes) {
    const stride = Math.abs(strides[axis]!);
    if (stride <= span) return false;
    span += (sizes[axis]! - 1) * stride;
  }
  return true;
}

/** x to y, both with strides; y's elements must lie apart, or their order would matter. */
export function strided(kernel: "copyStrided" | "addStrided", ns: number): Rule<number[]> {
  const work = (...args: number[]) => args[2]! * args[3]! * args[4]! * args[5]! * ns;
  const cut = (team: Team, args: number[], parts: number): number | undefined => {
    const sizes = args.slice(2, 6);
    const strides = args.slice(10, 14);
    const axis = outermost(args, 2);
    const grain = axis === 3 ? 16 : 1;
    const count = sizes[axis]!;
    if (count < 2 * grain || !apart(sizes, strides)) return undefined;
    eachPart(parts, count, grain, (from, to) => {
      const part = args.slice();
      part[0]! += 4 * from * args[6 + axis]!;
      part[1]! += 4 * from * strides[axis]!;
      part[2 + axis] = to - from;
      team.add(kernel, part);
    });
    team.run();
    return 0;
  };
  return { work, cut };
}
