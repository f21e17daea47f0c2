// What a rule is: how a call of a kernel is cut into calls that together compute exactly what it would. A part calls the
// same loops on a range whose values do not depend on the cut, so that results are the same bits for any number of parts.
import type { Kernels, Parts } from "../generated/kernels.js";

/** Kernels that a threaded build holds: the library's, and those that compute parts. */
export type AllKernels = Kernels & Parts;

/** Who runs the parts of a call. */
export interface Team {
  /** The kernels themselves. */
  readonly kernels: AllKernels;
  /** How many parts are worth making of work that takes `ns` nanoseconds; 1 for none. */
  parts(ns: number): number;
  /** Adds a call to the job; answers its number. */
  add(kernel: keyof AllKernels, args: readonly number[]): number;
  /** Runs the calls that were added, at once and in any order, and empties the job. */
  run(): void;
  /** What a call of the last job returned. */
  result(call: number): number;
  /** Memory for one job: 64-byte aligned, contents undefined. */
  room(bytes: number): number;
  /** The heap as words. */
  words(): Uint32Array;
}

export interface Rule<A extends readonly number[]> {
  /** Nanoseconds the call takes, about. */
  work(...args: A): number;
  /** Runs a call in parts and gives its result, or gives `undefined` where it cannot be cut. */
  cut(team: Team, args: A, parts: number): number | undefined;
}

type Numbers<A extends readonly unknown[]> = { [I in keyof A]: number };

/** A kernel's parameters, seen as numbers. */
export type ArgsOf<K extends keyof Kernels> = Numbers<Parameters<Kernels[K]>>;

export type RuleOf<K extends keyof Kernels> = Rule<ArgsOf<K>>;

/**
 * Where part `index` of `parts` begins among `count` units, of which `grain` at a time stay together. The last part takes
 * what is left, so that none is smaller than `grain` unless there is but one.
 */
export function cutAt(index: number, parts: number, count: number, grain: number): number {
  return index === parts ? count : Math.floor((Math.floor(count / grain) * index) / parts) * grain;
}

/** Calls `part` with each range that is not empty. */
export function eachPart(parts: number, count: number, grain: number, part: (from: number, to: number) => void): void {
  for (let i = 0; i < parts; i++) {
    const from = cutAt(i, parts, count, grain);
    const to = cutAt(i + 1, parts, count, grain);
    if (to > from) part(from, to);
  }
}

/** Bytes, rounded up to whole cache lines. */
export const lines = (bytes: number): number => Math.ceil(bytes / 64) * 64;

/** Along which argument a call is cut, and what else changes from part to part. */
export interface Along<A extends readonly number[]> {
  readonly work: (...args: A) => number;
  /** Bytes from one unit to the next, for each pointer argument up to the last that advances. */
  readonly steps: (...args: A) => readonly number[];
  /** Units that stay together; 1 if left out. */
  readonly grain?: number;
  /** Memory of its own that each part needs: the argument, and how many bytes. */
  readonly scratch?: readonly [argument: number, bytes: (team: Team, ...args: A) => number];
  /** For kernels that answer −1 or the position of the first bad index: positions from one unit to the next. */
  readonly positions?: (...args: A) => number;
}

/** Cuts along the units that argument `at` counts. Absent operands (null pointers) stay absent. */
export function cutAlong<A extends readonly number[]>(
  kernel: keyof Kernels,
  at: number,
  { work, steps, grain = 1, scratch, positions }: Along<A>,
): Rule<A> {
  const cut = (team: Team, args: A, parts: number): number | undefined => {
    const count = args[at]!;
    if (count < 2 * grain) return undefined;
    const step = steps(...args);
    const own = scratch === undefined ? 0 : lines(scratch[1](team, ...args) >>> 0);
    let room = own === 0 ? 0 : team.room(parts * own);
    const begins: number[] = [];
    eachPart(parts, count, grain, (from, to) => {
      const part = args.slice();
      part[at] = to - from;
      for (let i = 0; i < step.length; i++) if (args[i] !== 0) part[i] = args[i]! + from * step[i]!;
      if (scratch !== undefined) {
        part[scratch[0]] = room;
        room += own;
      }
      team.add(kernel, part);
      begins.push(from);
    });
    team.run();
    if (positions === undefined) return 0;
    const each = positions(...args);
    const found = begins.map((from, i) => ({ from, bad: team.result(i) })).find(({ bad }) => bad >= 0);
    return found === undefined ? -1 : found.bad + found.from * each;
  };
  return { work, cut };
}

/** The same for one kernel, whose parameters are known. */
export function along<K extends keyof Kernels>(kernel: K, at: number, how: Along<ArgsOf<K>>): RuleOf<K> {
  return cutAlong<ArgsOf<K>>(kernel, at, how);
}
