// Rows of picking, writing and adding by index along an axis.
import { gather, indexAdd, indexSelect, scatter, scatterAdd, take, takeAlongDim } from "../../src/index.js";
import * as ref from "../reference.js";
import { exact, input, integers, kinds } from "./build.js";
import type { Input, Row } from "./case.js";

type Shape = readonly number[];

const selected = (name: string, x: Shape | Input, dim: number, positions: readonly number[]): Row =>
  exact(
    "indexSelect",
    name,
    [x, integers([positions.length], positions)],
    (x, index) => indexSelect(x!, dim, index!),
    (x, index) => ref.take(x!, dim, [...index!.data]),
  );

/** Adds or writes `values` at places of a copy of x; places in row-major order. */
function written(x: ref.Ref, values: ref.Ref, add: boolean, place: (index: readonly number[]) => number[]): ref.Ref {
  const y = ref.make(x.shape, x.data);
  ref.forEachIndex(values.shape, (index, flat) => {
    const at = ref.position(x.shape, place(index));
    y.data[at] = values.data[flat]! + (add ? y.data[at]! : 0);
  });
  return y;
}

const added = (x: Shape | Input, dim: number, positions: readonly number[], alpha = 1): Row => {
  const { shape } = input(x);
  const axis = ref.axisOf(dim, shape.length);
  return exact(
    "indexAdd",
    `${positions} along ${dim}, ${alpha}`,
    [x, integers([positions.length], positions), shape.map((n, i) => (i === axis ? positions.length : n))],
    (x, index, source) =>
      alpha === 1 ? indexAdd(x!, dim, index!, source!) : indexAdd(x!, dim, index!, source!, { alpha }),
    (x, index, source) =>
      written(
        x!,
        ref.map(source!, (v) => alpha * v),
        true,
        (at) => at.map((p, i) => (i === axis ? index!.data[p]! : p)),
      ),
    { tolerance: 1e-6 },
  );
};

const gathered = (x: Shape | Input, dim: number, index: Input, name = ""): Row =>
  exact(
    "gather",
    `${name} along ${dim}`.trim(),
    [x, index],
    (x, index) => gather(x!, dim, index!),
    (x, index) => ref.gather(x!, dim, index!),
  );

/** Where an element of the index puts its value. */
const place = (index: ref.Ref, dim: number) => (at: readonly number[]) => {
  const axis = ref.axisOf(dim, index.shape.length);
  return at.map((p, i) => (i === axis ? ref.at(index, at) : p));
};

/** The part of src that an index covers. */
const covered = (src: ref.Ref, shape: Shape): ref.Ref => ref.generate(shape, (index) => ref.at(src, index));

const scattered = (x: Shape | Input, dim: number, index: Input, src?: Shape | Input): Row[] => {
  const source = src ?? { ...input(x), shape: index.shape };
  return [
    exact(
      "scatter",
      `along ${dim}`,
      [x, index, source],
      (x, index, src) => scatter(x!, dim, index!, src!),
      (x, index, src) => written(x!, covered(src!, index!.shape), false, place(index!, dim)),
    ),
    exact(
      "scatter",
      `one value along ${dim}`,
      [x, index],
      (x, index) => scatter(x!, dim, index!, 1),
      (x, index) => written(x!, ref.fullOf(index!.shape, 1), false, place(index!, dim)),
    ),
    ...(input(x).dtype === "bool"
      ? []
      : [
          exact(
            "scatterAdd",
            `along ${dim}`,
            [x, index, source],
            (x, index, src) => scatterAdd(x!, dim, index!, src!),
            (x, index, src) => written(x!, covered(src!, index!.shape), true, place(index!, dim)),
            { tolerance: 1e-6 },
          ),
        ]),
  ];
};

const taken = (x: Shape | Input, index: Input): Row =>
  exact(
    "take",
    "",
    [x, index],
    (x, index) => take(x!, index!),
    (x, index) => ref.map(index!, (i) => x!.data[i < 0 ? i + x!.data.length : i]!),
  );

const takenAlong = (x: Shape | Input, index: Input, dim?: number): Row =>
  exact(
    "takeAlongDim",
    `along ${dim ?? "all"}`,
    [x, index],
    (x, index) => (dim === undefined ? takeAlongDim(x!, index!) : takeAlongDim(x!, index!, { dim })),
    (x, index) => {
      if (dim === undefined) return ref.make([index!.data.length], (i) => x!.data[index!.data[i]!]!);
      const axis = ref.axisOf(dim, x!.shape.length);
      const but = (shape: Shape, n: number) => shape.map((size, i) => (i === axis ? n : size));
      const shape = ref.broadcastShape(but(x!.shape, 1), but(index!.shape, 1));
      const wideX = ref.broadcastTo(x!, but(shape, x!.shape[axis]!));
      return ref.gather(wideX, dim, ref.broadcastTo(index!, but(shape, index!.shape[axis]!)));
    },
  );

