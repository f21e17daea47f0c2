// Rows of x[…]: reading, copies with a part written, writing in place. The reference walks the indices one by one.
import { at, type Index, indexPut, setAt, type Tensor } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, flags, input, integers, kinds } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];
/** An index of a row: tensors are the inputs after x, by their number from 0, written as "#0". */
type Spec = Index | `#${number}`;

/** Positions of start:end:step in n. */
function positions([start, end, step = 1]: readonly (number | null | undefined)[], n: number): number[] {
  const low = start == null ? null : start < 0 ? start + n : start;
  const high = end == null ? null : end < 0 ? end + n : end;
  const by = step ?? 1;
  const picked: number[] = [];
  if (by > 0) for (let i = Math.max(0, low ?? 0); i < Math.min(n, high ?? n); i += by) picked.push(i);
  else for (let i = Math.min(n - 1, low ?? n - 1); i > Math.max(-1, high ?? -1); i += by) picked.push(i);
  return picked;
}

/**
 * Flat positions in x of each element of x[…]: per axis of x a list of candidates or one tensor, then the rules: index
 * tensors broadcast together, and lie where the first stood, or in front if others stand between them.
 */
function places(shape: Shape, specs: readonly Spec[], tensors: readonly ref.Ref[], masks: readonly boolean[]): ref.Ref {
  interface Part {
    /** Coordinates on x's axes, for a position along (or, for tensors, in) this part. */
    readonly axes: number[];
    readonly size: number | null;
    readonly coordinates: (i: number) => number[];
    readonly index?: ref.Ref;
    readonly drops?: boolean;
  }
  const parts: Part[] = [];
  const tensorOf = (spec: Spec) => (typeof spec === "string" && spec[0] === "#" ? Number(spec.slice(1)) : -1);
  const spans = specs.map((spec) => {
    if (spec === null || spec === "...") return 0;
    const k = tensorOf(spec);
    return k >= 0 && masks[k] ? tensors[k]!.shape.length : 1;
  });
  let axis = 0;
  const wholeAxis = () => {
    const a = axis++;
    parts.push({ axes: [a], size: shape[a]!, coordinates: (i) => [i] });
  };
  specs.forEach((spec, s) => {
    if (spec === "...") {
      for (let left = shape.length - spans.reduce((n, k) => n + k, 0); left > 0; left--) wholeAxis();
    } else if (spec === ":") wholeAxis();
    else if (spec === null) parts.push({ axes: [], size: 1, coordinates: () => [] });
    else if (typeof spec === "number") {
      const n = shape[axis]!;
      parts.push({ axes: [axis++], size: 1, coordinates: () => [spec < 0 ? spec + n : spec], drops: true });
    } else if (Array.isArray(spec)) {
      const list = positions(spec as (number | null)[], shape[axis]!);
      parts.push({ axes: [axis++], size: list.length, coordinates: (i) => [list[i]!] });
    } else {
      const k = tensorOf(spec);
      const axes = Array.from({ length: spans[s]! }, (_, i) => axis + i);
      axis += axes.length;
      if (masks[k]) {
        const found: number[][] = [];
        ref.forEachIndex(tensors[k]!.shape, (index, flat) => {
          if (tensors[k]!.data[flat] !== 0) found.push([...index]);
        });
        const index = ref.make([found.length], (i) => i);
        parts.push({ axes, size: null, index, coordinates: (i) => found[i]! });
      } else {
        const n = shape[axes[0]!]!;
        const wrap = (i: number) => [i < 0 ? i + n : i];
        // A 0-d tensor drops its axis, as an integer does.
        if (tensors[k]!.shape.length === 0)
          parts.push({ axes, size: 1, coordinates: () => wrap(tensors[k]!.data[0]!), drops: true });
        else parts.push({ axes, size: null, index: tensors[k]!, coordinates: wrap });
      }
    }
  });
  while (axis < shape.length) wholeAxis();

  // What is left of the parts is the axes of the result, once dropped ones are out of the way.
  const shown = parts.filter((part) => !part.drops);
  const advanced = shown.map((part, i) => ({ part, i })).filter(({ part }) => part.index !== undefined);
  const wide = ref.broadcastShape(...advanced.map(({ part }) => part.index!.shape));
  const first = advanced[0]?.i ?? 0;
  const adjacent = advanced.every(({ i }, k) => i === first + k);
  const basic = shown.filter((part) => part.index === undefined);
  const before = adjacent ? shown.slice(0, first).length : 0;
  const sizes = basic.map((part) => part.size!);
  const result = advanced.length === 0 ? sizes : [...sizes.slice(0, before), ...wide, ...sizes.slice(before)];
  return ref.generate(result, (index) => {
    const at = new Array<number>(shape.length).fill(0);
    const put = (part: Part, i: number) =>
      part.coordinates(i).forEach((c, a) => {
        at[part.axes[a]!] = c;
      });
    for (const part of parts) if (part.drops) put(part, 0);
    const indexOfTensors = index.slice(before, before + wide.length);
    const rest = advanced.length === 0 ? index : [...index.slice(0, before), ...index.slice(before + wide.length)];
    basic.forEach((part, i) => put(part, rest[i]!));
    for (const { part } of advanced) put(part, ref.at(ref.broadcastTo(part.index!, wide), indexOfTensors));
    return ref.position(shape, at);
  });
}