/** Integers as f32, as a loader may give them. */
const asFloats = (shape: Shape, values: readonly number[]): Input => ({ shape, values, constant: true });

export const rows: readonly Row[] = [
  selected("rows", [5, 3], 0, [4, 0, 0, 2]),
  selected("last axis", [3, 5], -1, [1, 1, 4]),
  selected("middle axis", [2, 4, 3], 1, [3, 3, 3, 0, 1]),
  selected("long rows", [3, 33], 0, [2, 0, 2]),
  selected("vector", [9], 0, [8, 0, 4, 4]),
  selected("one element of an axis of one", [2, 1, 3], 1, [0]),
  selected("no index", [4, 3], 0, []),
  selected("empty rows", [4, 0], 0, [1, 2]),
  selected("i32", { shape: [5, 3], dtype: "i32", low: -9, high: 9 }, 0, [1, 4]),
  selected("bool", { shape: [2, 5], dtype: "bool" }, 1, [4, 1, 0]),
  exact(
    "indexSelect",
    "f32 index",
    [[4, 2], asFloats([3], [3, 0, 3])],
    (x, index) => indexSelect(x!, 0, index!),
    (x, index) => ref.take(x!, 0, [...index!.data]),
  ),
  added([5, 3], 0, [4, 0, 0, 2]),
  added([3, 5], -1, [1, 1, 4], -0.5),
  added([2, 4, 3], 1, [3, 3, 3, 0, 1], 2),
  added([3, 33], 0, [2, 0, 2]),
  added([4, 3], 0, []),
  added({ shape: [3, 4], transposed: true }, 0, [1, 1]),
  gathered([2, 3], 1, integers([2, 2], [2, 0, 1, 1])),
  gathered([4, 3], 0, integers([2, 3], [3, 0, 1, 2, 2, 0])),
  gathered([2, 3, 2], -2, integers([2, 4, 2], [0, 1, 2, 2, 1, 0, 0, 0, 2, 1, 1, 1, 0, 2, 2, 0])),
  gathered([3, 4], 1, integers([2, 3], [3, 3, 0, 1, 0, 2]), "part of the other axis"),
  gathered([3, 2, 4], 0, integers([2, 1, 3], [2, 0, 1, 1, 2, 0]), "part of two axes"),
  gathered([3], 0, asFloats([4], [2, 0, 2, 1]), "f32 index"),
  gathered([], 0, integers([], [0])),
  gathered([3, 4], 1, integers([3, 0], [])),
  gathered({ shape: [3, 4], transposed: true }, 1, integers([3, 1], [3, 0, 2])),
  ...kinds([2, 3]).map((x) => gathered(x, 1, integers([2, 2], [2, 0, 1, 1]))),
  ...kinds([2, 4]).flatMap((x) => scattered(x, 1, integers([2, 3], [3, 0, 3, 1, 1, 1]))),
  ...scattered([4, 3], 0, integers([2, 3], [3, 0, 1, 2, 2, 1])),
  ...scattered([2, 3, 2], 1, integers([2, 2, 2], [0, 1, 2, 2, 1, 0, 0, 0])),
  ...scattered([3, 4], 1, integers([2, 3], [3, 3, 0, 1, 0, 2])),
  ...scattered([3, 4], 1, integers([2, 2], [3, 3, 0, 1]), [3, 5]),
  ...scattered([3], 0, asFloats([4], [2, 0, 2, 1])),
  ...scattered([3, 4], 1, integers([3, 0], [])),
  ...scattered({ shape: [3, 4], transposed: true }, 0, integers([1, 4], [2, 0, 2, 1])),
  taken([3, 4], integers([2, 3], [0, 11, -1, -12, 5, 5])),
  taken([5], integers([], [2])),
  taken([5], asFloats([3], [4, -5, 4])),
  taken([2, 2], integers([0], [])),
  ...kinds([4]).map((x) => taken(x, integers([2], [3, -2]))),
  taken({ shape: [3, 4], transposed: true }, integers([3], [1, 4, -1])),
  takenAlong([3, 4], integers([3, 2], [0, 3, 1, 1, 2, 0]), 1),
  takenAlong([3, 4], integers([1, 2], [3, 0]), 1),
  takenAlong([1, 4], integers([3, 2], [0, 3, 1, 1, 2, 0]), -1),
  takenAlong([3, 1], integers([2, 4], [0, 2, 1, 0, 2, 2, 1, 0]), 0),
  takenAlong([3, 4], integers([5], [11, 0, 3, 3, 7])),
  takenAlong([3, 4], integers([2, 2], [11, 0, 3, 3])),
];