const resolve = (specs: readonly Spec[], tensors: readonly Tensor[]): Index[] =>
  specs.map((spec) =>
    typeof spec === "string" && spec[0] === "#" ? tensors[Number(spec.slice(1))]! : (spec as Index),
  );

const isMask = (inputs: readonly Input[]): boolean[] => inputs.map((x) => x.dtype === "bool");

const read = (x: Shape | Input, specs: readonly Spec[], ...tensors: Input[]): Row =>
  exact(
    "at",
    JSON.stringify(specs),
    [x, ...tensors],
    (x, ...index) => at(x!, ...resolve(specs, index)),
    (x, ...index) => ref.map(places(x!.shape, specs, index, isMask(tensors)), (p) => x!.data[p]!),
  );

/** x with values (broadcast) at the places, one after another. */
function put(x: ref.Ref, where: ref.Ref, values: ref.Ref, accumulate: boolean): ref.Ref {
  const y = ref.make(x.shape, x.data);
  const extra = values.shape.length - where.shape.length;
  const fit = extra > 0 ? ref.reshape(values, values.shape.slice(extra)) : values;
  const wide = ref.broadcastTo(fit, where.shape);
  where.data.forEach((p, i) => {
    y.data[p] = wide.data[i]! + (accumulate ? y.data[p]! : 0);
  });
  return y;
}

/** A copy written, and the same in place. */
const write = (
  x: Shape | Input,
  specs: readonly Spec[],
  value: Shape | number,
  accumulate: boolean,
  ...tensors: Input[]
): Row[] => {
  const own = input(x);
  const options = accumulate ? [{ accumulate }] : [];
  const given = typeof value === "number" ? [] : [{ ...own, shape: value, transposed: false }];
  const call =
    (op: typeof setAt) =>
    (x: Tensor, ...rest: Tensor[]): Tensor =>
      op(x, resolve(specs, rest), typeof value === "number" ? value : rest[tensors.length]!, ...options);
  const want = (x: ref.Ref, ...rest: ref.Ref[]): ref.Ref =>
    put(
      x,
      places(x.shape, specs, rest, isMask(tensors)),
      typeof value === "number" ? ref.scalar(value) : rest[tensors.length]!,
      accumulate,
    );
  const name = `${JSON.stringify(specs)}${accumulate ? ", accumulated" : ""}`;
  const inputs = [own, ...tensors, ...given];
  const more: Partial<Row> = { tolerance: 1e-6 };
  return [
    exact(
      "indexPut",
      name,
      inputs,
      (x, ...rest) => call(indexPut)(x!, ...rest),
      (x, ...rest) => want(x!, ...rest),
      more,
    ),
    exact(
      "setAt",
      name,
      inputs,
      (x, ...rest) => call(setAt)(x!, ...rest),
      (x, ...rest) => want(x!, ...rest),
      {
        ...more,
        writes: 1,
        gradient: "none",
        reason: "writes in place; refuses tensors that are being recorded",
      },
    ),
  ];
};

const three = integers([3], [2, 0, -1]);
const column = integers([2, 1], [1, -2]);
const pair = integers([2], [0, 2]);
const mask5 = flags([5], [1, 0, 1, 1, 0]);
const mask34 = flags([3, 4], [1, 0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0]);

export const rows: readonly Row[] = [
  ...kinds([3, 4]).map((x) => read(x, [1])),
  read([3, 4], []),
  read([3, 4], [-1, -2]),
  read([3, 4], [":", 1]),
  read(
    [3, 4],
    [
      [1, null],
      [null, null, -2],
    ],
  ),
  read([3, 4], [[], [0, 0]]),
  read([3, 4, 2], ["...", 0]),
  read([3, 4, 2], [0, "...", [1]]),
  read([3, 4], [null, 1, null, "...", null]),
  read([5], [[-2, -9, -1]]),
  read([3, 4], [0, "...", 1]),
  read({ shape: [3, 4], transposed: true }, [[1], 2]),
  read([0, 3], [[], 1]),
  ...kinds([3, 4]).map((x) => read(x, ["#0"], three)),
  read([3, 4], [":", "#0"], three),
  read([3, 4], ["#0"], column),
  read([3, 4], ["#0", "#1"], column, three),
  read([3, 4, 3], ["#0", [1, 3], "#1"], column, three),
  read([3, 4, 3], [":", "#0", "#1"], three, three),
  read([3, 4, 3], ["#0", "#1"], pair, pair),
  read([3, 4, 3], ["#0", null, "#1"], pair, pair),
  read([3, 4, 3], [0, "#0", "#1"], pair, pair),
  read([3, 4, 3], ["#0", 0, "#1"], pair, pair),
  read([3, 4, 3], ["#0", "...", "#1"], pair, integers([1], [2])),
  read([3, 4, 3], [[null, null, -1], "#0"], three),
  read([3, 4], ["#0"], integers([], [-2])),
  read([3, 4, 2], ["#0", ":", "#1"], integers([], [1]), integers([2], [1, 0])),
  read([3, 4], ["#0"], { shape: [3], values: [2, -1, 0], constant: true }),
  read([3, 4], ["#0"], integers([0], [])),
  read([5, 2], ["#0"], mask5),
  read([2, 5], [1, "#0"], mask5),
  read([3, 4], ["#0"], mask34),
  read([2, 3, 4], [":", "#0"], mask34),
  read([3, 4, 5], ["#0", [null, null, 2]], mask34),
  read([3, 5], ["#0", "#1"], integers([3], [2, 0, 1]), mask5),
  read([3, 4], ["#0"], flags([3, 4], new Array(12).fill(0))),
  read([], ["..."]),
  read([], [null]),

  ...write([3, 4], [1], 5, false),
  ...write([3, 4], [1], [4], false),
  ...write([3, 4], [], [3, 1], false),
  ...write([3, 4], [":", [null, null, 2]], [3, 2], false),
  ...write(
    [3, 4],
    [
      [null, null, -1],
      [1, 3],
    ],
    [1, 1, 2],
    false,
  ),
  ...write([3, 4], [null, 0], [1, 4], false),
  ...write([3, 4], [2, 3], [], false),
  ...write([3, 4], [[0, 0]], [4], false),
  ...write({ shape: [3, 4], transposed: true }, [1], [4], false),
  ...write({ shape: [3, 4], dtype: "i32", low: -9, high: 9 }, ["...", 1], [3], false),
  ...write({ shape: [3, 4], dtype: "bool" }, [0], [4], false),
  ...write([3, 4], ["#0"], [3, 4], false, integers([3], [2, 0, 1])),
  ...write([3, 4], ["#0"], [3, 4], false, integers([3], [2, 0, -1])),
  ...write([3, 4], [":", "#0"], [1], false, three),
  ...write([3, 4], [":", "#0"], 2, false, three),
  ...write([3, 4, 3], ["#0", [1, 3], "#1"], [2, 3, 2], false, column, three),
  ...write([3, 4, 3], ["#0", "#1"], [2, 3], false, pair, pair),
  ...write([3, 4, 3], ["#0", ":", "#1"], [2, 4], false, pair, pair),
  ...write([3, 4], ["#0", 1], [2], false, pair),
  ...write([3, 4], ["#0"], 9, false, mask34),
  ...write([3, 4], ["#0"], [5], false, mask34),
  ...write([3, 4], ["#0"], [4], false, integers([], [-2])),
  ...write([3, 4], ["#0"], [4], true, three),
  ...write([3, 4], ["#0"], [3, 4], true, integers([3], [1, 1, 1])),
  ...write([3, 4], ["#0", "#1"], [2, 3], true, column, three),
  ...write([3, 4], [1, [1, 3]], 1, true),
  ...write({ shape: [3, 4], dtype: "i32", low: -9, high: 9 }, ["#0"], [4], true, integers([3], [1, 1, 0])),
  ...write([3, 4], ["#0"], [4], false, integers([0], [])),
];
